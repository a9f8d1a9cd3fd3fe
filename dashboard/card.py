"""A figure and the card under it: what the number means, where it comes from, and its rows to take away."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
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
from dashboard.charts import STEPS
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

_log = logging.getLogger("lakepulse.dashboard")
_PREVIEW = 1000
_MOST_CUT = 3

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
    derived: Sequence[str] = (),
    step: str = "day",
    empty: str = "Nothing was counted for this choice. Choose another project, repository or period.",
    note: str | None = None,
    extra: Values | None = None,
    scopes: Sequence[str] | None = None,
) -> None:
    """Show one figure: heading, drawing, card.

    `table` names the definition, `sql` is the portable query of the rows and `extra` has further values in it.
    `drawn` is the query of what `draw` takes, where a picture of all rows would have more points than a
    screen: the rows are then only counted until somebody opens the card. `keys` are the columns that name a row:
    with them, a page that shows an older publication tells what is different in the newest. A key called date
    counts days unless `step` says weeks or months; week and month tell their own. `derived` columns follow from
    others, in other rows too, so what they differ in is no revision of their own. `scopes` are the repositories and
    packages that the figure is of, where they are others than those chosen.
    A figure that fails does not take the page along.
    """
    st.header(title, anchor=_slug(title))
    try:
        frame = view.frame(drawn or sql, extra)
        fresh = freshness(view, scopes)
        fresh = fresh[fresh["source"].isin(definitions()[table].sources)]
        cut = _cut(fresh)
        if len(frame):
            draw(frame)
        elif not cut:
            st.info(empty, icon=":material/inbox:")
        if cut:
            more = [f"{len(cut) - _MOST_CUT} more are in the card."] if len(cut) > _MOST_CUT else []
            st.info(" ".join(["**Not known as a whole.**", *cut[:_MOST_CUT], *more]), icon=":material/content_cut:")
        if note:
            st.caption(note)
        number = view.count(sql, extra) if drawn else len(frame)
        _card(view, _Shown(title, table, sql, number, tuple(keys), tuple(derived), step, extra or {}, fresh))
    except UnavailableError as error:
        st.error(f"This figure cannot be shown. {text.literal(error)}", icon=":material/error:")
    except Exception:  # noqa: BLE001 - it is told and logged
        # Of our making: who reads the page can still use the rest of it.
        _log.exception("the figure %s failed", title)
        st.error(
            "This figure cannot be shown, by a fault of the dashboard, whose log tells more. The others are not concerned.",
            icon=":material/error:",
        )


def breaks(view: View, sources: Sequence[str], scopes: Sequence[str], dates: tuple[date, date] | None = None) -> pd.DataFrame:
    """Known breaks within the dates (the period) that touch these sources and scopes, with the letter that marks each."""
    first, last = dates or (view.selection.first, view.selection.last)
    found = touching(view.frame(_BREAKS), sources, scopes, first, last)
    # One change may touch several sources, a row each: it is one break to a reader.
    found = found.drop_duplicates(["scope", "from_date", "to_date", "what_changed"])
    return found.assign(mark=[chr(ord("A") + index % 26) for index in range(len(found))])


def touching(found: pd.DataFrame, sources: Sequence[str], scopes: Sequence[str], first: date, last: date) -> pd.DataFrame:
    """Those of the known breaks that touch these sources and scopes between two days."""
    touched = found["source"].map(lambda source: any(name == source or name.startswith(f"{source}_") for name in sources))
    ours = found["scope"].fillna("").map(lambda scope: not scope or scope in scopes)
    begun = found["from_date"] <= pd.Timestamp(last)
    lasting = found["to_date"].fillna(found["from_date"]) >= pd.Timestamp(first)
    return found[touched.astype(bool) & ours.astype(bool) & begun & lasting]


def broken_on(source: str, scope: str, first: str, last: str) -> str:
    """SQL of the day of the latest known break of a source and a scope between two days, null if there is none.

    `scope`, `first` and `last` are SQL too; `source` is a name of a landing source.
    """
    family = source.split("_", maxsplit=1)[0]
    return f"""(
        SELECT max(breaks.from_date)
        FROM gold.fct_known_breaks AS breaks
        WHERE breaks.source IN ('{family}', '{source}') AND coalesce(breaks.scope, '') IN ('', {scope})
            AND breaks.from_date <= {last} AND coalesce(breaks.to_date, breaks.from_date) >= {first}
    )"""  # noqa: S608 - written by the pages


BROKEN_IN_28_DAYS = broken_on("pypistats_overall", "days.package", "days.date - INTERVAL '27' DAY", "days.date")
"""Of a row of downloads called `days`: the latest break that parts it from some of the 28 days before."""


def explained(found: pd.DataFrame) -> str:
    """Markdown that says what the letters in a chart stand for, a paragraph each."""
    paragraphs = []
    for row in found.to_dict("records"):
        link = text.web_link(row["link"])
        what = " ".join(text.sentence(row[part]) for part in ("what_changed", "effect"))
        where = f" [Source]({link})" if link else ""
        paragraphs.append(f"**{row['mark']}** · {row['from_date']:%Y-%m-%d}: {what}{where}")
    return "\n\n".join(paragraphs)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A figure as its card needs it: the arguments of `figure`, and the number of its rows. `fresh` is of its sources."""

    title: str
    table: str
    sql: str
    number: int
    keys: tuple[str, ...]
    derived: tuple[str, ...]
    dates: str
    extra: Values
    fresh: pd.DataFrame

    @property
    def time(self) -> str | None:
        """The key that is a day, or the first of a week or month."""
        return next((key for key in self.keys if key in {"date", "week", "month"}), None)

    @property
    def step(self) -> str:
        return self.dates if self.time == "date" else self.time or "day"

    @property
    def slug(self) -> str:
        return _slug(self.title)

    @property
    def tables(self) -> str:
        """The tables that the query reads, for people."""
        found = dict.fromkeys(re.findall(r"\bgold\.\w+", self.sql))
        return f"table{'s' if len(found) > 1 else ''} {', '.join(f'`{name}`' for name in found)}"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


@st.fragment
def _card(view: View, shown: _Shown) -> None:
    """The card. What is in it is made when it is opened, and opening it leaves the rest of the page alone."""
    definition = definitions()[shown.table]
    fresh = shown.fresh
    fetched = fresh["last_fetched_at"].min() if len(fresh) else None
    asked = "" if fetched is None or pd.isna(fetched) else f" · fetched {text.age(fetched, view.now)}"
    changes = _changes(view, shown)
    since = f" · {len(changes):,} {'revised' if shown.time else 'different'} since" if changes is not None else ""
    label = f"About: {shown.title} · {text.count(shown.number, 'row')}{since}{asked}"
    opened = st.expander(label, key=f"card-{shown.slug}", on_change="rerun")
    if not opened.open:
        return
    with opened:
        rows = view.arrow(shown.sql, shown.extra)
        st.markdown(f"**Definition.** {definition.says}")
        st.markdown(f"**Source.** [{definition.origin}]({definition.link}) · {shown.tables}")
        st.markdown(f"**Left out.** {definition.omits} {_limits(fresh)}")
        st.markdown(
            f"**Data.** {shown.number:,} rows as of {view.publication.as_of} (UTC), published "
            f"{text.age(view.publication.published_at, view.now)} by run {text.literal(view.publication.run_id)}{asked}."
        )
        if shown.keys and not view.is_newest:
            _tell_changes(view, shown, changes)
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


def freshness(view: View, scopes: Sequence[str] | None = None) -> pd.DataFrame:
    """A row for each source of each scope (the chosen ones): when it was last had, from when on, and whether that was late."""
    fresh = view.frame(_FRESHNESS)
    return fresh[fresh["scope"].isin(view.selection.scopes if scopes is None else scopes)]


def _cut(fresh: pd.DataFrame) -> list[str]:
    """A sentence for each history that is not held whole."""
    cut = fresh["covered_from"].notna()
    return [
        f"{text.literal(row.scope)} has {text.literal(row.source)} only from {row.covered_from:%Y-%m-%d} on."
        for row in (fresh[cut].itertuples() if cut.any() else ())
    ]


def _limits(fresh: pd.DataFrame) -> str:
    parts = _cut(fresh)
    late = sorted(set(fresh.loc[fresh["is_stale"].astype(bool), "source"]))
    if late:
        parts.append(f"Late when this was published: {', '.join(text.literal(source) for source in late)}.")
    return " ".join(parts)


def _changes(view: View, shown: _Shown) -> pd.DataFrame | None:
    """What the newest publication has otherwise; None if there is nothing to compare, or it cannot answer."""
    if not shown.keys or view.is_newest:
        return None
    try:
        then, now = (view.arrow(shown.sql, shown.extra, publication) for publication in (view.publication, view.newest))
        before, after = (_over(rows, shown, view.over).drop(columns=list(shown.derived)) for rows in (then, now))
        return revised(before, after, shown.keys)
    except UnavailableError:
        return None


def _over(rows: pa.Table, shown: _Shown, over: date) -> pd.DataFrame:
    """The rows of days, weeks and months that were over: the others change because time goes on."""
    frame = to_frame(rows)
    return frame[frame[shown.time] + STEPS[shown.step] <= pd.Timestamp(over)] if shown.time else frame


def _tell_changes(view: View, shown: _Shown, changes: pd.DataFrame | None) -> None:
    if changes is None:
        st.markdown("**Revised since.** The newest publication cannot answer this query.")
        return
    what = "**Revised since.**" if shown.time else "**Different since.**"
    why = "" if shown.time else " It tells of a later day, so not each difference is a revision."
    st.markdown(
        f"{what} {text.count(len(changes), 'row')} of these {shown.number:,}, or new there, "
        f"{'is' if len(changes) == 1 else 'are'} different in the newest publication, of {view.newest.as_of}.{why}"
    )
    if len(changes):
        st.dataframe(changes, hide_index=True, placeholder="–", alt="Rows that were revised since, then and now")


def revised(then: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Rows that differ, columns `<name> then` and `<name> now`, and in `change` whether one was changed, is gone or is new.

    Doubles within 1e-6 relative are equal.
    """
    values = [name for name in then.columns if name not in keys]
    if then.empty and now.empty:
        # Nothing to join, on which pandas ends in an error where texts are Arrow's.
        return pd.DataFrame(columns=["change", *keys, *(f"{name} {when}" for name in values for when in ("then", "now"))])
    both = then.merge(now, how="outer", on=list(keys), suffixes=(" then", " now"), indicator="change")
    both = both.assign(change=both["change"].map({"left_only": "gone", "right_only": "new", "both": "changed"}).astype(str))
    differs = both["change"] != "changed"
    for name in values:
        before, after = both[f"{name} then"], both[f"{name} now"]
        if pd.api.types.is_float_dtype(before) and pd.api.types.is_float_dtype(after):
            same = (before - after).abs() <= 1e-6 * after.abs()
        else:
            same = before == after
        differs |= ~(same | (before.isna() & after.isna()))
    return both.loc[differs, ["change", *(name for name in both.columns if name != "change")]]


def as_csv(rows: pa.Table) -> bytes:
    """UTF-8 CSV with a header, ISO dates, empty for null."""
    out = io.BytesIO()
    pacsv.write_csv(rows, out)
    return out.getvalue()


def as_parquet(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows, out)
    return out.getvalue()
