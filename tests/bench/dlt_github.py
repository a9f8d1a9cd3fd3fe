"""dlt's rest_api source on GitHub's lists, into DuckDB: run by `tests.bench.loaders` in a virtual environment of dlt's own.

Arguments: the API's address, the repository, dlt's working folder. The token is in GITHUB_TOKEN.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import dlt  # type: ignore[import-not-found, unused-ignore]  # not in our own environment
from dlt.sources.rest_api import rest_api_resources  # type: ignore[import-not-found, unused-ignore]

LONG_AGO = "2008-01-01T00:00:00Z"


def resource(name: str, path: str, key: str, cursor: str | None = None, **params: Any) -> dict[str, Any]:
    """A list by pages of 100; with a cursor only what is newer, by `since`."""
    if cursor:
        params["since"] = {"type": "incremental", "cursor_path": cursor, "initial_value": LONG_AGO}
    how = "merge" if cursor else "replace"
    return {
        "name": name,
        "primary_key": key,
        "write_disposition": how,
        "endpoint": {"path": path, "params": {"per_page": 100, **params}},
    }


def main() -> None:
    address, repo, folder = sys.argv[1:]
    here = f"repos/{repo}"
    config = {
        "client": {
            "base_url": f"{address}/",
            "auth": {"type": "bearer", "token": os.environ["GITHUB_TOKEN"]},
            "paginator": "header_link",
        },
        "resources": [
            {"name": "repository", "endpoint": {"path": here, "paginator": "single_page"}, "write_disposition": "replace"},
            resource("commits", f"{here}/commits", "sha", "commit.committer.date"),
            resource("issues", f"{here}/issues", "id", "updated_at", state="all", sort="updated", direction="asc"),
            resource("comments", f"{here}/issues/comments", "id", "updated_at", sort="updated", direction="asc"),
            resource("pulls", f"{here}/pulls", "id", state="all", sort="created", direction="asc"),
            resource("releases", f"{here}/releases", "id"),
        ],
    }
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb(f"{folder}/bench.duckdb"), pipelines_dir=folder)
    pipeline.run(rest_api_resources(config))
    with pipeline.sql_client() as client:
        tables = ("commits", "issues", "comments", "pulls", "releases")
        # Tables of our own names: nothing to quote.
        print(sum(client.execute_sql(f"select count(*) from {table}")[0][0] for table in tables))  # noqa: S608


if __name__ == "__main__":
    main()
