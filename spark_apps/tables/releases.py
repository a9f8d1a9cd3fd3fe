"""GitHub releases, drafts and pre-releases among them."""

from __future__ import annotations

from spark_apps.schema import Removal, Table, given, read

TABLE = Table(
    name="releases",
    description="One GitHub release, drafts included.",
    item="""
        id STRING, tag_name STRING, name STRING, draft STRING, prerelease STRING, created_at STRING, published_at STRING,
        author STRUCT<login: STRING, id: STRING, type: STRING>, html_url STRING
    """,
    columns=(
        given("repo", "string", "scope"),
        given("repo_id", "bigint", "upstream_id", required=True),
        read("release_id", "bigint", "id", required=True),
        read("tag_name", "string", "tag_name", required=True),
        read("name", "string", "name"),
        read("is_draft", "boolean", "draft"),
        read("is_prerelease", "boolean", "prerelease"),
        read("created_at", "timestamp", "created_at"),
        read("published_at", "timestamp", "published_at"),
        read("author_login", "string", "author.login"),
        read("author_id", "bigint", "author.id"),
        read("author_type", "string", "author.type"),
        read("html_url", "string", "html_url"),
    ),
    key=("repo_id", "release_id"),
    scope="repo_id",
    scope_value="upstream_id",
    partitions="bucket(16, repo_id)",
    counted_by=("published_at",),
    newest_by="published_at",
    # A draft has no date yet.
    undated_if="is_draft",
    removal=Removal("is_deleted", gone_value=True, key="release_id", born="created_at"),
)
