"""A figure and the card below it: what it means, where it comes from, and its rows to download."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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

from dashboard import queries, text
from dashboard.backends import OutdatedError, UnavailableError, Values, spell_out
from dashboard.charts import BREAKS_ANCHOR, STEPS, inside
from dashboard.session import View, to_frame
from lakepulse.figures import Meaning

query = queries.beside(__file__)

_log = logging.getLogger("lakepulse.dashboard")
_PREVIEW = 1000
_MOST_INCOMPLETE = 3

PROBLEMS = {"gone": "Not found", "closed": "Switched off or refused by the upstream", "stale": "Out of date"}
"""What can be wrong with a source of a repository or package -> how pages say so."""
IN_SHORT = {"gone": "not found", "closed": "switched off", "stale": "out of date"}
"""The same in few words."""

Draw = Callable[[View, pd.DataFrame], date | None]
"""Draws the rows of a figure, and returns the date that the reader clicked, if any."""
Behind = Callable[[View, pd.DataFrame, date], None]
"""Shows what is behind the point at a date."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What definitions.yaml says about a gold table. `sources` are the sources it is computed from."""

    says: str
    origin: str
    link: str
    sources: tuple[str, ...]
    omits: str


@cache
def definitions() -> Mapping[str, Definition]:
    """The definitions of the gold tables that the pages show, by table."""
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
    empty: str = "No data for this selection. Try another project, repository or period.",
    note: str = "",
    extra: Values | None = None,
    scopes: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    anchor: str = "",
    meaning: Meaning | None = None,
    behind: Behind | None = None,
) -> None:
    """Show one figure: heading, drawing, card. A figure that fails leaves the rest of the page intact.

    Args:
        table: names the definition.
        sql: the query of the figure's rows, in portable SQL.
        draw: draws the rows.
        drawn: the query of what `draw` gets, if all rows would be more points than a screen can show. The rows of `sql` are
            then only counted until somebody opens the card.
        keys: the columns that identify a row. With them, an older publication also shows what the newest has revised.
        derived: columns computed from other rows, whose changes are not revisions of their own.
        step: what a key called `date` stands for: day, week or month. Keys called `week` and `month` say so themselves.
        empty: what to say if there are no rows.
        note: how to read the figure, in the card.
        extra: further values of the queries.
        scopes: the repositories and packages of the figure, if not those selected.
        sources: what the figure is made of, if not all that its table is.
        anchor: the heading's name in the address, if not its words.
        meaning: what a figure of `dim_figures` means, which the card says before what its table is.
        behind: what answers a click on the drawing.
    """
    anchor = anchor or slug(title)
    st.header(title, anchor=anchor)
    with guarded(title):
        frame = view.frame(drawn or sql, extra)
        fresh = freshness(view, scopes)
        fresh = fresh[fresh["source"].isin(definitions()[table].sources if sources is None else sources)]
        incomplete = _incomplete(fresh)
        if len(frame):
            _answering(view, title, frame, draw, behind) if behind else draw(view, frame)
        elif not incomplete:
            st.info(empty, icon=":material/inbox:")
        if new := [sentence for sentence in incomplete if view.says_first(sentence, anchor)]:
            rest = len(new) - _MOST_INCOMPLETE
            more = [f"The card lists {rest} more."] if rest > 0 else []
            said = " ".join(["**Incomplete history.**", *new[:_MOST_INCOMPLETE], *more])
            st.info(said, icon=":material/content_cut:")
        number = view.count(sql, extra) if drawn else len(frame)
        _card(
            view,
            _Shown(title, table, sql, number, tuple(keys), tuple(derived), step, extra or {}, fresh, note, meaning, behind),
        )


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Say on the page why its part `what` cannot be shown, instead of losing the rest of the page."""
    try:
        yield
    except OutdatedError as error:
        st.info(text.literal(error), icon=":material/inbox:")
    except UnavailableError as error:
        st.error(f"This figure cannot be shown. {text.literal(error)}", icon=":material/error:")
    except Exception:  # noqa: BLE001 - reported and logged
        # A bug of ours must not cost the reader the rest of the page.
        _log.exception("the figure %s failed", what)
        st.error(
            "This figure cannot be shown because of an error in the dashboard; see its log. Other figures are not affected.",
            icon=":material/error:",
        )


@st.fragment
def _answering(view: View, title: str, frame: pd.DataFrame, draw: Draw, behind: Behind) -> None:
    """The drawing, and what is behind the point that was clicked. A click reruns nothing else."""
    with guarded(title):
        picked = draw(view, frame)
        if picked is not None:
            behind(view, frame, picked)


def breaks(view: View, sources: Sequence[str], scopes: Sequence[str], times: pd.Series[pd.Timestamp]) -> pd.DataFrame:
    """The known breaks of these sources and scopes within a chart's times, each with the letter that marks it.

    A letter means the same on every page; `explain_breaks` says what, once at the end of the page.
    """
    affected = touching(view.frame(query("breaks")), sources, scopes)
    found = inside(affected, times).drop_duplicates("place")
    found = found.assign(mark=[chr(ord("A") + (place - 1) % 26) for place in found["place"]])
    for row in found.to_dict("records"):
        link = text.web_link(row["link"])
        what = " ".join(text.sentence(row[part]) for part in ("what_changed", "effect"))
        where = f" [Source]({link})" if link else ""
        view.marked.setdefault(f"{row['mark']} {row['id']}", f"**{row['mark']}** · {row['from_date']:%Y-%m-%d}: {what}{where}")
    return found


def touching(found: pd.DataFrame, sources: Sequence[str], scopes: Sequence[str]) -> pd.DataFrame:
    """The known breaks that affect these sources and scopes."""
    touched = found["source"].map(lambda source: any(name == source or name.startswith(f"{source}_") for name in sources))
    ours = found["scope"].fillna("").map(lambda scope: not scope or scope in scopes)
    return found[touched.astype(bool) & ours.astype(bool)]


def explain_breaks(view: View) -> None:
    """The notes of the known breaks that the charts of the page mark."""
    if view.marked:
        st.header("Known breaks", anchor=BREAKS_ANCHOR)
        # Not a caption, whose links are too pale to read.
        st.markdown("\n\n".join(f":small[{note}]" for _, note in sorted(view.marked.items())))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A figure as its card needs it: the arguments of `figure`, its number of rows, and the freshness of its sources."""

    title: str
    table: str
    sql: str
    number: int
    keys: tuple[str, ...]
    derived: tuple[str, ...]
    dates: str
    extra: Values
    fresh: pd.DataFrame
    note: str
    meaning: Meaning | None
    behind: Behind | None

    @property
    def time(self) -> str | None:
        """The key that is a date: a day, or the first day of a week or month."""
        return next((key for key in self.keys if key in {"date", "week", "month"}), None)

    @property
    def step(self) -> str:
        return self.dates if self.time == "date" else self.time or "day"

    @property
    def slug(self) -> str:
        return slug(self.title)

    @property
    def tables(self) -> str:
        """The tables that the query reads, in words."""
        found = dict.fromkeys(re.findall(r"\bgold\.\w+", self.sql))
        return f"table{'s' if len(found) > 1 else ''} {', '.join(f'`{name}`' for name in found)}"


def slug(title: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


@st.fragment
def _card(view: View, shown: _Shown) -> None:
    """The card. Its content is made when it is opened, which does not rerun the rest of the page."""
    definition = definitions()[shown.table]
    fresh = shown.fresh
    fetched = fresh["last_fetched_at"].min() if len(fresh) else None
    age = "" if fetched is None or pd.isna(fetched) else f" · fetched {text.age(fetched, view.now)}"
    changes = _changes(view, shown)
    since = f" · {len(changes):,} {'revised' if shown.time else 'different'} since" if changes is not None else ""
    label = f"About: {shown.title} · {text.count(shown.number, 'row')}{since}{age}"
    opened = st.expander(label, key=f"card-{shown.slug}", on_change="rerun")
    if not opened.open:
        return
    with opened:
        rows = view.arrow(shown.sql, shown.extra)
        says, origin, link = definition.says, definition.origin, definition.link
        if shown.meaning is not None:
            says, origin, link = f"{shown.meaning.definition} {says}", "Source of the definition", shown.meaning.link
        st.markdown(f"**Definition.** {says}")
        if shown.note:
            st.markdown(f"**How to read it.** {shown.note}")
        st.markdown(f"**Source.** [{origin}]({link}) · {shown.tables}")
        st.markdown(f"**Left out.** {definition.omits} {_limits(fresh)}")
        st.markdown(
            f"**Data.** {shown.number:,} rows as of {view.publication.as_of} (UTC), published "
            f"{text.age(view.publication.published_at, view.now)} by run {text.literal(view.publication.run_id)}{age}."
        )
        if shown.keys and not view.is_newest:
            _show_changes(view, shown, changes)
        name = f"lakepulse-{shown.slug}-{view.publication.as_of}"
        with st.container(horizontal=True):
            # Callables: the files are made on request.
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
        if shown.behind is not None and shown.time is not None:
            # A click on the chart does the same; this is for the keyboard.
            frame = view.frame(shown.sql, shown.extra)
            days = sorted(frame[shown.time].dt.date.unique(), reverse=True)
            label = f"Show what is behind a {shown.step}"
            picked = st.selectbox(label, days, index=None, placeholder="Choose", key=f"behind-{shown.slug}")
            if picked is not None:
                shown.behind(view, frame, picked)
        st.code(spell_out(shown.sql, {**view.values, **shown.extra}).strip(), language="sql", wrap_lines=True)


def freshness(view: View, scopes: Sequence[str] | None = None) -> pd.DataFrame:
    """The freshness of every source of these scopes (default: those selected), one row each.

    `problem` is gone, closed or stale, or None: what upstream no longer has or refuses is more than out of date.
    """
    fresh = view.frame(query("freshness"))
    return judged(fresh[fresh["scope"].isin(view.selection.scopes if scopes is None else scopes)])


def judged(fresh: pd.DataFrame) -> pd.DataFrame:
    """Rows of `fct_data_freshness` with their `problem`; without the columns of upstreams' answers in old publications."""
    fresh = fresh.assign(**{name: None for name in ("status", "status_detail") if name not in fresh})
    stale = fresh["is_stale"].map({True: "stale"})
    return fresh.assign(problem=fresh["status"].where(fresh["status"].isin(["gone", "closed"]), stale).astype(object))


def _incomplete(fresh: pd.DataFrame) -> list[str]:
    """A sentence for each incomplete history."""
    incomplete = fresh["covered_from"].notna()
    return [
        f"{text.literal(row.scope)} has {text.literal(row.source)} data only since {row.covered_from:%Y-%m-%d}."
        for row in (fresh[incomplete].itertuples() if incomplete.any() else ())
    ]


def _limits(fresh: pd.DataFrame) -> str:
    parts = _incomplete(fresh)
    for problem, said in PROBLEMS.items():
        sources = sorted(set(fresh.loc[fresh["problem"] == problem, "source"]))
        if sources:
            parts.append(f"{said} when this was published: {', '.join(text.literal(source) for source in sources)}.")
    return " ".join(parts)


def _changes(view: View, shown: _Shown) -> pd.DataFrame | None:
    """The rows that differ in the newest publication; None if there is nothing to compare, or it cannot be read."""
    if not shown.keys or view.is_newest:
        return None
    try:
        then, now = (view.arrow(shown.sql, shown.extra, publication) for publication in (view.publication, view.newest))
        before, after = (_over(rows, shown, view.over).drop(columns=list(shown.derived)) for rows in (then, now))
        return revised(before, after, shown.keys)
    except UnavailableError:
        return None


def _over(rows: pa.Table, shown: _Shown, over: date) -> pd.DataFrame:
    """The rows of days, weeks and months that were over; the others change simply because time goes on."""
    frame = to_frame(rows)
    return frame[frame[shown.time] + STEPS[shown.step] <= pd.Timestamp(over)] if shown.time else frame


def _show_changes(view: View, shown: _Shown, changes: pd.DataFrame | None) -> None:
    if changes is None:
        st.markdown("**Revised since.** This query does not run on the newest publication.")
        return
    what = "**Revised since.**" if shown.time else "**Different since.**"
    why = "" if shown.time else " It is for a later day, so not every difference is a revision."
    st.markdown(
        f"{what} {text.count(len(changes), 'row')} {'is' if len(changes) == 1 else 'are'} changed, new or gone in the newest "
        f"publication, as of {view.newest.as_of}.{why}"
    )
    if len(changes):
        st.dataframe(changes, hide_index=True, placeholder="–", alt="Rows revised since, then and now")


def revised(then: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows that differ between two versions of a table, identified by `keys`.

    The other columns appear twice, as `<name> then` and `<name> now`; `change` is changed, gone or new. Doubles within
    1e-6 relative are equal.
    """
    values = [name for name in then.columns if name not in keys]
    if then.empty and now.empty:
        # pandas fails to join empty frames whose text columns are Arrow's.
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
