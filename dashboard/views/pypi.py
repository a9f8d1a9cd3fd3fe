"""Adoption: whether downloads and stars grow, what is released, and which versions are in use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

import pandas as pd
import streamlit as st

from dashboard import behind, card, charts, filters, queries, rolling
from dashboard.backends import Values
from dashboard.page import Page
from dashboard.rolling import Rolling
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["pypistats_overall"]
DOWNLOADS = Rolling(
    "downloads_per_day_28d",
    "Downloads per day, mean of 28 days, without mirrors",
    "downloads",
    "days with data",
    note="▼ is a final release, each version once wherever it is published. With a few days missing, a value is partial.",
)
YEAR = Rolling(
    "downloads_change_year",
    "Downloads compared with a year before, in percent",
    "year-on-year",
    "days with data",
    reference=0,
    note="There is no value until a package has two years of downloads, nor where days are missing in either window.",
)
STARS = Rolling(
    "stars",
    "Stars at the end of the week",
    "stars",
    "repositories",
    note="GitHub only reports today's number, so the line begins with the first run. Gap: no run in the week.",
)
CATEGORIES = {"without_mirrors": "Without mirrors", "with_mirrors": "With mirrors"}
CHANGES = {"percent_change_7d": "7 days compared with the 7 before", "percent_change_1d": "Day compared with the day before"}
MOST = "packages with the most downloads"
MOST_RELEASES = 50  # a longer list is better read as a file
SHARES = "Mean of the daily shares. Gap: no data."
BROKEN_ON = st.column_config.DateColumn("Spans the known break of", format="YYYY-MM-DD")
NONE = "No downloads or no data in this period."


def markers(view: View) -> pd.DataFrame | None:
    """The final releases of the period, as marks on the lines of their projects."""
    if not view.has("fct_project_releases"):
        return None
    found = view.frame(query("project_releases"))
    where = found["is_on_pypi"].map({True: "PyPI", False: ""}) + found["is_on_github"].map({True: " GitHub", False: ""})
    label = found["project"] + " " + found["version"] + found["date"].dt.strftime(" on %Y-%m-%d, ")
    label += where.str.strip().str.replace(" ", " and ")
    return found.assign(label=label, scope=found["project"])[["date", "scope", "label"]]


def releases(_: View, frame: pd.DataFrame) -> None:
    shown = frame.head(MOST_RELEASES)
    links = [
        {
            "on_pypi": row["package"] and f"https://pypi.org/project/{quote(row['package'])}/{quote(row['version'])}/",
            "on_github": row["repo"] and behind.on_github(row["repo"], f"releases/tag/{quote(row['tag'])}"),
        }
        for row in shown.astype(object).where(shown.notna(), None).to_dict("records")
    ]
    st.dataframe(
        pd.concat([shown.reset_index(drop=True), pd.DataFrame(links)], axis=1),
        hide_index=True,
        placeholder="–",
        column_order=["project", "version", "date", "on_pypi", "on_github"],
        column_config={
            "project": "Project",
            "version": "Version",
            "date": st.column_config.DateColumn("Released (UTC)", format="YYYY-MM-DD"),
            "on_pypi": st.column_config.LinkColumn("PyPI", display_text="on PyPI"),
            "on_github": st.column_config.LinkColumn("GitHub", display_text="on GitHub"),
        },
        alt="Final releases in the period, newest first",
    )
    if len(frame) > MOST_RELEASES:
        st.caption(f"Showing {MOST_RELEASES} of {len(frame):,}; download all from the card.")


def downloads(view: View, frame: pd.DataFrame, *, category: str) -> None:
    kept, left = charts.top_series(frame, "package", "total")
    grain = view.selection.grain
    unusual = view.frame(query("unusual_days"), {"category": category})
    charts.show(
        charts.lines(
            kept,
            "date",
            "package",
            "downloads",
            "Downloads per day",
            unit="Downloads",
            grain=grain,
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.packages, kept["date"]),
            over=view.over,
            points=unusual[unusual["package"].isin(kept["package"])],
        ),
        alt="Downloads per day and package, with unusual days and known breaks. The card below has the rows.",
        said=(charts.summed_up(grain, "the mean of the days with data"), charts.left_out(left, MOST)),
    )


def change(view: View, frame: pd.DataFrame) -> None:
    which: str = filters.of_page(
        st.radio, "Change", "Change", list(CHANGES), key="change", title=CHANGES.__getitem__, horizontal=True
    )
    kept, left = charts.top_series(frame.dropna(subset=[which]), "package", "total")
    if not len(kept):
        st.info("No two complete periods in a row.", icon=":material/inbox:")
        return
    grain = view.selection.grain
    charts.show(
        charts.lines(
            kept,
            "date",
            "package",
            which,
            f"Percent change in downloads, {CHANGES[which].lower()}",
            unit="Change in %",
            grain=grain,
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.packages, kept["date"]),
            over=view.over,
            value_format="+.1f",
            reference=0,
        ),
        alt="Percent change in downloads per package. The card below has the rows.",
        said=(charts.summed_up(grain, "the median of the days"), charts.left_out(left, MOST)),
    )


def index(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame.dropna(subset=["downloads_7d"]), "package", "total")
    first = kept.groupby("package")["downloads_7d"].transform("first")
    grain = view.selection.grain
    charts.show(
        charts.lines(
            kept.assign(download_index=100 * kept["downloads_7d"] / first),
            "date",
            "package",
            "download_index",
            "7-day downloads as an index, first point of the period = 100",
            unit="Index",
            grain=grain,
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.packages, kept["date"]),
            over=view.over,
            reference=100,
            zero=False,
            value_format=",.1f",
        ),
        alt="Downloads of each package as an index: the first point of the period is 100. The card below has the rows.",
        said=(charts.summed_up(grain, "the mean of the seven-day sums"), charts.left_out(left, MOST)),
    )


def unusual_days(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "package": "Package",
            "date": st.column_config.DateColumn("Date (UTC)", format="YYYY-MM-DD"),
            "downloads": st.column_config.NumberColumn("Downloads", format="localized"),
            "expected": st.column_config.NumberColumn("Usual for the weekday", format="localized"),
            "robust_z": st.column_config.NumberColumn("Robust deviations", format="%+.1f"),
            "broken_on": BROKEN_ON,
        },
        alt="Days with unusual downloads",
    )


def uplift(_: View, frame: pd.DataFrame) -> None:
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


def shares(
    view: View,
    frame: pd.DataFrame,
    *,
    package: str,
    series: str,
    sources: Sequence[str],
    rank_by: charts.Rank = "sum",
    per_row: int = 1,
) -> None:
    parts = series.replace("_", " ")
    charts.show(
        charts.stacked(
            charts.lump(frame, "date", series, "share", rank_by),
            "date",
            series,
            "share",
            f"Downloads of {package} by {parts}",
            unit="Share of downloads",
            grain=view.selection.grain,
            breaks=card.breaks(view, sources, [package], frame["date"]),
            over=view.over,
            value_format=".1%",
            per_row=per_row,
        ),
        alt=f"Share of the downloads of a package by {parts}. The card below has the rows.",
    )


def show(view: View) -> None:
    st.title("Adoption", anchor=False)
    if view.selection.packages:
        rolling.show(view, DOWNLOADS, markers(view))
        rolling.show(view, YEAR)
    else:
        st.info("The selected projects have no package on PyPI, so there are no downloads to count.", icon=":material/inbox:")
    rolling.show(view, STARS)
    if view.has("fct_project_releases"):
        card.figure(
            view,
            "Releases",
            "fct_project_releases",
            query("project_releases"),
            releases,
            keys=("project", "version"),
            empty="No final releases in this period.",
        )
    if view.selection.packages:
        of_packages(view)


def of_packages(view: View) -> None:
    """What only packages have: shares by version, unusual days, and the days themselves."""
    package: str = filters.of_page(
        st.selectbox, "Package", "Package for the shares below", view.selection.packages, key="package"
    )
    of_package: Values = {"package": package}
    card.figure(
        view,
        "By version of the package",
        "fct_downloads_by_version",
        query("versions"),
        partial(shares, package=package, series="version", sources=["clickhouse_versions", "import_versions"], rank_by="max"),
        keys=("date", "version"),
        step=view.selection.grain,
        empty="pypistats does not count by version. To see versions, set CLICKHOUSE_URL or import an export.",
        note=SHARES,
        extra=of_package,
    )
    left, right = st.columns(2)
    with left:
        card.figure(
            view,
            "By Python version",
            "fct_downloads_by_python",
            query("pythons"),
            partial(shares, package=package, series="python_minor", sources=["pypistats_python_minor"], per_row=2),
            keys=("date", "python_minor"),
            step=view.selection.grain,
            empty="No downloads by Python version in this period.",
            note=SHARES,
            extra=of_package,
        )
    with right:
        card.figure(
            view,
            "By system",
            "fct_downloads_by_system",
            query("systems"),
            partial(shares, package=package, series="system", sources=["pypistats_system"], per_row=2),
            keys=("date", "system"),
            step=view.selection.grain,
            empty="No downloads by system in this period.",
            note=SHARES,
            extra=of_package,
        )
    card.figure(
        view,
        "Unusual days",
        "fct_download_anomalies",
        query("unusual_days"),
        unusual_days,
        keys=("package", "date"),
        empty="No unusual days in this period.",
        extra={"category": "without_mirrors"},
    )
    card.figure(
        view,
        "Release uplift",
        "fct_release_uplift",
        query("uplift"),
        uplift,
        keys=("package", "version"),
        empty="No final releases in this period.",
    )
    if filters.raw("Daily values of each package"):
        daily_values(view)


def daily_values(view: View) -> None:
    """Downloads by day, with mirrors if wanted."""
    category: str = filters.of_page(
        st.radio,
        "Kind of downloads",
        "Downloads",
        list(CATEGORIES),
        key="category",
        title=CATEGORIES.__getitem__,
        horizontal=True,
    )
    of_category: Values = {"category": category}
    card.figure(
        view,
        "Downloads by day",
        "fct_percent_change_downloads_overall",
        query("downloads"),
        partial(downloads, category=category),
        drawn=query("downloads_drawn"),
        keys=("package", "date"),
        empty=NONE,
        extra=of_category,
        note="◇ is an unusual day, compared with the same weekday of the 8 weeks before. Gap: no data.",
    )
    card.figure(
        view,
        "Percent change",
        "fct_percent_change_downloads_overall",
        query("change"),
        change,
        drawn=query("downloads_drawn"),
        keys=("package", "date"),
        empty=NONE,
        extra=of_category,
    )
    card.figure(
        view,
        "Side by side",
        "fct_percent_change_downloads_overall",
        query("index"),
        index,
        drawn=query("downloads_drawn"),
        keys=("package", "date"),
        derived=("download_index",),
        empty=NONE,
        note="Seven-day sums as an index: each package starts at 100, in the chart as in the card's rows.",
        extra=of_category,
    )


PAGE = Page(title="Adoption", icon=":material/download:", order=50, show=show)
