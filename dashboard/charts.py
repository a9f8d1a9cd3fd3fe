"""Charts: safe for colour-blind readers, time in UTC, gaps left open, known breaks marked.

A chart is a form (its Vega-Lite specification) and its data. Forms are cached by their arguments, since making one costs
more than the rest of a page, and a browser that gets the same form again only loads the new data. So a form has nothing
that a filter changes: colours and tooltips are columns of the data, the legend is outside the chart, and optional
parts always have their layer, even if it is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from html import escape
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

# Okabe and Ito's colours; the first ones contrast most with the background.
_ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B4E9B", "#8C6D00", "#56B4E9", "#5F6B76")
_ON_DARK = ("#56B4E9", "#E69F00", "#2FC79A", "#E08FBF", "#F0E442", "#F07C3A", "#B39DDB", "#B8C2CC")
_APART = "\u241f"
_HEIGHT = 300
_MOST_FORMS = 500
_ROWS = "rows"
_TAIL = "tail"
_ALONE = "alone"
_TIPS = "tips"
_SHADE = "shade"
_SAID = "said"
_COLOUR = "colour"
MOST_SERIES = len(_ON_LIGHT)
"""Nobody can distinguish more lines than this."""

_HUE = alt.Color(f"{_COLOUR}:N", scale=None)

STYLE = """
<style>
.lp-legend { display: flex; flex-wrap: wrap; gap: .125rem 1rem; list-style: none; font-size: .875rem; }
.lp-legend, .lp-legend li { margin: 0 !important; padding: 0 !important; }
.lp-legend i { display: inline-block; width: .75rem; height: .75rem; margin-right: .375rem; border-radius: 50%; }
#vg-tooltip-element { white-space: pre-line; }
</style>
"""
"""Styles of the legends and of multi-line tooltips, needed once per page."""

STEPS = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}


Form = Mapping[str, Any]
"""A Vega-Lite specification without data."""


class Drawing(NamedTuple):
    """A form, which drawings may share; the rows of the data sets that it names; a note on how to read it; and the colour of
    each series."""

    form: Form
    data: Mapping[str, pd.DataFrame]
    note: str = ""
    legend: Mapping[str, str] = {}


def is_dark() -> bool:
    """Whether the browser uses the dark theme."""
    return st.context.theme.type == "dark"


def show(drawing: Drawing, alt: str, said: Sequence[str] = (), breaks: str = "") -> None:
    """Draw a chart.

    Args:
        alt: the description for readers who cannot see it; nothing in it may depend on a filter.
        said: sentences on how to read it, shown below it in one line with the drawing's own note.
        breaks: Markdown about the known breaks, shown below that.
    """
    # A placeholder for the missing legend: a chart that changes its position is drawn from scratch, and so are all below.
    st.html(legend(drawing.legend)) if len(drawing.legend) > 1 else st.empty()
    data = {name: _packed(rows) for name, rows in drawing.data.items()}
    st.vega_lite_chart({**drawing.form, "datasets": data}, alt=alt)
    explain(" ".join(sentence for sentence in (*said, drawing.note) if sentence), breaks)


def explain(words: str, breaks: str) -> None:
    """Show in small print how to read a drawing, and below it the known breaks; always exactly one element."""
    # Not a caption, whose links are too pale to read.
    paragraphs = [part for part in (words, *breaks.split("\n\n")) if part]
    st.markdown("\n\n".join(f":small[{part}]" for part in paragraphs)) if paragraphs else st.empty()


def legend(colours: Mapping[str, str]) -> str:
    """The legend as HTML."""
    items = "".join(f'<li><i style="background: {colour}"></i>{escape(name)}</li>' for name, colour in colours.items())
    return f'<ul class="lp-legend">{items}</ul>'


def colours(present: Sequence[str], everything: Sequence[str] = ()) -> dict[str, str]:
    """The colour of each series. With all possible series in `everything`, each keeps its colour whatever the filter."""
    palette = _ON_DARK if is_dark() else _ON_LIGHT
    order = {name: index for index, name in enumerate(everything or present)}
    fits = all(order.get(name, MOST_SERIES) < MOST_SERIES for name in present)
    return {name: palette[(order[name] if fits else index) % MOST_SERIES] for index, name in enumerate(present)}


def _ink() -> str:
    """The colour of text and rules."""
    return "#C9D4DF" if is_dark() else "#44525F"


def _coloured(rows: pd.DataFrame, series: str, colours: Mapping[str, str]) -> pd.DataFrame:
    return rows.assign(**{_COLOUR: rows[series].map(colours)})


def with_gaps(frame: pd.DataFrame, time: str, series: str, value: str, step: pd.DateOffset) -> pd.DataFrame:
    """Rows sorted by time, plus one without a value wherever a step is missing, so that the line breaks there.

    Column `alone` marks values with a gap on either side, which would be invisible as a line.
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
    """The rows with `running`, true if the day, week or month had not ended by `over`, and `tail`, true for the line to it."""
    if over is None:
        return rows.assign(running=False, tail=False)
    running = rows[time] + STEPS[grain] > pd.Timestamp(over)
    follows = running.shift(-1, fill_value=False) & rows[series].eq(rows[series].shift(-1))
    return rows.assign(running=running, tail=running | follows)


def _explain_running(rows: pd.DataFrame, look: str, grain: str) -> str:
    return f"{look}: {grain} in progress." if rows["running"].any() and not rows["running"].all() else ""


def top_series(frame: pd.DataFrame, series: str, value: str) -> tuple[pd.DataFrame, int]:
    """The rows of the series with the largest totals, and the number of series left out."""
    totals = frame.groupby(series, observed=True)[value].sum().sort_values(ascending=False)
    if len(totals) <= MOST_SERIES:
        return frame, 0
    return frame[frame[series].isin(totals.index[:MOST_SERIES])], len(totals) - MOST_SERIES


def left_out(left: int, drawn: str) -> str:
    """A sentence on the series that a chart leaves out, if any; `drawn` describes those that `top_series` kept."""
    if not left:
        return ""
    return f"Showing the {MOST_SERIES} {drawn}. {left} more are in the card; select them in the filter to see them here."


def counted(grain: str) -> str:
    """What a point or bar is, if each is a row of the card."""
    return f"By {grain}."


def summed_up(grain: str, point: str, row: str = "day") -> str:
    """What a point is, if the card's rows are finer: days or weeks."""
    return "" if grain == row else f"Each point is {point} in its {grain}; the card lists every {row}."


Rank = Literal["sum", "max"]
"""How to rank series: by their sum, or by their peak, which gives young ones a chance."""


def lump(frame: pd.DataFrame, time: str, series: str, value: str, rank_by: Rank = "sum") -> pd.DataFrame:
    """The largest series sorted by name, and the rest summed as `other`.

    Sorted by name rather than size, so that each keeps its place and colour in other periods.
    """
    totals = frame.groupby(series, observed=True)[value].agg(rank_by).sort_values(ascending=False)
    kept = sorted(totals.index if len(totals) <= MOST_SERIES else totals.index[: MOST_SERIES - 1], key=_by_number)
    named = frame.assign(**{series: frame[series].where(frame[series].isin(kept), "other")})
    summed = named.groupby([time, series], observed=True, as_index=False)[value].sum()
    ordered: pd.DataFrame = summed.assign(rank=summed[series].map({name: index for index, name in enumerate(kept)}))
    return ordered.sort_values(["rank", time], na_position="last", ignore_index=True)


def _by_number(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 3.9 before 3.10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


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
    """One line per series over time, and a horizontal one at `reference`.

    `breaks` has columns mark, from_date, to_date and what_changed. `markers` has columns time, series and label, drawn along
    the top. `points` are rows of `frame` to highlight. What had not ended by the day `over` is dashed.
    """
    hues = colours(list(dict.fromkeys(frame[series])), everything)
    rows = with_gaps(frame[[time, series, value]], time, series, value, STEPS[grain])
    rows = with_running(rows, time, series, grain, over)
    table = frame.pivot(index=time, columns=series, values=value)
    data = {
        **_line(_dated(_coloured(rows, series, hues), time), time, value),
        # Several series are labelled by name, a single one by what it counts.
        _TIPS: _tips(table if len(hues) > 1 else table.set_axis([title], axis=1), value_format),
        **_breaks(breaks, frame[time]),
    }
    if reference is not None:
        data["level"] = pd.DataFrame({value: [reference]})
    if points is not None:
        data["points"] = _coloured(_labelled(points[[time, series, value]], time), series, hues)
    if markers is not None:
        # Markers outside the data explain nothing. The last week or month is drawn at its first day.
        first, last = frame[time].min(), frame[time].max()
        markers = markers[(markers[time] >= first) & (markers[time] < last + STEPS[grain])]
        markers = markers.assign(**{time: markers[time].clip(upper=last)})[[time, series, "label"]]
        data["markers"] = _coloured(_dated(markers, time), series, hues)
    form = _lines(
        _ink(),
        time=time,
        series=series,
        value=value,
        title=title,
        zero=zero,
        formats=(value_format, axis_format),
        parts=tuple(data),
    )
    return Drawing(form, data, _explain_running(rows, "Dashed", grain), hues)


@lru_cache(_MOST_FORMS)
def _lines(
    ink: str,
    *,
    time: str,
    series: str,
    value: str,
    title: str,
    zero: bool,
    formats: tuple[str, str],
    parts: tuple[str, ...],
) -> Form:
    value_format, axis_format = formats
    x = _time(time)
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(zero=zero), axis=_numbers(axis_format))
    layers: list[alt.Chart] = [
        *_break_shade(parts, ink),
        *_line_layers(time, value, x, y),
        # Above the lines, which would catch the pointer, and below the parts with tooltips of their own.
        _tips_layer(),
        *_break_marks(parts, ink),
    ]
    if "level" in parts:
        layers.insert(0, _of("level").mark_rule(color=ink, opacity=0.6).encode(alt.Y(f"{value}:Q")))
    if "points" in parts:
        tip = _tooltip(series, value, title, value_format)
        layers.append(_of("points").mark_point(shape="diamond", size=110, strokeWidth=2.5).encode(x, y, _HUE, tooltip=tip))
    if "markers" in parts:
        layers.append(
            _of("markers")
            .mark_point(shape="triangle-down", filled=True, size=70)
            .encode(
                x,
                _HUE,
                y=alt.value(6),
                tooltip=[alt.Tooltip("label:N", title="Release")],
            )
        )
    return _finish(layers)


def _tips(table: pd.DataFrame, value_format: str) -> pd.DataFrame:
    """One row per date: the tooltip's text about all series, and the span it covers, half-way to the dates on either side.

    `table` has the dates as its index and one column per series. One tooltip for all series costs the browser much less
    than one per point, and can be hit anywhere.
    """
    table = table.sort_index()
    days = table.index.to_numpy("datetime64[s]")
    half = np.diff(days) // 2
    edge = np.timedelta64(12, "h") if len(days) == 1 else np.timedelta64(0, "s")
    starts = days - np.concatenate([[edge], half])
    ends = days + np.concatenate([half, [edge]])
    lines = [[f"{day} (UTC)" for day in np.datetime_as_string(days, "D")]]
    lines += [[f"{name}: {_words(figure, value_format)}" for figure in table[name]] for name in table]
    return pd.DataFrame(
        {
            _SAID: ["\n".join(said) for said in zip(*lines, strict=True)],
            "from": np.datetime_as_string(starts, timezone="UTC"),
            "to": np.datetime_as_string(ends, timezone="UTC"),
        }
    )


def _words(figure: float, value_format: str) -> str:
    return "–" if pd.isna(figure) else format(float(figure), value_format).replace("-", "−")


def _tips_layer() -> alt.Chart:
    layer: alt.Chart = _of(_TIPS).mark_rect(opacity=0).encode(_time("from"), alt.X2("to:T"), tooltip=alt.Tooltip(f"{_SAID}:N"))
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
    """Bars as wide as their day, week or month, stacked by series. What had not ended by the day `over` is faint."""
    present = list(dict.fromkeys(frame[series]))
    order = {name: index for index, name in enumerate(present)}
    rows = frame[[time, series, value]].assign(order=frame[series].map(order)).sort_values([time, "order"])
    top = rows.groupby(time)[value].cumsum()
    rows = rows.assign(top=top, bottom=top - rows[value], end=rows[time] + STEPS[grain])
    rows = with_running(rows, time, series, grain, over).drop(columns=["tail", "order"])
    hues = colours(present, everything)
    data = {_ROWS: _coloured(_labelled(rows, time, "end"), series, hues), **_breaks(breaks, frame[time])}
    formats = (value_format, axis_format)
    form = _stacked(_ink(), time=time, series=series, value=value, title=title, formats=formats, parts=tuple(data))
    return Drawing(form, data, _explain_running(rows, "Faint", grain), hues)


@lru_cache(_MOST_FORMS)
def _stacked(
    ink: str, *, time: str, series: str, value: str, title: str, formats: tuple[str, str], parts: tuple[str, ...]
) -> Form:
    value_format, axis_format = formats
    bars = (
        _of(_ROWS)
        .mark_bar()
        .encode(
            _time(time),
            alt.X2("end:T"),
            alt.Y("bottom:Q", title=title, axis=_numbers(axis_format)),
            alt.Y2("top:Q"),
            _HUE,
            opacity=alt.condition("datum.running", alt.value(0.45), alt.value(1)),
            tooltip=_tooltip(series, value, title, value_format),
        )
    )
    return _finish([*_break_shade(parts, ink), bars, *_break_marks(parts, ink)])


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
    """The median of one series as a line, broken where there is none, and the range between two percentiles as a shade.

    `values` names the columns low (None: the shade starts at the line), middle and high. The scale is logarithmic from 1 up.
    """
    columns = [column for column in values if column]
    rows = with_gaps(frame[[time, series, *columns]], time, series, values[1], STEPS[grain])
    rows = with_running(rows, time, series, grain, over)
    dated = _dated(_coloured(rows, series, colours(list(frame[series][:1]), everything)), time)
    data = {
        _SHADE: dated[[time, _COLOUR, *columns]],
        **_line(dated, time, values[1]),
        _TIPS: _tips(frame.set_index(time)[columns].rename(columns=lambda name: name.replace("_", " ")), ",.1f"),
        **_breaks(breaks, frame[time]),
    }
    form = _band(
        _ink(),
        time=time,
        values=values,
        title=title,
        ticks=tuple(ticks),
        parts=tuple(data),
    )
    return Drawing(form, data, _explain_running(rows, "Dashed", grain))


@lru_cache(_MOST_FORMS)
def _band(
    ink: str,
    *,
    time: str,
    values: tuple[str | None, str, str],
    title: str,
    ticks: tuple[float, ...],
    parts: tuple[str, ...],
) -> Form:
    low, middle, high = values
    x = _time(time)
    scale = alt.Scale(type="symlog", constant=1)
    axis = alt.Axis(values=list(ticks), format=",.0f")
    y, bottom = (alt.Y(f"{column}:Q", title=title, scale=scale, axis=axis) for column in (middle, low or middle))
    return _finish(
        [
            *_break_shade(parts, ink),
            _of(_SHADE).mark_area(opacity=0.2).encode(x, bottom, alt.Y2(f"{high}:Q"), _HUE),
            *_line_layers(time, middle, x, y),
            _tips_layer(),
            *_break_marks(parts, ink),
        ]
    )


def ranked(frame: pd.DataFrame, label: str, series: str, value: str, title: str, *, everything: Sequence[str] = ()) -> Drawing:
    """Horizontal bars with their values, grouped by series in the order of the rows."""
    present = list(dict.fromkeys(frame[series]))
    # Several series may share a label: the axis must keep them apart, the reader need not see it.
    rows = frame[[label, series, value]].assign(row=frame[series] + _APART + frame[label])
    height = 24 * len(rows) + 20 * len(present) + 60
    hues = colours(present, everything)
    form = _ranked(_ink(), label=label, series=series, value=value, title=title, height=height)
    return Drawing(form, {_ROWS: _coloured(rows, series, hues)}, legend=hues)


@lru_cache(_MOST_FORMS)
def _ranked(ink: str, *, label: str, series: str, value: str, title: str, height: int) -> Form:
    name = f"split(datum.label, '{_APART}')[1]"
    axis = alt.Axis(labelExpr=name, labelLimit=150, labelOverlap=False, ticks=False, domain=False)
    tip = [
        alt.Tooltip(f"{series}:N"),
        alt.Tooltip(f"{label}:N"),
        alt.Tooltip(f"{value}:Q", format=",", title=title),
    ]
    base = _of(_ROWS).encode(
        # In the order of the rows.
        alt.Y("row:N", sort=None, title=None, axis=axis),
        alt.X(f"{value}:Q", title=title, axis=_numbers("~s", 4)),
        tooltip=tip,
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(_HUE)
    figures = base.mark_text(align="left", dx=4, color=ink).encode(text=alt.Text(f"{value}:Q", format=","))
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
    """Bars by category, stacked by series; categories in the given order."""
    hues = colours(list(dict.fromkeys(frame[series])), everything)
    form = _grouped(category=category, series=series, value=value, title=title, order=tuple(order), axis=axis)
    places = {name: place for place, name in enumerate(hues)}
    rows = _coloured(frame[[category, series, value]], series, hues).assign(place=frame[series].map(places))
    return Drawing(form, {_ROWS: rows}, legend=hues)


@lru_cache(_MOST_FORMS)
def _grouped(*, category: str, series: str, value: str, title: str, order: tuple[str, ...], axis: str) -> Form:
    bars = (
        _of(_ROWS)
        .mark_bar()
        .encode(
            alt.X(f"{category}:N", sort=list(order), title=axis, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            alt.Y(f"{value}:Q", title=title, axis=_numbers("~s")),
            _HUE,
            alt.Order("place:Q"),
            tooltip=_category_tooltip(category, series, value, title, axis),
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
    """Bars by category, side by side by series, each with its value."""
    hues = colours(list(dict.fromkeys(frame[series])), everything)
    form = _side_by_side(_ink(), category=category, series=series, value=value, title=title, order=tuple(order), axis=axis)
    return Drawing(form, {_ROWS: _coloured(frame[[category, series, value]], series, hues)}, legend=hues)


@lru_cache(_MOST_FORMS)
def _side_by_side(ink: str, *, category: str, series: str, value: str, title: str, order: tuple[str, ...], axis: str) -> Form:
    base = _of(_ROWS).encode(
        alt.X(f"{category}:N", sort=list(order), title=axis, axis=alt.Axis(labelAngle=0)),
        alt.Y(f"{value}:Q", title=title, axis=_numbers("~s")),
        alt.XOffset(f"{series}:N"),
        tooltip=_category_tooltip(category, series, value, title, axis),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(_HUE)
    figures = base.mark_text(dy=-7, color=ink).encode(text=alt.Text(f"{value}:Q", format=","))
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
    """One line per series over its age, a number; broken at rows without a value. The rows come from `with_gaps`."""
    hues = colours(list(dict.fromkeys(frame[series])), everything)
    formats = (value_format, axis_format)
    form = _by_age(age=age, series=series, value=value, title=title, axis=axis, formats=formats)
    rows = _coloured(frame[[age, series, value]], series, hues)
    return Drawing(form, {_ROWS: rows, _ALONE: rows[frame["alone"]]}, legend=hues)


@lru_cache(_MOST_FORMS)
def _by_age(*, age: str, series: str, value: str, title: str, axis: str, formats: tuple[str, str]) -> Form:
    value_format, axis_format = formats
    x = alt.X(f"{age}:Q", title=axis, axis=alt.Axis(grid=False))
    y = alt.Y(f"{value}:Q", title=title, axis=_numbers(axis_format))
    tip = [
        alt.Tooltip(f"{series}:N"),
        alt.Tooltip(f"{age}:Q", title=axis, format=",.1f"),
        alt.Tooltip(f"{value}:Q", title=title, format=value_format),
    ]
    base = _of(_ROWS)
    return _finish(
        [
            base.mark_line(strokeWidth=2).encode(x, y, _HUE),
            _alone_layer(f"datum['{age}']", f"datum['{value}']"),
            base.mark_point(size=90, opacity=0).encode(x, y, tooltip=tip),
        ]
    )


def _of(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _line(rows: pd.DataFrame, time: str, value: str) -> dict[str, pd.DataFrame]:
    """The data sets of a line: complete points, the tail to the current one, and points with a gap on either side.

    All three are always present, even if empty, so that all such lines share one form.
    """
    columns = [time, value, _COLOUR]
    return {
        _ROWS: rows.loc[~rows["running"], columns],
        _TAIL: rows.loc[rows["tail"], [*columns, "running"]],
        _ALONE: rows.loc[rows["alone"], columns],
    }


def _line_layers(time: str, value: str, *channels: alt.X | alt.Y) -> list[alt.Chart]:
    """The lines, dashed where they lead to a day, week or month in progress."""
    return [
        _of(_ROWS).mark_line(strokeWidth=2, strokeJoin="round").encode(*channels, _HUE),
        _of(_TAIL).mark_line(strokeWidth=2, strokeDash=[3, 3]).encode(*channels, _HUE),
        _alone_layer(f"toDate(datum['{time}'])", f"datum['{value}']"),
    ]


def _alone_layer(x: str, y: str) -> alt.Chart:
    """Dots for values with a gap on either side."""
    dots = _of(_ALONE).mark_point(filled=True, size=25)
    layer: alt.Chart = dots.encode(_HUE, x=_at("x", x), y=_at("y", y))
    return layer


def _numbers(axis_format: str, ticks: int = 5) -> alt.Axis:
    """A numeric axis whose zero is 0, not 0k."""
    return alt.Axis(format=axis_format, tickCount=ticks, labelExpr="datum.value === 0 ? '0' : datum.label")


def _dated(frame: pd.DataFrame, *times: str) -> pd.DataFrame:
    """Dates as ISO text, which browsers in any time zone read as UTC."""
    texts = {}
    for time in times:
        days = frame[time].to_numpy("datetime64[D]")
        text = np.datetime_as_string(days).astype(object)
        text[np.isnat(days)] = None
        texts[time] = text
    return frame.assign(**texts)


def _labelled(frame: pd.DataFrame, *times: str) -> pd.DataFrame:
    """Dates as ISO text, the first also as a column for the tooltip, where a time would appear as a number."""
    dated = _dated(frame, *times)
    return dated.assign(**{_SAID: dated[times[0]]})


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
    """The known breaks within these times: all, those that start there, and those that last.

    Also if there are none, so that the form is the same with and without breaks.
    """
    if breaks is None:
        return {}
    first, last = times.min(), times.max()
    seen = (
        breaks[(breaks["from_date"] <= last) & (breaks["to_date"].fillna(breaks["from_date"]) >= first)]
        if len(breaks)
        else breaks
    )
    if not len(seen):
        return _NO_BREAKS
    rows = _labelled(
        seen.assign(
            from_date=seen["from_date"].where(seen["from_date"] >= first, first),
            to_date=seen["to_date"].mask(seen["to_date"] > last, last),
        )[["mark", "from_date", "to_date", "what_changed"]],
        "from_date",
        "to_date",
    )
    return {
        "breaks": rows,
        "breaks_begun": rows[seen["from_date"] >= first],
        "breaks_lasting": rows[seen["to_date"].notna()],
    }


_NO_BREAKS = dict.fromkeys(
    ("breaks", "breaks_begun", "breaks_lasting"),
    pd.DataFrame(columns=["mark", "from_date", "to_date", "what_changed", _SAID], dtype="string"),
)


def _break_marks(parts: tuple[str, ...], ink: str) -> list[alt.Chart]:
    """A dashed line and a letter where an upstream started to count differently."""
    if "breaks" not in parts:
        return []
    tip = [alt.Tooltip(f"{_SAID}:N", title="Known break"), alt.Tooltip("what_changed:N", title="What changed")]
    letters = _of("breaks").mark_text(align="left", baseline="top", dx=4, fontWeight="bold", color=ink)
    rules = _of("breaks_begun").mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=ink)
    x = _at("x", "toDate(datum.from_date)")
    return [
        letters.encode(x=x, y=alt.value(14), text="mark:N", tooltip=tip),
        rules.encode(x=x, y=alt.value(0), y2=alt.value("height"), tooltip=tip),
    ]


def _break_shade(parts: tuple[str, ...], ink: str) -> list[alt.Chart]:
    """A shade while a change lasts. It has no tooltip, since it is below the layers that have one."""
    if "breaks" not in parts:
        return []
    lasting = _of("breaks_lasting").mark_rect(opacity=0.12, color=ink)
    ends = {"x": _at("x", "toDate(datum.from_date)"), "x2": _at("x", "toDate(datum.to_date)")}
    return [lasting.encode(**ends, y=alt.value(0), y2=alt.value("height"))]


def _at(scale: str, value: str) -> dict[str, Any]:
    """A position on a scale of the other layers: if this layer has no rows, its own scale would log a warning."""
    return {"value": {"expr": f"scale('{scale}', {value})"}}


_CONFIG = {
    "aria": False,
    "view": {"strokeWidth": 0},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
}


def _finish(layers: Sequence[alt.Chart], height: int = _HEIGHT) -> Form:
    # A canvas with a thousand points costs the browser a tenth of an SVG. Its points have no descriptions: `show` describes
    # the chart, and the card below has the rows.
    # Altair would copy every layer several times and validate it: a test does that instead.
    return {
        "$schema": alt.SCHEMA_URL,
        "config": _CONFIG,
        "height": height,
        "layer": [layer.to_dict(validate=False, context={"top_level": False}) for layer in layers],
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
    }


def _packed(rows: pd.DataFrame) -> bytes:
    """Rows as Arrow: what Streamlit would make of them, without detecting their type first."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = out.getvalue().to_pybytes()
    return packed
