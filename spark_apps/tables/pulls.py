"""Pull requests, from their own list, which has the time of the merge."""

from __future__ import annotations

from spark_apps.schema import Removal, Table, given, read

TABLE = Table(
    name="pulls",
    description="One pull request, from GitHub's list of pull requests, in its last known state.",
    item="""
        number STRING, state STRING, draft STRING, title STRING, user STRUCT<login: STRING, id: STRING, type: STRING>,
        created_at STRING, updated_at STRING, closed_at STRING, merged_at STRING, merge_commit_sha STRING,
        html_url STRING
    """,
    columns=(
        given("repo", "string", "scope"),
        given("repo_id", "bigint", "upstream_id", required=True),
        read("number", "bigint", "number", required=True),
        read("state", "string", "state", required=True),
        read("is_draft", "boolean", "draft"),
        read("title", "string", "title"),
        read("author_login", "string", "user.login"),
        read("author_id", "bigint", "user.id"),
        read("author_type", "string", "user.type"),
        read("created_at", "timestamp", "created_at", required=True),
        read("updated_at", "timestamp", "updated_at", required=True),
        read("closed_at", "timestamp", "closed_at"),
        read("merged_at", "timestamp", "merged_at"),
        read("merge_commit_sha", "string", "merge_commit_sha"),
        read("html_url", "string", "html_url"),
    ),
    key=("repo_id", "number"),
    scope="repo_id",
    scope_value="upstream_id",
    partitions="bucket(16, repo_id)",
    counted_by=("created_at",),
    also_dated=("closed_at", "merged_at"),
    newest_by="updated_at",
    label="pull_requests",
    changed_at="updated_at",
    removal=Removal("is_deleted", gone_value=True, key="number", born="created_at"),
)
