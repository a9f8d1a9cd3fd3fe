"""Figures, alert rules, badges and the digest, on gold tables with known numbers."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from lakepulse.figures import Figure, Meaning
from lakepulse.outcome import PermanentError
from lakepulse.publications import publications
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt import record as recording
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.badges import badges
from lakepulse_dbt.digest import digest
from lakepulse_dbt.figures import breaks, figures
from tests.dbt.lake import Lake, at

AS_OF = date(2024, 3, 10)  # a Sunday
WEEK, MONTH_BEFORE, YEAR_BEFORE = date(2024, 3, 4), date(2024, 2, 5), date(2023, 3, 6)

TEXT, WHOLE, REAL, DAY, FLAG, MOMENT = pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_(), pa.timestamp("us")


def rows(*rows: dict[str, Any], **types: pa.DataType) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema(types))


Gold = dict[str, tuple[list[str], pa.Table]]

MEANINGS = [
    # figure, title, question, unit, sources, window_days, headline
    ("commits_28d", "Commits in 28 days", "alive", "commits", "github_commits", 28, None),
    ("days_since_release", "Days since the last release", "alive", "days", "github_releases, pypi_releases", 1, 8),
    ("open_issues", "Open issues", "answered", "issues", "github_issues", 1, 3),
    ("answered_7d_share_12w", "Answered within 7 days", "answered", "share", "github_issues, github_comments", 91, 4),
    ("first_response_median_hours_12w", "Median time to first response", "answered", "hours", "github_comments", 91, 5),
    ("stars", "Stars", "adopted", "stars", "github_repo", 1, 1),
    ("downloads_per_day_28d", "Downloads per day", "adopted", "downloads a day", "pypistats_overall", 28, 2),
]

FIGURES = [
    # scope_kind, scope, figure, week, value, n, status, reason
    ("project", "Lake & Co.", "commits_28d", WEEK, 7.0, 7, "known", None),
    ("project", "Lake & Co.", "days_since_release", WEEK, 4.0, 1, "known", None),
    ("project", "Lake & Co.", "open_issues", WEEK, 33.0, 33, "partial", "without acme/dam: not found"),
    ("project", "Lake & Co.", "open_issues", MONTH_BEFORE, 40.0, 40, "known", None),
    ("project", "Lake & Co.", "answered_7d_share_12w", WEEK, 0.42, 50, "known", None),
    ("project", "Lake & Co.", "answered_7d_share_12w", MONTH_BEFORE, None, 0, "unknown", "nothing in the window"),
    ("project", "Lake & Co.", "first_response_median_hours_12w", WEEK, None, 3, "known", "no answer to 2 of 3 issues"),
    ("project", "Lake & Co.", "stars", WEEK, 120.0, 2, "known", None),
    ("project", "Lake & Co.", "stars", MONTH_BEFORE, 60.0, 2, "known", None),
    ("project", "Lake & Co.", "stars", YEAR_BEFORE, 40.0, 2, "known", None),
    ("project", "Lake & Co.", "stars", WEEK - timedelta(weeks=1), 999.0, 2, "known", None),
    ("project", "Lake & Co.", "downloads_per_day_28d", WEEK, 10.0, 28, "known", None),
    ("project", "Lake & Co.", "downloads_per_day_28d", MONTH_BEFORE, 20.0, 28, "known", None),
    ("repo", "acme/lake", "stars", WEEK, 100.0, 1, "known", None),
    ("package", "pylake", "downloads_per_day_28d", WEEK, 10.0, 28, "known", None),
    ("project", "Pond", "commits_28d", WEEK, 0.0, 0, "known", None),
    ("project", "Pond", "days_since_release", WEEK, None, 0, "none", "no release"),
    ("project", "Pond", "open_issues", WEEK, 1.0, 1, "known", None),
    ("project", "Pond", "open_issues", MONTH_BEFORE, 0.0, 0, "known", None),
    ("project", "Pond", "answered_7d_share_12w", WEEK, None, 0, "unknown", "nothing in the window"),
    ("project", "Pond", "first_response_median_hours_12w", WEEK, 60.0, 1, "known", None),
    ("project", "Pond", "stars", WEEK, 7.0, 1, "known", None),
    ("project", "Pond", "downloads_per_day_28d", WEEK, None, 0, "none", "no package"),
]


def gold() -> Gold:
    """Two projects: Lake & Co. has two repos and a package, Pond one repo and little else."""
    members = (("Lake & Co.", "repo", "acme/lake"), ("Lake & Co.", "repo", "acme/dam"), ("Lake & Co.", "package", "pylake"))
    projects = [dict(zip(("project", "kind", "name"), row, strict=True)) for row in (*members, ("Pond", "repo", "acme/pond"))]
    named = ("figure", "title", "question", "unit", "sources", "window_days", "headline")
    meanings = [
        dict(zip(named, row, strict=True))
        | {
            "better": "up",
            "scope_kinds": "repo, project",
            "definition": f"What {row[0]} means.",
            "link": "https://x.example/why",
        }
        for row in MEANINGS
    ]
    hostile = "<img src=x> [click](http://x) @all\n# big"
    late = {"acme/dam": None, "acme/pond": at("2024-03-01").replace(tzinfo=None)}
    news: list[dict[str, Any]] = [
        {"project": "Lake & Co.", "scope": "Lake & Co.", "kind": "newcomer", "happened_on": AS_OF, "subject": f"no{n:02}"}
        for n in range(12)
    ]
    news += [
        {"project": "Lake & Co.", "scope": "Lake & Co.", "kind": "release", "happened_on": WEEK, "subject": "1.1"},
        {"project": "Lake & Co.", "scope": "Lake & Co.", "kind": "release", "happened_on": date(2024, 3, 3), "subject": "1.0"},
        {"project": "Pond", "scope": "Pond", "kind": "newcomer", "happened_on": WEEK, "subject": "@ann"},
        {"project": "Pond", "scope": "Pond", "kind": "newcomer", "happened_on": date(2024, 3, 3), "subject": "bob"},
        {"project": "Lake & Co.", "scope": "acme/lake", "kind": "backlog_grows", "happened_on": AS_OF, "subject": "acme/lake"}
        | {"value": 0.4, "usual": 1.1},
        {"project": "Lake & Co.", "scope": "acme/dam", "kind": "backlog_shrinks", "happened_on": AS_OF, "subject": "acme/dam"}
        | {"value": 1.2, "usual": 1.0},
        {"project": "Lake & Co.", "scope": "pylake", "kind": "unusual_downloads", "happened_on": AS_OF, "subject": "pylake"}
        | {"value": 12345.0, "usual": 10.0},
    ]
    return {
        "dim_projects": (["project", "kind", "name"], rows(*projects, project=TEXT, kind=TEXT, name=TEXT)),
        "dim_figures": (
            ["figure"],
            rows(
                *meanings,
                **dict.fromkeys(("figure", "title", "question", "unit", "better", "scope_kinds"), TEXT),
                **dict.fromkeys(("definition", "link", "sources"), TEXT),
                window_days=WHOLE,
                headline=WHOLE,
            ),
        ),
        "fct_figures": (
            ["scope_kind", "scope", "figure", "week"],
            rows(
                *(
                    dict(zip(("scope_kind", "scope", "figure", "week", "value", "n", "status", "reason"), row, strict=True))
                    for row in FIGURES
                ),
                **dict.fromkeys(("scope_kind", "scope", "figure"), TEXT),
                week=DAY,
                value=REAL,
                n=WHOLE,
                status=TEXT,
                reason=TEXT,
            ),
        ),
        "fct_project_state": (
            ["project"],
            rows(
                {"project": "Lake & Co.", "state": "active", "flags": "one_person, quarantined", "sentence": "Active: one."},
                {"project": "Pond", "state": None, "flags": "", "sentence": "No commits are known."},
                project=TEXT,
                state=TEXT,
                flags=TEXT,
                sentence=TEXT,
            ),
        ),
        "fct_news": (
            ["project", "scope", "kind", "happened_on", "subject"],
            rows(*news, project=TEXT, scope=TEXT, kind=TEXT, happened_on=DAY, subject=TEXT, value=REAL, usual=REAL),
        ),
        "fct_unanswered_issues": (
            ["repo", "number"],
            rows(
                *(
                    {"repo": repo, "number": number, "title": title, "age_days": age, "url": url}
                    for repo, number, title, age, url in (
                        ("acme/lake", 7, hostile, 12.5, "https://x.example/acme/lake/issues/7"),
                        ("acme/dam", 1, "Why", 2.0, "javascript:alert(1)"),
                        ("acme/dam", 2, "How", 2.0, "https://x.example/1) [y](https://y.example"),
                    )
                ),
                repo=TEXT,
                number=WHOLE,
                title=TEXT,
                age_days=REAL,
                url=TEXT,
            ),
        ),
        "fct_data_freshness": (
            ["source", "scope"],
            rows(
                *(
                    {"source": source, "scope": scope, "is_stale": source == "github_releases" and scope in late}
                    | {"last_fetched_at": late.get(scope)}
                    for source in ("github_commits", "github_releases")
                    for scope in ("acme/lake", "acme/dam", "acme/pond")
                ),
                source=TEXT,
                scope=TEXT,
                is_stale=FLAG,
                last_fetched_at=MOMENT,
            ),
        ),
        "fct_data_quality": (
            ["check_name", "scope"],
            rows(
                *(
                    {"check_name": f"github_issues_{name}", "scope": "acme/lake", "failing_rows": 3, "status": status}
                    | {"reason": "title: not a text"}
                    for name, status in (("quarantined", "held_back"), ("not_judged", "left_out"))
                ),
                check_name=TEXT,
                scope=TEXT,
                failing_rows=WHOLE,
                status=TEXT,
                reason=TEXT,
            ),
        ),
        "fct_known_breaks": (
            ["id"],
            rows(
                # The first day that is compared, so all of it is counted alike; the first with a change; the last.
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
                {"id": "later", "source": "pypistats", "from_date": AS_OF + timedelta(days=1), "what_changed": "No."},
                id=TEXT,
                source=TEXT,
                scope=TEXT,
                from_date=DAY,
                to_date=DAY,
                what_changed=TEXT,
                link=TEXT,
            ),
        ),
    }


@pytest.fixture
def published(lake: Lake) -> Lake:
    lake.extra["ALERTS"] = str(lake.folder / "alerts.yaml")
    lake.stage(**gold())
    lake.publish()
    return lake


def rules(lake: Lake, text: str) -> None:
    (lake.folder / "alerts.yaml").write_text(text, encoding="utf-8")


def test_figures_are_those_of_gold(published: Lake) -> None:
    """Of the week of `as_of`, the projects' alone, by name, with the values of four weeks and a year before."""
    found = figures(published.catalog(), publications(published.catalog())[0])
    assert [(figure.scope, figure.meaning.figure) for figure in found] == [
        (project, name) for project in ("Lake & Co.", "Pond") for name in sorted(meaning[0] for meaning in MEANINGS)
    ]
    values = {
        (figure.scope, figure.meaning.figure): (figure.value, figure.month_before, figure.year_before, figure.text)
        for figure in found
        if figure.scope == "Lake & Co." or figure.meaning.figure == "downloads_per_day_28d"
    }
    assert values == {
        ("Lake & Co.", "commits_28d"): (7, None, None, "7"),
        ("Lake & Co.", "days_since_release"): (4, None, None, "4 days"),
        ("Lake & Co.", "open_issues"): (33, 40, None, "33"),
        ("Lake & Co.", "answered_7d_share_12w"): (0.42, None, None, "42 %"),
        ("Lake & Co.", "first_response_median_hours_12w"): (None, None, None, "no answer to 2 of 3 issues"),
        ("Lake & Co.", "stars"): (120, 60, 40, "120"),
        ("Lake & Co.", "downloads_per_day_28d"): (10, 20, None, "280 in 28 days, 10 a day"),
        ("Pond", "downloads_per_day_28d"): (None, None, None, "no package"),
    }
    changes = {figure.meaning.figure: (figure.change, figure.change_of_year) for figure in found if figure.change is not None}
    assert changes == {
        "stars": (100, 200),
        "open_issues": (pytest.approx(-17.5), None),
        "downloads_per_day_28d": (-50, None),
    }


def test_a_publication_of_code_without_figures_has_none(lake: Lake) -> None:
    tables = gold()
    lake.stage(**{name: tables[name] for name in ("dim_projects", "dim_figures")})
    lake.publish()
    catalog, newest = lake.catalog(), publications(lake.catalog())[0]
    assert figures(catalog, newest) == []
    assert breaks(catalog, newest, []) == {}


def test_breaks_of_a_source_within_what_is_compared_come_with_a_change(published: Lake) -> None:
    catalog, newest = published.catalog(), publications(published.catalog())[0]
    across = breaks(catalog, newest, figures(catalog, newest))
    assert {figure: [known.what_changed for known in found] for figure, found in across.items()} == {
        ("Lake & Co.", "downloads_per_day_28d"): ["54 ago.", "0 ago."]
    }


RULES = """\
rules:
  - {figure: downloads_per_day_28d, falls_percent: 49}
  - {figure: downloads_per_day_28d, falls_percent: 51}
  - {figure: stars, rises_percent: 99}
  - {figure: stars, above: 6, project: Pond}
  - {figure: first_response_median_hours_12w, above: 48}
  - {figure: answered_7d_share_12w, below: 0.42}
"""


def test_hits_go_to_the_report_and_to_the_webhooks_body(published: Lake) -> None:
    rules(published, RULES)
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "run-1")
    broken = " Its source has a known break on 2024-01-16: 54 ago. Its source has a known break on 2024-03-10: 0 ago."
    assert [alert["message"] for alert in report.details["alerts"]] == [
        "Lake & Co., Downloads per day: changed by -50.0 % in four weeks, to 280 in 28 days, 10 a day; the limit is -49.0 %."
        + broken,
        "Lake & Co., Stars: changed by +100.0 % in four weeks, to 120; the limit is +99.0 %.",
        "Pond, Median time to first response: 2.5 days is above 48.",
        "Pond, Stars: 7 is above 6.",
    ]
    assert [rule["message"] for rule in report.details["unchecked"]] == [
        "Lake & Co., Median time to first response: no answer to 2 of 3 issues; the rule 'above: 48' was not checked.",
        "Pond, Answered within 7 days: nothing in the window; the rule 'below: 0.42' was not checked.",
        "Pond, Stars: 7, with nothing four weeks before to compare it with; the rule 'rises_percent: 99' was not checked.",
    ]
    body = recording.message(recording.run_row(published.settings(), [report], "succeeded", None, None))
    assert {key: body[key] for key in ("alerts", "unchecked", "alerts_error")} == {
        key: report.details[key] for key in ("alerts", "unchecked", "alerts_error")
    }
    assert body["text"].startswith(
        "lakepulse (demo data): daily as of 2024-03-10 succeeded · Lake & Co., Downloads per day: changed by -50.0 %"
    )
    assert body["text"].endswith(" · Pond, Stars: 7 is above 6.")


def test_a_publication_stands_when_its_rules_cannot_be_checked(lake: Lake) -> None:
    """Gold of other code, say: the table is there and the column is not."""
    tables = gold()
    grain, content = tables["dim_figures"]
    tables["dim_figures"] = (grain, content.drop_columns(["sources"]))
    lake.stage(**tables)
    done = lake.step("publish")
    assert "published, but the alert rules were not checked" in done.stderr
    assert [publication.run_id for publication in publications(lake.catalog())] == ["run-1"]
    (report,) = read_reports(open_store(lake.settings()), "run-1")
    assert (report.outcome, report.details["alerts"]) == ("succeeded", [])
    assert report.details["alerts_error"].startswith("KeyError: ")
    row = recording.run_row(lake.settings(), [report], None, None, None)
    assert row["outcome"] == "succeeded"
    assert " succeeded · alert rules not checked: KeyError: " in recording.message(row)["text"]


def test_a_backfill_raises_no_alert(published: Lake) -> None:
    rules(published, RULES)
    published.run_id, published.as_of = "backfill", "2024-01-01"
    published.stage(**gold())
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "backfill")
    assert report.details["alerts"] == []


def figure(scope: str, value: float | None, before: float | None, status: str = "known") -> Figure:
    meaning = Meaning("stars", "Stars", "adopted", "stars", "up", "", "", ("github_repo",), 1, 1)
    return Figure(meaning, "project", scope, value, 1, status, "no snapshot" if value is None else None, before)


def test_an_unknown_figure_breaks_no_rule_and_keeps_none(lake: Lake) -> None:
    rules(
        lake, "rules: [{figure: stars, below: 5}, {figure: stars, falls_percent: 1}, {figure: stars, above: 9, project: Sea}]\n"
    )
    loaded = load_rules(lake.folder / "alerts.yaml")
    alerts, unchecked = check(loaded, [figure("Pond", None, None, "unknown"), figure("Lake", 6, 0)], {})
    assert alerts == []
    assert [rule.message for rule in unchecked] == [
        "Pond, Stars: no snapshot; the rule 'below: 5' was not checked.",
        "Pond, Stars: no snapshot; the rule 'falls_percent: 1' was not checked.",
        "Lake, Stars: 6, with nothing four weeks before to compare it with; the rule 'falls_percent: 1' was not checked.",
    ]


def test_a_rule_is_not_about_a_project_that_has_none_of_what_is_counted(lake: Lake) -> None:
    rules(lake, "rules: [{figure: stars, below: 5}]\n")
    assert check(load_rules(lake.folder / "alerts.yaml"), [figure("Pond", None, None, "none")], {}) == ([], [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rules: [{figure: moons, above: 1}]", "rule 1: figure: unknown figure 'moons'; known: "),
        ("rules: [{metric: stars, above: 1}]", "rule 1: figure: Field required"),
        ("rules: [{figure: stars}]", "rule 1: needs exactly one of above, below, "),
        ("rules: [{figure: stars, above: 1}, {figure: stars, over: 1}]", "rule 2: over: Extra inputs are not permitted"),
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
    assert "\n" not in str(refused.value)
    assert publications(lake.catalog()) == []


def test_the_shipped_rules_can_be_read() -> None:
    from lakepulse.settings import Settings

    assert len(load_rules(Settings.model_fields["alerts"].default)) >= 5


def test_badges_and_json_for_each_project(published: Lake, tmp_path: Path) -> None:
    out = tmp_path / "badges"
    badges(published.settings(), out)
    badges(published.settings(), out)
    document = json.loads((out / "lake-co.json").read_text(encoding="utf-8"))
    assert (document["project"], document["as_of"], document["is_demo"]) == ("Lake & Co.", "2024-03-10", True)
    stars = document["figures"]["stars"]
    assert (stars["value"], stars["before"], stars["change_percent"], stars["text"]) == (120, 60, 100, "120")
    assert (stars["status"], stars["title"], stars["definition"]) == ("known", "Stars", "What stars means.")
    issues = document["figures"]["open_issues"]
    assert (issues["status"], issues["reason"]) == ("partial", "without acme/dam: not found")
    assert json.loads((out / "index.json").read_text(encoding="utf-8"))["projects"] == {"lake-co": "Lake & Co.", "pond": "Pond"}
    for name, text in (
        ("lake-co-downloads_per_day_28d", "Downloads per day: 10 a day"),
        ("lake-co-first_response_median_hours_12w", "Median time to first response: known"),
        ("pond-first_response_median_hours_12w", "Median time to first response: 2.5 days"),
        ("pond-downloads_per_day_28d", "Downloads per day: none"),
        ("pond-answered_7d_share_12w", "Answered within 7 days: unknown"),
    ):
        image = ElementTree.parse(out / f"{name}.svg").getroot()  # noqa: S314 - written just now
        assert image.attrib["aria-label"] == text
    assert "Lake &amp; Co., demo data 2024-03-10" in (out / "lake-co-stars.svg").read_text(encoding="utf-8")
    assert len(list(out.glob("*.svg"))) == 2 * len(MEANINGS)


def test_the_digest_is_markdown_and_harmless(lake: Lake) -> None:
    """Text of others stays text, and an address that could end its link early is none."""
    lake.extra["ALERTS"] = str(lake.folder / "alerts.yaml")
    rules(lake, RULES)
    lake.stage(**gold())
    lake.publish()
    text = digest(lake.settings())
    assert text == (
        "# lakepulse, 2024-03-04 to 2024-03-10\n"
        "\n"
        "**Demo data: these figures are not real.**\n"
        "\n"
        "| project | Stars | Downloads per day | Open issues | Answered within 7 days | Median time to first response "
        "| Days since the last release |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n"
        "| Lake & Co. | 120 (+100.0 %) | 280 in 28 days, 10 a day (-50.0 %) | 33 (-17.5 %; without acme/dam: not found) | 42 % "
        "| no answer to 2 of 3 issues | 4 days |\n"
        "| Pond | 7 | no package | 1 | nothing in the window | 2.5 days | no release |\n"
        "\n"
        "## State\n"
        "\n"
        "- **Lake & Co.** Active: one. (one\\_person, quarantined)\n"
        "- **Pond** No commits are known.\n"
        "\n"
        "## Alerts\n"
        "\n"
        "- Lake & Co., Downloads per day: changed by -50.0 % in four weeks, to 280 in 28 days, 10 a day; the limit is -49.0 %. "
        "Its source has a known break on 2024-01-16: 54 ago. Its source has a known break on 2024-03-10: 0 ago.\n"
        "- Lake & Co., Stars: changed by +100.0 % in four weeks, to 120; the limit is +99.0 %.\n"
        "- Pond, Median time to first response: 2.5 days is above 48.\n"
        "- Pond, Stars: 7 is above 6.\n"
        "\n"
        "## Rules that were not checked\n"
        "\n"
        "- Lake & Co., Median time to first response: no answer to 2 of 3 issues; the rule 'above: 48' was not checked.\n"
        "- Pond, Answered within 7 days: nothing in the window; the rule 'below: 0.42' was not checked.\n"
        "- Pond, Stars: 7, with nothing four weeks before to compare it with; the rule 'rises\\_percent: 99' was not checked.\n"
        "\n"
        "## Known breaks within a change\n"
        "\n"
        "- [2024-01-16](https://x.example/why): 54 ago. Compared across it: Lake & Co., Downloads per day.\n"
        "- 2024-03-10: 0 ago. Compared across it: Lake & Co., Downloads per day.\n"
        "\n"
        "## Releases\n"
        "\n"
        "- Lake & Co. 1.1, 2024-03-04\n"
        "\n"
        "## Unusual downloads\n"
        "\n"
        "- pylake: 12,345 on 2024-03-10, usually about 10\n"
        "\n"
        "## Newcomers\n"
        "\n"
        "- Lake & Co.: 12 with a first commit: no00, no01, no02, no03, no04, no05, no06, no07, no08, no09 and 2 more\n"
        "- Pond: 1 with a first commit: \\@ann\n"
        "\n"
        "## Backlogs that turned\n"
        "\n"
        "- acme/dam: began to shrink, 1.20 closed per opened in 8 weeks, 1.00 a week earlier\n"
        "- acme/lake: began to grow, 0.40 closed per opened in 8 weeks, 1.10 a week earlier\n"
        "\n"
        "## Longest without an answer\n"
        "\n"
        "- [acme/lake \\#7](https://x.example/acme/lake/issues/7): "
        "\\<img src=x\\> \\[click\\]\\(http://x\\) \\@all \\# big, 12 days\n"
        "- acme/dam \\#1: Why, 2 days\n"
        "- acme/dam \\#2: How, 2 days\n"
        "\n"
        "## Out of date\n"
        "\n"
        "- github\\_releases: acme/dam, not fetched yet; acme/pond, last fetched 2024-03-01\n"
        "\n"
        "## Held back\n"
        "\n"
        "- acme/lake, github\\_issues\\_quarantined: 3, title: not a text\n"
    )
