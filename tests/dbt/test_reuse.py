"""Figures, alert rules, badges and the digest, on gold tables with known numbers."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from lakepulse.outcome import PermanentError
from lakepulse.publications import publications
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt import record as recording
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.badges import badges
from lakepulse_dbt.digest import digest
from lakepulse_dbt.figures import Figure, figures
from tests.dbt.lake import Lake, at

AS_OF = date(2024, 3, 10)  # a Sunday
MONDAY = date(2024, 3, 4)


def rows(*rows: dict[str, Any], **types: pa.DataType) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema(types))


Gold = dict[str, tuple[list[str], pa.Table]]


def known(*, cut: dict[str, str] | None = None, never: tuple[str, ...] = ()) -> pa.Table:
    """fct_data_freshness: all history of each member is held, but of those in `cut` from that day on, and of `never` none."""
    sources = {"repo": ("github_commits", "github_issues", "github_comments", "github_releases"), "package": ("pypi_releases",)}
    entries = [("repo", "acme/lake"), ("repo", "acme/dam"), ("repo", "acme/pond"), ("package", "pylake")]
    return rows(
        *(
            {
                "source": source,
                "scope": scope,
                "covered_from": at(cut[scope], 0).replace(tzinfo=None) if cut and scope in cut else None,
                "last_fetched_at": None if scope in never else at("2024-03-10", 6).replace(tzinfo=None),
                "is_stale": scope in never,
            }
            for kind, scope in entries
            for source in sources[kind]
        ),
        source=pa.string(),
        scope=pa.string(),
        covered_from=pa.timestamp("us"),
        last_fetched_at=pa.timestamp("us"),
        is_stale=pa.bool_(),
    )


def gold() -> Gold:
    """Two projects: Lake & Co. has two repos and a package, Pond one repo and little else."""
    text, whole, real, day, flag, moment = pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_(), pa.timestamp("us")
    members = (("Lake & Co.", "repo", "acme/lake"), ("Lake & Co.", "repo", "acme/dam"), ("Lake & Co.", "package", "pylake"))
    projects = [dict(zip(("project", "kind", "name"), row, strict=True)) for row in (*members, ("Pond", "repo", "acme/pond"))]
    stars = [("acme/lake", 0, 100), ("acme/lake", 28, 50), ("acme/dam", 1, 20), ("acme/dam", 30, 10), ("acme/pond", 0, 7)]
    downloads = [
        {
            "package": "pylake",
            "category": category,
            "date": AS_OF - timedelta(days=back),
            "downloads": (10 if back < 28 else 20) * (1 if category == "without_mirrors" else 9),
        }
        for back in range(60)
        for category in ("with_mirrors", "without_mirrors")
    ]
    issues = [("acme/lake", 0, 30), ("acme/lake", 28, 40), ("acme/dam", 0, 3), ("acme/dam", 28, 0), ("acme/pond", 0, 1)]
    responses = [
        ("acme/lake", 1, 10.0),
        ("acme/lake", 2, 12.0),
        ("acme/dam", 1, 20.0),
        ("acme/dam", 0, 999.0),
        ("acme/dam", 3, None),
    ]
    backlog = [
        ("acme/lake", 1, 10, 4, 0.4),
        ("acme/dam", 1, 10, 4, 0.4),
        ("acme/lake", 2, 10, 11, 1.1),
        ("acme/dam", 2, 10, 9, 0.9),
        ("acme/lake", 5, 10, 10, 1.0),
        ("acme/pond", 1, 0, 1, None),
    ]
    releases: list[dict[str, Any]] = [
        {"project": "Lake & Co.", "scope": "pylake", "name": "2.0", "released_at": at("2024-03-05", 23), "is_yanked": True},
        {"project": "Lake & Co.", "scope": "pylake", "name": "1.1", "released_at": at("2024-03-06", 1), "is_yanked": False},
        {"project": "Lake & Co.", "scope": "pylake", "name": "1.0", "released_at": at("2024-01-01"), "is_yanked": False},
    ]
    for release in releases:
        release |= {"is_prerelease": False, "released_at": release["released_at"].replace(tzinfo=None)}
    hostile = "<img src=x> [click](http://x) @all\n# big"
    return {
        "dim_projects": (["project", "kind", "name"], rows(*projects, project=text, kind=text, name=text)),
        "fct_all_time_base_repo_stats": (
            ["repo", "snapshot_date"],
            rows(
                *({"repo": r, "snapshot_date": AS_OF - timedelta(days=back), "stargazers_count": n} for r, back, n in stars),
                repo=text,
                snapshot_date=day,
                stargazers_count=whole,
            ),
        ),
        "fct_percent_change_downloads_overall": (
            ["package", "category", "date"],
            rows(*downloads, package=text, category=text, date=day, downloads=whole),
        ),
        "fct_all_time_issues_trend": (
            ["repo", "date"],
            rows(
                *({"repo": r, "date": AS_OF - timedelta(days=back), "num_open": n} for r, back, n in issues),
                repo=text,
                date=day,
                num_open=whole,
            ),
        ),
        "fct_issue_response": (
            ["repo", "week"],
            rows(
                *({"repo": r, "week": MONDAY - timedelta(weeks=back), "p50_hours": n} for r, back, n in responses),
                repo=text,
                week=day,
                p50_hours=real,
            ),
        ),
        "fct_issue_backlog": (
            ["repo", "week"],
            rows(
                *(
                    {"repo": r, "week": MONDAY - timedelta(weeks=back), "opened_8w": o, "closed_8w": c, "backlog_index": index}
                    for r, back, o, c, index in backlog
                ),
                repo=text,
                week=day,
                opened_8w=whole,
                closed_8w=whole,
                backlog_index=real,
            ),
        ),
        "fct_contributor_absence_factor": (
            ["repo", "window_days"],
            rows(
                {"repo": "acme/lake", "window_days": 365, "factor": 3, "contributors": 9},
                {"repo": "acme/dam", "window_days": 365, "factor": 1, "contributors": 1},
                {"repo": "acme/dam", "window_days": 30, "factor": 0, "contributors": 1},
                repo=text,
                window_days=whole,
                factor=whole,
                contributors=whole,
            ),
        ),
        "fct_releases": (
            ["project", "scope", "name"],
            rows(
                *releases,
                project=text,
                scope=text,
                name=text,
                released_at=moment,
                is_prerelease=flag,
                is_yanked=flag,
            ),
        ),
        "fct_unanswered_issues": (
            ["repo", "number"],
            rows(
                {
                    "repo": "acme/lake",
                    "number": 7,
                    "title": hostile,
                    "age_days": 12.5,
                    "url": "https://x.example/acme/lake/issues/7",
                },
                {"repo": "acme/dam", "number": 1, "title": "Why", "age_days": 2.0, "url": "javascript:alert(1)"},
                {
                    "repo": "acme/dam",
                    "number": 2,
                    "title": "How",
                    "age_days": 2.0,
                    "url": "https://x.example/1) [y](https://y.example",
                },
                repo=text,
                number=whole,
                title=text,
                age_days=real,
                url=text,
            ),
        ),
        "fct_data_freshness": (["source", "scope"], known()),
        "fct_first_commits": (
            ["repo", "author"],
            rows(
                *({"repo": "acme/dam", "author": f"new{n:02}", "first_commit_date": AS_OF} for n in range(12)),
                {"repo": "acme/lake", "author": "@ann", "first_commit_date": MONDAY},
                {"repo": "acme/lake", "author": "bob", "first_commit_date": MONDAY - timedelta(days=1)},
                repo=text,
                author=text,
                first_commit_date=day,
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
                id=text,
                source=text,
                scope=text,
                from_date=day,
                to_date=day,
                what_changed=text,
                link=text,
            ),
        ),
        "fct_last_7_days_fct_issues": (
            ["repo", "date"],
            rows({"repo": "acme/lake", "date": AS_OF, "issues_last_7_days": 4}, repo=text, date=day, issues_last_7_days=whole),
        ),
        "fct_download_anomalies": (
            ["package", "category", "date"],
            rows(
                {
                    "package": "pylake",
                    "category": "without_mirrors",
                    "date": AS_OF,
                    "downloads": 12345,
                    "median_28d": 10.0,
                    "is_anomaly": True,
                },
                package=text,
                category=text,
                date=day,
                downloads=whole,
                median_28d=real,
                is_anomaly=flag,
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
    found = figures(published.catalog(), publications(published.catalog())[0])
    values = {(figure.project, figure.metric): (figure.value, figure.before) for figure in found}
    assert values == {
        ("Lake & Co.", "stars"): (120, 60),
        ("Lake & Co.", "downloads_28d"): (280, 560),
        ("Lake & Co.", "open_issues"): (33, 40),
        ("Lake & Co.", "unanswered_issues"): (3, None),
        ("Lake & Co.", "response_hours"): (20.0, None),
        ("Lake & Co.", "backlog_index"): (0.4, 1.0),
        ("Lake & Co.", "absence_factor"): (1, None),
        ("Lake & Co.", "days_since_release"): (4, None),
        ("Pond", "stars"): (7, None),
        ("Pond", "downloads_28d"): (None, None),
        ("Pond", "open_issues"): (1, 0),
        ("Pond", "unanswered_issues"): (0, None),
        ("Pond", "response_hours"): (None, None),
        ("Pond", "backlog_index"): (None, None),
        ("Pond", "absence_factor"): (None, None),
        ("Pond", "days_since_release"): (None, None),
    }
    assert [figure.change for figure in found[:2]] == [100, -50]


def without(gold: Gold, table: str, **where: Any) -> None:
    """Take the rows with these values out of a table."""
    grain, content = gold[table]
    kept = [row for row in content.to_pylist() if any(row[column] != value for column, value in where.items())]
    gold[table] = (grain, pa.Table.from_pylist(kept, schema=content.schema))


def shown(lake: Lake, tables: Gold, project: str) -> dict[str, float | None]:
    lake.stage(**tables)
    lake.publish()
    return {
        figure.metric: figure.value
        for figure in figures(lake.catalog(), publications(lake.catalog())[0])
        if figure.project == project
    }


OF_ISSUES = {"open_issues", "unanswered_issues", "response_hours", "backlog_index"}


@pytest.mark.parametrize(
    ("cut", "never", "unknown"),
    [
        # Twelve whole weeks back is 2023-12-11, the first week of which the backlog tells 2024-01-08.
        ({"acme/dam": "2024-03-01"}, (), OF_ISSUES | {"absence_factor"}),
        ({"acme/dam": "2023-12-11"}, (), OF_ISSUES - {"response_hours"} | {"absence_factor"}),
        ({}, ("acme/dam",), OF_ISSUES | {"absence_factor", "days_since_release"}),
        ({}, ("pylake",), {"days_since_release"}),
    ],
)
def test_a_project_has_no_figure_of_some_of_its_repos(
    lake: Lake, cut: dict[str, str], never: tuple[str, ...], unknown: set[str]
) -> None:
    """A repo whose history is cut, or that was never had, has no row where gold cannot tell its figure."""
    whole, part = gold(), gold()
    for table in ("fct_issue_backlog", "fct_contributor_absence_factor", "fct_unanswered_issues"):
        without(whole, table, repo="acme/dam")
        without(part, table, repo="acme/dam")
    part["fct_data_freshness"] = (["source", "scope"], known(cut=cut, never=never))
    # No row of a repo that is wholly known: nothing happened there.
    before = shown(lake, whole, "Lake & Co.")
    assert (before["backlog_index"], before["absence_factor"], before["unanswered_issues"]) == (0.4, 3, 1)
    lake.run_id = "run-2"
    assert shown(lake, part, "Lake & Co.") == before | dict.fromkeys(unknown)
    lake.run_id = "run-3"
    assert shown(lake, part, "Pond")["open_issues"] == 1


@pytest.mark.parametrize(
    ("table", "where", "metric"),
    [
        ("fct_all_time_base_repo_stats", {"repo": "acme/dam"}, "stars"),
        ("fct_percent_change_downloads_overall", {"date": AS_OF - timedelta(days=27)}, "downloads_28d"),
    ],
)
def test_a_missing_snapshot_or_day_leaves_no_figure(lake: Lake, table: str, where: dict[str, Any], metric: str) -> None:
    tables = gold()
    without(tables, table, **where)
    assert shown(lake, tables, "Lake & Co.")[metric] is None


@pytest.mark.parametrize(("contributors", "factor"), [(0, 3), (None, None)])
def test_a_year_without_commits_is_known_and_a_cut_one_is_not(lake: Lake, contributors: int | None, factor: int | None) -> None:
    tables = gold()
    grain, content = tables["fct_contributor_absence_factor"]
    changed = [
        row | ({"factor": None, "contributors": contributors} if row["repo"] == "acme/dam" else {})
        for row in content.to_pylist()
    ]
    tables["fct_contributor_absence_factor"] = (grain, pa.Table.from_pylist(changed, schema=content.schema))
    assert shown(lake, tables, "Lake & Co.")["absence_factor"] == factor


def test_breaks_of_a_source_within_what_is_compared_come_with_a_change(published: Lake) -> None:
    found = figures(published.catalog(), publications(published.catalog())[0])
    breaks = {(figure.project, figure.metric): [b.what_changed for b in figure.breaks] for figure in found if figure.breaks}
    assert breaks == {("Lake & Co.", "downloads_28d"): ["54 ago.", "0 ago."]}


RULES = """\
rules:
  - {metric: downloads_28d, falls_percent: 49}
  - {metric: downloads_28d, falls_percent: 51}
  - {metric: stars, rises_percent: 99}
  - {metric: stars, above: 6, project: Pond}
  - {metric: backlog_index, below: 0.4}
"""


def test_hits_go_to_the_report_and_to_the_webhooks_body(published: Lake) -> None:
    rules(published, RULES)
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "run-1")
    broken = " Its source has a known break on 2024-01-16: 54 ago. Its source has a known break on 2024-03-10: 0 ago."
    assert [alert["message"] for alert in report.details["alerts"]] == [
        "Lake & Co., stars: changed by +100.0 % in 28 days, to 120; the limit is +99.0 %.",
        f"Lake & Co., downloads in 28 days: changed by -50.0 % in 28 days, to 280; the limit is -49.0 %.{broken}",
        "Pond, stars: 7 is above 6.",
    ]
    assert [rule["message"] for rule in report.details["unchecked"]] == [
        "Pond, stars: 7 has no figure of 28 days before beside it, so the rule 'rises_percent: 99' was not checked.",
        "Pond, backlog index: there is no figure, so the rule 'below: 0.4' was not checked.",
    ]
    body = recording.message(recording.run_row(published.settings(), [report], "succeeded", None, None))
    assert {key: body[key] for key in ("alerts", "unchecked", "alerts_error")} == {
        key: report.details[key] for key in ("alerts", "unchecked", "alerts_error")
    }
    assert body["text"].startswith(
        "lakepulse (demo data): daily as of 2024-03-10 succeeded · Lake & Co., stars: changed by +100.0 % in 28 days, to 120; "
        "the limit is +99.0 %. · Lake & Co., downloads in 28 days: changed by"
    )
    assert body["text"].endswith(" · Pond, stars: 7 is above 6.")


def test_a_publication_stands_when_its_rules_cannot_be_checked(lake: Lake) -> None:
    """Gold of other code, say: the table is there and the column is not."""
    tables = gold()
    grain, content = tables["fct_releases"]
    tables["fct_releases"] = (grain, content.drop_columns(["is_yanked"]))
    lake.stage(**tables)
    done = lake.step("publish")
    assert "published, but the alert rules were not checked" in done.stderr
    assert [publication.run_id for publication in publications(lake.catalog())] == ["run-1"]
    (report,) = read_reports(open_store(lake.settings()), "run-1")
    assert (report.outcome, report.details["alerts"]) == ("succeeded", [])
    assert report.details["alerts_error"].startswith("BinderException: ")
    row = recording.run_row(lake.settings(), [report], None, None, None)
    assert row["outcome"] == "succeeded"
    assert " succeeded · alert rules not checked: BinderException: " in recording.message(row)["text"]


def test_a_backfill_raises_no_alert(published: Lake) -> None:
    rules(published, RULES)
    published.run_id, published.as_of = "backfill", "2024-01-01"
    published.stage(**gold())
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "backfill")
    assert report.details["alerts"] == []


def test_an_unknown_figure_breaks_no_rule_and_keeps_none(lake: Lake) -> None:
    rules(
        lake, "rules: [{metric: stars, below: 5}, {metric: stars, falls_percent: 1}, {metric: stars, above: 9, project: Sea}]\n"
    )
    loaded = load_rules(lake.folder / "alerts.yaml")
    alerts, unchecked = check(loaded, [Figure("Pond", "stars", None, None), Figure("Lake", "stars", 6, 0)])
    assert alerts == []
    assert [rule.message for rule in unchecked] == [
        "Pond, stars: there is no figure, so the rule 'below: 5' was not checked.",
        "Pond, stars: there is no figure, so the rule 'falls_percent: 1' was not checked.",
        "Lake, stars: 6 has no figure of 28 days before beside it, so the rule 'falls_percent: 1' was not checked.",
    ]


def test_a_rule_is_not_about_a_project_that_has_none_of_what_is_counted(lake: Lake) -> None:
    rules(lake, "rules: [{metric: downloads_28d, below: 5}]\n")
    figure = Figure("Pond", "downloads_28d", None, None, applies=False)
    assert check(load_rules(lake.folder / "alerts.yaml"), [figure]) == ([], [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rules: [{metric: moons, above: 1}]", "rule 1: metric: unknown metric 'moons'; known: stars, "),
        ("rules: [{metric: stars}]", "rule 1: needs exactly one of above, below, "),
        ("rules: [{metric: stars, above: 1}, {metric: stars, over: 1}]", "rule 2: over: Extra inputs are not permitted"),
        ("rules: [{metric: stars, above: many}]", "rule 1: above: Input should be a valid number"),
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


def test_badges_and_json_for_each_project(published: Lake, tmp_path: Path) -> None:
    out = tmp_path / "badges"
    badges(published.settings(), out)
    badges(published.settings(), out)
    document = json.loads((out / "lake-co.json").read_text(encoding="utf-8"))
    assert (document["project"], document["as_of"], document["is_demo"]) == ("Lake & Co.", "2024-03-10", True)
    stars = document["figures"]["stars"]
    assert (stars["value"], stars["before"], stars["change_percent"], stars["text"]) == (120, 60, 100, "120")
    assert json.loads((out / "index.json").read_text(encoding="utf-8"))["projects"] == {"lake-co": "Lake & Co.", "pond": "Pond"}
    for name, text in (
        ("lake-co-downloads_28d", "downloads in 28 days: 280"),
        ("pond-downloads_28d", "downloads in 28 days: no packages"),
    ):
        image = ElementTree.parse(out / f"{name}.svg").getroot()  # noqa: S314 - written just now
        assert image.attrib["aria-label"] == text
    assert "Lake &amp; Co., demo data 2024-03-10" in (out / "lake-co-stars.svg").read_text(encoding="utf-8")
    assert len(list(out.glob("*.svg"))) == 16


def test_the_digest_is_markdown_and_harmless(lake: Lake) -> None:
    """Text of others stays text, and an address that could end its link early is none."""
    lake.extra["ALERTS"] = str(lake.folder / "alerts.yaml")
    rules(lake, RULES)
    tables = gold()
    grain, content = tables["fct_data_freshness"]
    late = {"acme/dam": None, "acme/pond": at("2024-03-01").replace(tzinfo=None)}
    tables["fct_data_freshness"] = (
        grain,
        pa.Table.from_pylist(
            [
                row | {"is_stale": True, "last_fetched_at": late[row["scope"]]}
                if row["source"] == "github_releases" and row["scope"] in late
                else row
                for row in content.to_pylist()
            ],
            schema=content.schema,
        ),
    )
    lake.stage(**tables)
    lake.publish()
    text = digest(lake.settings())
    assert text == (
        "# lakepulse, 2024-03-04 to 2024-03-10\n"
        "\n"
        "**Demo data: these figures are not real.**\n"
        "\n"
        "| project | stars | downloads in 28 days | open issues | unanswered issues | first response | backlog index "
        "| absence factor | last release |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        "| Lake & Co. | 120 (+100.0 %) | 280 (-50.0 %) | 33 (-17.5 %) | 3 | 20 h | 0.4 (-60.0 %) | 1 | unknown |\n"
        "| Pond | 7 | no packages | 1 | 0 | unknown | unknown | unknown | unknown |\n"
        "\n"
        "## Alerts\n"
        "\n"
        "- Lake & Co., stars: changed by \\+100.0 % in 28 days, to 120; the limit is \\+99.0 %.\n"
        "- Lake & Co., downloads in 28 days: changed by -50.0 % in 28 days, to 280; the limit is -49.0 %. Its source has a "
        "known break on 2024-01-16: 54 ago. Its source has a known break on 2024-03-10: 0 ago.\n"
        "- Pond, stars: 7 is above 6.\n"
        "\n"
        "## Rules that were not checked\n"
        "\n"
        "- Pond, stars: 7 has no figure of 28 days before beside it, so the rule 'rises\\_percent: 99' was not checked.\n"
        "- Pond, backlog index: there is no figure, so the rule 'below: 0.4' was not checked.\n"
        "\n"
        "## Known breaks within a change\n"
        "\n"
        "- [2024-01-16](https://x.example/why): 54 ago. Compared across it: Lake & Co., downloads in 28 days.\n"
        "- 2024-03-10: 0 ago. Compared across it: Lake & Co., downloads in 28 days.\n"
        "\n"
        "## Releases\n"
        "\n"
        "- pylake 1.1, 2024-03-06\n"
        "\n"
        "## Unusual downloads\n"
        "\n"
        "- pylake: 12,345 on 2024-03-10, usually about 10, counted otherwise before the known break of 2024-03-10\n"
        "\n"
        "## Newcomers\n"
        "\n"
        "- acme/dam: 12 with a first commit: new00, new01, new02, new03, new04, new05, new06, new07, new08, new09 and 2 more\n"
        "- acme/lake: 1 with a first commit: \\@ann\n"
        "\n"
        "## Backlogs that turned\n"
        "\n"
        "- acme/lake: began to grow, 0.40 closed per opened in 8 weeks, 1.10 a week earlier\n"
        "\n"
        "## Issues opened\n"
        "\n"
        "- acme/lake: 4\n"
        "\n"
        "## Longest without an answer\n"
        "\n"
        "- [acme/lake \\#7](https://x.example/acme/lake/issues/7): "
        "\\<img src=x\\> \\[click\\]\\(http://x\\) \\@all \\# big, 12 days\n"
        "- acme/dam \\#1: Why, 2 days\n"
        "- acme/dam \\#2: How, 2 days\n"
        "\n"
        "## Late sources\n"
        "\n"
        "- github\\_releases: acme/dam, never had; acme/pond, last had 2024-03-01\n"
    )
