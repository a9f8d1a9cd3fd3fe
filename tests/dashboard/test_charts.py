from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from datetime import date

import altair as alt
import pandas as pd
import pytest

from dashboard import charts, tiles


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


def test_a_repository_keeps_its_colour_when_others_are_filtered_out() -> None:
    everything = ["a", "b", "c"]
    assert charts.colours(everything, everything)["b"] == charts.colours(["b"], everything)["b"]
    assert len(set(charts.colours(everything, everything).values())) == 3


def test_a_legend_names_each_series_with_its_colour_and_no_markup() -> None:
    assert charts.legend({"<b>a</b>": "#123456"}) == (
        '<ul class="lp-legend"><li><i style="background: #123456"></i>&lt;b&gt;a&lt;/b&gt;</li></ul>'
    )


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
    kinds = {layer["mark"]["type"] for layer in drawn.form["layer"] if len(drawn.data[layer["data"]["name"]])}
    assert kinds - {"bar"} == marks
    assert {layer["data"]["name"] for layer in drawn.form["layer"]} == set(drawn.data)


def test_time_is_drawn_in_utc() -> None:
    drawn = charts.lines(series(1, 2), "date", "repo", "n", "N")
    places = [layer["encoding"]["x"] for layer in drawn.form["layer"]]
    assert {place["scale"]["type"] for place in places if "field" in place} == {"utc"}
    assert list(drawn.data["rows"]["date"]) == ["2026-01-01", "2026-01-02"]
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
    assert alone.data["tips"]["said"][0] == "2026-01-03 (UTC)\nN: 3"


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


def test_what_is_in_progress_is_dashed_or_faint() -> None:
    days = series(1, 2, 3)
    line = charts.lines(days, "date", "repo", "n", "N", over=date(2026, 1, 3))
    assert list(line.data["rows"]["n"]) == [1, 2]
    assert list(line.data["tail"]["n"]) == [2, 3]
    assert list(line.data["tail"]["running"]) == [False, True]
    assert "day in progress" in line.note
    [dashed] = [layer for layer in line.form["layer"] if "strokeDash" in layer["mark"]]
    assert dashed["data"]["name"] == "tail"
    bars = charts.stacked(days, "date", "repo", "n", "N", grain="day", over=date(2026, 1, 4))
    assert not bars.data["rows"]["running"].any()
    assert not bars.note
    weeks = charts.lines(days.head(1), "date", "repo", "n", "N", grain="week", over=date(2026, 1, 7))
    assert weeks.data["rows"].empty
    assert list(weeks.data["tail"]["n"]) == [1]


def test_a_marker_has_the_colour_of_its_series_and_stays_within_the_data() -> None:
    released = pd.DataFrame(
        {"date": pd.to_datetime(["2025-12-30", "2026-01-02", "2026-01-09"]), "repo": "a", "label": ["x", "y", "z"]}
    )
    drawn = charts.lines(series(1, 2, 3), "date", "repo", "n", "N", markers=released)
    assert list(drawn.data["markers"]["label"]) == ["y"]
    [marker] = [layer for layer in drawn.form["layer"] if layer["mark"].get("shape") == "triangle-down"]
    assert marker["encoding"]["color"]["field"] == "colour"
    assert set(drawn.data["markers"]["colour"]) == {drawn.legend["a"]}
    weekly = charts.lines(series(1, 8), "date", "repo", "n", "N", grain="week", markers=released)
    assert list(weekly.data["markers"]["date"]) == ["2026-01-02", "2026-01-08"]


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
        lambda: charts.band(PERCENTILES, "date", "repo", (None, "n", "high"), "N", grain="day", ticks=[1, 10]),
        lambda: charts.band(PERCENTILES, "date", "repo", ("low", "n", "high"), "N", grain="day", ticks=[1, 10]),
        lambda: charts.ranked(TWO.assign(who="x"), "who", "repo", "n", "N"),
        lambda: charts.grouped(TWO.assign(kind="x"), "kind", "repo", "n", "N", order=["x"], axis="Kind"),
        lambda: charts.side_by_side(TWO.assign(kind="x"), "kind", "repo", "n", "N", order=["x"], axis="Kind"),
        lambda: charts.by_age(TWO.assign(age=1.0, alone=True), "age", "repo", "n", "N", axis="Weeks"),
    ],
)
def test_a_form_is_valid_and_uses_all_its_data(drawn: Callable[[], charts.Drawing]) -> None:
    form, data, *_ = drawn()
    alt.Chart.from_dict({**form, "datasets": {}})
    assert {layer["data"]["name"] for layer in form["layer"]} == set(data)
