"""CONTRIBUTING.md is tried: its code blocks are applied to a copy of the repository, and the checks run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dbt import rendering
from tests.house import tree
from tests.house.code import ROOT

_BLOCK = re.compile(
    r"^`([\w./]+)`(?:, (after|before) `([^`]+)`)?:\n\n(?:<!-- fmt: off -->\n)?```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)

SOURCE = {
    "images/common/lakepulse/sources.py",
    "images/fetch/lakepulse_fetch/sources/github_stargazers.py",
    "spark_apps/tables/stargazers.py",
    "dbt/models/gold/fct_stars_by_month.sql",
    "dbt/models/gold/fct_stars_by_month.yml",
}
"""Files of "Add a source": at most two a stage."""

FIGURE = {"dbt/models/silver/figures/silver_figures_releases.sql", "dbt/models/silver/figures/_figures.yml"}

FETCH = """
import json
import httpx
from lakepulse.landing import complete_landings
from lakepulse.logs import configure_logs
from lakepulse.projects import Project
from lakepulse.settings import Settings
from lakepulse.store import open_store
from lakepulse_fetch.fetch import fetch
from lakepulse_fetch.sources import all_sources

asked = []

def respond(status, document):
    # In parts, as from a socket: a body that is read already cannot be read with a limit.
    return httpx.Response(status, headers={"content-type": "application/json"}, content=iter([json.dumps(document).encode()]))

def answer(request):
    asked.append((request.url.path, request.headers["accept"]))
    if request.url.path == "/repos/acme/harbour":
        return respond(200, {"id": 7, "full_name": "acme/harbour"})
    if request.url.path == "/repositories/8/stargazers":
        return respond(403, {"message": "Resource not accessible"})
    if request.url.path in ("/repos/acme/lost", "/repositories/8"):
        return respond(200, {"id": 8, "full_name": "acme/lost"})
    return respond(200, [{"starred_at": "2026-11-01T10:00:00Z", "user": {"id": 1, "login": "ada"}}])

settings = Settings(github_token="one", as_of="2026-11-02")
configure_logs(settings)
source = all_sources()["github_stargazers"]
projects = (Project(name="Harbour", repos=("acme/harbour", "acme/lost"), packages=()),)
fetch(settings, [source], projects, transport=httpx.MockTransport(answer))
store = open_store(settings)
for slug in ("acme__harbour", "acme__lost"):
    (landing,) = complete_landings(store, source.name, slug)
    print(landing.status, landing.rows, landing.last_event_at, landing.covered_to, landing.status_detail)
assert ("/repositories/7/stargazers", "application/vnd.github.star+json") in asked
"""

PARSE = """
import sys
from dbt.cli.main import dbtRunner
from lakepulse_dbt.build import _gold
done = dbtRunner().invoke(["--quiet", "parse", "--project-dir", "dbt", "--profiles-dir", "dbt", "--target-path", "target",
                           "--log-path", "target", "--no-send-anonymous-usage-stats"])
if not done.success:
    sys.exit(str(done.exception))
print(*(table.name for table in _gold(done.result)))
"""

COLUMNS = """
from lakepulse_dbt.declared_figures import declared_figures
print(*declared_figures()["silver_figures_releases"])
"""


class Block(NamedTuple):
    """A code block: the text of the file `path`, or lines `where` (after, before) the line `anchor` of it."""

    path: str
    where: str
    anchor: str
    text: str


def blocks() -> list[Block]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return [Block(*found) for found in _BLOCK.findall(text)]


def applied(block: Block, root: Path) -> None:
    file = root / block.path
    if not block.where:
        assert not file.exists(), f"{block.path} exists; say where the lines belong"
        file.write_text(block.text, encoding="utf-8")
        return
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    (number,) = (number for number, line in enumerate(lines) if line.rstrip("\n") == block.anchor)
    lines.insert(number + (block.where == "after"), block.text)
    file.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which somebody followed the page, `make render` included."""
    root = tree.copied(tmp_path_factory.mktemp("tree"))
    for block in blocks():
        applied(block, root)
    done = tree.lakepulse(root, "render")
    assert done.returncode == 0, done.stderr
    return root


def test_the_page_touches_no_more_than_it_promises() -> None:
    assert {block.path for block in blocks()} == SOURCE | FIGURE


def test_every_block_with_code_of_the_repository_names_its_file() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^```(?:python|sql|yaml)$", text, re.MULTILINE)) == len(blocks())


def test_render_leaves_nothing_to_do(followed: Path) -> None:
    done = tree.lakepulse(followed, "render", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "github_stargazers,repo,48,false\n" in (followed / "dbt/seeds/sources.csv").read_text(encoding="utf-8")
    assert "raw_rows('stargazers')" in (followed / "dbt/models/bronze/bronze_stargazers.sql").read_text(encoding="utf-8")
    assert "github_stargazers" in (followed / "workflows/rendered/base-repo.yaml").read_text(encoding="utf-8")


def test_the_source_fetches(followed: Path) -> None:
    done = tree.python(followed, "-c", FETCH)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "ok 1 2026-11-01 10:00:00+00:00 None None",
        "closed 0 None None 403 Resource not accessible",
    ]


def test_dbt_takes_the_models_and_the_figure(followed: Path) -> None:
    done = tree.python(followed, "-c", PARSE)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "fct_stars_by_month" in done.stdout.splitlines()[-1].split()
    done = tree.python(followed, "-c", COLUMNS)
    assert done.stdout.split() == ["releases_365d", "releases_90d", "days_since_release"]
    assert '"releases_90d"' in (followed / "dbt/macros/figure_models.sql").read_text(encoding="utf-8")


def test_the_sql_counts(followed: Path) -> None:
    gold = (followed / "dbt/models/gold/fct_stars_by_month.sql").read_text(encoding="utf-8")
    releases = (followed / "dbt/models/silver/figures/silver_figures_releases.sql").read_text(encoding="utf-8")
    stars = [
        {"repo": "Acme/harbour", "user_id": user, "starred_at": day}
        for user, day in ((1, "2026-10-03"), (2, "2026-10-30"), (3, "2026-11-01"), (4, "2026-11-02"))
    ]
    with tree.empty_lake() as (connection, run):
        run.build(connection, "silver_listed_scopes", "silver_figure_weeks", "silver_scope_versions")
        rendering.table(connection, "bronze_stargazers", stars, repo="varchar", user_id="bigint", starred_at="timestamp")
        counted = sorted(connection.execute(run.expression(gold)).fetchall())
        named = [column[0] for column in connection.execute(f"describe {run.expression(releases)}").fetchall()]
    assert [(repo, str(month), number) for repo, month, number in counted] == [
        ("acme/harbour", "2026-10-01", 2),
        ("acme/harbour", "2026-11-01", 1),
    ]
    assert {"releases_90d", "releases_90d_n"} <= set(named)


def test_the_new_code_is_in_our_style(followed: Path) -> None:
    paths = [block.path for block in blocks() if block.path.endswith(".py")]
    for command in (["check"], ["format", "--check"]):
        done = tree.python(followed, "-m", "ruff", *command, "--no-cache", *paths)
        assert done.returncode == 0, done.stdout
