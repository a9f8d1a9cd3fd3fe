"""The charts' common form: colour-blind-safe, time in UTC, gaps as gaps, known breaks drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

# Okabe and Ito's colours, ordered so that those used first stand out from the background.
_ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B4E9B", "#8C6D00", "#56B4E9", "#5F6B76")
_ON_DARK = ("#56B4E9", "#E69F00", "#2FC79A", "#E08FBF", "#F0E442", "#F07C3A", "#B39DDB", "#B8C2CC")
_HEIGHT = 300
MOST_SERIES = len(_ON_LIGHT)
"""More lines than this cannot be told apart."""

DAY_FORMAT = "%Y-%m-%d"
Drawing = alt.LayerChart | alt.FacetChart

STEPS = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def colour(series: str, present: Sequence[str], everything: Sequence[str] = (), columns: int = 2) -> alt.Color:
    """The colour of each series. One keeps its colour when others are filtered out, if `everything` names them all."""
    palette = _ON_DARK if is_dark() else _ON_LIGHT
    order = {name: index for index, name in enumerate(everything or present)}
    fits = all(order.get(name, MOST_SERIES) < MOST_SERIES for name in present)
    colours = [palette[(order[name] if fits else index) % MOST_SERIES] for index, name in enumerate(present)]
    # On a phone two owners and names do not fit side by side; names do, where they are enough.
    short = {name.partition("/")[2] or name for name in present}
    label = "split(datum.label, '/')[1] || datum.label" if len(short) == len(present) else "datum.label"
    legend = (
        alt.Legend(orient="top", title=None, labelLimit=240, columns=columns, labelExpr=label) if len(present) > 1 else None
    )
    return alt.Color(f"{series}:N", scale=alt.Scale(domain=list(present), range=colours), legend=legend)


def with_gaps(frame: pd.DataFrame, time: str, series: str, value: str, step: pd.DateOffset) -> pd.DataFrame:
    """Rows in order of time, with one that has no value wherever a step is missing, so that the line breaks there.

    A column `alone` marks values with a gap on both sides, which a line alone would not show.
    """
    parts: list[pd.DataFrame] = []
    for name, part in frame.dropna(subset=[value]).groupby(series, sort=False, observed=True):
        rows = part.sort_values(time)
        broken = rows[time].shift(-1) > rows[time] + step
        ends = broken | rows[time].shift(-1).isna()
        rows = rows.assign(alone=ends & ends.shift(1, fill_value=True))
        parts.append(rows)
        if broken.any():
            parts.append(pd.DataFrame({time: rows.loc[broken, time] + step, series: name, "alone": False}))
    if not parts:
        return frame.assign(alone=False)
    return pd.concat(parts, ignore_index=True).sort_values([series, time], ignore_index=True)


def top_series(frame: pd.DataFrame, series: str, value: str) -> tuple[pd.DataFrame, int]:
    """The rows of the series with the largest totals, and how many series that leaves out."""
    totals = frame.groupby(series, observed=True)[value].sum().sort_values(ascending=False)
    if len(totals) <= MOST_SERIES:
        return frame, 0
    return frame[frame[series].isin(totals.index[:MOST_SERIES])], len(totals) - MOST_SERIES


def lump(frame: pd.DataFrame, time: str, series: str, value: str) -> pd.DataFrame:
    """The largest series, and the rest summed to one called `other`; the largest first."""
    totals = frame.groupby(series, observed=True)[value].sum().sort_values(ascending=False)
    kept = list(totals.index if len(totals) <= MOST_SERIES else totals.index[: MOST_SERIES - 1])
    named = frame.assign(**{series: frame[series].where(frame[series].isin(kept), "other")})
    summed = named.groupby([time, series], observed=True, as_index=False)[value].sum()
    ordered: pd.DataFrame = summed.assign(rank=summed[series].map({name: index for index, name in enumerate(kept)}))
    return ordered.sort_values(["rank", time], na_position="last", ignore_index=True)


def lines(
    frame: pd.DataFrame,
    time: str,
    series: str,
    value: str,
    title: str,
    *,
    grain: str = "day",
    everything: Sequence[str] = (),
    breaks: pd.DataFrame | None = None,
    markers: pd.DataFrame | None = None,
    points: pd.DataFrame | None = None,
    zero: bool = True,
    reference: float | None = None,
    value_format: str = ",.0f",
    axis_format: str = "~s",
) -> Drawing:
    """One line a series over time, and a level line at `reference`.

    `breaks` has the columns mark, from_date, to_date, what_changed; `markers` time and label, drawn
    along the top; `points` are rows of `frame` to point out.
    """
    present = list(dict.fromkeys(frame[series]))
    rows = _dated(with_gaps(frame[[time, series, value]], time, series, value, STEPS[grain]), time)
    hue = colour(series, present, everything)
    x = _time(time)
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(zero=zero), axis=alt.Axis(format=axis_format, tickCount=5))
    tip = _tooltip(time, series, value, title, value_format)
    base = alt.Chart(rows)
    layers: list[alt.Chart] = [
        *_breaks(breaks, frame[time]),
        base.mark_line(strokeWidth=2, strokeJoin="round").encode(x, y, hue),
        *_alone(base, rows, x, y, hue),
        # Invisible points as wide as a finger, so that a tooltip is easy to reach.
        base.mark_point(size=90, opacity=0).encode(x, y, tooltip=tip),
    ]
    if reference is not None:
        level = alt.Chart(pd.DataFrame({value: [reference]}))
        layers.insert(0, level.mark_rule(color=_ink(), opacity=0.6).encode(alt.Y(f"{value}:Q")))
    if points is not None and len(points):
        marked = alt.Chart(_dated(points[[time, series, value]], time))
        layers.append(marked.mark_point(shape="diamond", size=110, strokeWidth=2.5).encode(x, y, hue, tooltip=tip))
    if markers is not None and len(markers):
        layers.append(
            alt.Chart(_dated(markers, time))
            .mark_point(shape="triangle-down", filled=True, size=70, color=_ink())
            .encode(
                x,
                y=alt.value(6),
                tooltip=[alt.Tooltip(f"{time}:N", title="Released (UTC)"), alt.Tooltip("label:N", title="Release")],
            )
        )
    return _finish(alt.layer(*layers))


def stacked(
    frame: pd.DataFrame,
    time: str,
    series: str,
    value: str,
    title: str,
    *,
    grain: str,
    everything: Sequence[str] = (),
    breaks: pd.DataFrame | None = None,
    value_format: str = ",.0f",
    axis_format: str = "~s",
) -> Drawing:
    """Bars as wide as their day, week or month, one on the other by series."""
    present = list(dict.fromkeys(frame[series]))
    order = {name: index for index, name in enumerate(present)}
    rows = frame[[time, series, value]].assign(order=frame[series].map(order)).sort_values([time, "order"])
    top = rows.groupby(time)[value].cumsum()
    rows = rows.assign(top=top, bottom=top - rows[value], end=rows[time] + STEPS[grain])
    bars = (
        alt.Chart(_dated(rows, time, "end"))
        .mark_bar()
        .encode(
            _time(time),
            alt.X2("end:T"),
            alt.Y("bottom:Q", title=title, axis=alt.Axis(format=axis_format, tickCount=5)),
            alt.Y2("top:Q"),
            colour(series, present, everything),
            tooltip=_tooltip(time, series, value, title, value_format),
        )
    )
    return _finish(alt.layer(bars, *_breaks(breaks, frame[time])))


def band(
    frame: pd.DataFrame,
    time: str,
    series: str,
    values: tuple[str | None, str, str],
    title: str,
    *,
    grain: str,
    ticks: Sequence[float],
    everything: Sequence[str] = (),
) -> Drawing:
    """A line for the median, broken where there is none; for a single series also a shade between two percentiles.

    `values` names the columns low (None: the shade begins at the line), middle and high. The scale is logarithmic from 1 on.
    """
    low, middle, high = values
    present = list(dict.fromkeys(frame[series]))
    columns = [column for column in (low, middle, high) if column]
    rows = _dated(with_gaps(frame[[time, series, *columns]], time, series, middle, STEPS[grain]), time)
    hue = colour(series, present, everything)
    base = alt.Chart(rows)
    scale = alt.Scale(type="symlog", constant=1)
    axis = alt.Axis(values=list(ticks), format=",.0f")
    tip = [alt.Tooltip(f"{time}:N", title="Date (UTC)"), alt.Tooltip(f"{series}:N", title=series.capitalize())]
    tip += [alt.Tooltip(f"{column}:Q", title=column.replace("_", " "), format=",.1f") for column in columns]
    y = alt.Y(f"{middle}:Q", title=title, scale=scale, axis=axis)
    layers = [
        base.mark_line(strokeWidth=2).encode(_time(time), y, hue),
        *_alone(base, rows, _time(time), y, hue),
        base.mark_point(size=90, opacity=0).encode(_time(time), y, tooltip=tip),
    ]
    if len(present) == 1:
        shade = alt.Y(f"{low or middle}:Q", title=title, scale=scale, axis=axis)
        layers.insert(0, base.mark_area(opacity=0.2).encode(_time(time), shade, alt.Y2(f"{high}:Q"), hue))
    return _finish(alt.layer(*layers))


def ranked(frame: pd.DataFrame, label: str, series: str, value: str, title: str, *, everything: Sequence[str] = ()) -> Drawing:
    """Horizontal bars with their figures, grouped by series in the order of the rows."""
    present = list(dict.fromkeys(frame[series]))
    # The same label may stand in several series: the axis needs them apart, a reader does not.
    rows = frame[[label, series, value]].assign(row=frame[series] + _APART + frame[label])
    y = alt.Y(
        "row:N",
        sort=list(rows["row"]),
        title=None,
        axis=alt.Axis(
            labelExpr=f"split(datum.label, '{_APART}')[1]", labelLimit=150, labelOverlap=False, ticks=False, domain=False
        ),
    )
    tip = [alt.Tooltip(f"{series}:N"), alt.Tooltip(f"{label}:N"), alt.Tooltip(f"{value}:Q", format=",", title=title)]
    base = alt.Chart(rows).encode(y, alt.X(f"{value}:Q", title=title, axis=alt.Axis(format="~s", tickCount=4)), tooltip=tip)
    bars = base.mark_bar(cornerRadiusEnd=2).encode(colour(series, present, everything, columns=1))
    figures = base.mark_text(align="left", dx=4, color=_ink()).encode(text=alt.Text(f"{value}:Q", format=","))
    return _finish(alt.layer(bars, figures), height=24 * len(rows) + 20 * len(present) + 60)


def grouped(
    frame: pd.DataFrame,
    category: str,
    series: str,
    value: str,
    title: str,
    *,
    order: Sequence[str],
    axis: str,
    everything: Sequence[str] = (),
) -> Drawing:
    """Bars by category, one on the other by series; categories in the given order."""
    present = list(dict.fromkeys(frame[series]))
    bars = (
        alt.Chart(frame[[category, series, value]])
        .mark_bar()
        .encode(
            alt.X(f"{category}:N", sort=list(order), title=axis, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format="~s", tickCount=5)),
            colour(series, present, everything),
            tooltip=[
                alt.Tooltip(f"{series}:N"),
                alt.Tooltip(f"{category}:N", title=axis),
                alt.Tooltip(f"{value}:Q", format=",", title=title),
            ],
        )
    )
    return _finish(alt.layer(bars))


def side_by_side(
    frame: pd.DataFrame,
    category: str,
    series: str,
    value: str,
    title: str,
    *,
    order: Sequence[str],
    axis: str,
    everything: Sequence[str] = (),
) -> Drawing:
    """Bars by category, one beside the other by series, each with its figure."""
    present = list(dict.fromkeys(frame[series]))
    base = alt.Chart(frame[[category, series, value]]).encode(
        alt.X(f"{category}:N", sort=list(order), title=axis, axis=alt.Axis(labelAngle=0)),
        alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format="~s", tickCount=5)),
        alt.XOffset(f"{series}:N", sort=present),
        tooltip=[
            alt.Tooltip(f"{series}:N"),
            alt.Tooltip(f"{category}:N", title=axis),
            alt.Tooltip(f"{value}:Q", format=",", title=title),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(colour(series, present, everything))
    figures = base.mark_text(dy=-7, color=_ink()).encode(text=alt.Text(f"{value}:Q", format=","))
    return _finish(alt.layer(bars, figures))


def by_age(
    frame: pd.DataFrame,
    age: str,
    series: str,
    value: str,
    title: str,
    *,
    axis: str,
    everything: Sequence[str] = (),
    value_format: str = ",.0f",
    axis_format: str = "~s",
) -> Drawing:
    """One line a series over its age, a number."""
    present = list(dict.fromkeys(frame[series]))
    x = alt.X(f"{age}:Q", title=axis, axis=alt.Axis(grid=False))
    y = alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format=axis_format, tickCount=5))
    base = alt.Chart(frame[[age, series, value]])
    tip = [
        alt.Tooltip(f"{series}:N"),
        alt.Tooltip(f"{age}:Q", title=axis),
        alt.Tooltip(f"{value}:Q", title=title, format=value_format),
    ]
    return _finish(
        alt.layer(
            base.mark_line(strokeWidth=2).encode(x, y, colour(series, present, everything)),
            base.mark_point(size=90, opacity=0).encode(x, y, tooltip=tip),
        )
    )


_APART = "\u241f"


def _alone(base: alt.Chart, rows: pd.DataFrame, *channels: alt.X | alt.Y | alt.Color) -> list[alt.Chart]:
    """Dots for the values that have a gap on both sides."""
    return (
        [base.transform_filter("datum.alone").mark_point(filled=True, size=25).encode(*channels)] if rows["alone"].any() else []
    )


def _ink() -> str:
    return "#C9D4DF" if is_dark() else "#44525F"


def _dated(frame: pd.DataFrame, *times: str) -> pd.DataFrame:
    """Dates as ISO text: a browser reads that as UTC, wherever it stands."""
    return frame.assign(**{time: frame[time].dt.strftime(DAY_FORMAT) for time in times})


def _time(name: str) -> alt.X:
    return alt.X(
        f"{name}:T",
        title=None,
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(grid=False, labelOverlap=True, labelFlush=True),
    )


def _tooltip(time: str, series: str, value: str, title: str, value_format: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(f"{time}:N", title="Date (UTC)"),
        alt.Tooltip(f"{series}:N", title=series.capitalize()),
        alt.Tooltip(f"{value}:Q", title=title, format=value_format),
    ]


def _breaks(breaks: pd.DataFrame | None, times: pd.Series[pd.Timestamp]) -> list[alt.Chart]:
    """A dashed line where an upstream began to count differently, a shade while a change went on."""
    if breaks is None or not len(breaks) or not len(times):
        return []
    first, last = times.min(), times.max()
    seen = breaks[(breaks["from_date"] <= last) & (breaks["to_date"].fillna(breaks["from_date"]) >= first)]
    if not len(seen):
        return []
    rows = seen.assign(
        from_date=seen["from_date"].where(seen["from_date"] >= first, first),
        to_date=seen["to_date"].mask(seen["to_date"] > last, last),
    )
    x = _time("from_date")
    tip = [alt.Tooltip("from_date:N", title="Known break"), alt.Tooltip("what_changed:N", title="What changed")]
    begun = alt.Chart(_dated(rows[seen["from_date"] >= first], "from_date", "to_date"))
    lasting = alt.Chart(_dated(rows[rows["to_date"].notna()], "from_date", "to_date"))
    letters = alt.Chart(_dated(rows, "from_date", "to_date")).mark_text(
        align="left", baseline="top", dx=4, fontWeight="bold", color=_ink()
    )
    layers = [letters.encode(x, y=alt.value(14), text="mark:N", tooltip=tip)]
    if len(begun.data):
        layers.append(begun.mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=_ink()).encode(x, tooltip=tip))
    if len(lasting.data):
        layers.append(lasting.mark_rect(opacity=0.12, color=_ink()).encode(x, alt.X2("to_date:T")))
    return layers


def _finish(chart: Drawing, height: int = _HEIGHT) -> Drawing:
    styled = chart.properties(height=height).configure_view(strokeWidth=0)
    finished: Drawing = styled.configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight="normal")
    return finished
