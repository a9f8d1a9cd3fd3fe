"""The charts' common form: colour-blind-safe, time in UTC, gaps as gaps, known breaks drawn in.

A chart is a form and its data. The form is made once for the same arguments, since making one costs
more than all the rest of a page, and a browser that gets the same form again only takes the new data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

# Okabe and Ito's colours, ordered so that those used first stand out from the background.
_ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B4E9B", "#8C6D00", "#56B4E9", "#5F6B76")
_ON_DARK = ("#56B4E9", "#E69F00", "#2FC79A", "#E08FBF", "#F0E442", "#F07C3A", "#B39DDB", "#B8C2CC")
_APART = "\u241f"
_HEIGHT = 300
_MOST_FORMS = 500
_ROWS = "rows"
_TIPS = "tips"
_SAID = "said"
MOST_SERIES = len(_ON_LIGHT)
"""More lines than this cannot be told apart."""

STEPS = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}


Form = Mapping[str, Any]
"""Vega-Lite, without data."""


class Drawing(NamedTuple):
    """A form, which several drawings may share, the rows of the data sets that it names, and a word on how to read it."""

    form: Form
    data: Mapping[str, pd.DataFrame]
    note: str = ""


class Hue(NamedTuple):
    """The series of a chart in order and their colours, the colour of letters and rules, and the columns of the legend."""

    series: str
    present: tuple[str, ...]
    colours: tuple[str, ...]
    ink: str
    columns: int

    def encoding(self) -> alt.Color:
        # On a phone two owners and names do not fit side by side; names do, where they are enough.
        short = {name.partition("/")[2] or name for name in self.present}
        label = "split(datum.label, '/')[1] || datum.label" if len(short) == len(self.present) else "datum.label"
        legend = alt.Legend(orient="top", title=None, labelLimit=240, columns=self.columns, labelExpr=label)
        scale = alt.Scale(domain=list(self.present), range=list(self.colours))
        return alt.Color(f"{self.series}:N", scale=scale, legend=legend if len(self.present) > 1 else None)


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def show(drawing: Drawing, alt: str, said: Sequence[str] = ()) -> None:
    """Draw; `alt` says the same to those who cannot see it.

    `said` is what must be known to read it. It stands under it in one line with the drawing's own note: each line costs a
    browser its share.
    """
    data = {name: _packed(rows) for name, rows in drawing.data.items()}
    st.vega_lite_chart({**drawing.form, "datasets": data}, alt=alt)
    if words := " ".join(sentence for sentence in (drawing.note, *said) if sentence):
        st.caption(words)


def hue(series: str, present: Sequence[str], everything: Sequence[str] = (), columns: int = 2) -> Hue:
    """The colour of each series. One keeps its colour when others are filtered out, if `everything` names them all."""
    palette = _ON_DARK if is_dark() else _ON_LIGHT
    order = {name: index for index, name in enumerate(everything or present)}
    fits = all(order.get(name, MOST_SERIES) < MOST_SERIES for name in present)
    colours = tuple(palette[(order[name] if fits else index) % MOST_SERIES] for index, name in enumerate(present))
    return Hue(series, tuple(present), colours, "#C9D4DF" if is_dark() else "#44525F", columns)


def with_gaps(frame: pd.DataFrame, time: str, series: str, value: str, step: pd.DateOffset) -> pd.DataFrame:
    """Rows in order of time, with one that has no value wherever a step is missing, so that the line breaks there.

    A column `alone` marks values with a gap on both sides, which a line alone would not show.
    """
    rows = frame.dropna(subset=[value]).sort_values([series, time], ignore_index=True)
    if rows.empty:
        return frame.assign(alone=False)
    last = rows[series].ne(rows[series].shift(-1))
    broken = ~last & (rows[time].shift(-1) > rows[time] + step)
    ends = broken | last
    rows = rows.assign(alone=ends & ends.shift(1, fill_value=True))
    if not broken.any():
        return rows
    holes = rows.loc[broken, [series]].assign(**{time: rows.loc[broken, time] + step}, alone=False)
    return pd.concat([rows, holes], ignore_index=True).sort_values([series, time], ignore_index=True)


def with_running(rows: pd.DataFrame, time: str, series: str, grain: str, over: date | None) -> pd.DataFrame:
    """With columns `running`, of what is not over before the day `over`, and `tail`, of the line that leads there."""
    if over is None:
        return rows.assign(running=False, tail=False)
    running = rows[time] + STEPS[grain] > pd.Timestamp(over)
    follows = running.shift(-1, fill_value=False) & rows[series].eq(rows[series].shift(-1))
    return rows.assign(running=running, tail=running | follows)


def _explain_running(rows: pd.DataFrame, look: str, grain: str) -> str:
    return f"{look}: the {grain} is not over." if rows["running"].any() else ""


def top_series(frame: pd.DataFrame, series: str, value: str) -> tuple[pd.DataFrame, int]:
    """The rows of the series with the largest totals, and how many series that leaves out."""
    totals = frame.groupby(series, observed=True)[value].sum().sort_values(ascending=False)
    if len(totals) <= MOST_SERIES:
        return frame, 0
    return frame[frame[series].isin(totals.index[:MOST_SERIES])], len(totals) - MOST_SERIES


def left_out(left: int, drawn: str) -> str:
    """That a chart leaves series out, if it does; `drawn` are those that `top_series` kept, in words."""
    if not left:
        return ""
    return f"Drawn: the {MOST_SERIES} {drawn}. {left} more are in the card's rows, and here when chosen in the filter."


def summed_up(grain: str, point: str, row: str = "day") -> str:
    """What a point stands for where it is not a row of the card, each of which is a day or a week."""
    return "" if grain == row else f"Each point is {point} of its {grain}; the card has each {row}."


Rank = Literal["sum", "max"]
"""What makes a series large: all its values together, or its peak, which a young one can have too."""


def lump(frame: pd.DataFrame, time: str, series: str, value: str, rank_by: Rank = "sum") -> pd.DataFrame:
    """The largest series, and the rest summed to one called `other`; the largest first."""
    totals = frame.groupby(series, observed=True)[value].agg(rank_by).sort_values(ascending=False)
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
    over: date | None = None,
) -> Drawing:
    """One line a series over time, and a level line at `reference`.

    `breaks` has the columns mark, from_date, to_date, what_changed; `markers` time, series and label, drawn
    along the top; `points` are rows of `frame` to point out. What is not over before the day `over` is dashed.
    """
    present = list(dict.fromkeys(frame[series]))
    rows = with_gaps(frame[[time, series, value]], time, series, value, STEPS[grain])
    rows = with_running(rows, time, series, grain, over)
    data = {
        _ROWS: _dated(rows, time),
        _TIPS: _tips(frame.pivot(index=time, columns=series, values=value), present, value_format),
        **_breaks(breaks, frame[time]),
    }
    if reference is not None:
        data["level"] = pd.DataFrame({value: [reference]})
    if points is not None and len(points):
        data["points"] = _dated(points[[time, series, value]], time)
    if markers is not None:
        # Beside the data there is nothing that a marker could explain; the last week or month is drawn at its first day.
        first, last = frame[time].min(), frame[time].max()
        markers = markers[(markers[time] >= first) & (markers[time] < last + STEPS[grain])]
        if len(markers):
            data["markers"] = _dated(markers.assign(**{time: markers[time].clip(upper=last)})[[time, series, "label"]], time)
    form = _lines(
        hue(series, present, everything),
        time=time,
        value=value,
        title=title,
        zero=zero,
        formats=(value_format, axis_format),
        alone=_alone(rows),
        running=bool(rows["running"].any()),
        parts=tuple(data),
    )
    return Drawing(form, data, _explain_running(rows, "Dashed", grain))


@lru_cache(_MOST_FORMS)
def _lines(
    hue: Hue,
    *,
    time: str,
    value: str,
    title: str,
    zero: bool,
    formats: tuple[str, str],
    alone: bool,
    running: bool,
    parts: tuple[str, ...],
) -> Form:
    value_format, axis_format = formats
    x, colour = _time(time), hue.encoding()
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(zero=zero), axis=_numbers(axis_format))
    layers: list[alt.Chart] = [
        *_break_shade(parts, hue.ink),
        *_line_layers(running, x, y, colour),
        *_alone_layer(alone, x, y, colour),
        # Above the lines, which would take the pointer, and below what has a tooltip of its own.
        _tips_layer(hue.present, title),
        *_break_marks(parts, hue.ink),
    ]
    if "level" in parts:
        layers.insert(0, _of("level").mark_rule(color=hue.ink, opacity=0.6).encode(alt.Y(f"{value}:Q")))
    if "points" in parts:
        tip = _tooltip(hue.series, value, title, value_format)
        layers.append(_of("points").mark_point(shape="diamond", size=110, strokeWidth=2.5).encode(x, y, colour, tooltip=tip))
    if "markers" in parts:
        layers.append(
            _of("markers")
            .mark_point(shape="triangle-down", filled=True, size=70)
            .encode(
                x,
                colour,
                y=alt.value(6),
                tooltip=[alt.Tooltip("label:N", title="Release")],
            )
        )
    return _finish(layers)


def _tips(table: pd.DataFrame, present: Sequence[str], value_format: str) -> pd.DataFrame:
    """A row a date, of what the tooltip says there of all series, and how far the date reaches: half-way to the next.

    `table` has the dates as its index and a column a series. One tooltip for all costs the browser a small part of
    what one a point does, and is found without hitting a point.
    """
    table = table.sort_index()
    days = table.index.to_numpy("datetime64[s]")
    half = np.diff(days) // 2
    edge = np.timedelta64(12, "h") if len(days) == 1 else np.timedelta64(0, "s")
    starts = days - np.concatenate([[edge], half])
    ends = days + np.concatenate([half, [edge]])
    said = {
        f"tip_{number}": [_words(figure, value_format) for figure in table[name]] if name in table else "–"
        for number, name in enumerate(present)
    }
    return pd.DataFrame(
        {
            _SAID: np.datetime_as_string(days, "D"),
            "from": np.datetime_as_string(starts, timezone="UTC"),
            "to": np.datetime_as_string(ends, timezone="UTC"),
            **said,
        }
    )


def _words(figure: float, value_format: str) -> str:
    return "–" if pd.isna(figure) else format(float(figure), value_format).replace("-", "−")


def _tips_layer(present: Sequence[str], title: str) -> alt.Chart:
    # Of several series each is called by its name, of one by what it counts.
    names = [title] if len(present) == 1 else present
    tip = [alt.Tooltip(f"{_SAID}:N", title="Date (UTC)")]
    tip += [alt.Tooltip(f"tip_{number}:N", title=name) for number, name in enumerate(names)]
    layer: alt.Chart = _of(_TIPS).mark_rect(opacity=0).encode(_time("from"), alt.X2("to:T"), tooltip=tip)
    return layer


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
    over: date | None = None,
) -> Drawing:
    """Bars as wide as their day, week or month, one on the other by series. What is not over before the day `over` is faint."""
    present = list(dict.fromkeys(frame[series]))
    order = {name: index for index, name in enumerate(present)}
    rows = frame[[time, series, value]].assign(order=frame[series].map(order)).sort_values([time, "order"])
    top = rows.groupby(time)[value].cumsum()
    rows = rows.assign(top=top, bottom=top - rows[value], end=rows[time] + STEPS[grain])
    rows = with_running(rows, time, series, grain, over).drop(columns="tail")
    data = {_ROWS: _dated(rows.drop(columns="order"), time, "end"), **_breaks(breaks, frame[time])}
    formats = (value_format, axis_format)
    form = _stacked(hue(series, present, everything), time=time, value=value, title=title, formats=formats, parts=tuple(data))
    return Drawing(form, data, _explain_running(rows, "Faint", grain))


@lru_cache(_MOST_FORMS)
def _stacked(hue: Hue, *, time: str, value: str, title: str, formats: tuple[str, str], parts: tuple[str, ...]) -> Form:
    value_format, axis_format = formats
    bars = (
        _of(_ROWS)
        .mark_bar()
        .encode(
            _time(time),
            alt.X2("end:T"),
            alt.Y("bottom:Q", title=title, axis=_numbers(axis_format)),
            alt.Y2("top:Q"),
            hue.encoding(),
            opacity=alt.condition("datum.running", alt.value(0.45), alt.value(1)),
            tooltip=_tooltip(hue.series, value, title, value_format),
        )
    )
    return _finish([*_break_shade(parts, hue.ink), bars, *_break_marks(parts, hue.ink)])


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
    breaks: pd.DataFrame | None = None,
    over: date | None = None,
) -> Drawing:
    """A line for the median, broken where there is none; for a single series also a shade between two percentiles.

    `values` names the columns low (None: the shade begins at the line), middle and high. The scale is logarithmic from 1 on.
    """
    present = list(dict.fromkeys(frame[series]))
    columns = [column for column in values if column]
    rows = with_gaps(frame[[time, series, *columns]], time, series, values[1], STEPS[grain])
    rows = with_running(rows, time, series, grain, over)
    data = {_ROWS: _dated(rows, time), **_breaks(breaks, frame[time])}
    form = _band(
        hue(series, present, everything),
        time=time,
        values=values,
        title=title,
        ticks=tuple(ticks),
        alone=_alone(rows),
        running=bool(rows["running"].any()),
        parts=tuple(data),
    )
    return Drawing(form, data, _explain_running(rows, "Dashed", grain))


@lru_cache(_MOST_FORMS)
def _band(
    hue: Hue,
    *,
    time: str,
    values: tuple[str | None, str, str],
    title: str,
    ticks: tuple[float, ...],
    alone: bool,
    running: bool,
    parts: tuple[str, ...],
) -> Form:
    low, middle, high = values
    x, colour, base = _time(time), hue.encoding(), _of(_ROWS)
    scale = alt.Scale(type="symlog", constant=1)
    axis = alt.Axis(values=list(ticks), format=",.0f")
    tip = [alt.Tooltip(f"{_SAID}:N", title="Date (UTC)"), alt.Tooltip(f"{hue.series}:N", title=hue.series.capitalize())]
    tip += [alt.Tooltip(f"{column}:Q", title=column.replace("_", " "), format=",.1f") for column in values if column]
    y = alt.Y(f"{middle}:Q", title=title, scale=scale, axis=axis)
    layers = [
        *_break_shade(parts, hue.ink),
        *_line_layers(running, x, y, colour),
        *_alone_layer(alone, x, y, colour),
        # Invisible points as wide as a finger, so that a tooltip is easy to reach.
        base.mark_point(size=90, opacity=0).encode(x, y, tooltip=tip),
        *_break_marks(parts, hue.ink),
    ]
    if len(hue.present) == 1:
        shade = alt.Y(f"{low or middle}:Q", title=title, scale=scale, axis=axis)
        layers.insert(0, base.mark_area(opacity=0.2).encode(x, shade, alt.Y2(f"{high}:Q"), colour))
    return _finish(layers)


def ranked(frame: pd.DataFrame, label: str, series: str, value: str, title: str, *, everything: Sequence[str] = ()) -> Drawing:
    """Horizontal bars with their figures, grouped by series in the order of the rows."""
    present = list(dict.fromkeys(frame[series]))
    # The same label may stand in several series: the axis needs them apart, a reader does not.
    rows = frame[[label, series, value]].assign(row=frame[series] + _APART + frame[label])
    height = 24 * len(rows) + 20 * len(present) + 60
    form = _ranked(hue(series, present, everything, columns=1), label=label, value=value, title=title, height=height)
    return Drawing(form, {_ROWS: rows})


@lru_cache(_MOST_FORMS)
def _ranked(hue: Hue, *, label: str, value: str, title: str, height: int) -> Form:
    name = f"split(datum.label, '{_APART}')[1]"
    axis = alt.Axis(labelExpr=name, labelLimit=150, labelOverlap=False, ticks=False, domain=False)
    tip = [
        alt.Tooltip(f"{hue.series}:N"),
        alt.Tooltip(f"{label}:N"),
        alt.Tooltip(f"{value}:Q", format=",", title=title),
    ]
    base = _of(_ROWS).encode(
        # Sorted as the rows come.
        alt.Y("row:N", sort=None, title=None, axis=axis),
        alt.X(f"{value}:Q", title=title, axis=_numbers("~s", 4)),
        tooltip=tip,
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(hue.encoding())
    figures = base.mark_text(align="left", dx=4, color=hue.ink).encode(text=alt.Text(f"{value}:Q", format=","))
    return {**_finish([bars, figures], height), "padding": {"left": 5, "top": 5, "right": 30, "bottom": 5}}


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
    colours = hue(series, list(dict.fromkeys(frame[series])), everything)
    form = _grouped(colours, category=category, value=value, title=title, order=tuple(order), axis=axis)
    return Drawing(form, {_ROWS: frame[[category, series, value]]})


@lru_cache(_MOST_FORMS)
def _grouped(hue: Hue, *, category: str, value: str, title: str, order: tuple[str, ...], axis: str) -> Form:
    bars = (
        _of(_ROWS)
        .mark_bar()
        .encode(
            alt.X(f"{category}:N", sort=list(order), title=axis, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            alt.Y(f"{value}:Q", title=title, axis=_numbers("~s")),
            hue.encoding(),
            tooltip=_category_tooltip(category, hue.series, value, title, axis),
        )
    )
    return _finish([bars])


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
    colours = hue(series, list(dict.fromkeys(frame[series])), everything)
    form = _side_by_side(colours, category=category, value=value, title=title, order=tuple(order), axis=axis)
    return Drawing(form, {_ROWS: frame[[category, series, value]]})


@lru_cache(_MOST_FORMS)
def _side_by_side(hue: Hue, *, category: str, value: str, title: str, order: tuple[str, ...], axis: str) -> Form:
    base = _of(_ROWS).encode(
        alt.X(f"{category}:N", sort=list(order), title=axis, axis=alt.Axis(labelAngle=0)),
        alt.Y(f"{value}:Q", title=title, axis=_numbers("~s")),
        alt.XOffset(f"{hue.series}:N", sort=list(hue.present)),
        tooltip=_category_tooltip(category, hue.series, value, title, axis),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(hue.encoding())
    figures = base.mark_text(dy=-7, color=hue.ink).encode(text=alt.Text(f"{value}:Q", format=","))
    return _finish([bars, figures])


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
    """One line a series over its age, a number; broken at rows without a value. The rows are those of `with_gaps`."""
    colours = hue(series, list(dict.fromkeys(frame[series])), everything)
    formats = (value_format, axis_format)
    form = _by_age(colours, age=age, value=value, title=title, axis=axis, formats=formats, alone=_alone(frame))
    return Drawing(form, {_ROWS: frame[[age, series, value, "alone"]]})


@lru_cache(_MOST_FORMS)
def _by_age(hue: Hue, *, age: str, value: str, title: str, axis: str, formats: tuple[str, str], alone: bool) -> Form:
    value_format, axis_format = formats
    x = alt.X(f"{age}:Q", title=axis, axis=alt.Axis(grid=False))
    y = alt.Y(f"{value}:Q", title=title, axis=_numbers(axis_format))
    colour = hue.encoding()
    tip = [
        alt.Tooltip(f"{hue.series}:N"),
        alt.Tooltip(f"{age}:Q", title=axis, format=",.1f"),
        alt.Tooltip(f"{value}:Q", title=title, format=value_format),
    ]
    base = _of(_ROWS)
    return _finish(
        [
            base.mark_line(strokeWidth=2).encode(x, y, colour),
            *_alone_layer(alone, x, y, colour),
            base.mark_point(size=90, opacity=0).encode(x, y, tooltip=tip),
        ]
    )


def _of(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _alone(rows: pd.DataFrame) -> bool:
    return bool(rows["alone"].any())


def _alone_layer(drawn: bool, *channels: alt.X | alt.Y | alt.Color) -> list[alt.Chart]:
    """Dots for the values that have a gap on both sides."""
    return [_of(_ROWS).transform_filter("datum.alone").mark_point(filled=True, size=25).encode(*channels)] if drawn else []


def _line_layers(running: bool, *channels: alt.X | alt.Y | alt.Color) -> list[alt.Chart]:
    """The lines, dashed where they lead to what is not over."""
    base = _of(_ROWS)
    if not running:
        return [base.mark_line(strokeWidth=2, strokeJoin="round").encode(*channels)]
    return [
        base.transform_filter("!datum.running").mark_line(strokeWidth=2, strokeJoin="round").encode(*channels),
        base.transform_filter("datum.tail").mark_line(strokeWidth=2, strokeDash=[3, 3]).encode(*channels),
    ]


def _numbers(axis_format: str, ticks: int = 5) -> alt.Axis:
    """An axis of figures: a zero is no 0k."""
    return alt.Axis(format=axis_format, tickCount=ticks, labelExpr="datum.value === 0 ? '0' : datum.label")


def _dated(frame: pd.DataFrame, *times: str) -> pd.DataFrame:
    """Dates as ISO text: a browser reads that as UTC, wherever it stands; the first also as a column to read out."""
    texts = {}
    for time in times:
        days = frame[time].to_numpy("datetime64[D]")
        texts[time] = pd.Series(np.datetime_as_string(days), index=frame.index).mask(frame[time].isna(), None)
    # What is a time on an axis is a number in a tooltip.
    return frame.assign(**texts, **{_SAID: texts[times[0]]})


def _time(name: str) -> alt.X:
    return alt.X(
        f"{name}:T",
        title=None,
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(grid=False, labelOverlap=True, labelFlush=True),
    )


def _tooltip(series: str, value: str, title: str, value_format: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(f"{_SAID}:N", title="Date (UTC)"),
        alt.Tooltip(f"{series}:N", title=series.capitalize()),
        alt.Tooltip(f"{value}:Q", title=title, format=value_format),
    ]


def _category_tooltip(category: str, series: str, value: str, title: str, axis: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(f"{series}:N"),
        alt.Tooltip(f"{category}:N", title=axis),
        alt.Tooltip(f"{value}:Q", format=",", title=title),
    ]


def _breaks(breaks: pd.DataFrame | None, times: pd.Series[pd.Timestamp]) -> dict[str, pd.DataFrame]:
    """The rows of the known breaks within these times: all, those that begin there, and those that last."""
    if breaks is None or not len(breaks) or not len(times):
        return {}
    first, last = times.min(), times.max()
    seen = breaks[(breaks["from_date"] <= last) & (breaks["to_date"].fillna(breaks["from_date"]) >= first)]
    rows = seen.assign(
        from_date=seen["from_date"].where(seen["from_date"] >= first, first),
        to_date=seen["to_date"].mask(seen["to_date"] > last, last),
    )[["mark", "from_date", "to_date", "what_changed"]]
    parts = {
        "breaks": rows,
        "breaks_begun": rows[seen["from_date"] >= first],
        "breaks_lasting": rows[rows["to_date"].notna()],
    }
    return {name: _dated(part, "from_date", "to_date") for name, part in parts.items() if len(part)}


def _break_marks(parts: tuple[str, ...], ink: str) -> list[alt.Chart]:
    """A dashed line where an upstream began to count differently, and a letter."""
    x = _time("from_date")
    tip = [alt.Tooltip(f"{_SAID}:N", title="Known break"), alt.Tooltip("what_changed:N", title="What changed")]
    layers = []
    if "breaks" in parts:
        letters = _of("breaks").mark_text(align="left", baseline="top", dx=4, fontWeight="bold", color=ink)
        layers.append(letters.encode(x, y=alt.value(14), text="mark:N", tooltip=tip))
    if "breaks_begun" in parts:
        layers.append(_of("breaks_begun").mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=ink).encode(x, tooltip=tip))
    return layers


def _break_shade(parts: tuple[str, ...], ink: str) -> list[alt.Chart]:
    """A shade while a change went on. It has no tooltip: it belongs below what has one."""
    lasting = _of("breaks_lasting").mark_rect(opacity=0.12, color=ink)
    return [lasting.encode(_time("from_date"), alt.X2("to_date:T"))] if "breaks_lasting" in parts else []


_CONFIG = {
    "aria": False,
    "view": {"strokeWidth": 0},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
}


def _finish(layers: Sequence[alt.Chart], height: int = _HEIGHT) -> Form:
    # On a canvas a chart of a thousand points costs the browser a tenth of what it costs as SVG. Points have no
    # descriptions of their own there: `show` describes the chart, and the card under it has the rows.
    # Altair would copy every layer several times and check it against the schema: a test does that, not each new form.
    return {
        "$schema": alt.SCHEMA_URL,
        "config": _CONFIG,
        "height": height,
        "layer": [layer.to_dict(validate=False, context={"top_level": False}) for layer in layers],
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
    }


def _packed(rows: pd.DataFrame) -> bytes:
    """As Arrow: what Streamlit would make of it, without looking for what kind of table it is."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = out.getvalue().to_pybytes()
    return packed
