"""Columns of the raw Iceberg tables, as far as dbt reads them.

`spark_apps` owns the tables; this is what bronze relies on, so that a table which has no
landing yet is an empty relation of the right types, and an older table lacks no column.
`payload`, the unparsed JSON, is left out: it is by far the largest column and dbt never reads it.
"""

from __future__ import annotations

import pyarrow as pa

UNREAD = frozenset({"payload"})

_TEXT = pa.string()
_WHOLE = pa.int64()
_FLAG = pa.bool_()
_DAY = pa.date32()
_TIME = pa.timestamp("us", tz="UTC")
_TEXTS = pa.list_(pa.string())

_LANDED = {"landing_id": _TEXT, "load_seq": _WHOLE, "fetched_at": _TIME, "loaded_at": _TIME}


def _person(role: str) -> dict[str, pa.DataType]:
    return {f"{role}_login": _TEXT, f"{role}_id": _WHOLE, f"{role}_type": _TEXT}


def _signature(role: str, at: str) -> dict[str, pa.DataType]:
    return {f"{role}_name": _TEXT, f"{role}_email": _TEXT, at: _TIME} | _person(role)


RAW_TABLES: dict[str, pa.Schema] = {
    name: pa.schema(columns)
    for name, columns in {
        "repo_snapshots": {
            "repo": _TEXT,
            "snapshot_date": _DAY,
            "repo_id": _WHOLE,
            "full_name": _TEXT,
            "default_branch": _TEXT,
            "is_archived": _FLAG,
            "forks_count": _WHOLE,
            "size_kb": _WHOLE,
            "watchers_count": _WHOLE,
            "stargazers_count": _WHOLE,
            "subscribers_count": _WHOLE,
            "open_issues_count": _WHOLE,
            "network_count": _WHOLE,
            "created_at": _TIME,
            "pushed_at": _TIME,
            "updated_at": _TIME,
        }
        | _LANDED,
        "commits": {"repo": _TEXT, "sha": _TEXT, "repo_id": _WHOLE}
        | _signature("author", "authored_at")
        | _signature("committer", "committed_at")
        | {"message": _TEXT, "parents": _TEXTS, "is_reachable": _FLAG}
        | _LANDED,
        "issues": {
            "repo": _TEXT,
            "repo_id": _WHOLE,
            "number": _WHOLE,
            "issue_id": _WHOLE,
            "title": _TEXT,
            "state": _TEXT,
            "state_reason": _TEXT,
            "is_pull_request": _FLAG,
            "is_draft": _FLAG,
        }
        | _person("author")
        | {
            "author_association": _TEXT,
            "comments_count": _WHOLE,
            "labels": _TEXTS,
            "created_at": _TIME,
            "updated_at": _TIME,
            "closed_at": _TIME,
            "merged_at": _TIME,
            "html_url": _TEXT,
            "is_deleted": _FLAG,
        }
        | _LANDED,
        "issue_comments": {"repo": _TEXT, "repo_id": _WHOLE, "comment_id": _WHOLE, "issue_number": _WHOLE}
        | _person("author")
        | {"created_at": _TIME, "updated_at": _TIME, "html_url": _TEXT, "is_deleted": _FLAG}
        | _LANDED,
        "pulls": {
            "repo": _TEXT,
            "repo_id": _WHOLE,
            "number": _WHOLE,
            "state": _TEXT,
            "is_draft": _FLAG,
            "title": _TEXT,
        }
        | _person("author")
        | {
            "created_at": _TIME,
            "updated_at": _TIME,
            "closed_at": _TIME,
            "merged_at": _TIME,
            "html_url": _TEXT,
            "is_deleted": _FLAG,
        }
        | _LANDED,
        "releases": {
            "repo": _TEXT,
            "repo_id": _WHOLE,
            "release_id": _WHOLE,
            "tag_name": _TEXT,
            "name": _TEXT,
            "is_draft": _FLAG,
            "is_prerelease": _FLAG,
            "created_at": _TIME,
            "published_at": _TIME,
            "author_login": _TEXT,
            "html_url": _TEXT,
            "is_deleted": _FLAG,
        }
        | _LANDED,
        "downloads": {"package": _TEXT, "kind": _TEXT, "category": _TEXT, "date": _DAY, "downloads": _WHOLE} | _LANDED,
        "package_files": {
            "package": _TEXT,
            "version": _TEXT,
            "filename": _TEXT,
            "packagetype": _TEXT,
            "uploaded_at": _TIME,
            "is_prerelease": _FLAG,
            "is_yanked": _FLAG,
            "yanked_reason": _TEXT,
            "requires_python": _TEXT,
            "is_deleted": _FLAG,
        }
        | _LANDED,
        "landings": {
            "landing_id": _TEXT,
            "source": _TEXT,
            "scope": _TEXT,
            "run_id": _TEXT,
            "as_of": _DAY,
            "started_at": _TIME,
            "finished_at": _TIME,
            "status": _TEXT,
            "status_detail": _TEXT,
            "pages": pa.int32(),
            "rows": _WHOLE,
            "requests": _WHOLE,
            "quota": _WHOLE,
            "watermark": _TIME,
            "covered_from": _TIME,
            "last_event_at": _TIME,
            "upstream_id": _WHOLE,
            "upstream_name": _TEXT,
            "load_seq": _WHOLE,
            "loaded_at": _TIME,
        },
        "quarantine": {
            "landing_id": _TEXT,
            "source": _TEXT,
            "scope": _TEXT,
            "table_name": _TEXT,
            "page_file": _TEXT,
            "line": pa.int32(),
            "reason": _TEXT,
            "load_seq": _WHOLE,
            "loaded_at": _TIME,
            "resolved_at": _TIME,
        },
    }.items()
}
