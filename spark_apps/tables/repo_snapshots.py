"""Repository objects, one a repo and day."""

from __future__ import annotations

from spark_apps.schema import Table, given, read

TABLE = Table(
    name="repo_snapshots",
    description="GitHub's repository object as of a date.",
    item="""
        id STRING, full_name STRING, default_branch STRING, archived STRING, disabled STRING, has_issues STRING,
        forks_count STRING, size STRING, watchers_count STRING, stargazers_count STRING, subscribers_count STRING,
        open_issues_count STRING, network_count STRING, created_at STRING, pushed_at STRING, updated_at STRING
    """,
    columns=(
        given("repo", "string", "scope"),
        given("snapshot_date", "date", "as_of"),
        read("repo_id", "bigint", "id", required=True),
        read("full_name", "string", "full_name"),
        read("default_branch", "string", "default_branch"),
        read("is_archived", "boolean", "archived"),
        read("is_disabled", "boolean", "disabled"),
        read("has_issues", "boolean", "has_issues"),
        read("forks_count", "bigint", "forks_count"),
        read("size_kb", "bigint", "size"),
        read("watchers_count", "bigint", "watchers_count"),
        read("stargazers_count", "bigint", "stargazers_count"),
        read("subscribers_count", "bigint", "subscribers_count"),
        read("open_issues_count", "bigint", "open_issues_count"),
        read("network_count", "bigint", "network_count"),
        read("created_at", "timestamp", "created_at"),
        read("pushed_at", "timestamp", "pushed_at"),
        read("updated_at", "timestamp", "updated_at"),
    ),
    key=("repo", "snapshot_date"),
    scope="repo",
    scope_value="scope",
    # One small row a repo and day: years keep decades in few files.
    partitions="years(snapshot_date)",
    counted_by=("snapshot_date",),
    newest_by="updated_at",
    # No changed_at: stars and forks move without the repository's updated_at, and the day's last visit counts.
)
