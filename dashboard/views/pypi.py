"""PyPI: whether adoption grows, on which Pythons and systems, and what a release does."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, session

DOWNLOADS = """
SELECT package, date, downloads
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last
ORDER BY package, date
"""
CHANGE = """
SELECT package, date, percent_change_1d, percent_change_7d
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last
ORDER BY package, date
"""
RELEASES = """
SELECT scope AS package, name, CAST(released_at AS date) AS date
FROM gold.fct_releases
WHERE source = 'pypi' AND scope IN :packages AND NOT is_prerelease
    AND CAST(released_at AS date) BETWEEN :first AND :last
ORDER BY 1, 3, 2
"""

CATEGORIES = {"without_mirrors": "Without mirrors", "with_mirrors": "With mirrors"}
CHANGES = {"percent_change_7d": "7 days against the 7 before", "percent_change_1d": "Day against the day before"}

page = session.current()
every_package = tuple(name for _, kind, name in page.members if kind == "package")

st.title("PyPI", anchor=False)
found_breaks = card.breaks(page, ["pypistats_overall"], page.selection.packages)
NONE = "The chosen projects have no package on PyPI, or nothing was downloaded in this period."

category = st.segmented_control(
    "Downloads",
    list(CATEGORIES),
    format_func=CATEGORIES.__getitem__,
    default="without_mirrors",
    required=True,
    key="category",
    bind="query-params",
)


def downloads(frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "package", "downloads")
    released = page.frame(RELEASES)
    markers = released.assign(label=released["package"] + " " + released["name"])[["date", "label"]]
    st.altair_chart(
        charts.lines(
            kept,
            "date",
            "package",
            "downloads",
            "Downloads per day",
            everything=every_package,
            breaks=found_breaks,
            markers=markers,
        ),
        alt="Downloads per day and package, with releases and known breaks. The card below has the rows.",
    )
    if left:
        st.caption(f"{left} packages with fewer downloads are not drawn; choose their projects in the filter.")
    st.caption("▼ a release. A gap is a day that was never had.")
    card.explain_breaks(found_breaks, page)


def change(frame: pd.DataFrame) -> None:
    which = st.segmented_control(
        "Change",
        list(CHANGES),
        format_func=CHANGES.__getitem__,
        default="percent_change_7d",
        required=True,
        key="change",
        bind="query-params",
    )
    kept, _ = charts.top_series(frame.dropna(subset=[which]), "package", which)
    if not len(kept):
        st.info("No two periods in a row are complete here.", icon=":material/inbox:")
        return
    st.altair_chart(
        charts.lines(
            kept,
            "date",
            "package",
            which,
            "Percent change",
            everything=every_package,
            breaks=found_breaks,
            value_format="+.1f",
            reference=0,
        ),
        alt=f"Percent change of downloads per package, {CHANGES[which].lower()}. The card below has the rows.",
    )


card.figure(
    page,
    "Downloads",
    "fct_percent_change_downloads_overall",
    DOWNLOADS,
    downloads,
    keys=("package", "date"),
    empty=NONE,
    category=category,
)
card.figure(
    page,
    "Percent change",
    "fct_percent_change_downloads_overall",
    CHANGE,
    change,
    keys=("package", "date"),
    empty=NONE,
    category=category,
)
