"""PyPI: whether adoption grows, on which Pythons and systems, and what a release does."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, session

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

INDEX = """
SELECT
    package,
    date,
    downloads_7d,
    100 * CAST(downloads_7d AS double)
        / first_value(downloads_7d) OVER (PARTITION BY package ORDER BY date) AS download_index
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last AND downloads_7d > 0
ORDER BY package, date
"""
# Of days, a screen has room for a season's; of a longer time it shows weeks or months, so that a week's ups and downs
# do not hide what a year does. The percent changes are medians: a single odd day makes two wild ones.
SPANS = """
SELECT
    package,
    CAST(date_trunc(:grain, date) AS date) AS date,
    sum(downloads) AS total,
    avg(downloads) AS downloads,
    median(percent_change_1d) AS percent_change_1d,
    median(percent_change_7d) AS percent_change_7d,
    avg(CASE WHEN downloads_7d > 0 THEN downloads_7d END) AS downloads_7d
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
# Both compare days with those before: what lies across a known break tells of the counting too.
ANOMALIES = f"""
SELECT
    days.package, days.date, days.downloads, days.median_28d, days.robust_z,
    {card.BROKEN_IN_28_DAYS} AS broken_on
FROM gold.fct_download_anomalies AS days
WHERE days.package IN :packages AND days.category = :category AND days.is_anomaly AND days.date BETWEEN :first AND :last
ORDER BY days.date DESC, days.package
"""  # noqa: S608 - every part is written here and in card.py
_RELEASED_ON = "CAST(releases.released_at AS date)"
_AROUND = (f"{_RELEASED_ON} - INTERVAL '6' DAY", f"{_RELEASED_ON} + INTERVAL '7' DAY")
UPLIFT = f"""
SELECT
    releases.package, releases.version, releases.released_at, releases.downloads_7d_before, releases.downloads_7d_after,
    releases.uplift_percent,
    {card.broken_on("pypistats_overall", "releases.package", *_AROUND)} AS broken_on
FROM gold.fct_release_uplift AS releases
WHERE releases.package IN :packages AND {_RELEASED_ON} BETWEEN :first AND :last
ORDER BY releases.released_at DESC, releases.package, releases.version
"""  # noqa: S608 - every part is written here and in card.py
# A day's shares sum to 1, so all of a span sum to its days: what came within it had no share before.
PYTHONS = """
WITH spans AS (
    SELECT CAST(date_trunc(:grain, date) AS date) AS date, python_minor, sum(share) AS share, sum(downloads) AS downloads
    FROM gold.fct_downloads_by_python
    WHERE package = :package AND date BETWEEN :first AND :last
    GROUP BY 1, 2
)
SELECT date, python_minor, share / sum(share) OVER (PARTITION BY date) AS share, downloads
FROM spans
ORDER BY 1, 2
"""
SYSTEMS = """
WITH spans AS (
    SELECT CAST(date_trunc(:grain, date) AS date) AS date, system, sum(share) AS share, sum(downloads) AS downloads
    FROM gold.fct_downloads_by_system
    WHERE package = :package AND date BETWEEN :first AND :last
    GROUP BY 1, 2
)
SELECT date, system, share / sum(share) OVER (PARTITION BY date) AS share, downloads
FROM spans
ORDER BY 1, 2
"""
VERSIONS = """
WITH spans AS (
    SELECT CAST(date_trunc(:grain, date) AS date) AS date, version, sum(share) AS share, sum(downloads) AS downloads
    FROM gold.fct_downloads_by_version
    WHERE package = :package AND date BETWEEN :first AND :last
    GROUP BY 1, 2
)
SELECT date, version, share / sum(share) OVER (PARTITION BY date) AS share, downloads
FROM spans
ORDER BY 1, 2
"""

CATEGORIES = {"without_mirrors": "Without mirrors", "with_mirrors": "With mirrors"}
CHANGES = {"percent_change_7d": "7 days against the 7 before", "percent_change_1d": "Day against the day before"}

page = session.current()
grain = page.selection.grain
every_package = tuple(name for _, kind, name in page.members if kind == "package")

st.title("PyPI", anchor=False)
found_breaks = card.breaks(page, ["pypistats_overall"], page.selection.packages)
MOST = "packages with the most downloads"
SHARES = "The mean of the days' shares. A gap is a time that was never had."
BROKEN_ON = st.column_config.DateColumn("Compared across the known break of", format="YYYY-MM-DD")
NONE = "Nothing was downloaded in this period, or no day of it was had."


def downloads(frame: pd.DataFrame, category: str) -> None:
    kept, left = charts.top_series(frame, "package", "total")
    released = page.frame(RELEASES)
    released = released[released["package"].isin(kept["package"])]
    odd = page.frame(ANOMALIES, {"category": category})
    markers = released.assign(
        label=released["package"] + " " + released["name"] + released["date"].dt.strftime(" on %Y-%m-%d")
    )[["date", "package", "label"]]
    charts.show(
        charts.lines(
            kept,
            "date",
            "package",
            "downloads",
            "Downloads per day",
            grain=grain,
            everything=every_package,
            breaks=found_breaks,
            over=page.over,
            markers=markers,
            points=odd[odd["package"].isin(kept["package"])],
        ),
        alt="Downloads per day and package, with releases and known breaks. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the mean of the days that were had"),
            charts.left_out(left, MOST),
            f"▼ a release. ◇ an unusual day, by the 28 before it. A gap is a {grain} that was never had.",
        ),
        breaks=card.explained(found_breaks),
    )


def change(frame: pd.DataFrame) -> None:
    which: str = filters.of_page(
        st.radio, "change", "Change", list(CHANGES), key="change", title=CHANGES.__getitem__, horizontal=True
    )
    kept, left = charts.top_series(frame.dropna(subset=[which]), "package", "total")
    if not len(kept):
        st.info("No two periods in a row are complete here.", icon=":material/inbox:")
        return
    charts.show(
        charts.lines(
            kept,
            "date",
            "package",
            which,
            "Percent change",
            grain=grain,
            everything=every_package,
            breaks=found_breaks,
            over=page.over,
            value_format="+.1f",
            reference=0,
        ),
        alt=f"Percent change of downloads per package, {CHANGES[which].lower()}. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the middle day"),
            charts.left_out(left, MOST),
        ),
        breaks=card.explained(found_breaks),
    )


def index(frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame.dropna(subset=["downloads_7d"]), "package", "total")
    first = kept.groupby("package")["downloads_7d"].transform("first")
    charts.show(
        charts.lines(
            kept.assign(download_index=100 * kept["downloads_7d"] / first),
            "date",
            "package",
            "download_index",
            "First point = 100",
            grain=grain,
            everything=every_package,
            breaks=found_breaks,
            over=page.over,
            reference=100,
            zero=False,
            value_format=",.1f",
        ),
        alt="Downloads of each package as an index, the first point of the period being 100. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the mean of the seven-day sums"),
            charts.left_out(left, MOST),
        ),
        breaks=card.explained(found_breaks),
    )


def anomalies(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "package": "Package",
            "date": st.column_config.DateColumn("Date (UTC)", format="YYYY-MM-DD"),
            "downloads": st.column_config.NumberColumn("Downloads", format="localized"),
            "median_28d": st.column_config.NumberColumn("Median of the 28 days before", format="localized"),
            "robust_z": st.column_config.NumberColumn("Robust deviations", format="%+.1f"),
            "broken_on": BROKEN_ON,
        },
        alt="Days with unusual downloads",
    )


def uplift(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "package": "Package",
            "version": "Version",
            "released_at": st.column_config.DatetimeColumn("Released (UTC)", format="YYYY-MM-DD"),
            "downloads_7d_before": st.column_config.NumberColumn("7 days before", format="localized"),
            "downloads_7d_after": st.column_config.NumberColumn("7 days after", format="localized"),
            "uplift_percent": st.column_config.NumberColumn("Uplift (%)", format="%+.1f"),
            "broken_on": BROKEN_ON,
        },
        alt="Downloads before and after each release",
    )


def shares(frame: pd.DataFrame, package: str, series: str, sources: Sequence[str], rank_by: charts.Rank = "sum") -> None:
    found = card.breaks(page, sources, [package])
    lumped = charts.lump(frame, "date", series, "share", rank_by)
    charts.show(
        charts.stacked(
            lumped,
            "date",
            series,
            "share",
            "Share of downloads",
            grain=grain,
            breaks=found,
            over=page.over,
            value_format=".1%",
            axis_format="%",
        ),
        alt=f"Share of the downloads of {package} by {series.replace('_', ' ')}. The card below has the rows.",
        breaks=card.explained(found),
    )


def figures() -> None:
    category: str = filters.of_page(
        st.radio,
        "kind of downloads",
        "Downloads",
        list(CATEGORIES),
        key="category",
        title=CATEGORIES.__getitem__,
        horizontal=True,
    )
    st.caption("Applies to downloads, percent change, side by side and unusual days. Release uplift is always without mirrors.")
    card.figure(
        page,
        "Downloads",
        "fct_percent_change_downloads_overall",
        DOWNLOADS,
        lambda frame: downloads(frame, category),
        drawn=SPANS,
        keys=("package", "date"),
        empty=NONE,
        extra={"category": category},
    )
    card.figure(
        page,
        "Percent change",
        "fct_percent_change_downloads_overall",
        CHANGE,
        change,
        drawn=SPANS,
        keys=("package", "date"),
        empty=NONE,
        extra={"category": category},
    )
    card.figure(
        page,
        "Side by side",
        "fct_percent_change_downloads_overall",
        INDEX,
        index,
        drawn=SPANS,
        keys=("package", "date"),
        derived=("download_index",),
        empty=NONE,
        note="Seven-day sums; the first one drawn is 100 for each package, and so is the first one of the card's rows.",
        extra={"category": category},
    )
    card.figure(
        page,
        "Unusual days",
        "fct_download_anomalies",
        ANOMALIES,
        anomalies,
        keys=("package", "date"),
        empty="No day in this period was unusual.",
        extra={"category": category},
    )
    card.figure(
        page,
        "Release uplift",
        "fct_release_uplift",
        UPLIFT,
        uplift,
        keys=("package", "version"),
        empty="No final release falls in this period.",
    )
    package: str = filters.of_page(
        st.selectbox, "package", "Package for the shares below", page.selection.packages, key="package"
    )
    chosen = {"package": package}
    left_column, right_column = st.columns(2)
    with left_column:
        card.figure(
            page,
            "By Python version",
            "fct_downloads_by_python",
            PYTHONS,
            lambda frame: shares(frame, package, "python_minor", ["pypistats_python_minor"]),
            keys=("date", "python_minor"),
            step=grain,
            empty="No downloads by Python version in this period.",
            note=SHARES,
            extra=chosen,
        )
    with right_column:
        card.figure(
            page,
            "By system",
            "fct_downloads_by_system",
            SYSTEMS,
            lambda frame: shares(frame, package, "system", ["pypistats_system"]),
            keys=("date", "system"),
            step=grain,
            empty="No downloads by system in this period.",
            note=SHARES,
            extra=chosen,
        )
    card.figure(
        page,
        "By version of the package",
        "fct_downloads_by_version",
        VERSIONS,
        lambda frame: shares(frame, package, "version", ["clickhouse_versions", "import_versions"], "max"),
        keys=("date", "version"),
        step=grain,
        empty="pypistats does not tell versions. Set CLICKHOUSE_URL, or import an export, to see them.",
        note=SHARES,
        extra=chosen,
    )


if page.selection.packages:
    figures()
else:
    st.info(
        "The chosen projects have no package on PyPI. Choose another project, or see this one's commits and issues.",
        icon=":material/inbox:",
    )
