"""Issues of every state, pull requests among them, as GitHub lists them."""

from __future__ import annotations

from spark_apps.schema import Removal, Table, given, read

TABLE = Table(
    name="issues",
    description="One issue or pull request, from GitHub's list of issues, in its last known state.",
    item="""
        id STRING, number STRING, title STRING, state STRING, state_reason STRING, draft STRING,
        pull_request STRUCT<merged_at: STRING>,
        user STRUCT<login: STRING, id: STRING, type: STRING>, author_association STRING, comments STRING,
        labels ARRAY<STRUCT<name: STRING>>,
        created_at STRING, updated_at STRING, closed_at STRING, html_url STRING
    """,
    columns=(
        given("repo", "string", "scope"),
        given("repo_id", "bigint", "upstream_id", required=True),
        read("number", "bigint", "number", required=True),
        read("issue_id", "bigint", "id", required=True),
        read("title", "string", "title"),
        read("state", "string", "state", required=True),
        read("state_reason", "string", "state_reason"),
        given("is_pull_request", "boolean", "item.pull_request IS NOT NULL"),
        read("is_draft", "boolean", "draft"),
        read("author_login", "string", "user.login"),
        read("author_id", "bigint", "user.id"),
        read("author_type", "string", "user.type"),
        read("author_association", "string", "author_association", in_bronze=False),
        read("comments_count", "bigint", "comments"),
        given("labels", "array<string>", "transform(item.labels, label -> label.name)"),
        read("created_at", "timestamp", "created_at", required=True),
        read("updated_at", "timestamp", "updated_at", required=True),
        read("closed_at", "timestamp", "closed_at"),
        read("merged_at", "timestamp", "pull_request.merged_at"),
        read("html_url", "string", "html_url"),
    ),
    key=("repo_id", "number"),
    scope="repo_id",
    scope_value="upstream_id",
    partitions="bucket(16, repo_id)",
    counted_by=("created_at",),
    also_dated=("updated_at", "closed_at"),
    newest_by="updated_at",
    changed_at="updated_at",
    removal=Removal("is_deleted", gone_value=True, key="number", born="created_at"),
)
