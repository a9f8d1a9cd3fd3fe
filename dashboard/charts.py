"""Charts in five forms: lines, stacked bars, ranked bars, columns, and lines by age.

A chart is a form (its Vega-Lite specification) and its data. Forms are cached by their arguments, and a browser that gets
the same form again only loads the new data. So a form has nothing that a filter changes: title, period, legend, colours and
tooltips are data, and optional parts always have their layer, even if it is empty. All of it is inside the picture, so an
exported one and one in fullscreen say as much. Time is UTC, gaps stay open, known breaks are marked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

from dashboard.looks import DASHES, Look, looks_of_parts

_HEIGHT = 360
_MOST_FORMS = 500
_APART = "\u241f"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_FLAT = 20
"""A peak this many times the median flattens everything else on a linear scale."""
_FAR = 100
"""A peak this many times what is usual for the smallest series flattens that one."""
_WIDE = 10
"""Durations of which one is this many times another are read on a logarithmic scale."""
_NARROW = 500
"""Pixels below which a title needs several lines."""
_MOST_LABELLED = 2
"""Series side by side whose values have room above the bars."""
MOST_SERIES = 8
"""Nobody can distinguish more lines than this."""
BREAKS_ANCHOR = "known-breaks"
"""The heading that a mark of a known break leads to."""

STYLE = "<style>#vg-tooltip-element { white-space: pre-line; }</style>"
"""Styles of multi-line tooltips, needed once per page."""

STEPS = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}

Form = Mapping[str, Any]
"""A Vega-Lite specification without data."""
_Layer = dict[str, Any]


class Drawing(NamedTuple):
    """A form, which drawings may share; the rows of the data sets that it names; and each series' look."""

    form: Form
    data: Mapping[str, pd.DataFrame]
    legend: Mapping[str, Look] = {}


class Packed(NamedTuple):
    """A drawing as the browser gets it, to be kept."""

    form: Form
    data: Mapping[str, bytes]


def pack(drawing: Drawing) -> Packed:
    """The drawing with its rows as Arrow."""
    return Packed(drawing.form, {name: _packed(rows) for name, rows in drawing.data.items()})


def is_dark() -> bool:
    """Whether the browser uses the dark theme."""
    return st.context.theme.type == "dark"


def show(drawing: Drawing | Packed, alt: str, said: Sequence[str] = (), *, key: str | None = None) -> date | None:
    """Draw a chart.

    Args:
        alt: the description for readers who cannot see it; nothing in it may depend on a filter.
        said: sentences on how to read it, shown below it in one line.
        key: of the chart on its page, if a click on it is to be answered.

    Returns:
        The date that was clicked, if any: the first day of its day, week or month.
    """
    packed = drawing if isinstance(drawing, Packed) else pack(drawing)
    form = {**packed.form, "datasets": packed.data}
    event: Mapping[str, Any] = {}
    if key is None:
        st.vega_lite_chart(form, alt=alt)
    else:
        event = cast(
            "Mapping[str, Any]", st.vega_lite_chart(form, alt=alt, key=key, on_select="rerun", selection_mode=["picked"])
        )
    words = " ".join(sentence for sentence in said if sentence)
    # Always one element: a chart that changes its position is drawn from scratch. Not a caption, whose links are too pale.
    st.markdown(f":small[{words}]") if words else st.empty()
    picked = event.get("selection", {}).get("picked") or []
    at = picked[0].get("at") if picked else None
    return None if at is None else _day(at)


def _day(at: object) -> date:
    """A picked date, which the browser sends as text or as milliseconds."""
    return date.fromisoformat(at[:10]) if isinstance(at, str) else datetime.fromtimestamp(float(str(at)) / 1000, UTC).date()


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
    unit: str = "",
    grain: str = "day",
    looks: Mapping[str, Look] | None = None,
    breaks: pd.DataFrame | None = None,
    markers: pd.DataFrame | None = None,
    points: pd.DataFrame | None = None,
    spread: tuple[str, str] | None = None,
    beside: str | None = None,
    zero: bool = True,
    reference: float | None = None,
    ticks: Sequence[float] = (),
    value_format: str = ",.0f",
    over: date | None = None,
    note: str = "",
    has_newest: bool = False,
    per_row: int = 1,
) -> Drawing:
    """One line per series over time, and a horizontal one at `reference`. Time begins with the first value.

    With `has_newest`, the legend has each series' newest value. `breaks` has columns mark, from_date, to_date and
    what_changed. `markers` has columns time, series and label, drawn along the top. `points` are rows of `frame` to
    highlight. `spread` names the columns of a shade. `beside` names a column of text that follows the value in the tooltip.
    Where a peak would flatten everything, the scale is logarithmic, with `ticks` already where values differ by a factor of
    ten. What had not ended by the day `over` is faint. `note` is part of the picture.
    """
    frame = frame[frame[time] >= frame.loc[frame[value].notna(), time].min()]
    hues = _looks(list(dict.fromkeys(frame[series])), looks)
    columns = list(dict.fromkeys([time, series, value, *(spread or ())]))
    rows = with_running(with_gaps(frame[columns], time, series, value, STEPS[grain]), time, series, grain, over)
    entries = _entries(hues, _newest(frame, time, series, value, value_format) if has_newest else {})
    sizes = frame.loc[frame[value] > 0, value]
    is_wide = len(sizes) > 0 and sizes.max() >= _WIDE * sizes.min()
    ticks = tuple(ticks) if ticks and is_wide else _log_ticks(frame[value], value_format, frame[series])
    drawn = _dated(_styled(rows, series, hues, entries), time).rename(columns={time: "at", value: "value"})
    columns = ["at", "value", "colour", "dash", "series"]
    data = {
        "about": _about(title, frame[time], grain, running=_is_partly(rows["running"]), is_log=bool(ticks), note=note),
        "legend": _legend(hues, entries),
        "rows": _never_empty(drawn, ~drawn["running"])[columns],
        "tail": _never_empty(drawn, drawn["tail"])[[*columns, "running"]],
        "alone": drawn.loc[drawn["alone"], columns],
        "tips": _tips(frame, time, series, value, value_format=value_format, beside=beside),
        **_breaks(breaks, frame[time]),
    }
    if spread:
        low, high = (drawn["value" if column == value else column] for column in spread)
        data["shade"] = drawn[["at", "colour"]].assign(low=low, high=high)
    if reference is not None:
        data["level"] = pd.DataFrame({"value": [reference]})
    if points is not None:
        near = _dated(_styled(points[[time, series, value]], series, hues, entries), time)
        data["points"] = near.rename(columns={time: "at", value: "value"}).assign(
            said=[f"{day}: {_words(number, value_format)}" for day, number in zip(near[time], near[value], strict=True)]
        )
    if markers is not None:
        # Markers outside the data explain nothing. The last week or month is drawn at its first day.
        first, last = frame[time].min(), frame[time].max()
        inside = markers[(markers[time] >= first) & (markers[time] < last + STEPS[grain])]
        inside = inside.assign(**{time: inside[time].clip(upper=last)})[[time, series, "label"]]
        data["markers"] = _dated(_styled(inside, series, hues, entries), time).rename(columns={time: "at"})
    form = _lines(
        _ink(),
        unit=unit or title,
        zero=zero and not ticks,
        value_format=value_format,
        ticks=ticks,
        grain=grain,
        parts=tuple(data),
        per_row=per_row,
    )
    return Drawing(form, data, hues)


@lru_cache(_MOST_FORMS)
def _lines(
    ink: str,
    *,
    unit: str,
    zero: bool,
    value_format: str,
    ticks: tuple[float, ...],
    grain: str,
    parts: tuple[str, ...],
    per_row: int,
) -> Form:
    x = _time("at", grain)
    y = {"field": "value", "type": "quantitative", **_scale(unit, value_format, ticks, zero=zero)}
    line = {"type": "line", "strokeWidth": 2, "strokeJoin": "round"}
    layers: list[_Layer] = [
        *_break_shade(parts, ink),
        _layer("rows", line, x=x, y=y, color=_COLOUR, strokeDash=_DASH, detail=_DETAIL, opacity=_unless_hidden(1)),
        _layer("tail", line, x=x, y=y, color=_COLOUR, strokeDash=_DASH, detail=_DETAIL, opacity=_unless_hidden(0.4)),
        # Dots for values with a gap on either side.
        _layer(
            "alone",
            {"type": "point", "filled": True, "size": 25},
            color=_COLOUR,
            opacity=_unless_hidden(1),
            **_PLACE,
        ),
        # Above the lines, which would catch the pointer, and below the parts with tooltips of their own.
        _pickable(
            _layer(
                "tips", {"type": "rect", "opacity": 0}, x=_time("from", grain), x2={"field": "to"},
                tooltip=_SAID,
            )
        ),
        *_break_marks(parts, ink),
    ]  # fmt: skip
    if "shade" in parts:
        area = {"type": "area", "opacity": 0.2}
        layers.insert(0, _layer("shade", area, x=x, y={**y, "field": "low"}, y2={"field": "high"}, color=_COLOUR))
    if "level" in parts:
        layers.insert(0, _layer("level", {"type": "rule", "color": ink, "opacity": 0.6}, y=y))
    if "points" in parts:
        mark = {"type": "point", "shape": "diamond", "size": 110, "strokeWidth": 2.5}
        layers.append(_layer("points", mark, **_PLACE, color=_COLOUR, opacity=_unless_hidden(1), tooltip=_SAID))
    if "markers" in parts:
        mark = {"type": "point", "shape": "triangle-down", "filled": True, "size": 70}
        tip = {"field": "label", "type": "nominal", "title": "Release"}
        layers.append(
            _layer("markers", mark, x=_PLACE["x"], y={"value": 6}, color=_COLOUR, opacity=_unless_hidden(1), tooltip=tip)
        )
    return _finish(ink, layers, per_row=per_row)


def stacked(
    frame: pd.DataFrame,
    time: str,
    series: str,
    value: str,
    title: str,
    *,
    unit: str = "",
    grain: str,
    looks: Mapping[str, Look] | None = None,
    breaks: pd.DataFrame | None = None,
    value_format: str = ",.0f",
    over: date | None = None,
    note: str = "",
    per_row: int = 1,
) -> Drawing:
    """The parts of one whole as bars, as wide as their day, week or month. What had not ended by the day `over` is faint."""
    hues = {name: look._replace(dash=0) for name, look in _looks(list(dict.fromkeys(frame[series])), looks).items()}
    entries = _entries(hues)
    order = {name: index for index, name in enumerate(hues)}
    rows = frame[[time, series, value]].assign(order=frame[series].map(order)).sort_values([time, "order"])
    top = rows.groupby(time)[value].cumsum()
    rows = rows.assign(top=top, bottom=top - rows[value], end=rows[time] + STEPS[grain])
    rows = with_running(rows, time, series, grain, over)
    drawn = _dated(_styled(rows, series, hues, entries), time, "end").drop(columns=["tail", "order", "dash"])
    drawn = drawn.rename(columns={time: "at", value: "value"})
    said = [
        f"{day} (UTC)\n{name}: {_words(number, value_format)}"
        for day, name, number in zip(drawn["at"], rows[series], drawn["value"], strict=True)
    ]
    data = {
        "about": _about(title, frame[time], grain, running=_is_partly(rows["running"]), is_log=False, note=note),
        "legend": _legend(hues, entries),
        "rows": drawn.assign(said=said),
        **_breaks(breaks, frame[time]),
    }
    form = _stacked(_ink(), unit=unit or title, value_format=value_format, grain=grain, parts=tuple(data), per_row=per_row)
    return Drawing(form, data, hues)


@lru_cache(_MOST_FORMS)
def _stacked(ink: str, *, unit: str, value_format: str, grain: str, parts: tuple[str, ...], per_row: int) -> Form:
    bars = _layer(
        "rows",
        {"type": "bar"},
        x=_time("at", grain),
        x2={"field": "end"},
        y={
            "field": "bottom",
            "type": "quantitative",
            **_scale(unit, value_format, (), whole=1 if "%" in value_format else None),
        },
        y2={"field": "top"},
        color=_COLOUR,
        opacity={
            "condition": [
                {"test": {"not": {"param": "shown"}}, "value": 0.1},
                {"test": "datum.running", "value": 0.45},
            ],
            "value": 1,
        },
        tooltip=_SAID,
    )
    return _finish(ink, [*_break_shade(parts, ink), _pickable(bars), *_break_marks(parts, ink)], per_row=per_row)


def ranked(
    frame: pd.DataFrame,
    label: str,
    series: str,
    value: str,
    title: str,
    *,
    unit: str = "",
    looks: Mapping[str, Look] | None = None,
    links: Sequence[str] | None = None,
    per_row: int = 1,
) -> Drawing:
    """Horizontal bars with their values, grouped by series in the order of the rows. A click on a bar opens its link."""
    hues = _looks(list(dict.fromkeys(frame[series])), looks)
    entries = _entries(hues)
    # Several series may share a label: the axis must keep them apart, the reader need not see it.
    rows = _styled(frame[[label, series, value]].assign(row=frame[series] + _APART + frame[label]), series, hues, entries)
    rows = rows.rename(columns={value: "value"}).assign(
        said=[
            f"{name}\n{each}: {number:,}" for name, each, number in zip(frame[series], frame[label], frame[value], strict=True)
        ],
        link=list(links) if links is not None else None,
    )
    height = 24 * len(rows) + 20 * len(hues) + 100
    data = {
        "about": pd.DataFrame({"title": [title], "subtitle": [""]}),
        "legend": _legend(hues, entries),
        "rows": rows[["row", "value", "colour", "series", "said", "link"]],
    }
    return Drawing(_ranked(_ink(), unit=unit or title, height=height, per_row=per_row), data, hues)


@lru_cache(_MOST_FORMS)
def _ranked(ink: str, *, unit: str, height: int, per_row: int) -> Form:
    name = f"split(datum.label, '{_APART}')[1]"
    axis = {"labelExpr": name, "labelLimit": 150, "labelOverlap": False, "ticks": False, "domain": False}
    places = {
        # In the order of the rows.
        "y": {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": axis},
        "x": {"field": "value", "type": "quantitative", **_scale(unit, ",.0f", ())},
        "tooltip": _SAID,
        "href": {"field": "link", "type": "nominal"},
        "opacity": _unless_hidden(1),
    }
    bars = _layer("rows", {"type": "bar", "cornerRadiusEnd": 2}, color=_COLOUR, **places)
    figures = _layer("rows", {"type": "text", "align": "left", "dx": 4, "color": ink}, **places, text=_NUMBER)
    padding = {"left": 5, "top": 5, "right": 30, "bottom": 5}
    # What a bar leads to is another site.
    return {**_finish(ink, [bars, figures], height=height, per_row=per_row, new_tab=True), "padding": padding}


def columns(
    frame: pd.DataFrame,
    category: str,
    series: str,
    value: str,
    title: str,
    *,
    order: Sequence[str],
    axis: str,
    unit: str = "",
    looks: Mapping[str, Look] | None = None,
    per_row: int = 1,
) -> Drawing:
    """Bars by category, side by side by series, with their values if there is room; categories in the given order."""
    hues = _looks(list(dict.fromkeys(frame[series])), looks)
    entries = _entries(hues)
    rows = _styled(frame[[category, series, value]], series, hues, entries).rename(
        columns={category: "category", value: "value"}
    )
    said = [
        f"{name}\n{each}: {_words(number, ',.0f')}"
        for name, each, number in zip(frame[series], frame[category], frame[value], strict=True)
    ]
    data = {
        "about": pd.DataFrame({"title": [title], "subtitle": [""]}),
        "legend": _legend(hues, entries),
        "rows": rows.assign(said=said),
    }
    form = _columns(
        _ink(),
        unit=unit or title,
        order=tuple(order),
        axis=axis,
        ticks=_log_ticks(frame[value], ",.0f"),
        has_values=len(hues) <= _MOST_LABELLED,
        per_row=per_row,
    )
    return Drawing(form, data, hues)


@lru_cache(_MOST_FORMS)
def _columns(
    ink: str, *, unit: str, order: tuple[str, ...], axis: str, ticks: tuple[float, ...], has_values: bool, per_row: int
) -> Form:
    places = {
        "x": {
            "field": "category",
            "type": "nominal",
            "sort": list(order),
            "title": axis,
            "axis": {"labelAngle": 0, "labelOverlap": True},
        },
        "y": {"field": "value", "type": "quantitative", **_scale(unit, ",.0f", ticks)},
        "xOffset": {"field": "series", "type": "nominal"},
        "tooltip": _SAID,
        "opacity": _unless_hidden(1),
    }
    bars = _layer("rows", {"type": "bar", "cornerRadiusEnd": 2}, color=_COLOUR, **places)
    figures = _layer("rows", {"type": "text", "dy": -7, "color": ink}, **places, text=_NUMBER)
    return _finish(ink, [bars, figures] if has_values else [bars], per_row=per_row)


def by_age(
    frame: pd.DataFrame,
    age: str,
    series: str,
    value: str,
    title: str,
    *,
    axis: str,
    unit: str = "",
    looks: Mapping[str, Look] | None = None,
    value_format: str = ",.0f",
) -> Drawing:
    """One line per series over its age, a number; broken at rows without a value. The rows come from `with_gaps`."""
    hues = _looks(list(dict.fromkeys(frame[series])), looks)
    entries = _entries(hues)
    rows = _styled(frame[[age, series, value, "alone"]], series, hues, entries).rename(columns={age: "age", value: "value"})
    rows = rows.assign(
        said=[
            f"{name}\n{axis}: {old:,.1f}\n{title}: {_words(number, value_format)}"
            for name, old, number in zip(frame[series], frame[age], frame[value], strict=True)
        ]
    )
    data = {
        "about": pd.DataFrame({"title": [title], "subtitle": [axis]}),
        "legend": _legend(hues, entries),
        "rows": rows.drop(columns="alone"),
        "alone": rows.loc[rows["alone"], ["age", "value", "colour", "series"]],
    }
    ticks = _log_ticks(frame[value], value_format)
    form = _by_age(_ink(), axis=axis, unit=unit or title, value_format=value_format, ticks=ticks)
    return Drawing(form, data, hues)


@lru_cache(_MOST_FORMS)
def _by_age(ink: str, *, axis: str, unit: str, value_format: str, ticks: tuple[float, ...]) -> Form:
    x = {"field": "age", "type": "quantitative", "title": axis, "axis": {"grid": False}}
    y = {"field": "value", "type": "quantitative", **_scale(unit, value_format, ticks)}
    opacity = _unless_hidden(1)
    line = {"type": "line", "strokeWidth": 2}
    return _finish(
        ink,
        [
            _layer("rows", line, x=x, y=y, color=_COLOUR, strokeDash=_DASH, detail=_DETAIL, opacity=opacity),
            _layer(
                "alone",
                {"type": "point", "filled": True, "size": 25},
                color=_COLOUR,
                opacity=opacity,
                x=_at("x", "datum.age"),
                y=_at("y", "datum.value"),
            ),
            _layer("rows", {"type": "point", "size": 90, "opacity": 0}, x=x, y=y, tooltip=_SAID),
        ],
    )


# --- the parts of forms

_COLOUR = {"field": "colour", "type": "nominal", "scale": None}
_DETAIL = {"field": "series", "type": "nominal"}
_DASH = {
    "field": "dash",
    "type": "ordinal",
    "scale": {"domain": list(range(len(DASHES))), "range": [list(dash) for dash in DASHES]},
    "legend": None,
}
_NUMBER = {"field": "value", "type": "quantitative", "format": ","}
_SAID = {"field": "said", "type": "nominal"}


def _layer(data: str, mark: dict[str, Any], **encoding: Any) -> _Layer:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _pickable(layer: _Layer) -> _Layer:
    """The layer whose dates a click picks."""
    fields = {"type": "point", "fields": ["at"], "on": "click", "clear": "dblclick", "toggle": False}
    return {**layer, "params": [{"name": "picked", "select": fields}]}


def _unless_hidden(opacity: float) -> dict[str, Any]:
    """Faint for the series that the reader did not choose in the legend."""
    return {"condition": {"param": "shown", "value": opacity}, "value": 0.08}


def _room(per_row: int) -> str:
    """An expression of the pixels that a chart has for its words.

    By the window and not by the chart, whose width follows from the size of the legend: the sidebar and the margins are known,
    and below 768 pixels charts are below each other.
    """
    return f"(windowSize()[0] > 768 ? (windowSize()[0] - 460) / {per_row} : windowSize()[0] - 80)"


def _legend_layer(per_row: int) -> _Layer:
    """The legend, which is data like the rest. A click on an entry fades the others; Shift adds another."""
    room = _room(per_row)
    place = "indexof(pluck(data('legend'), 'series'), datum.value)"
    dashes = [list(dash) for dash in DASHES]
    # Of a legend's symbols, the documented properties have one dash for all.
    dash = {"value": {"expr": f"{dashes}[(data('legend')[{place}] || {{dash: 0}}).dash]"}}
    look = {
        "orient": "top",
        "title": None,
        "symbolType": "stroke",
        "symbolStrokeWidth": 3,
        "symbolSize": 250,
        "symbolOpacity": 1,
        "labelLimit": 260,
        "columns": {"expr": f"max(1, floor({room} / (data('legend')[0] || {{room: 200}}).room))"},
        "labelExpr": f"split(datum.label, '{_APART}')[1]",
        "encoding": {"symbols": {"strokeDash": dash}},
    }
    colour = {
        "field": "series",
        "type": "nominal",
        "scale": {"range": {"field": "colour"}},
        "legend": look,
    }
    return {
        "data": {"name": "legend"},
        "mark": {"type": "point", "opacity": 0},
        "params": [{"name": "shown", "select": {"type": "point", "fields": ["series"]}, "bind": "legend"}],
        "encoding": {"color": colour},
    }


def _scale(
    unit: str, value_format: str, ticks: tuple[float, ...], *, zero: bool = True, whole: float | None = None
) -> dict[str, Any]:
    """Scale and axis of numbers: with its unit, whole steps for counts, a zero that is 0 rather than 0k."""
    axis: dict[str, Any] = {
        "tickCount": 5,
        # Each label by itself: an axis up to a million would write 200k as 0.2M, and the SI format 0.2 as 200m.
        "labelExpr": "format(datum.value, '.0%')"
        if "%" in value_format
        else "format(datum.value, abs(datum.value) < 1000 ? '~g' : '~s')",
    }
    if value_format.endswith(".0f"):
        axis["tickMinStep"] = 1
    if ticks:
        scale = {"type": "symlog", "constant": 1, "zero": zero}
        return {"title": unit, "scale": scale, "axis": {**axis, "values": list(ticks)}}
    # A sum of shares is 1 but for rounding, which must not add a tick.
    scale = {"zero": zero} if whole is None else {"domain": [0, whole], "clamp": True}
    return {"title": unit, "scale": scale, "axis": axis}


def _log_ticks(values: pd.Series[float], value_format: str, series: pd.Series[str] | None = None) -> tuple[float, ...]:
    """The ticks of a logarithmic scale if on a linear one a peak, or a large series, would flatten the rest, else none."""
    if "%" in value_format:
        return ()
    sizes = pd.DataFrame({"size": values.abs().to_numpy(), "of": "" if series is None else series.to_numpy()})
    sizes = sizes[sizes["size"] > 0]
    peak = sizes["size"].max()
    if len(sizes) < 5 or peak < _FLAT:
        return ()
    smallest = sizes.groupby("of", observed=True)["size"].median().min()
    if peak < _FLAT * sizes["size"].median() and peak < _FAR * smallest:
        return ()
    powers = [10.0**power for power in range(int(np.log10(peak)) + 2)]
    return (*(-power for power in reversed(powers)), 0.0, *powers) if (values < 0).any() else (0.0, *powers)


def _time(field: str, grain: str) -> dict[str, Any]:
    """A time axis in UTC on which every stretch of labels says its year."""
    day = "utcFormat(datum.value, '%b %-d')"
    month = "utcFormat(datum.value, '%b')"
    year = "utcFormat(datum.value, '%Y')"
    is_first_month = "utcmonth(datum.value) === 0"
    if grain == "day":
        label = f"datum.index === 0 || {is_first_month} ? [{day}, {year}] : {day}"
    else:
        short = f"utcdate(datum.value) > 1 ? {day} : {month}"
        label = f"datum.index === 0 ? [{short}, {year}] : {is_first_month} && utcdate(datum.value) < 8 ? {year} : {short}"
    return {
        "field": field,
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc", "nice": False},
        "axis": {
            "grid": False,
            "labelOverlap": True,
            "labelFlush": True,
            "tickCount": {"expr": "max(2, min(12, floor(width / 70)))"},
            "labelExpr": label,
        },
    }


def _break_marks(parts: tuple[str, ...], ink: str) -> list[_Layer]:
    """A dashed line and a letter where an upstream started to count differently; a click leads to the note."""
    if "breaks" not in parts:
        return []
    places: dict[str, Any] = {
        "x": _at("x", "toDate(datum.from_date)"),
        "tooltip": _SAID,
        "href": {"value": f"#{BREAKS_ANCHOR}"},
    }
    text = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "fontWeight": "bold", "fontSize": 13, "color": ink}
    rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": ink}
    return [
        _layer("breaks", text, **places, y={"value": 14}, text={"field": "mark", "type": "nominal"}),
        _layer("breaks_begun", rule, **places, y={"value": 0}, y2={"value": "height"}),
    ]


def _break_shade(parts: tuple[str, ...], ink: str) -> list[_Layer]:
    """A shade while a change lasts. It has no tooltip, since it is below the layers that have one."""
    if "breaks" not in parts:
        return []
    ends = {"x": _at("x", "toDate(datum.from_date)"), "x2": _at("x", "toDate(datum.to_date)")}
    shade = {"type": "rect", "opacity": 0.12, "color": ink}
    return [_layer("breaks_lasting", shade, **ends, y={"value": 0}, y2={"value": "height"})]


def _at(scale: str, value: str) -> dict[str, Any]:
    """A position on a scale of the other layers: if this layer has no rows, its own scale would log a warning."""
    return {"value": {"expr": f"scale('{scale}', {value})"}}


_PLACE = {"x": _at("x", "toDate(datum.at)"), "y": _at("y", "datum.value")}

_CONFIG = {
    "aria": False,
    "view": {"strokeWidth": 0},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
}


def _finish(ink: str, layers: Sequence[_Layer], *, height: int = _HEIGHT, per_row: int = 1, new_tab: bool = False) -> Form:
    # A canvas with a thousand points costs the browser a tenth of an SVG. Its points have no descriptions: `show` describes
    # the chart, and the card below has the rows.
    def said(column: str, apart: str) -> dict[str, str]:
        words = f"data('about')[0].{column}"
        # Several lines where one has no room.
        broken = f"{_room(per_row)} < {_NARROW} ? split({words}, '{apart}') : {words}"
        return {"expr": f"length(data('about')) ? ({broken}) : ''"}

    options: dict[str, Any] = {"renderer": "canvas"}
    if new_tab:
        options["loader"] = {"target": "_blank", "rel": "noopener"}
    return {
        "$schema": _SCHEMA,
        "config": _CONFIG,
        "height": height,
        "title": {
            "text": said("title", ", "),
            "subtitle": said("subtitle", " · "),
            "anchor": "start",
            "frame": "group",
            "offset": 6,
            "fontSize": 14,
            "subtitleFontSize": 12,
            "subtitleColor": ink,
            "limit": {"expr": "width"},
        },
        # A data set that no layer names would be left out.
        "layer": [_layer("about", {"type": "text"}, text={"value": ""}), _legend_layer(per_row), *layers],
        "usermeta": {"embedOptions": options},
    }


# --- the data of forms


def _looks(present: Sequence[str], looks: Mapping[str, Look] | None) -> dict[str, Look]:
    """The look of each series; those of no project share a palette of their own, by their order."""
    own = looks_of_parts(present, dark=is_dark()) if looks is None else looks
    return {name: own[name] for name in present}


def _ink() -> str:
    """The colour of text and rules."""
    return "#C9D4DF" if is_dark() else "#44525F"


def _styled(rows: pd.DataFrame, series: str, looks: Mapping[str, Look], entries: Mapping[str, str]) -> pd.DataFrame:
    """The rows with their colour, dash, and name in the legend."""
    names = rows[series]
    styled = rows.assign(
        colour=names.map({name: look.colour for name, look in looks.items()}),
        dash=names.map({name: look.dash for name, look in looks.items()}),
        series=names.map(entries),
    )
    return styled if series == "series" else styled.drop(columns=series)


def _newest(frame: pd.DataFrame, time: str, series: str, value: str, value_format: str) -> dict[str, str]:
    """Each series' name with its newest value, a dash if it has none now."""
    last = frame.sort_values(time).groupby(series, observed=True).tail(1).set_index(series)[value]
    return {name: f"{name}  {_words(last[name], value_format)}" for name in dict.fromkeys(frame[series])}


def _entries(looks: Mapping[str, Look], labels: Mapping[str, str] | None = None) -> dict[str, str]:
    """The legend's entry of each series: Vega sorts them as text, so each begins with its place, which is not shown."""
    return {name: f"{place}{_APART}{(labels or {}).get(name, name)}" for place, name in enumerate(looks)}


def _legend(looks: Mapping[str, Look], entries: Mapping[str, str]) -> pd.DataFrame:
    """The entries with their looks; `room` is what each needs, in pixels."""
    room = 45 + 7 * max((len(entry) for entry in entries.values()), default=0)
    rows = [(entries[name], look.colour, look.dash, room) for name, look in looks.items()]
    return pd.DataFrame(rows, columns=["series", "colour", "dash", "room"])


def _about(title: str, times: pd.Series[pd.Timestamp], grain: str, *, running: bool, is_log: bool, note: str) -> pd.DataFrame:
    """The title and the line below it: the period, and how to read the chart."""
    parts = [f"{times.min():%Y-%m-%d} to {times.max():%Y-%m-%d} (UTC), by {grain}" if len(times) else "No data"]
    parts += ["logarithmic scale"] if is_log else []
    parts += [f"faint: {grain} in progress"] if running else []
    parts += [note] if note else []
    return pd.DataFrame({"title": [title], "subtitle": [" · ".join(parts)]})


def _never_empty(rows: pd.DataFrame, chosen: pd.Series[bool]) -> pd.DataFrame:
    """The chosen rows, or one that draws no line: a layer without any logs a warning about its scales."""
    return rows[chosen] if chosen.any() else rows.tail(1)


def _is_partly(running: pd.Series[bool]) -> bool:
    return bool(running.any() and not running.all())


def _tips(frame: pd.DataFrame, time: str, series: str, value: str, *, value_format: str, beside: str | None) -> pd.DataFrame:
    """One row per date: the tooltip's text about all series, and the span it covers, half-way to the dates on either side.

    One tooltip for all series costs the browser much less than one per point, and can be hit anywhere.
    """
    columns = list(dict.fromkeys(frame[series]))
    table = frame.pivot(index=time, columns=series, values=value)[columns].sort_index()
    more = None if beside is None else frame.pivot(index=time, columns=series, values=beside)[columns].sort_index()
    days = table.index.to_numpy("datetime64[s]")
    half = np.diff(days) // 2
    edge = np.timedelta64(12, "h") if len(days) == 1 else np.timedelta64(0, "s")
    starts = days - np.concatenate([[edge], half])
    ends = days + np.concatenate([half, [edge]])
    names = np.datetime_as_string(days, "D")
    said = [[f"{day} (UTC)" for day in names]]
    for name in columns:
        texts = (
            [""] * len(days) if more is None else [f" {text}" if isinstance(text, str) and text else "" for text in more[name]]
        )
        said.append([f"{name}: {_words(figure, value_format)}{text}" for figure, text in zip(table[name], texts, strict=True)])
    return pd.DataFrame(
        {
            "said": ["\n".join(each) for each in zip(*said, strict=True)],
            "at": names,
            "from": np.datetime_as_string(starts, timezone="UTC"),
            "to": np.datetime_as_string(ends, timezone="UTC"),
        }
    )


def _words(figure: float, value_format: str) -> str:
    return "–" if pd.isna(figure) else format(float(figure), value_format).replace("-", "−")


def _dated(frame: pd.DataFrame, *times: str) -> pd.DataFrame:
    """Dates as ISO text, which browsers in any time zone read as UTC."""
    texts = {}
    for time in times:
        days = frame[time].to_numpy("datetime64[D]")
        text = np.datetime_as_string(days).astype(object)
        text[np.isnat(days)] = None
        texts[time] = text
    return frame.assign(**texts)


def _breaks(breaks: pd.DataFrame | None, times: pd.Series[pd.Timestamp]) -> dict[str, pd.DataFrame]:
    """The known breaks within these times: all, those that start there, and those that last.

    Also if there are none, so that the form is the same with and without breaks.
    """
    if breaks is None:
        return {}
    seen = inside(breaks, times)
    if not len(seen):
        return _NO_BREAKS
    first, last = times.min(), times.max()
    dated = _dated(
        seen.assign(
            from_date=seen["from_date"].where(seen["from_date"] >= first, first),
            to_date=seen["to_date"].mask(seen["to_date"] > last, last),
        )[["mark", "from_date", "to_date", "what_changed"]],
        "from_date",
        "to_date",
    )
    rows = dated.assign(
        said=[f"{day} (UTC)\n{what}" for day, what in zip(dated["from_date"], dated["what_changed"], strict=True)]
    )
    return {
        "breaks": rows,
        "breaks_begun": rows[seen["from_date"] >= first],
        "breaks_lasting": rows[seen["to_date"].notna()],
    }


def inside(breaks: pd.DataFrame, times: pd.Series[pd.Timestamp]) -> pd.DataFrame:
    """The known breaks that a chart of these times marks."""
    if not len(breaks) or not len(times):
        return breaks.head(0)
    ends = breaks["to_date"].fillna(breaks["from_date"])
    return breaks[(breaks["from_date"] <= times.max()) & (ends >= times.min())]


_NO_BREAKS = dict.fromkeys(
    ("breaks", "breaks_begun", "breaks_lasting"),
    pd.DataFrame(columns=["mark", "from_date", "to_date", "what_changed", "said"], dtype="string"),
)


def _packed(rows: pd.DataFrame) -> bytes:
    """Rows as Arrow: what Streamlit would make of them, without detecting their type first."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = out.getvalue().to_pybytes()
    return packed
