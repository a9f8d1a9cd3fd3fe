"""Comments on issues and pull requests."""

from __future__ import annotations

from spark_apps.schema import Removal, Table, given, read

TABLE = Table(
    name="issue_comments",
    description="One comment on an issue or pull request.",
    item="""
        id STRING, issue_url STRING, user STRUCT<login: STRING, id: STRING, type: STRING>,
        created_at STRING, updated_at STRING, html_url STRING
    """,
    columns=(
        given("repo", "string", "scope"),
        given("repo_id", "bigint", "upstream_id", required=True),
        read("comment_id", "bigint", "id", required=True),
        given(
            "issue_number",
            "bigint",
            "try_cast(regexp_extract(item.issue_url, '/issues/([0-9]{1,18})$', 1) AS BIGINT)",
            required=True,
        ),
        read("author_login", "string", "user.login"),
        read("author_id", "bigint", "user.id"),
        read("author_type", "string", "user.type"),
        read("created_at", "timestamp", "created_at", required=True),
        read("updated_at", "timestamp", "updated_at", required=True),
        read("html_url", "string", "html_url"),
    ),
    key=("repo_id", "comment_id"),
    scope="repo_id",
    scope_value="upstream_id",
    partitions="bucket(16, repo_id)",
    counted_by=("created_at",),
    newest_by="updated_at",
    label="comments",
    changed_at="updated_at",
    removal=Removal("is_deleted", gone_value=True, key="comment_id", born="created_at"),
)
