"""PyPI: whether adoption grows, on which Python versions and systems, and what a release changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, queries
from dashboard.backends import Values
from dashboard.page import Page
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["pypistats_overall"]
CATEGORIES = {"without_mirrors": "Without mirrors", "with_mirrors": "With mirrors"}
CHANGES = {"percent_change_7d": "7 days against the 7 before", "percent_change_1d": "Day against the day before"}
MOST = "packages with the most downloads"
SHARES = "Mean of the daily shares. Gap: no data."
BROKEN_ON = st.column_config.DateColumn("Spans the known break of", format="YYYY-MM-DD")
NONE = "No downloads or no data in this period."


def downloads(view: View, frame: pd.DataFrame, *, category: str) -> None:
    kept, left = charts.top_series(frame, "package", "total")
    grain = view.selection.grain
    released = view.frame(query("releases"))
    released = released[released["package"].isin(kept["package"])]
    unusual = view.frame(query("unusual_days"), {"category": category})
    markers = released.assign(
        label=released["package"] + " " + released["name"] + released["date"].dt.strftime(" on %Y-%m-%d")
    )[["date", "package", "label"]]
    found = card.breaks(view, SOURCES, view.selection.packages)
    charts.show(
        charts.lines(
            kept,
            "date",
            "package",
            "downloads",
            "Downloads per day",
            grain=grain,
            everything=view.every_package,
            breaks=found,
            over=view.over,
            markers=markers,
            points=unusual[unusual["package"].isin(kept["package"])],
        ),
        alt="Downloads per day and package, with releases and known breaks. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the mean of the days with data"),
            charts.left_out(left, MOST),
            "▼ release. ◇ unusual day, compared with the 28 before. Gap: no data.",
        ),
        breaks=card.explained(found),
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
    found = card.breaks(view, SOURCES, view.selection.packages)
    charts.show(
        charts.lines(
            kept,
            "date",
            "package",
            which,
            "Percent change",
            grain=grain,
            everything=view.every_package,
            breaks=found,
            over=view.over,
            value_format="+.1f",
            reference=0,
        ),
        alt=f"Percent change of downloads per package, {CHANGES[which].lower()}. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the median of the days"),
            charts.left_out(left, MOST),
        ),
        breaks=card.explained(found),
    )


def index(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame.dropna(subset=["downloads_7d"]), "package", "total")
    first = kept.groupby("package")["downloads_7d"].transform("first")
    grain = view.selection.grain
    found = card.breaks(view, SOURCES, view.selection.packages)
    charts.show(
        charts.lines(
            kept.assign(download_index=100 * kept["downloads_7d"] / first),
            "date",
            "package",
            "download_index",
            "First point = 100",
            grain=grain,
            everything=view.every_package,
            breaks=found,
            over=view.over,
            reference=100,
            zero=False,
            value_format=",.1f",
        ),
        alt="Downloads of each package as an index: the first point of the period is 100. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the mean of the seven-day sums"),
            charts.left_out(left, MOST),
        ),
        breaks=card.explained(found),
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
    view: View, frame: pd.DataFrame, *, package: str, series: str, sources: Sequence[str], rank_by: charts.Rank = "sum"
) -> None:
    found = card.breaks(view, sources, [package])
    charts.show(
        charts.stacked(
            charts.lump(frame, "date", series, "share", rank_by),
            "date",
            series,
            "share",
            "Share of downloads",
            grain=view.selection.grain,
            breaks=found,
            over=view.over,
            value_format=".1%",
            axis_format="%",
        ),
        alt=f"Share of the downloads of {package} by {series.replace('_', ' ')}. The card below has the rows.",
        breaks=card.explained(found),
    )


def show(view: View) -> None:
    st.title("PyPI", anchor=False)
    if not view.selection.packages:
        st.info(
            "The selected projects have no packages on PyPI. Choose another project, or see the Commits and Issues pages.",
            icon=":material/inbox:",
        )
        return
    category: str = filters.of_page(
        st.radio,
        "Kind of downloads",
        "Downloads",
        list(CATEGORIES),
        key="category",
        title=CATEGORIES.__getitem__,
        horizontal=True,
    )
    st.caption("Applies to Downloads, Percent change, Side by side and Unusual days. Release uplift never includes mirrors.")
    of_category: Values = {"category": category}
    card.figure(
        view,
        "Downloads",
        "fct_percent_change_downloads_overall",
        query("downloads"),
        partial(downloads, category=category),
        drawn=query("downloads_drawn"),
        keys=("package", "date"),
        empty=NONE,
        extra=of_category,
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
    card.figure(
        view,
        "Unusual days",
        "fct_download_anomalies",
        query("unusual_days"),
        unusual_days,
        keys=("package", "date"),
        empty="No unusual days in this period.",
        extra=of_category,
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
    package: str = filters.of_page(
        st.selectbox, "Package", "Package for the shares below", view.selection.packages, key="package"
    )
    of_package: Values = {"package": package}
    left, right = st.columns(2)
    with left:
        card.figure(
            view,
            "By Python version",
            "fct_downloads_by_python",
            query("pythons"),
            partial(shares, package=package, series="python_minor", sources=["pypistats_python_minor"]),
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
            partial(shares, package=package, series="system", sources=["pypistats_system"]),
            keys=("date", "system"),
            step=view.selection.grain,
            empty="No downloads by system in this period.",
            note=SHARES,
            extra=of_package,
        )
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


PAGE = Page(title="PyPI", icon=":material/download:", order=50, show=show)
