"""The static site: each document matches its schema in the OpenAPI file, and each picture can be drawn."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from lakepulse.data_dir import open_data_dir
from lakepulse.news import sentence
from lakepulse.outcome import PermanentError
from lakepulse.publications import publications
from lakepulse_dbt.figures import figures
from lakepulse_dbt.site import site, slugs
from lakepulse_dbt.site.pictures import chart
from tests.dbt.lake import ROOT, Lake
from tests.dbt.test_reuse import LAKE, NOW, POND, Gold, gold, news, table, value

ATOM = {"a": "http://www.w3.org/2005/Atom"}
SLUG = slugs([LAKE])[LAKE]
HOSTILE = "</text><script>alert(1)</script>]]>\x00\x1b & \U0001f30a"


def more_gold() -> Gold:
    """Two projects, one with a hostile subject in its news, and their releases."""
    tables = gold()
    grain, rows = tables["fct_news"]
    hostile = pa.Table.from_pylist([news("newcomer", subject=HOSTILE)], schema=rows.schema)
    tables["fct_news"] = (grain, pa.concat_tables([rows, hostile]))
    kinds = {"project": pa.string(), "version": pa.string(), "released_at": pa.timestamp("us")}
    kinds |= {"is_on_pypi": pa.bool_(), "is_on_github": pa.bool_()}
    where = {"project": LAKE, "is_on_pypi": True, "is_on_github": False}
    released = datetime(2024, 3, 1, 12)  # noqa: DTZ001 - gold's are naive UTC
    tables["fct_project_releases"] = table(
        ["project", "version"],
        kinds,
        where | {"version": "1.0", "released_at": released},
        where | {"version": "1.1", "released_at": released + timedelta(days=3)},
    )
    return tables


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("published"))
    open_data_dir(lake.settings())
    lake.stage(**more_gold())
    lake.publish()
    return lake


@pytest.fixture
def out(published: Lake, tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    site(published.settings(), folder, None)
    return folder


def document(out: Path, path: str) -> Any:
    return json.loads((out / path).read_text(encoding="utf-8"))


def test_every_file_is_described_and_every_document_matches_its_schema(out: Path) -> None:
    described = document(out, "openapi.json")
    patterns = {re.compile(re.sub(r"\{\w+\}", "[^/]+", path)): entry["get"] for path, entry in described["paths"].items()}
    used = set()
    for file in out.rglob("*"):
        name = f"/{file.relative_to(out)}"
        if not file.is_file() or name in {"/openapi.json", "/site.json"}:
            continue
        [(pattern, operation)] = [pair for pair in patterns.items() if pair[0].fullmatch(name)]
        used.add(pattern)
        [(media, content)] = operation["responses"]["200"]["content"].items()
        if media == "application/json":
            schema = content["schema"] | {"components": described["components"]}
            Draft202012Validator.check_schema(schema)
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(json.loads(file.read_text(encoding="utf-8")))
        else:
            ElementTree.parse(file)  # noqa: S314 - written just now
    assert used == set(patterns)


def test_the_readme_names_addresses_that_exist(out: Path) -> None:
    paths = re.findall(r"^curl http://127\.0\.0\.1:\d+(/\S+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(paths) == 2
    patterns = [re.sub(r"\{\w+\}", "[^/]+", path) for path in document(out, "openapi.json")["paths"]]
    for path in paths:
        assert any(re.fullmatch(pattern, path) for pattern in patterns), path
        assert (out / path.replace("apache-iceberg", SLUG).removeprefix("/")).is_file()


def test_a_document_that_is_wrong_does_not_match(out: Path) -> None:
    """The schemas forbid what they do not name, so the test above can fail."""
    described = document(out, "openapi.json")
    schema = {"$ref": "#/components/schemas/Series", "components": described["components"]}
    series = document(out, f"api/v1/projects/{SLUG}/figures/stars.json")
    checked = Draft202012Validator(schema)
    assert checked.is_valid(series)
    assert not checked.is_valid(series | {"more": 1})
    assert not checked.is_valid({key: series[key] for key in series if key != "weeks"})


def test_figures_are_those_of_gold(published: Lake, out: Path) -> None:
    catalog = published.catalog()
    found = figures(catalog, publications(catalog)[0])
    assert found
    for figure in found:
        slug = slugs([figure.scope])[figure.scope]
        today = document(out, f"api/v1/projects/{slug}/project.json")["figures"][figure.meaning.figure]
        assert (today["value"], today["n"], today["status"], today["reason"]) == (
            figure.value,
            figure.n,
            figure.status,
            figure.reason,
        )
        assert (today["before"], today["change_percent"], today["text"]) == (figure.month_before, figure.change, figure.text)
        weeks = document(out, today["series"])["weeks"]
        assert (weeks[-1]["week"], weeks[-1]["value"]) == (NOW.isoformat(), figure.value)
        for link in ("badge", "badge_svg", "chart"):
            assert (out / today[link]).is_file()


def test_badges_say_what_there_is_or_why_not(out: Path) -> None:
    for path, text in (
        (f"{SLUG}/downloads_per_day_28d", "Downloads per day: 10 a day"),
        ("pond/downloads_per_day_28d", "Downloads per day: none"),
        ("pond/closed_per_opened_12w", "Issues closed per opened: unknown"),
    ):
        image = ElementTree.parse(out / "badges" / f"{path}.svg").getroot()  # noqa: S314 - written just now
        endpoint = document(out, f"badges/{path}.json")
        assert image.attrib["aria-label"] == f"{endpoint['label']}: {endpoint['message']}" == text
        assert endpoint["schemaVersion"] == 1
        assert (endpoint["color"] == "lightgrey") == (endpoint["message"] in {"none", "unknown"})
    assert "Lake &amp; Co., demo data 2024-03-10" in (out / "badges" / SLUG / "stars.svg").read_text(encoding="utf-8")


def test_feeds_and_news_tell_what_fct_news_has(published: Lake, out: Path) -> None:
    rows = [row for row in published.gold("fct_news") if row["project"] == LAKE]
    root = ElementTree.parse(out / "feeds" / f"{SLUG}.xml").getroot()  # noqa: S314 - written just now
    titles = sorted(entry.findtext("a:title", "", ATOM) for entry in root.findall("a:entry", ATOM))
    assert titles == sorted(sentence(row).replace("\x00", "\ufffd").replace("\x1b", "\ufffd") for row in rows)
    ids = [entry.findtext("a:id", "", ATOM) for entry in root.findall("a:entry", ATOM)]
    assert len(set(ids)) == len(rows)
    news_of_lake = document(out, f"api/v1/projects/{SLUG}/news.json")["events"]
    assert sorted(event["text"] for event in news_of_lake) == sorted(sentence(row) for row in rows)
    assert news_of_lake[0]["happened_on"] == max(row["happened_on"] for row in rows).isoformat()
    assert ElementTree.parse(out / "feeds" / "pond.xml").getroot().findall("a:entry", ATOM) == []  # noqa: S314


def test_an_event_keeps_its_id_and_an_address_its_name(published: Lake, out: Path, tmp_path: Path) -> None:
    """Readers show an entry once, and what others embed still works, whatever a later run publishes."""
    published.run_id = "run-2"
    published.stage(**more_gold())
    published.publish()
    later = tmp_path / "later"
    site(published.settings(), later, "https://pulse.example.org/site/")

    def ids(folder: Path) -> list[str | None]:
        root = ElementTree.parse(folder / "feeds" / f"{SLUG}.xml").getroot()  # noqa: S314 - written just now
        return [entry.findtext("a:id", None, ATOM) for entry in root.findall("a:entry", ATOM)]

    assert ids(later) == ids(out)
    assert {str(path.relative_to(out)) for path in out.rglob("*")} == {
        str(path.relative_to(later)) for path in later.rglob("*")
    }
    assert f'href="https://pulse.example.org/site/feeds/{SLUG}.xml"' in (later / "feeds" / f"{SLUG}.xml").read_text("utf-8")
    assert document(later, "openapi.json")["servers"] == [{"url": "https://pulse.example.org/site"}]


def test_releases_are_listed_newest_first(out: Path) -> None:
    assert [row["version"] for row in document(out, f"api/v1/projects/{SLUG}/releases.json")["releases"]] == ["1.1", "1.0"]


def test_a_slug_follows_from_its_name_alone() -> None:
    names = ["Apache Iceberg", "apache-iceberg", "C++", "C#", "ΩΩ", "a" * 300, "../../etc/passwd", POND]
    together = slugs(names)
    assert together == {name: slugs([name])[name] for name in names}
    assert len(set(together.values())) == len(names)
    assert (together["Apache Iceberg"], together[POND]) == ("apache-iceberg", "pond")
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) and len(slug) < 80 for slug in together.values())
    with pytest.raises(PermanentError, match=r"'pond' and 'Pond' would have the same address"):
        slugs(["pond", "Pond"])


def test_a_chart_shows_gaps_and_what_is_partial(published: Lake) -> None:
    catalog = published.catalog()
    meaning = next(figure.meaning for figure in figures(catalog, publications(catalog)[0]) if figure.meaning.figure == "stars")
    first = date(2024, 1, 1)
    values = [1.0, 2.0, 3.0, None, 5.0, None, 4.0, 4.0]
    weeks = [
        value(POND, "stars", given)[0] | {"week": first + timedelta(weeks=place), "status": "partial" if place > 5 else "known"}
        for place, given in enumerate(values)
    ]
    root = ElementTree.fromstring(chart(meaning, HOSTILE, weeks, "as of today"))  # noqa: S314 - written just now
    drawn = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("class") != "rule"]
    assert [(path.get("class"), path.attrib["d"].count("L") + 1) for path in drawn] == [(None, 3), ("partial", 2), (None, 2)]
    assert drawn[0].attrib["d"].startswith("M12.0 159.2L")
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    empty = [week | {"value": None, "status": "none", "reason": "no package"} for week in weeks]
    assert "no package" in chart(meaning, POND, empty, "as of today")


def test_a_site_takes_the_place_of_an_earlier_site_alone(published: Lake, out: Path) -> None:
    site(published.settings(), out, None)
    (out / "mine.txt").write_text("mine")
    with pytest.raises(PermanentError, match="holds nothing that this command wrote earlier"):
        site(published.settings(), out, None)
    assert (out / "mine.txt").read_text() == "mine"


def test_before_the_first_publication_and_with_a_bad_address_it_is_one_line(lake: Lake, tmp_path: Path) -> None:
    done = lake.step("site", str(tmp_path / "site"), check=1)
    assert done.stderr.startswith("error: nothing is published yet")
    done = lake.step("site", str(tmp_path / "site"), "--address", "javascript:alert(1)", check=1)
    assert done.stderr.splitlines()[-1].startswith("error: ADDRESS: must be")
    assert not (tmp_path / "site").exists()
