from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import altair as alt
import pandas as pd
import pytest

from dashboard import charts, tiles
from dashboard.looks import Look


def series(*days: int, name: str = "a", month: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {"date": pd.to_datetime([date(2026, month, day) for day in days]), "repo": name, "n": [float(day) for day in days]}
    )


def test_a_missing_day_breaks_the_line_and_a_lone_day_gets_a_dot() -> None:
    rows = charts.with_gaps(series(1, 2, 5, 8, 9), "date", "repo", "n", charts.STEPS["day"])
    assert [None if pd.isna(value) else int(value) for value in rows["n"]] == [1, 2, None, 5, None, 8, 9]
    assert list(rows.loc[rows["alone"], "n"]) == [5]


def test_a_value_that_is_null_breaks_the_line_like_a_missing_day() -> None:
    frame = series(1, 2, 3)
    frame.loc[1, "n"] = None
    rows = charts.with_gaps(frame, "date", "repo", "n", charts.STEPS["day"])
    assert rows["n"].isna().tolist() == [False, True, False]


def test_months_of_any_length_make_no_gap() -> None:
    months = pd.DataFrame({"date": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"]), "repo": "a", "n": 1.0})
    assert not charts.with_gaps(months, "date", "repo", "n", charts.STEPS["month"])["n"].isna().any()


def test_series_beyond_the_colours_are_left_out_and_counted() -> None:
    many = pd.concat([series(1, 2, name=f"r{index:02}").assign(n=index) for index in range(12)])
    kept, left = charts.top_series(many, "repo", "n")
    assert left == 12 - charts.MOST_SERIES
    assert set(kept["repo"]) == {f"r{index:02}" for index in range(12 - charts.MOST_SERIES, 12)}
    lumped = charts.lump(many, "date", "repo", "n")
    assert lumped["n"].sum() == many["n"].sum()
    assert lumped["repo"].nunique() == charts.MOST_SERIES
    assert list(lumped["repo"])[-1] == "other"
    young = pd.concat([many, series(2, name="young").assign(n=9)])
    assert "young" not in set(charts.lump(young, "date", "repo", "n")["repo"])
    assert "young" in set(charts.lump(young, "date", "repo", "n", "max")["repo"])


LOOKS = {"a": Look("#123456"), "b": Look("#654321", 1), "b/c": Look("#654321", 1)}


def test_a_legend_has_each_series_with_its_look_and_newest_value_in_the_order_drawn() -> None:
    two = pd.concat([series(1, 2, name="b"), series(1, 2, name="a"), series(1, name="c")])
    drawn = charts.lines(two, "date", "repo", "n", "N", looks=LOOKS | {"c": Look("#000000")}, has_newest=True)
    shown = drawn.data["legend"]
    # Vega sorts the entries as text.
    assert sorted(shown["series"]) == list(shown["series"])
    assert [entry.split("\u241f")[1] for entry in shown["series"]] == ["b  2", "a  2", "c  1"]
    assert list(shown["colour"]) == ["#654321", "#123456", "#000000"]
    assert set(drawn.data["rows"]["series"]) == set(shown["series"])
    plain = charts.lines(two, "date", "repo", "n", "N", looks=LOOKS | {"c": Look("#000000")})
    assert [entry.split("\u241f")[1] for entry in plain.data["legend"]["series"]] == ["b", "a", "c"]


def test_a_series_that_has_ended_has_no_newest_value() -> None:
    ended = series(1, 2).assign(n=[5.0, float("nan")])
    drawn = charts.lines(ended, "date", "repo", "n", "N", looks=LOOKS, has_newest=True)
    assert list(drawn.data["legend"]["series"]) == ["0\u241fa  –"]


def test_the_picture_says_what_it_shows() -> None:
    drawn = charts.lines(series(1, 2, 3), "date", "repo", "n", "Commits", over=date(2026, 1, 3), note="partial: a")
    assert drawn.data["about"].to_dict("records") == [
        {"title": "Commits", "subtitle": "2026-01-01 to 2026-01-03 (UTC), by day · faint: day in progress · partial: a"}
    ]
    for part, column in (("text", "title"), ("subtitle", "subtitle")):
        assert f"data('about')[0].{column}" in drawn.form["title"][part]["expr"]


def test_time_begins_with_the_first_value() -> None:
    late = series(1, 2, 3, 4).assign(n=[float("nan"), float("nan"), 3.0, 4.0])
    drawn = charts.lines(late, "date", "repo", "n", "N")
    assert drawn.data["about"]["subtitle"].iloc[0].startswith("2026-01-03 to 2026-01-04")
    assert list(drawn.data["tips"]["at"]) == ["2026-01-03", "2026-01-04"]


def axis_of(drawn: charts.Drawing) -> dict[str, Any]:
    [y] = [layer["encoding"]["y"] for layer in drawn.form["layer"] if layer["data"]["name"] == "rows"]
    return dict(y)


def test_an_outlier_or_a_large_neighbour_makes_the_scale_logarithmic() -> None:
    even = series(1, 2, 3, 4, 5, 6)
    assert "type" not in axis_of(charts.lines(even, "date", "repo", "n", "N"))["scale"]
    peak = even.assign(n=[1.0, 2.0, 1.0, 2.0, 1.0, 900.0])
    drawn = charts.lines(peak, "date", "repo", "n", "N")
    assert axis_of(drawn)["scale"]["type"] == "symlog"
    assert axis_of(drawn)["axis"]["values"] == [0, 1, 10, 100, 1000]
    assert "logarithmic scale" in drawn.data["about"]["subtitle"].iloc[0]
    both = pd.concat([even, even.assign(n=even["n"] * 5000, repo="b")])
    assert axis_of(charts.lines(both, "date", "repo", "n", "N"))["scale"]["type"] == "symlog"
    negative = peak.assign(n=[-2.0, 1.0, -3.0, 2.0, 1.0, 900.0])
    assert axis_of(charts.lines(negative, "date", "repo", "n", "N"))["axis"]["values"][:2] == [-1000, -100]
    # A share has a scale of its own.
    assert "type" not in axis_of(charts.lines(peak, "date", "repo", "n", "N", value_format=".0%"))["scale"]
    # Durations may differ by any factor, and need it where they do.
    hours = even.assign(n=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert "type" not in axis_of(charts.lines(hours, "date", "repo", "n", "N", ticks=[0, 1, 24]))["scale"]
    hours = even.assign(n=[1.0, 2.0, 3.0, 4.0, 5.0, 16.0])
    assert axis_of(charts.lines(hours, "date", "repo", "n", "N", ticks=[0, 1, 24]))["axis"]["values"] == [0, 1, 24]


def test_axes_have_units_and_counts_whole_steps() -> None:
    y = axis_of(charts.lines(series(1, 2), "date", "repo", "n", "Releases in a month", unit="Releases"))
    assert y["title"] == "Releases"
    assert y["axis"]["tickMinStep"] == 1
    assert "tickMinStep" not in axis_of(charts.lines(series(1, 2), "date", "repo", "n", "N", value_format=",.1f"))["axis"]


def test_a_shade_may_begin_at_the_line() -> None:
    drawn = charts.lines(PERCENTILES, "date", "repo", "n", "N", spread=("n", "high"))
    known = drawn.data["shade"].dropna()
    assert list(known["low"]) == [1, 2, 4]
    assert set(known["high"]) == {9}


def test_a_break_leads_to_its_note() -> None:
    drawn = charts.lines(series(1, 2, 3), "date", "repo", "n", "N", breaks=breaks("2026-01-02"))
    marks = [layer for layer in drawn.form["layer"] if layer["data"]["name"] in {"breaks", "breaks_begun"}]
    assert [layer["encoding"]["href"]["value"] for layer in marks] == ["#known-breaks"] * 2
    assert list(drawn.data["breaks"]["said"]) == ["2026-01-02 (UTC)\ncounting changed"]


def test_bars_lead_to_another_site_in_a_tab_of_its_own() -> None:
    drawn = charts.ranked(series(1, 2).assign(who=["x", "y"]), "who", "repo", "n", "N", links=["https://x", "https://y"])
    assert list(drawn.data["rows"]["link"]) == ["https://x", "https://y"]
    assert drawn.form["usermeta"]["embedOptions"]["loader"] == {"target": "_blank", "rel": "noopener"}


def test_parts_of_a_whole_are_sorted_by_name_and_number() -> None:
    versions = pd.concat(
        [series(1, 2, name=name).assign(n=n) for name, n in (("3.10", 5), ("3.9", 7), ("unknown", 1), ("²", 1))]
    )
    assert list(charts.lump(versions, "date", "repo", "n")["repo"].unique()) == ["3.9", "3.10", "unknown", "²"]


def breaks(first: str, last: str | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "mark": ["A"],
            "from_date": pd.to_datetime([first]),
            "to_date": pd.to_datetime(pd.Series([last])),
            "what_changed": ["counting changed"],
        }
    )


@pytest.mark.parametrize(
    ("known", "marks"),
    [
        (breaks("2026-01-03"), {"text", "rule"}),
        (breaks("2025-12-20", "2026-01-03"), {"text", "rect"}),
        (breaks("2026-01-02", "2026-01-03"), {"text", "rule", "rect"}),
        (breaks("2025-12-20"), set()),
        (breaks("2026-02-01"), set()),
        (breaks("2026-02-01").head(0), set()),
    ],
)
def test_a_known_break_is_drawn_at_its_dates_only(known: pd.DataFrame, marks: set[str]) -> None:
    drawn = charts.stacked(series(1, 2, 3, 4), "date", "repo", "n", "N", grain="day", breaks=known)
    drawn_layers = [layer for layer in drawn.form["layer"] if layer["data"]["name"] not in {"about", "legend"}]
    kinds = {layer["mark"]["type"] for layer in drawn_layers if len(drawn.data[layer["data"]["name"]])}
    assert kinds - {"bar"} == marks
    assert {layer["data"]["name"] for layer in drawn.form["layer"]} == set(drawn.data)


def test_time_is_drawn_in_utc() -> None:
    drawn = charts.lines(series(1, 2), "date", "repo", "n", "N")
    places = [layer["encoding"]["x"] for layer in drawn.form["layer"] if "x" in layer["encoding"]]
    assert {place["scale"]["type"] for place in places if "field" in place} == {"utc"}
    assert list(drawn.data["rows"]["at"]) == ["2026-01-01", "2026-01-02"]
    assert list(drawn.data["tips"]["from"]) == ["2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z"]


def test_a_tooltip_covers_all_series_and_reaches_half_way_to_the_next_date() -> None:
    two = pd.concat([series(1, 2, 5), series(2).assign(repo="b/c", n=-1234.5)])
    drawn = charts.lines(two, "date", "repo", "n", "N", value_format=",.1f")
    tips = drawn.data["tips"]
    assert [said.split("\n")[0] for said in tips["said"]] == [f"2026-01-0{day} (UTC)" for day in (1, 2, 5)]
    assert list(tips["from"]) == ["2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z", "2026-01-03T12:00:00Z"]
    assert list(tips["to"]) == ["2026-01-01T12:00:00Z", "2026-01-03T12:00:00Z", "2026-01-05T00:00:00Z"]
    assert tips["said"][1] == "2026-01-02 (UTC)\na: 2.0\nb/c: −1,234.5"
    assert tips["said"][2] == "2026-01-05 (UTC)\na: 5.0\nb/c: –"
    alone = charts.lines(series(3), "date", "repo", "n", "N")
    assert list(alone.data["tips"][["from", "to"]].iloc[0]) == ["2026-01-02T12:00:00Z", "2026-01-03T12:00:00Z"]
    assert alone.data["tips"]["said"][0] == "2026-01-03 (UTC)\na: 3"
    beside = charts.lines(series(3).assign(of="(of 9)"), "date", "repo", "n", "N", beside="of")
    assert beside.data["tips"]["said"][0] == "2026-01-03 (UTC)\na: 3 (of 9)"


def test_a_filter_changes_the_data_and_not_the_form() -> None:
    """So the browser updates the chart that it has, instead of making a new one."""
    few = charts.lines(
        series(1, 2), "date", "repo", "n", "N", over=date(2026, 1, 9), breaks=breaks("2026-02-01").head(0),
        points=series(1).head(0), markers=series(1).head(0).assign(label=""),
    )  # fmt: skip
    many = charts.lines(
        TWO, "date", "repo", "n", "N", grain="day", over=date(2026, 1, 4), breaks=breaks("2026-01-02", "2026-01-03"),
        points=TWO.head(1), markers=TWO.assign(label="1.0")[["date", "repo", "label"]],
    )  # fmt: skip
    assert few.form == many.form
    assert few.data.keys() == many.data.keys()
    assert not few.data["rows"].equals(many.data["rows"])
    bars = [charts.stacked(rows, "date", "repo", "n", "N", grain="day").form for rows in (series(1, 2), TWO)]
    assert bars[0] == bars[1]


def test_what_is_in_progress_is_faint() -> None:
    days = series(1, 2, 3)
    line = charts.lines(days, "date", "repo", "n", "N", over=date(2026, 1, 3))
    assert list(line.data["rows"]["value"]) == [1, 2]
    assert list(line.data["tail"]["value"]) == [2, 3]
    assert list(line.data["tail"]["running"]) == [False, True]
    assert "faint: day in progress" in line.data["about"]["subtitle"].iloc[0]
    [faint] = [layer for layer in line.form["layer"] if layer["data"]["name"] == "tail"]
    assert faint["encoding"]["opacity"]["condition"]["value"] < 0.5
    bars = charts.stacked(days, "date", "repo", "n", "N", grain="day", over=date(2026, 1, 4))
    assert not bars.data["rows"]["running"].any()
    assert "faint" not in bars.data["about"]["subtitle"].iloc[0]
    weeks = charts.lines(days.head(1), "date", "repo", "n", "N", grain="week", over=date(2026, 1, 7))
    assert list(weeks.data["tail"]["value"]) == [1]
    assert list(weeks.data["tail"]["running"]) == [True]


def test_a_marker_has_the_colour_of_its_series_and_stays_within_the_data() -> None:
    released = pd.DataFrame(
        {"date": pd.to_datetime(["2025-12-30", "2026-01-02", "2026-01-09"]), "repo": "a", "label": ["x", "y", "z"]}
    )
    drawn = charts.lines(series(1, 2, 3), "date", "repo", "n", "N", markers=released)
    assert list(drawn.data["markers"]["label"]) == ["y"]
    [marker] = [layer for layer in drawn.form["layer"] if layer["mark"].get("shape") == "triangle-down"]
    assert marker["encoding"]["color"]["field"] == "colour"
    assert set(drawn.data["markers"]["colour"]) == {drawn.legend["a"].colour}
    weekly = charts.lines(series(1, 8), "date", "repo", "n", "N", grain="week", markers=released)
    assert list(weekly.data["markers"]["at"]) == ["2026-01-02", "2026-01-08"]


def test_a_sparkline_is_broken_where_a_week_is_missing() -> None:
    def path(*values: float) -> str:
        [encoded] = re.findall('base64,([^"]+)', tiles.sparkline(values, "#000"))
        [found] = re.findall(' d="([^"]+)', b64decode(encoded).decode())
        return str(found)

    nan = float("nan")
    assert path(1, 2, nan, 3).count("M") == 2
    assert path(1, 2, 2, 3).count("M") == 1
    # The last point is at the right end, wherever the gaps are.
    assert path(1, nan, nan, 3).rpartition("M")[2].startswith("118.0")
    assert tiles.sparkline([nan, nan], "#000") == ""


TWO = pd.concat([series(1, 2, 4), series(2, name="b")])
PERCENTILES = series(1, 2, 4).assign(low=1.0, high=9.0)


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: charts.lines(
            TWO,
            "date",
            "repo",
            "n",
            "N",
            over=date(2026, 1, 4),
            breaks=breaks("2026-01-02", "2026-01-03"),
            points=TWO.head(1),
            markers=TWO.assign(label="1.0")[["date", "repo", "label"]],
            reference=1,
        ),
        lambda: charts.stacked(TWO, "date", "repo", "n", "N", grain="day", breaks=breaks("2026-01-02", "2026-01-03")),
        lambda: charts.lines(PERCENTILES, "date", "repo", "n", "N", spread=("low", "high"), ticks=[1, 10]),
        lambda: charts.ranked(TWO.assign(who="x"), "who", "repo", "n", "N"),
        lambda: charts.columns(TWO.assign(kind="x"), "kind", "repo", "n", "N", order=["x"], axis="Kind"),
        lambda: charts.by_age(TWO.assign(age=1.0, alone=True), "age", "repo", "n", "N", axis="Weeks"),
    ],
)
def test_a_form_is_valid_and_uses_all_its_data(drawn: Callable[[], charts.Drawing]) -> None:
    form, data, *_ = drawn()
    layers = deepcopy(form["layer"])
    for layer in layers:
        if layer["data"]["name"] == "legend":
            del layer["encoding"]["color"]["legend"]["encoding"]
    # Vega-Lite takes this and a subtitle that is data, and the browser tests see them; its schema has neither.
    title = {name: value for name, value in form["title"].items() if name != "subtitle"}
    alt.Chart.from_dict({**form, "title": title, "layer": layers, "datasets": {}})
    assert {layer["data"]["name"] for layer in form["layer"]} == set(data)
