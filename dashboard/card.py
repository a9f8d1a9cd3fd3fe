"""A figure and the card under it: what the number means, where it comes from, and its rows to take away."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import streamlit as st
import yaml

from dashboard import text
from dashboard.backends import UnavailableError, Values, spell_out
from dashboard.session import View, to_frame

_FRESHNESS = """
SELECT source, scope, last_event_at, last_fetched_at, covered_from, is_stale
FROM gold.fct_data_freshness
"""
_BREAKS = """
SELECT id, source, scope, from_date, to_date, what_changed, effect, link
FROM gold.fct_known_breaks
ORDER BY from_date, id
"""

_PREVIEW = 1000

Draw = Callable[[pd.DataFrame], None]


@dataclass(frozen=True, slots=True)
class Definition:
    """What definitions.yaml says about a gold table. `sources` are the upstream lists that it is counted from."""

    says: str
    origin: str
    link: str
    sources: tuple[str, ...]
    omits: str


@cache
def definitions() -> Mapping[str, Definition]:
    """The definition of each gold table that the pages show."""
    raw = yaml.safe_load(Path(__file__).with_name("definitions.yaml").read_text(encoding="utf-8"))
    return {name: Definition(**entry | {"sources": tuple(entry["sources"])}) for name, entry in raw.items()}


def figure(
    view: View,
    title: str,
    table: str,
    sql: str,
    draw: Draw,
    *,
    drawn: str | None = None,
    keys: Sequence[str] = (),
    empty: str = "Nothing was counted for this choice. Choose another project, repository or period.",
    note: str | None = None,
    extra: Values | None = None,
) -> None:
    """Show one figure: heading, drawing, card.

    `table` names the definition, `sql` is the portable query of the rows and `extra` has further values in it.
    `drawn` is the query of what `draw` takes, where a picture of all rows would have more points than a
    screen: the rows are then only counted until somebody opens the card. `keys` are the columns that name
    a row of a dated result: with them, a page that shows an older publication tells what was revised since.
    A figure that fails does not take the page along.
    """
    st.header(title, anchor=False)
    try:
        frame = view.frame(drawn or sql, extra)
        if len(frame):
            draw(frame)
        else:
            st.info(empty, icon=":material/inbox:")
        if note:
            st.caption(note)
        number = view.count(sql, extra) if drawn else len(frame)
        _card(view, _Shown(title, table, sql, number, tuple(keys), extra or {}))
    except UnavailableError as error:
        st.error(f"This figure cannot be shown. {text.literal(error)}", icon=":material/error:")


def breaks(view: View, sources: Sequence[str], scopes: Sequence[str]) -> pd.DataFrame:
    """Known breaks of the period that touch these sources and scopes, with the letter that marks each in a chart."""
    found = view.frame(_BREAKS)
    touched = found["source"].map(lambda source: any(name == source or name.startswith(f"{source}_") for name in sources))
    ours = found["scope"].fillna("").map(lambda scope: not scope or scope in scopes)
    begun = found["from_date"] <= pd.Timestamp(view.selection.last)
    lasting = found["to_date"].fillna(found["from_date"]) >= pd.Timestamp(view.selection.first)
    found = found[touched.astype(bool) & ours.astype(bool) & begun & lasting]
    return found.assign(mark=[chr(ord("A") + index % 26) for index in range(len(found))])


def explain_breaks(found: pd.DataFrame) -> None:
    """Say in words what the letters in a chart stand for."""
    for row in found.to_dict("records"):
        link = text.web_link(row["link"])
        what = " ".join(text.literal(str(row[part]).rstrip(".")) + "." for part in ("what_changed", "effect"))
        where = f" [Source]({link})" if link else ""
        # No caption: its faded links are too faint to read.
        st.markdown(f":small[**{row['mark']}** · {row['from_date']:%Y-%m-%d}: {what}{where}]")


@dataclass(frozen=True, slots=True)
class _Shown:
    """A figure as its card needs it: the arguments of `figure`, and the number of its rows."""

    title: str
    table: str
    sql: str
    number: int
    keys: tuple[str, ...]
    extra: Values

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@st.fragment
def _card(view: View, shown: _Shown) -> None:
    """The card. What is in it is made when it is opened, and opening it leaves the rest of the page alone."""
    definition = definitions()[shown.table]
    fresh = _freshness(view, definition.sources)
    fetched = fresh["last_fetched_at"].min() if len(fresh) else None
    asked = "" if fetched is None or pd.isna(fetched) else f" · fetched {text.age(fetched, view.now)}"
    label = f"About: {shown.title} · {shown.number:,} rows{asked}"
    opened = st.expander(label, key=f"card-{shown.slug}", on_change="rerun")
    if not opened.open:
        return
    with opened:
        rows = view.arrow(shown.sql, shown.extra)
        st.markdown(f"**Definition.** {definition.says}")
        st.markdown(f"**Source.** [{definition.origin}]({definition.link}) · table `gold.{shown.table}`")
        st.markdown(f"**Left out.** {definition.omits} {_limits(fresh)}")
        st.markdown(
            f"**Data.** {shown.number:,} rows as of {view.publication.as_of} (UTC), published "
            f"{text.age(view.publication.published_at, view.now)} by run {text.literal(view.publication.run_id)}{asked}."
        )
        if shown.keys and not view.is_newest:
            _revisions(view, shown, rows)
        name = f"lakepulse-{shown.slug}-{view.publication.as_of}"
        with st.container(horizontal=True):
            # A callable: the file is made when somebody asks for it.
            st.download_button(
                "Download CSV", lambda: as_csv(rows), f"{name}.csv", "text/csv", key=f"csv-{shown.slug}", on_click="ignore"
            )
            st.download_button(
                "Download Parquet",
                lambda: as_parquet(rows),
                f"{name}.parquet",
                "application/vnd.apache.parquet",
                key=f"parquet-{shown.slug}",
                on_click="ignore",
            )
        st.dataframe(
            rows.slice(0, _PREVIEW),
            hide_index=True,
            placeholder="–",
            height=240,
            alt=f"{shown.title}: the first {_PREVIEW:,} rows",
        )
        st.code(spell_out(shown.sql, {**view.values, **shown.extra}).strip(), language="sql", wrap_lines=True)


def _freshness(view: View, sources: Sequence[str]) -> pd.DataFrame:
    fresh = view.frame(_FRESHNESS)
    scopes = (*view.selection.repos, *view.selection.packages)
    return fresh[fresh["source"].isin(sources) & fresh["scope"].isin(scopes)]


def _limits(fresh: pd.DataFrame) -> str:
    cut = fresh.dropna(subset=["covered_from"])
    parts = [
        f"{text.literal(row.scope)} has {text.literal(row.source)} only from {row.covered_from:%Y-%m-%d} on."
        for row in cut.itertuples()
    ]
    late = sorted(set(fresh.loc[fresh["is_stale"].astype(bool), "source"]))
    if late:
        parts.append(f"Late when this was published: {', '.join(text.literal(source) for source in late)}.")
    return " ".join(parts)


def _revisions(view: View, shown: _Shown, rows: pa.Table) -> None:
    """Compare the shown rows with what the newest publication has for the same keys."""
    try:
        newer = view.arrow(shown.sql, shown.extra, view.newest)
    except UnavailableError:
        st.markdown("**Revised since.** The newest publication cannot answer this query.")
        return
    changed = revised(rows, newer, shown.keys)
    st.markdown(
        f"**Revised since.** {len(changed):,} of these {shown.number:,} rows are different in the newest publication, "
        f"of {view.newest.as_of}."
    )
    if len(changed):
        st.dataframe(changed, hide_index=True, placeholder="–", alt="Rows that were revised since, then and now")


def revised(then: pa.Table, now: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    """Rows of both whose values differ, columns `<name> then` and `<name> now`; doubles within 1e-6 relative are equal."""
    values = [name for name in then.column_names if name not in keys]
    both = to_frame(then).merge(to_frame(now), on=list(keys), suffixes=(" then", " now"))
    differs = pd.Series(False, index=both.index)
    for name in values:
        before, after = both[f"{name} then"], both[f"{name} now"]
        if pd.api.types.is_float_dtype(before) and pd.api.types.is_float_dtype(after):
            same = (before - after).abs() <= 1e-6 * after.abs()
        else:
            same = before == after
        differs |= ~(same | (before.isna() & after.isna()))
    return both[differs]


def as_csv(rows: pa.Table) -> bytes:
    """UTF-8 CSV with a header, ISO dates, empty for null."""
    out = io.BytesIO()
    pacsv.write_csv(rows, out)
    return out.getvalue()


def as_parquet(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows, out)
    return out.getvalue()
