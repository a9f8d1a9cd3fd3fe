"""Entry point: `streamlit run dashboard/app.py`. Finds the publication and the selection, then shows the page."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any

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
    # On the Overview, the answers about each project say what is wrong with its sources.
    _notices(view, with_sources=navigated.title != home.title)
    session.keep(view)
    st.html(charts.STYLE)
    with st.sidebar:
        st.html(_ANCHOR, unsafe_allow_javascript=True)
    navigated.run()
    st.divider()
    st.caption(
        f"All dates and times are UTC. As of {publication.as_of}, run {text.literal(publication.run_id)}, "
        f"lakepulse {text.literal(publication.code_version)}."
    )


def _entry(page: Page, **options: Any) -> st.Page:
    return st.Page(partial(_show, page), title=page.title, icon=page.icon, **options)


def _show(page: Page) -> None:
    view = session.current()
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
    if publication.is_demo:
        st.warning(
            "**Demo data.** These figures are simulated. They say nothing about the real projects.", icon=":material/science:"
        )
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
    failed = failed_since(session.runs(view.settings), newest)
    if failed:
        last, first = failed[0], failed[-1]
        step = f" at step {text.literal(last.failed_step)}" if last.failed_step else ""
        why = f": {text.sentence(one_line(last.message)[:300])}" if last.message else "."
        since = f" {len(failed)} runs have failed since {first.ended_at:%Y-%m-%d %H:%M} (UTC)." if len(failed) > 1 else ""
        st.warning(
            f"**The last run failed**{step}, {text.age(last.ended_at, view.now)}{why}{since} "
            "The figures shown are complete, but older.",
            icon=":material/sync_problem:",
        )
    if is_stale(newest, view.now):
        st.warning(
            f"**These figures are old.** The newest publication is as of {newest.as_of}, {text.age(newest.as_of, view.now)}.",
            icon=":material/schedule:",
        )
    for problem, icon in (("gone", ":material/link_off:"), ("closed", ":material/block:"), ("stale", ":material/cloud_off:")):
        if with_sources and (scopes := _scopes_with(view, problem)):
            show = st.info if problem == "closed" else st.warning
            show(f"**{card.PROBLEMS[problem]}**: {text.listed(scopes, 5)}. See the Data page.", icon=icon)
    projects = text.listed([text.literal(name) for name in selection.projects], 4)
    repos = text.count(len(selection.repos), "repository", "repositories")
    packages = text.count(len(selection.packages), "package")
    st.caption(f"{projects} · {repos}, {packages} · {selection.first} to {selection.last} (UTC)")


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
