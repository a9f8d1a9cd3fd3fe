"""Figures, alert rules and the digest, on gold tables with known numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from lakepulse.figures import Figure
from lakepulse.outcome import PermanentError
from lakepulse.publications import publications
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt import record as recording
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.declared_figures import declared_figures
from lakepulse_dbt.digest import digest
from lakepulse_dbt.figures import breaks, figures
from tests.dbt.lake import Lake

AS_OF = date(2024, 3, 10)  # a Sunday
NOW, MONTH_BEFORE, YEAR_BEFORE = date(2024, 3, 4), date(2024, 2, 5), date(2023, 3, 6)
LAKE, POND = "Lake & Co.", "Pond"

TEXT, COUNT, REAL, DAY, MOMENT, FLAG = (
    pa.string(),
    pa.int64(),
    pa.float64(),
    pa.date32(),
    pa.timestamp("us"),
    pa.bool_(),
)
Gold = dict[str, tuple[list[str], pa.Table]]


def table(grain: list[str], types: dict[str, pa.DataType], *rows: dict[str, Any]) -> tuple[list[str], pa.Table]:
    return grain, pa.Table.from_pylist(list(rows), schema=pa.schema(types))


def value(
    scope: str, figure: str, now: float | None, before: float | None = None, n: int = 1, **more: Any
) -> list[dict[str, Any]]:
    """A figure now and four weeks before."""
    row = {"scope_kind": "project", "scope": scope, "figure": figure, "n": n, "status": "known", "reason": None}
    earlier = [] if before is None else [row | {"week": MONTH_BEFORE, "value": before}]
    return [row | {"week": NOW, "value": now} | more, *earlier]


def dimension() -> tuple[list[str], pa.Table]:
    """dim_figures as the project declares it."""
    types = dict.fromkeys(
        ("figure", "title", "question", "unit", "better", "scope_kinds", "definition", "link", "sources"), TEXT
    )
    entries = [
        {
            **entry.model_dump(include=set(types)),
            "figure": name,
            "scope_kinds": ", ".join(entry.scope_kinds),
            "sources": ", ".join(entry.sources),
            "window_days": entry.window_days,
            "headline": entry.headline,
        }
        for declared in declared_figures().values()
        for name, entry in declared.items()
    ]
    return table(["figure"], types | {"window_days": COUNT, "headline": COUNT}, *entries)


def gold() -> Gold:
    """Two projects; what is not here, nobody has."""
    none: dict[str, Any] = {"status": "none", "reason": "no package", "n": 0}
    cut: dict[str, Any] = {"status": "unknown", "reason": "without acme/dam: not found", "n": 0}
    return {
        "dim_figures": dimension(),
        "fct_figures": table(
            ["scope_kind", "scope", "figure", "week"],
            {
                "scope_kind": TEXT,
                "scope": TEXT,
                "figure": TEXT,
                "week": DAY,
                "value": REAL,
                "n": COUNT,
                "status": TEXT,
                "reason": TEXT,
            },
            *value(LAKE, "stars", 120, 60),
            *value(LAKE, "downloads_per_day_28d", 10, 20, n=28),
            *value(LAKE, "open_issues", 33, 40, status="partial", reason="without acme/dam: not found"),
            *value(LAKE, "closed_per_opened_12w", 0.4, 1.0),
            *value(LAKE, "absence_factor_365d", 2, 1, n=12),
            *value(POND, "stars", 7),
            *value(POND, "downloads_per_day_28d", None, **none),
            *value(POND, "closed_per_opened_12w", None, **cut),
            # Of a repo, and of an older week: no figure of a project today.
            {**value("acme/pond", "stars", 99)[0], "scope_kind": "repo"},
            {**value(POND, "open_issues", 5)[0], "week": NOW - timedelta(days=7)},
        ),
        "dim_projects": table(
            ["project", "kind", "name"],
            {"project": TEXT, "kind": TEXT, "name": TEXT},
            {"project": LAKE, "kind": "repo", "name": "acme/lake"},
            {"project": LAKE, "kind": "package", "name": "pylake"},
            {"project": POND, "kind": "repo", "name": "acme/pond"},
        ),
        "fct_project_state": table(
            ["project"],
            {"project": TEXT, "state": TEXT, "flags": TEXT, "sentence": TEXT},
            {
                "project": LAKE,
                "state": "active",
                "flags": "one_person",
                "sentence": "Active: 1 person made 3 commits in 28 days.",
            },
            {"project": POND, "state": "quiet", "flags": "", "sentence": "Quiet: no commit by a person in 90 days."},
        ),
        "fct_people": table(
            ["scope_kind", "scope", "window_days", "person"],
            {
                "scope_kind": TEXT,
                "scope": TEXT,
                "window_days": COUNT,
                "person": TEXT,
                "commits": COUNT,
                "first_commit_at": MOMENT,
                "carries": FLAG,
            },
            *(
                {
                    "scope_kind": "project",
                    "scope": LAKE,
                    "window_days": window,
                    "person": person,
                    "commits": commits,
                    "first_commit_at": datetime(2024, 1, 1),  # noqa: DTZ001
                    "carries": commits > 2,
                }
                for person, commits, window in (("@ann", 3, 365), ("[bob](http://x)", 4, 365), ("cyd", 2, 365), ("old", 9, 0))
            ),
        ),
        "fct_news": table(
            ["project", "scope", "kind", "happened_on", "subject"],
            {"project": TEXT, "scope": TEXT, "kind": TEXT, "happened_on": DAY, "subject": TEXT, "value": REAL, "usual": REAL},
            *(
                news("release", subject=version, happened_on=day)
                for version, day in (("1.1", NOW), ("1.0", NOW - timedelta(days=1)))
            ),
            news("unusual_downloads", scope="pylake", subject="pylake", value=12345.0, usual=10.0),
            news("backlog_grows", scope="acme/lake", subject="acme/lake", value=0.4, usual=1.1),
            *(news("newcomer", subject=f"new{n:02}") for n in range(11)),
            news("newcomer", subject="@ann"),
        ),
        "fct_unanswered_issues": table(
            ["repo", "number"],
            {"repo": TEXT, "number": COUNT, "title": TEXT, "age_days": REAL, "url": TEXT},
            {
                "repo": "acme/lake",
                "number": 7,
                "title": "<img src=x> [click](http://x) @all # big",
                "age_days": 12.4,
                "url": "https://x.example/acme/lake/issues/7",
            },
            {"repo": "acme/dam", "number": 1, "title": "Why", "age_days": 2.0, "url": "https://x.example/1) [more](http://y"},
        ),
        "fct_data_freshness": table(
            ["source", "scope"],
            {"source": TEXT, "scope": TEXT, "last_fetched_at": MOMENT, "is_stale": FLAG},
            {"source": "github_releases", "scope": "acme/dam", "last_fetched_at": None, "is_stale": True},
            {"source": "github_releases", "scope": "acme/pond", "last_fetched_at": datetime(2024, 3, 1), "is_stale": True},  # noqa: DTZ001 - gold's are naive UTC
            {"source": "github_issues", "scope": "acme/pond", "last_fetched_at": datetime(2024, 3, 10), "is_stale": False},  # noqa: DTZ001
        ),
        "fct_data_quality": table(
            ["check_name", "scope"],
            {"check_name": TEXT, "scope": TEXT, "failing_rows": COUNT, "status": TEXT, "reason": TEXT},
            {
                "check_name": "pypi_releases_held_back",
                "scope": "pylake",
                "failing_rows": 150,
                "status": "held_back",
                "reason": "why",
            },
            {"check_name": "issues_not_judged", "scope": "acme/lake", "failing_rows": 2, "status": "left_out", "reason": "old"},
        ),
        "fct_known_breaks": table(
            ["id"],
            {"id": TEXT, "source": TEXT, "scope": TEXT, "from_date": DAY, "to_date": DAY, "what_changed": TEXT, "link": TEXT},
            # The first day of the earlier window, so that all of it is counted alike; the first with a change; the last.
            *(
                {
                    "id": str(back),
                    "source": "pypistats",
                    "from_date": AS_OF - timedelta(days=back),
                    "what_changed": f"{back} ago.",
                    "link": "https://x.example/why" if back else "javascript:alert(1)",
                }
                for back in (55, 54, 0)
            ),
            {"id": "of another", "source": "pypistats", "scope": "pypond", "from_date": AS_OF, "what_changed": "No."},
            {"id": "elsewhere", "source": "pypi", "from_date": AS_OF, "what_changed": "No."},
        ),
    }


def news(kind: str, **more: Any) -> dict[str, Any]:
    return {"project": LAKE, "scope": LAKE, "kind": kind, "happened_on": AS_OF, "value": None, "usual": None} | more


@pytest.fixture
def published(lake: Lake) -> Lake:
    lake.extra["ALERTS"] = str(lake.folder / "alerts.yaml")
    lake.stage(**gold())
    lake.publish()
    return lake


def rules(lake: Lake, text: str) -> None:
    (lake.folder / "alerts.yaml").write_text(text, encoding="utf-8")


def found(lake: Lake) -> list[Figure]:
    return figures(lake.catalog(), publications(lake.catalog())[0])


def test_figures_are_those_of_projects_in_the_week_of_as_of(published: Lake) -> None:
    values = {(f.scope, f.meaning.figure): (f.value, f.month_before, f.status) for f in found(published)}
    assert values == {
        (LAKE, "stars"): (120, 60, "known"),
        (LAKE, "downloads_per_day_28d"): (10, 20, "known"),
        (LAKE, "open_issues"): (33, 40, "partial"),
        (LAKE, "closed_per_opened_12w"): (0.4, 1.0, "known"),
        (LAKE, "absence_factor_365d"): (2, 1, "known"),
        (POND, "stars"): (7, None, "known"),
        (POND, "downloads_per_day_28d"): (None, None, "none"),
        (POND, "closed_per_opened_12w"): (None, None, "unknown"),
    }


def test_a_publication_without_figures_has_none(lake: Lake) -> None:
    lake.stage(dim_projects=gold()["dim_projects"])
    lake.publish()
    assert found(lake) == []


def test_breaks_of_a_source_within_what_is_compared_come_with_a_change(published: Lake) -> None:
    newest = publications(published.catalog())[0]
    known = breaks(published.catalog(), newest, found(published))
    assert {key: [b.what_changed for b in each] for key, each in known.items()} == {
        (LAKE, "downloads_per_day_28d"): ["54 ago.", "0 ago."]
    }


RULES = """\
rules:
  - {figure: downloads_per_day_28d, falls_percent: 49}
  - {figure: downloads_per_day_28d, falls_percent: 51}
  - {figure: stars, rises_percent: 99}
  - {figure: stars, above: 6, project: Pond}
  - {figure: closed_per_opened_12w, below: 0.4}
"""
ACROSS = " Its source has a known break on 2024-01-16: 54 ago. Its source has a known break on 2024-03-10: 0 ago."
ALERTS = [
    "Lake & Co., Downloads per day: changed by -50.0 % in four weeks, to 280 in 28 days, 10 a day; the limit is -49.0 %."
    + ACROSS,
    "Lake & Co., Stars: changed by +100.0 % in four weeks, to 120; the limit is +99.0 %.",
    "Pond, Stars: 7 is above 6.",
]
UNCHECKED = [
    "Pond, Issues closed per opened: without acme/dam: not found; the rule 'below: 0.4' was not checked.",
    "Pond, Stars: 7, with no value four weeks earlier to compare it with; the rule 'rises_percent: 99' was not checked.",
]


def test_hits_go_to_the_report_and_to_the_webhooks_body(published: Lake) -> None:
    rules(published, RULES)
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "run-1")
    assert sorted(alert["message"] for alert in report.details["alerts"]) == ALERTS
    assert sorted(rule["message"] for rule in report.details["unchecked"]) == UNCHECKED
    body = recording.message(recording.run_row(published.settings(), [report], recording.Ending("succeeded")))
    assert {key: body[key] for key in ("alerts", "unchecked", "alerts_error")} == {
        key: report.details[key] for key in ("alerts", "unchecked", "alerts_error")
    }
    assert body["text"].startswith("lakepulse (demo data): daily as of 2024-03-10 succeeded · ")
    assert all(alert in body["text"] for alert in ALERTS)


def test_a_publication_stands_when_its_rules_cannot_be_checked(lake: Lake) -> None:
    """Gold of other code, say: the table is there and the column is not."""
    tables = gold()
    grain, content = tables["fct_figures"]
    tables["fct_figures"] = (grain, content.drop_columns(["status"]))
    lake.stage(**tables)
    done = lake.step("publish")
    assert "published, but the alert rules were not checked" in done.stderr
    assert [publication.run_id for publication in publications(lake.catalog())] == ["run-1"]
    (report,) = read_reports(open_store(lake.settings()), "run-1")
    assert (report.outcome, report.details["alerts"]) == ("succeeded", [])
    assert report.details["alerts_error"].startswith("KeyError: ")
    row = recording.run_row(lake.settings(), [report], recording.Ending())
    assert row["outcome"] == "succeeded"
    assert " succeeded · alert rules not checked: KeyError: " in recording.message(row)["text"]


def test_a_backfill_raises_no_alert(published: Lake) -> None:
    rules(published, RULES)
    published.run_id, published.as_of = "backfill", "2024-01-01"
    published.stage(**gold())
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "backfill")
    assert report.details["alerts"] == []


def test_a_rule_is_not_about_a_project_that_has_none_of_what_is_counted(published: Lake) -> None:
    rules(published, "rules: [{figure: downloads_per_day_28d, below: 5}]\n")
    assert check(load_rules(published.folder / "alerts.yaml"), found(published), {}) == ([], [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rules: [{figure: moons, above: 1}]", "rule 1: figure: unknown figure 'moons'; known: "),
        ("rules: [{metric: stars, above: 1}]", "rule 1: figure: Field required"),
        ("rules: [{figure: stars}]", "rule 1: needs exactly one of above, below, "),
        (
            "rules: [{figure: stars, above: 1}, {figure: stars, above: 1, over: 1}]",
            "rule 2: over: Extra inputs are not permitted",
        ),
        ("rules: [{figure: stars, above: many}]", "rule 1: above: Input should be a valid number"),
        ("- rules", "Input should be a valid dictionary"),
        ("rules: [", "cannot be read: "),
    ],
)
def test_bad_rules_are_one_line_and_publish_nothing(lake: Lake, text: str, line: str) -> None:
    lake.extra["ALERTS"] = str(lake.folder / "alerts.yaml")
    lake.stage(**gold())
    rules(lake, text)
    with pytest.raises(PermanentError) as refused:
        lake.publish()
    assert str(refused.value).startswith(f"{lake.folder}/alerts.yaml: {line}")
    assert publications(lake.catalog()) == []


def test_the_shipped_rules_can_be_read() -> None:
    from lakepulse.settings import Settings

    assert len(load_rules(Settings.model_fields["alerts"].default)) >= 5


def section(text: str, title: str) -> list[str]:
    """The items of a section of the digest."""
    after = text.split(f"\n## {title}\n\n", 1)[1]
    return [line.removeprefix("- ") for line in after.split("\n## ", 1)[0].strip().splitlines()]


def test_the_digest_is_markdown_and_harmless(published: Lake) -> None:
    """Text of others stays text, and an address that could end its link early is none."""
    rules(published, RULES)
    text = digest(published.settings())
    assert text.startswith(
        "# lakepulse, 2024-03-04 to 2024-03-10\n\n**Demo data: these figures are not real.**\n\n| project | Stars |"
    )
    (row,) = [line for line in text.splitlines() if line.startswith("| Lake")]
    assert "| 120 (+100.0 %) | 280 in 28 days, 10 a day (-50.0 %) | 33 (-17.5 %; without acme/dam: not found) |" in row
    (row,) = [line for line in text.splitlines() if line.startswith("| Pond")]
    assert row.startswith("| Pond | 7 | no package |")
    assert section(text, LAKE) == [
        "Active: 1 person made 3 commits in 28 days.",
        "**Is it alive?** Active. No figures.",
        (
            "**Who carries it?** A few. 2 people made half of the commits in a year "
            "\\(\\[bob\\]\\(http://x\\) and \\@ann\\), up from 1 last month."
        ),
        "**Do issues get answers?** Unknown. No figures.",
        (
            "**Is adoption growing?** Growing. 10 downloads a day, down 50 % on last month across a change in counting on "
            "2024-03-10; 120 stars, up 100 % on last month."
        ),
        (
            "**Can I trust the numbers?** Partly. 4 of 5 figures complete; incomplete: without acme/dam: not found "
            "\\(1 figure\\); counted differently since 2024-01-16 and 2024-03-10."
        ),
    ]
    assert section(text, POND)[0] == "Quiet: no commit by a person in 90 days."
    assert section(text, POND)[-2:] == [
        "**Is adoption growing?** Unknown. No package; 7 stars.",
        "**Can I trust the numbers?** Partly. 1 of 2 figures complete, 1 unknown; out of date: acme/pond.",
    ]
    assert len(section(text, "Alerts")) == len(ALERTS)
    assert len(section(text, "Rules that were not checked")) == len(UNCHECKED)
    assert section(text, "Known breaks within a change") == [
        "[2024-01-16](https://x.example/why): 54 ago. Compared across it: Lake & Co., Downloads per day.",
        "2024-03-10: 0 ago. Compared across it: Lake & Co., Downloads per day.",
    ]
    assert section(text, "Releases") == ["Lake & Co. 1.1, 2024-03-04"]
    assert section(text, "Unusual downloads") == ["pylake: 12,345 on 2024-03-10, usually about 10"]
    assert section(text, "First commits") == ["Lake & Co.: 12 people, \\@ann, new00 and 10 more"]
    assert section(text, "Backlogs that turned") == [
        "acme/lake: began to grow, 0.40 closed per opened in 8 weeks, 1.10 a week earlier"
    ]
    assert section(text, "Longest without an answer") == [
        (
            "[acme/lake \\#7](https://x.example/acme/lake/issues/7): "
            "\\<img src=x\\> \\[click\\]\\(http://x\\) \\@all \\# big, 12 days"
        ),
        "acme/dam \\#1: Why, 2 days",
    ]
    assert section(text, "Out of date") == ["github\\_releases: acme/dam, not fetched yet; acme/pond, last fetched 2024-03-01"]
    assert section(text, "Held back") == ["pylake, pypi\\_releases\\_held\\_back: 150, why"]
