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
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt import record as recording
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.badges import badges
from lakepulse_dbt.digest import digest
from lakepulse_dbt.figures import Figure, figures
from lakepulse_dbt.publications import publications
from tests.dbt.lake import Lake, at

AS_OF = date(2024, 3, 10)  # a Sunday
MONDAY = date(2024, 3, 4)


def rows(*rows: dict[str, Any], **types: pa.DataType) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema(types))


def gold() -> dict[str, tuple[list[str], pa.Table]]:
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
        ("acme/lake", 2, 30.0),
        ("acme/dam", 1, 20.0),
        ("acme/dam", 0, 999.0),
        ("acme/dam", 3, None),
    ]
    backlog = [("acme/lake", 1, 10, 4), ("acme/dam", 1, 10, 4), ("acme/lake", 5, 10, 10), ("acme/pond", 1, 0, 1)]
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
                    {"repo": r, "week": MONDAY - timedelta(weeks=back), "opened_8w": o, "closed_8w": c}
                    for r, back, o, c in backlog
                ),
                repo=text,
                week=day,
                opened_8w=whole,
                closed_8w=whole,
            ),
        ),
        "fct_contributor_absence_factor": (
            ["repo", "window_days"],
            rows(
                {"repo": "acme/lake", "window_days": 365, "factor": 3},
                {"repo": "acme/dam", "window_days": 365, "factor": 1},
                {"repo": "acme/dam", "window_days": 30, "factor": 0},
                repo=text,
                window_days=whole,
                factor=whole,
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
                {"repo": "acme/lake", "number": 7, "title": hostile, "age_days": 12.5},
                repo=text,
                number=whole,
                title=text,
                age_days=real,
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
        ("Lake & Co.", "unanswered_issues"): (1, None),
        ("Lake & Co.", "response_hours"): (20.0, None),
        ("Lake & Co.", "backlog_index"): (0.4, 1.0),
        ("Lake & Co.", "absence_factor"): (1, None),
        ("Lake & Co.", "days_since_release"): (4, None),
        ("Pond", "stars"): (7, None),
        ("Pond", "downloads_28d"): (None, None),
        ("Pond", "open_issues"): (1, None),
        ("Pond", "unanswered_issues"): (0, None),
        ("Pond", "response_hours"): (None, None),
        ("Pond", "backlog_index"): (None, None),
        ("Pond", "absence_factor"): (None, None),
        ("Pond", "days_since_release"): (None, None),
    }
    assert [figure.change for figure in found[:2]] == [100, -50]


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
    assert [alert["message"] for alert in report.details["alerts"]] == [
        "Lake & Co., stars: changed by +100.0 % in 28 days, to 120; the limit is +99.0 %.",
        "Lake & Co., downloads in 28 days: changed by -50.0 % in 28 days, to 280; the limit is -49.0 %.",
        "Pond, stars: 7 is above 6.",
    ]
    row = recording.run_row(published.settings(), [report], "succeeded", None, None)
    assert recording.message(row)["alerts"] == report.details["alerts"]


def test_a_backfill_raises_no_alert(published: Lake) -> None:
    rules(published, RULES)
    published.run_id, published.as_of = "backfill", "2024-01-01"
    published.stage(**gold())
    published.publish()
    (report,) = read_reports(open_store(published.settings()), "backfill")
    assert report.details["alerts"] == []


def test_an_unknown_figure_breaks_no_rule(lake: Lake) -> None:
    rules(lake, "rules: [{metric: stars, below: 5}, {metric: stars, falls_percent: 1}]\n")
    loaded = load_rules(lake.folder / "alerts.yaml")
    assert check(loaded, [Figure("Pond", "stars", None, None), Figure("Pond", "stars", 6, 0)]) == []


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
        ("pond-downloads_28d", "downloads in 28 days: unknown"),
    ):
        image = ElementTree.parse(out / f"{name}.svg").getroot()  # noqa: S314 - written just now
        assert image.attrib["aria-label"] == text
    assert "Lake &amp; Co., demo data 2024-03-10" in (out / "lake-co-stars.svg").read_text(encoding="utf-8")
    assert len(list(out.glob("*.svg"))) == 16


def test_the_digest_is_markdown_and_harmless(published: Lake) -> None:
    rules(published, RULES)
    text = digest(published.settings())
    assert text == (
        "# lakepulse, 2024-03-04 to 2024-03-10\n"
        "\n"
        "**Demo data: these figures are not real.**\n"
        "\n"
        "| project | stars | downloads in 28 days | open issues | unanswered issues | first response | backlog index "
        "| absence factor | last release |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        "| Lake & Co. | 120 (+100.0 %) | 280 (-50.0 %) | 33 (-17.5 %) | 1 | 20 h | 0.4 (-60.0 %) | 1 | 4 days ago |\n"
        "| Pond | 7 | unknown | 1 | 0 | unknown | unknown | unknown | unknown |\n"
        "\n"
        "## Alerts\n"
        "\n"
        "- Lake & Co., stars: changed by \\+100.0 % in 28 days, to 120; the limit is \\+99.0 %.\n"
        "- Lake & Co., downloads in 28 days: changed by -50.0 % in 28 days, to 280; the limit is -49.0 %.\n"
        "- Pond, stars: 7 is above 6.\n"
        "\n"
        "## Releases\n"
        "\n"
        "- pylake 1.1, 2024-03-06\n"
        "\n"
        "## Unusual downloads\n"
        "\n"
        "- pylake: 12,345 on 2024-03-10, usually about 10\n"
        "\n"
        "## Issues opened\n"
        "\n"
        "- acme/lake: 4\n"
        "\n"
        "## Longest without an answer\n"
        "\n"
        "- acme/lake \\#7: \\<img src=x\\> \\[click\\]\\(http://x\\) \\@all \\# big, 12 days\n"
    )
