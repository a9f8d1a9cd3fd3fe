"""Entry point: `streamlit run dashboard/app.py`. Finds the publication and the selection, then shows the page."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from pydantic import ValidationError

# Streamlit puts this file's folder on the path; the package is one level up.
if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from dashboard import card, charts, filters, session, text
from dashboard.backends import UnavailableError
from dashboard.page import Page
from dashboard.publications import by_label, failed_since, is_stale
from dashboard.views import PAGES
from lakepulse.outcome import one_line
from lakepulse.publications import Publication
from lakepulse.settings import Settings

_log = logging.getLogger("lakepulse.dashboard")
_NEWEST = "newest"
# A browser scrolls once to the heading in the address, and charts drawn later push it away. So scroll again until the
# reader scrolls or types, or everything must have been drawn.
_ANCHOR = """
<script>
(() => {
    const name = decodeURIComponent(location.hash.slice(1));
    if (!name || window.lakepulseAnchor === location.href) return;
    window.lakepulseAnchor = location.href;
    const end = Date.now() + 10000;
    let goes = true;
    for (const kind of ["wheel", "touchstart", "keydown", "mousedown"]) {
        addEventListener(kind, () => { goes = false; }, { once: true, capture: true, passive: true });
    }
    const go = () => {
        if (!goes || Date.now() > end) return;
        document.getElementById(name)?.scrollIntoView({ behavior: "instant" });
        setTimeout(go, 100);
    };
    go();
})();
</script>
"""


# Streamlit replaces the address when a filter changes; Back would leave the site. A change by the reader becomes an entry of
# the history instead. Streamlit already answers Back by running the page with the address it finds.
_HISTORY = """
<script>
(() => {
    if (window.lakepulseHistory) return;
    window.lakepulseHistory = true;
    let goesBack = false;
    addEventListener("popstate", () => { goesBack = true; }, { capture: true });
    for (const kind of ["keydown", "pointerdown"]) {
        addEventListener(kind, () => { goesBack = false; }, { capture: true, passive: true });
    }
    const replace = history.replaceState.bind(history);
    history.replaceState = (state, title, url) => {
        const isNew = url && new URL(url, location.href).search !== location.search;
        return isNew && !goesBack ? history.pushState(state, title, url) : replace(state, title, url);
    };
})();
</script>
"""
# Zoomed to 200 %, a page must still begin with a figure; and the top navigation shows where the focus is.
_STYLE = """
<style>
[data-testid=stMainBlockContainer] { padding-top: 4.5rem; }
[data-testid=stMainBlockContainer] h1 { padding: 0 0 .25rem; }
@media (max-height: 600px) { [data-testid=stMainBlockContainer] h1 { font-size: 1.75rem; } }
[data-testid=stHeader] a:focus-visible, [data-testid=stHeader] button:focus-visible {
    outline: 3px solid currentColor !important; outline-offset: -3px; border-radius: .25rem;
}
</style>
"""


def main() -> None:
    st.set_page_config(page_title="lakepulse", page_icon="🌊", layout="wide")
    home, *others = PAGES
    navigated = st.navigation(
        [
            _entry(home, url_path="", default=True),
            *(_entry(page, url_path=page.path) for page in others),
            # The first page is at the root; people also type its name.
            _entry(home, url_path=home.path, visibility="hidden"),
        ],
        position="top",
    )
    try:
        settings = Settings()
        found = session.publications(settings)
    except ValidationError as error:
        names = ", ".join("_".join(map(str, problem["loc"])).upper() for problem in error.errors())
        _explain("Invalid setting", f"Check {names}: {one_line(error.errors()[0]['msg'])}")
        return
    except UnavailableError as error:
        _log.warning("%s", one_line(error))
        _explain("The data cannot be read", str(error))
        return
    if not found:
        _explain("Nothing is published yet", "Run the pipeline. Its first publication will appear here.")
        return
    with st.sidebar:
        st.markdown("**lakepulse**")
        publication = _as_of(found)
        try:
            members = session.members(settings, publication)
            selection = filters.choose(members, publication, session.earliest(settings, publication))
        except UnavailableError as error:
            _explain("The data cannot be read", str(error))
            return
    view = session.View(settings, publication, found[0], members, selection, session.now())
    st.html(charts.STYLE + _STYLE)
    # On the Overview, the answers about each project say what is wrong with its sources.
    _notices(view, with_sources=navigated.title != home.title)
    session.keep(view)
    with st.sidebar:
        st.html(_ANCHOR + _HISTORY, unsafe_allow_javascript=True)
    navigated.run()
    card.explain_breaks(view)
    st.divider()
    st.caption(
        f"All dates and times are UTC. As of {publication.as_of}, run {text.literal(publication.run_id)}, "
        f"lakepulse {text.literal(publication.code_version)}."
    )


def _entry(page: Page, **options: Any) -> st.Page:
    return st.Page(partial(_show, page), title=page.title, icon=page.icon, **options)


def _show(page: Page) -> None:
    view = session.current()
    # A title of its own in the browser's tabs and history.
    st.set_page_config(page_title=" · ".join([*view.named, page.title, "lakepulse"]))
    with card.guarded(page.title):
        page.show(view)


def _as_of(found: list[Publication]) -> Publication:
    labelled = by_label(found)
    unknown = filters.unknown_in_link("as_of", {_NEWEST, *labelled}.__contains__)
    chosen = st.selectbox(
        "As of",
        [_NEWEST, *labelled],
        key="as_of",
        bind="query-params",
        help="Show these pages as they were on an earlier day. A later backfill of that day is listed separately. Links keep "
        "the chosen day.",
    )
    filters.remember_dropped(
        "as_of", "As-of date not found", unknown, chosen, lambda label: "the newest" if label == _NEWEST else label
    )
    return labelled.get(chosen or _NEWEST, found[0])


def _notices(view: session.View, *, with_sources: bool) -> None:
    publication, newest, selection = view.publication, view.newest, view.selection
    filters.report_dropped(*filters.OF_ALL_PAGES)
    if selection.first > selection.last:
        st.warning(
            "The period ends before it starts: choose a From date that is not after the To date.", icon=":material/date_range:"
        )
    if not view.is_newest:
        st.info(
            f"You are viewing the publication as of **{publication.as_of}**, published on "
            f"{publication.published_at:%Y-%m-%d at %H:%M} (UTC). The newest is as of {newest.as_of}.",
            icon=":material/history:",
        )
    # In one line, so that a page begins with its figures; what it says is inside.
    if found := _news_of_the_data(view, with_sources=with_sources):
        with st.expander(" · ".join(notice.headline for notice in found), icon=":material/info:"):
            for notice in found:
                (st.info if notice.is_normal else st.warning)(notice.text, icon=notice.icon)
    projects = text.listed([text.literal(name) for name in selection.projects], 4)
    repos = text.count(len(selection.repos), "repository", "repositories")
    packages = text.count(len(selection.packages), "package")
    st.caption(f"{projects} · {repos}, {packages} · {_period(view)} (UTC)")


def _period(view: session.View) -> str:
    """The period in words. Over all time, each chart begins with its own data."""
    first, last = view.selection.first, view.selection.last
    return f"all time to {last}" if st.session_state.get("period") == filters.ALL_TIME else f"{first} to {last}"


class _Notice(NamedTuple):
    """Something to know about the data, in a few words and in full."""

    headline: str
    text: str
    icon: str
    is_normal: bool = False


def _news_of_the_data(view: session.View, *, with_sources: bool) -> list[_Notice]:
    """What a reader should know before trusting the figures shown."""
    publication, newest = view.publication, view.newest
    found: list[_Notice] = []
    if publication.is_demo:
        said = "**Demo data.** These figures are simulated. They say nothing about the real projects."
        found.append(_Notice("Demo data", said, ":material/science:"))
    failed = failed_since(session.runs(view.settings), newest)
    if failed:
        last, first = failed[0], failed[-1]
        step = f" at step {text.literal(last.failed_step)}" if last.failed_step else ""
        why = f": {text.sentence(one_line(last.message)[:300])}" if last.message else "."
        since = f" {len(failed)} runs have failed since {first.ended_at:%Y-%m-%d %H:%M} (UTC)." if len(failed) > 1 else ""
        said = (
            f"**The last run failed**{step}, {text.age(last.ended_at, view.now)}{why}{since} "
            "The figures shown are complete, but older."
        )
        found.append(_Notice("The last run failed", said, ":material/sync_problem:"))
    if is_stale(newest, view.now):
        age = text.age(newest.as_of, view.now)
        said = f"**These figures are old.** The newest publication is as of {newest.as_of}, {age}."
        found.append(_Notice(f"Figures from {age}", said, ":material/schedule:"))
    for problem, icon in (("gone", ":material/link_off:"), ("closed", ":material/block:"), ("stale", ":material/cloud_off:")):
        if with_sources and (scopes := _scopes_with(view, problem)):
            said = f"**{card.PROBLEMS[problem]}**: {text.listed(scopes, 5)}. See the Data page."
            found.append(_Notice(f"{len(scopes)} {card.IN_SHORT[problem]}", said, icon, is_normal=problem == "closed"))
    return found


def _scopes_with(view: session.View, problem: str) -> list[str]:
    """The selected scopes with sources that had this problem at publishing, each with those sources unless all had it."""
    fresh = card.freshness(view)
    number = fresh["scope"].value_counts()
    found = fresh[fresh["problem"] == problem].sort_values("source")
    scopes = []
    for scope, rows in found.groupby("scope"):
        sources = "" if len(rows) == number[scope] > 1 else f" ({', '.join(map(_said, rows.itertuples()))})"
        scopes.append(f"{text.literal(scope)}{sources}")
    return scopes


def _said(row: Any) -> str:
    """A source, and why its upstream refuses it."""
    detail = str(row.status_detail or "").rstrip(".") if row.problem == "closed" else ""
    return text.literal(f"{row.source}: {detail}" if detail else row.source)


def _explain(what: str, why: str) -> None:
    st.title(what, anchor=False)
    st.error(text.literal(why), icon=":material/cloud_off:")
    st.caption("See the pipeline's log for details. Once something is published, the Data page lists the last runs.")


main()
