"""The register of sources: what is fetched, from where, into which raw table, and when it is late.

Every list of sources elsewhere comes from here: the pipelines' groups, dbt's seed `sources`, the loops
in its models. To add a source, add an entry, `images/fetch/lakepulse_fetch/sources/<name>.py` and, if it
has a raw table of its own, `spark_apps/tables/<table>.py`. An entry without a module, or a module
without an entry, stops every command.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from lakepulse.outcome import PermanentError

Upstream = Literal["github", "pypistats", "pypi", "clickhouse", "imports"]
ScopeKind = Literal["repo", "package"]
Pipeline = Literal["base_repo", "commits", "issues", "downloads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One source.

    `upstream` is the API that it is fetched from. `table` is the raw table that its rows are merged into, and `kind`
    what they carry in its column `kind`, where several sources share one. `pipeline` fetches it between two
    daily runs. Without a visit for `stale_after_hours` it is stale. `is_optional`: a setting switches it on, and
    until then it is not late. `is_local`: it reads files in DATA_DIR, so a cluster does not have it.

    Raises:
        PermanentError: `upstream`, `scope` or `pipeline` is none of the known ones.
    """

    name: str
    upstream: Upstream
    table: str
    scope: ScopeKind
    pipeline: Pipeline
    kind: str | None = None
    stale_after_hours: int = 48
    is_optional: bool = False
    is_local: bool = False

    def __post_init__(self) -> None:
        for field, value, known in (
            ("upstream", self.upstream, get_args(Upstream)),
            ("scope", self.scope, get_args(ScopeKind)),
            ("pipeline", self.pipeline, get_args(Pipeline)),
        ):
            if value not in known:
                raise PermanentError(
                    f"lakepulse/sources.py: source {self.name}: {field} {value!r} is not one of {', '.join(known)}"
                )

    @property
    def part(self) -> str:
        """The share of a fetch that it runs in on a cluster: sources of GitHub share its limits, the others are few."""
        return "github" if self.upstream == "github" else "pypi"


REGISTER: tuple[Entry, ...] = (
    Entry(name="github_repo", upstream="github", table="repo_snapshots", scope="repo", pipeline="base_repo"),
    Entry(name="github_commits", upstream="github", table="commits", scope="repo", pipeline="commits"),
    Entry(name="github_issues", upstream="github", table="issues", scope="repo", pipeline="issues"),
    Entry(name="github_comments", upstream="github", table="issue_comments", scope="repo", pipeline="issues"),
    Entry(name="github_pulls", upstream="github", table="pulls", scope="repo", pipeline="issues"),
    Entry(name="github_releases", upstream="github", table="releases", scope="repo", pipeline="base_repo"),
    Entry(
        name="pypistats_overall", upstream="pypistats", table="downloads", kind="overall", scope="package", pipeline="downloads"
    ),
    Entry(
        name="pypistats_python_minor",
        upstream="pypistats",
        table="downloads",
        kind="python_minor",
        scope="package",
        pipeline="downloads",
    ),
    Entry(
        name="pypistats_system", upstream="pypistats", table="downloads", kind="system", scope="package", pipeline="downloads"
    ),
    Entry(name="pypi_releases", upstream="pypi", table="package_files", scope="package", pipeline="downloads"),
    Entry(
        name="clickhouse_versions",
        upstream="clickhouse",
        table="downloads",
        kind="version",
        scope="package",
        pipeline="downloads",
        is_optional=True,
    ),
    Entry(
        name="import_versions",
        upstream="imports",
        table="downloads",
        kind="version",
        scope="package",
        pipeline="downloads",
        # Files are exported by hand, about once a month.
        stale_after_hours=744,
        is_optional=True,
        is_local=True,
    ),
)
"""Every source, in the order in which a run visits them."""

SOURCES: dict[str, Entry] = {entry.name: entry for entry in REGISTER}
"""Source name -> its entry."""


def raw_tables() -> tuple[str, ...]:
    """The distinct raw tables that the sources fill, in the order of the register."""
    return tuple(dict.fromkeys(entry.table for entry in REGISTER))


def sources_of(table: str) -> tuple[Entry, ...]:
    """The sources of a raw table."""
    return tuple(entry for entry in REGISTER if entry.table == table)


def check_registered(what: str, found: Iterable[str], registered: Iterable[str], where: str) -> None:
    """Compare the modules that were discovered with the register.

    Args:
        what: what is compared, as in "source".
        found: names that modules of the folder `where` declare.
        registered: names that the register has.

    Raises:
        PermanentError: they differ; the message names what is missing and the file to edit.
    """
    modules, entries = list(found), set(registered)
    twice = sorted({name for name in modules if modules.count(name) > 1})
    unregistered, missing = sorted(set(modules) - entries), sorted(entries - set(modules))
    problems = [f"{what} {', '.join(twice)} is declared by two modules of {where}"] if twice else []
    if unregistered:
        problems.append(f"{what} {', '.join(unregistered)} of {where} has no entry in lakepulse/sources.py")
    if missing:
        problems.append(f"{what} {', '.join(missing)} of lakepulse/sources.py is not declared in {where}")
    if problems:
        raise PermanentError(f"{'; '.join(problems)}; add what is missing")
