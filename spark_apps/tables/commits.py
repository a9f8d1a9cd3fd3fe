"""Commits of the default branch."""

from __future__ import annotations

from spark_apps.schema import Removal, Table, given, read

TABLE = Table(
    name="commits",
    description="One commit that the default branch has or, if not `is_reachable`, had; with raw e-mail addresses.",
    item="""
        sha STRING,
        commit STRUCT<author: STRUCT<name: STRING, email: STRING, date: STRING>,
                      committer: STRUCT<name: STRING, email: STRING, date: STRING>, message: STRING>,
        author STRUCT<login: STRING, id: STRING, type: STRING>,
        committer STRUCT<login: STRING, id: STRING, type: STRING>,
        parents ARRAY<STRUCT<sha: STRING>>
    """,
    columns=(
        given("repo", "string", "scope"),
        read("sha", "string", "sha", required=True),
        given("repo_id", "bigint", "upstream_id"),
        read("author_name", "string", "commit.author.name"),
        read("author_email", "string", "commit.author.email"),
        read("authored_at", "timestamp", "commit.author.date", required=True),
        read("author_login", "string", "author.login"),
        read("author_id", "bigint", "author.id"),
        read("author_type", "string", "author.type"),
        read("committer_name", "string", "commit.committer.name"),
        read("committer_email", "string", "commit.committer.email"),
        read("committed_at", "timestamp", "commit.committer.date", required=True),
        read("committer_login", "string", "committer.login"),
        read("committer_id", "bigint", "committer.id"),
        read("committer_type", "string", "committer.type"),
        read("message", "string", "commit.message"),
        given("parents", "array<string>", "transform(item.parents, parent -> parent.sha)", in_bronze=False),
    ),
    key=("repo", "sha"),
    scope="repo",
    scope_value="scope",
    partitions="bucket(16, repo)",
    counted_by=("authored_at", "committed_at"),
    newest_by="committed_at",
    removal=Removal("is_reachable", gone_value=False, key="sha", born="committed_at"),
    target_file_mb=128,
)
