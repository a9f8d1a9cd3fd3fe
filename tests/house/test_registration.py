"""Nothing can be forgotten in silence: wherever something is registered, a missing entry is an error that names it."""

from __future__ import annotations

import copy
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lakepulse.cli import COMMANDS
from lakepulse.outcome import PermanentError
from lakepulse.render import RENDERERS
from lakepulse_dbt import build
from lakepulse_dbt.declared_figures import declared_figures
from tests.house import registered, tree
from tests.house.code import PACKAGES, ROOT
from workflows.pipelines import PIPELINES

REGISTER = "images/common/lakepulse/sources.py"
FETCH = "images/fetch/lakepulse_fetch/sources"
FIGURES = "dbt/models/silver/figures/_figures.yml"
PULLS = '    Entry(name="github_pulls", upstream="github", table="pulls", scope="repo", pipeline="issues"),\n'
STARS = '    Entry(name="github_stars", upstream="github", table="stars", scope="repo", pipeline="issues"),\n'

RENDER = ("-m", "lakepulse", "render", "--check")
FETCHING = ("-m", "lakepulse", "fetch", "--sources", "github_repo")
BUILD = ("-m", "lakepulse", "build")
PAGES = ("-c", "import dashboard.views")
RULES = ("-c", "from pathlib import Path; from lakepulse_dbt.alerts import load_rules; load_rules(Path('dbt/alerts.yaml'))")


class Case(NamedTuple):
    """In the file `path` of the tree, `old` becomes `new`; then `call` of Python fails with a line that holds `words`.

    Without `old` the file is written as `new`; without both it is removed.
    """

    path: str
    old: str | None
    new: str | None
    call: tuple[str, ...]
    words: str


CASES = {
    # --- the register of sources
    "a source without its fetch module": Case(
        f"{FETCH}/github_pulls.py", None, None, FETCHING, "error: source github_pulls of lakepulse/sources.py is not declared"
    ),
    "a fetch module without its source": Case(
        REGISTER, PULLS, "", FETCHING, "error: source github_pulls of images/fetch/lakepulse_fetch/sources has no entry"
    ),
    "a raw table without its module": Case(
        "spark_apps/tables/pulls.py", None, None, RENDER, "error: raw table pulls of lakepulse/sources.py is not declared in"
    ),
    "a table module that no source fills": Case(
        REGISTER, PULLS, "", RENDER, "error: raw table pulls of spark_apps/tables has no entry in lakepulse/sources.py"
    ),
    "a source whose raw table is new": Case(
        REGISTER, PULLS, PULLS + STARS, RENDER, "error: raw table stars of lakepulse/sources.py is not declared in"
    ),
    "a source of a pipeline that does not exist": Case(
        REGISTER,
        PULLS,
        PULLS.replace('pipeline="issues"', 'pipeline="hourly"'),
        FETCHING,
        "error: lakepulse/sources.py: source github_pulls: pipeline 'hourly' is not one of base_repo, commits",
    ),
    "an upstream whose API is not described": Case(
        REGISTER,
        'Upstream = Literal["github",',
        'Upstream = Literal["gitlab", "github",',
        FETCHING,
        "error: upstream gitlab of lakepulse/sources.py is not declared in images/fetch/lakepulse_fetch/apis.py",
    ),
    "a source of a shared table without its kind": Case(
        REGISTER, ' kind="overall",', "", RENDER, "error: source pypistats_overall has no kind in lakepulse/sources.py"
    ),
    "a column that marks removed rows": Case(
        "spark_apps/tables/releases.py",
        'key="release_id", born',
        'key="id", born',
        RENDER,
        "error: raw table releases: not a bronze column, or of another type: removal key: id",
    ),
    # --- the rendered files
    "a bronze model": Case(
        "dbt/models/bronze/bronze_pulls.sql",
        None,
        None,
        RENDER,
        "error: out of date: {tree}/dbt/models/bronze/bronze_pulls.sql;",
    ),
    "a bronze model, at build": Case(
        "dbt/models/bronze/bronze_pulls.sql",
        None,
        None,
        BUILD,
        "error: raw table pulls has no {tree}/dbt/models/bronze/bronze_",
    ),
    "a bronze model of a table that is gone": Case(
        "dbt/models/bronze/bronze_stars.sql",
        None,
        "select 1\n",
        RENDER,
        "{tree}/dbt/models/bronze/bronze_stars.sql (its origin",
    ),
    "a column of the dbt sources": Case(
        "dbt/models/bronze/_sources.yml", "          - {name: merged_at, ", "          - {name: m_at, ", RENDER, "_sources.yml;"
    ),
    "a source in the seed": Case(
        "dbt/seeds/sources.csv", "github_pulls,repo,48,false\n", "", RENDER, "out of date: {tree}/dbt/seeds/sources.csv;"
    ),
    "a source in the seed, at build": Case(
        "dbt/seeds/sources.csv", "github_pulls,repo,48,false\n", "", BUILD, "error: source github_pulls differs between"
    ),
    "a source in the macro that models loop over": Case(
        "dbt/macros/rendered.sql", "{'name': 'github_pulls',", "{'name': 'x',", RENDER, "{tree}/dbt/macros/rendered.sql;"
    ),
    "a source in the macro that models loop over, at build": Case(
        "dbt/macros/rendered.sql", "{'name': 'github_pulls',", "{'name': 'x',", BUILD, "error: github_pulls is missing in"
    ),
    "a figure in the macro": Case(
        "dbt/macros/figure_models.sql", '"stars_gained_28d"', '"gained"', RENDER, "{tree}/dbt/macros/figure_models.sql;"
    ),
    "a figure in the macro, at build": Case(
        "dbt/macros/figure_models.sql", '"stars_gained_28d"', '"gained"', BUILD, "macros/figure_models.sql does not match"
    ),
    "a rendered pipeline": Case(
        "workflows/rendered/daily.yaml", None, None, RENDER, "error: out of date: {tree}/workflows/rendered/daily.yaml;"
    ),
    "a rendered pipeline that is gone": Case(
        "workflows/rendered/old.yaml", None, "a: 1\n", RENDER, "{tree}/workflows/rendered/old.yaml (its origin is gone);"
    ),
    "a pipeline in the kustomization": Case(
        "workflows/kustomization.yaml",
        "- rendered/issues.yaml\n",
        "",
        RENDER,
        "out of date: {tree}/workflows/kustomization.yaml",
    ),
    # --- figures and rules
    "a figure's source": Case(
        FIGURES,
        "sources: [github_repo]",
        "sources: [github_stars]",
        RENDER,
        "_figures.yml: figure stars: unknown source github_s",
    ),
    "a line of a figure's entry": Case(
        FIGURES, "            title: Stars\n", "", RENDER, "_figures.yml: figure stars: title: Field required"
    ),
    "a figure that is declared twice": Case(
        "dbt/models/gold/dim_figures.yml",
        None,
        (ROOT / FIGURES).read_text(encoding="utf-8"),
        RENDER,
        "_figures.yml: figure commits_28d: already declared in models/gold/dim_figures.yml",
    ),
    "the figure of an alert's rule": Case(
        "dbt/alerts.yaml",
        "figure: days_since_release",
        "figure: days_since",
        RULES,
        "rule 6: figure: unknown figure 'days_since'",
    ),
    # --- pages
    "a page's declaration": Case(
        "dashboard/views/pulls.py",
        "\nPAGE = ",
        "\nOTHER = ",
        PAGES,
        "dashboard.views.pulls declares no page: add PAGE = Page(...)",
    ),
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree; who changes it restores it."""
    return tree.copied(tmp_path_factory.mktemp("tree"))


@contextmanager
def changed(root: Path, path: str, old: str | None, new: str | None) -> Iterator[None]:
    """The tree with the change of a case."""
    file = root / path
    before = file.read_bytes() if file.exists() else None
    text = new if old is None else (before or b"").decode().replace(old, new or "", 1)
    if old is not None:
        assert (before or b"").decode() != text, f"{path} does not hold {old!r}"
    try:
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)


def test_the_tree_is_in_order(copied: Path) -> None:
    for call in (RENDER, PAGES, RULES):
        done = tree.python(copied, *call)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


@pytest.mark.parametrize("name", CASES)
def test_what_is_forgotten_is_named(name: str, copied: Path) -> None:
    case = CASES[name]
    with changed(copied, case.path, case.old, case.new):
        done = tree.python(copied, *case.call)
    has_written = (copied / "data").exists()
    shutil.rmtree(copied / "data", ignore_errors=True)
    assert done.returncode == 1
    (*_, last) = done.stderr.splitlines()
    assert case.words.format(tree=copied) in last
    assert not has_written, "it wrote before it checked"


# --- what has no command that could notice: compared here, and the comparison is tried


def test_every_package_is_known_to_the_checks(tmp_path: Path) -> None:
    assert registered.unlisted_packages(ROOT, PACKAGES) == []
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "images" / "push" / "lakepulse_push").mkdir(parents=True)
    (tmp_path / "images" / "push" / "lakepulse_push" / "__init__.py").touch()
    assert registered.unlisted_packages(tmp_path, PACKAGES) == [
        "images/push/lakepulse_push: add the package to PACKAGES of tests/house/code.py",
        "images/push/lakepulse_push: add it to the packages that `make lint` checks, in the Makefile",
        "images/push/lakepulse_push: add it to known_first_party and source_pkgs, in pyproject.toml",
    ]


def test_commands_and_their_functions_agree() -> None:
    assert registered.unlisted_commands(COMMANDS) == []
    others = [command for command in COMMANDS if command.name != "load"]
    assert registered.unlisted_commands(others) == ["spark_apps.commands: load has no line in COMMANDS of lakepulse/cli.py"]
    lost = (*COMMANDS, COMMANDS[0]._replace(name="walk"))
    assert registered.unlisted_commands(lost) == ["workflows.commands: no function walk for the command of lakepulse/cli.py"]


def test_every_renderer_is_called() -> None:
    folders = [ROOT / base / package for package, base in PACKAGES.items()]
    assert registered.unlisted_renderers(ROOT, folders, RENDERERS) == []
    for name in RENDERERS:
        others = [other for other in RENDERERS if other != name]
        (problem,) = registered.unlisted_renderers(ROOT, folders, others)
        assert problem.endswith(f"{name} is not in RENDERERS of lakepulse/render.py")


def test_every_source_is_in_the_pipeline_of_its_group() -> None:
    assert registered.groups_without_pipeline(PIPELINES) == []
    assert registered.groups_without_pipeline(name for name in PIPELINES if name != "commits") == [
        "source github_commits: its pipeline commits is not in PIPELINES of workflows/pipelines.py"
    ]


def test_every_query_is_used(copied: Path) -> None:
    folder = copied / "dashboard"
    assert registered.unused_queries(folder) == []
    with changed(copied, "dashboard/views/pulls/extra.sql", None, "select 1\n"):
        assert registered.unused_queries(folder) == ["dashboard/views/pulls.py does not use pulls/extra.sql"]
    with changed(copied, "dashboard/views/pulls/outcomes.sql", None, None):
        assert registered.unused_queries(folder) == ["dashboard/views/pulls.py: no file pulls/outcomes.sql"]
    (folder / "lost").mkdir()
    with changed(copied, "dashboard/lost/some.sql", None, "select 1\n"):
        assert registered.unused_queries(folder) == ["dashboard/lost: no module beside it"]


def test_every_table_that_a_page_shows_is_explained(copied: Path) -> None:
    folder = copied / "dashboard"
    assert registered.undefined_tables(folder) == []
    with changed(copied, "dashboard/definitions.yaml", "fct_known_breaks:", "fct_other:"):
        assert registered.undefined_tables(folder) == [
            "dashboard/views/data.py: fct_known_breaks has no entry in dashboard/definitions.yaml"
        ]


# --- figures: a column and an entry


MODELS = {path.stem: path for path in (ROOT / "dbt" / "models" / "silver" / "figures").glob("silver_figures_*.sql")}
Columns = Callable[[str, str], list[str]]


@pytest.fixture(scope="module")
def columns() -> Iterator[Columns]:
    """The columns of a figure model (its name, its text), of an empty lake."""
    with tree.empty_lake() as (connection, run):
        run.build(connection, *MODELS)

        def described(name: str, text: str) -> list[str]:
            connection.execute(f"create or replace table {name} as {run.expression(text)}")
            return [row[0] for row in connection.execute(f"describe {name}").fetchall()]

        yield described


def all_columns(columns: Columns) -> dict[str, list[str]]:
    return {name: columns(name, path.read_text(encoding="utf-8")) for name, path in MODELS.items()}


def test_columns_and_entries_of_figures_agree(columns: Columns) -> None:
    assert registered.figure_drift(declared_figures(), all_columns(columns)) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("as stars_gained_28d,", "as gained,", "figure stars_gained_28d has no column stars_gained_28d"),
        ("as stars_gained_28d_n,", "as gained_n,", "figure stars_gained_28d has no column stars_gained_28d_n"),
        ("end as stars_status,", "end as status,", "figure stars has no column stars_status"),
        ("    totals.stars,\n", "    totals.stars,\n    1 as forks_n,\n", "column forks_n belongs to no figure that the YAML"),
    ],
)
def test_a_column_without_its_entry_is_named(columns: Columns, old: str, new: str, problem: str) -> None:
    text = MODELS["silver_figures_stars"].read_text(encoding="utf-8")
    assert old in text
    found = {"silver_figures_stars": columns("silver_figures_stars", text.replace(old, new))}
    assert f"silver_figures_stars: {problem}" in "\n".join(registered.figure_drift(declared_figures(), found))


def test_an_entry_that_is_forgotten_is_named(copied: Path, columns: Columns) -> None:
    text = (copied / FIGURES).read_text(encoding="utf-8")
    entry = text[text.index("          stars_gained_28d:\n") : text.index("    data_tests:", text.index("stars_gained_28d:"))]
    with changed(copied, FIGURES, entry, ""):
        found = registered.figure_drift(declared_figures(copied / "dbt"), all_columns(columns))
    assert found[0] == ("silver_figures_stars: column stars_gained_28d_n belongs to no figure that the YAML beside it declares")
    # A model that declares none at all.
    others = {model: figures for model, figures in declared_figures().items() if model != "silver_figures_stars"}
    assert registered.figure_drift(others, all_columns(columns))


# --- gold: a grain and its test


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project as dbt parses it."""
    from dbt.cli.main import dbtRunner

    target, project = str(tmp_path_factory.mktemp("target")), str(ROOT / "dbt")
    options = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setitem(os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        done = dbtRunner().invoke(["--quiet", "parse", *options])
    assert done.success, done.exception
    return done.result


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("meta", "models/gold/fct_people.sql: a gold model needs its grain: config: meta: grain: [columns]"),
        ("test", "models/gold/fct_people.sql: a gold model needs the data test grain of "),
    ],
)
def test_a_gold_model_without_its_grain_is_named(manifest: Any, what: str, problem: str) -> None:
    assert len(build._gold(manifest)) == len(list((ROOT / "dbt" / "models" / "gold").glob("*.sql")))
    people = "model.lakepulse.fct_people"
    broken = copy.copy(manifest)
    if what == "meta":
        broken.nodes = manifest.nodes | {people: copy.deepcopy(manifest.nodes[people])}
        broken.nodes[people].config.meta.pop("grain")
    else:
        broken.nodes = {
            key: node
            for key, node in manifest.nodes.items()
            if not (getattr(node, "attached_node", None) == people and node.test_metadata.name == "grain")
        }
    with pytest.raises(PermanentError) as caught:
        build._gold(broken)
    assert str(caught.value).startswith(problem)
