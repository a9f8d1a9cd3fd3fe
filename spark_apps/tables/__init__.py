"""The raw tables, by name. A new one is a module of this package and a line here."""

from __future__ import annotations

from spark_apps.schema import Table
from spark_apps.tables import (
    commits,
    downloads,
    issue_comments,
    issues,
    package_files,
    pulls,
    releases,
    repo_snapshots,
)

TABLES: dict[str, Table] = {
    module.TABLE.name: module.TABLE
    for module in (repo_snapshots, commits, issues, issue_comments, pulls, releases, downloads, package_files)
}
