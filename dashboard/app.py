"""Entry: `streamlit run dashboard/app.py`. Finds the publication and the selection, then runs the page."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import streamlit as st
from pydantic import ValidationError

# Streamlit puts this file's folder on the path; the package is one above.
if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from dashboard import card, charts, filters, session, text
from dashboard.backends import UnavailableError
from dashboard.publications import by_label, failed_since, is_stale
from dashboard.views import PAGES
from lakepulse.outcome import one_line
from lakepulse.publications import Publication
from lakepulse.settings import Settings

_log = logging.getLogger("lakepulse.dashboard")
_NEWEST = "newest"
# A browser goes once to the heading that an address names, and charts that are drawn later push it away: until somebody
# scrolls or types, or all has long been drawn, go there again.
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
    file = f"views/{home.file}"
    page = st.navigation(
        [
            st.Page(file, title=home.title, icon=home.icon, url_path="", default=True),
            *(st.Page(f"views/{entry.file}", title=entry.title, icon=entry.icon, url_path=entry.path) for entry in others),
            # The first page is at the root; people also type its name.
            st.Page(file, title=home.title, icon=home.icon, url_path=home.path, visibility="hidden"),
        ],
        position="top",
    )
    try:
        settings = Settings()
        found = session.publications(settings)
    except ValidationError as error:
        names = ", ".join("_".join(map(str, problem["loc"])).upper() for problem in error.errors())
        _explain("A setting is wrong", f"Check {names}: {one_line(error.errors()[0]['msg'])}")
        return
    except UnavailableError as error:
        _log.warning("%s", one_line(error))
        _explain("The data cannot be read", str(error))
        return
    if not found:
        _explain("Nothing is published yet", "Run the pipeline once; this page shows its first publication when it is done.")
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
    shown = session.View(settings, publication, found[0], members, selection, session.now())
    _notices(shown)
    session.keep(shown)
    st.html(charts.STYLE)
    with st.sidebar:
        st.html(_ANCHOR, unsafe_allow_javascript=True)
    page.run()
    st.divider()
    st.caption(
        f"All dates and times are UTC. As of {publication.as_of}, run {text.literal(publication.run_id)}, "
        f"lakepulse {text.literal(publication.code_version)}."
    )


def _as_of(found: list[Publication]) -> Publication:
    labelled = by_label(found)
    unknown = filters.unknown_in_link("as_of", {_NEWEST, *labelled}.__contains__)
    chosen = st.selectbox(
        "As of",
        [_NEWEST, *labelled],
        key="as_of",
        bind="query-params",
        help="What these pages said on an earlier day; a later backfill of it stands apart. A link keeps showing the same.",
    )
    filters.remember_dropped("as_of", "as-of date", unknown, chosen)
    return labelled.get(chosen or _NEWEST, found[0])


def _notices(shown: session.View) -> None:
    publication, newest = shown.publication, shown.newest
    if publication.is_demo:
        st.warning(
            "**Demo data.** These figures are simulated. They say nothing about the real projects.", icon=":material/science:"
        )
    filters.tell_dropped(*filters.OF_ALL_PAGES)
    if shown.selection.first > shown.selection.last:
        st.warning("The period ends before it begins: choose a From that is not after the To.", icon=":material/date_range:")
    if not shown.is_newest:
        st.info(
            f"You are reading the publication of **{publication.as_of}**, made on {publication.published_at:%Y-%m-%d at %H:%M} "
            f"(UTC). The newest is of {newest.as_of}.",
            icon=":material/history:",
        )
    failed = failed_since(session.runs(shown.settings), newest)
    if failed:
        last, first = failed[0], failed[-1]
        step = f" at step {text.literal(last.failed_step)}" if last.failed_step else ""
        why = f": {text.literal(one_line(last.message)[:300])}" if last.message else "."
        since = f" {len(failed)} runs have failed since {first.ended_at:%Y-%m-%d %H:%M} (UTC)." if len(failed) > 1 else ""
        st.warning(
            f"**The last run failed**{step}, {text.age(last.ended_at, shown.now)}{why}{since} "
            "What you see is older, and complete.",
            icon=":material/sync_problem:",
        )
    if is_stale(newest, shown.now):
        st.warning(
            f"**These figures are old.** The newest publication is of {newest.as_of}, {text.age(newest.as_of, shown.now)}.",
            icon=":material/schedule:",
        )
    chosen = shown.selection
    if late := _late(shown):
        st.warning(
            f"**Not fetched of late**: {text.listed(late, 5)}. Their figures are of an earlier day, which the Data page tells.",
            icon=":material/cloud_off:",
        )
    scope = ", ".join(text.literal(name) for name in chosen.projects[:4])
    more = f" and {len(chosen.projects) - 4} more" if len(chosen.projects) > 4 else ""
    counts = f"{text.count(len(chosen.repos), 'repository', 'repositories')}, {text.count(len(chosen.packages), 'package')}"
    st.caption(f"{scope}{more} · {counts} · {chosen.first} to {chosen.last} (UTC)")


def _late(shown: session.View) -> list[str]:
    """The chosen scopes of which a source was late or gone when this was published, each with its sources."""
    fresh = card.freshness(shown)
    late = fresh[fresh["is_stale"].astype(bool)].sort_values("source")
    return [f"{text.literal(scope)} ({', '.join(map(text.literal, rows['source']))})" for scope, rows in late.groupby("scope")]


def _explain(what: str, why: str) -> None:
    st.title(what, anchor=False)
    st.error(text.literal(why), icon=":material/cloud_off:")
    st.caption("The pipeline's own messages are in its log; the Data page lists its last runs once there is a publication.")


main()
