"""The upstreams: address, credentials, headers and pace of each."""

from __future__ import annotations

from typing import Any

import httpx

from lakepulse.settings import Settings
from lakepulse_fetch.client import Api, Clock
from lakepulse_fetch.sources import clickhouse_versions, pypi_releases


def _github(settings: Settings) -> dict[str, Any]:
    return {
        "base_url": settings.github_api_url,
        "tokens": settings.github_tokens,
        "headers": {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"},
        "has_quota": True,
    }


def _pypistats(settings: Settings) -> dict[str, Any]:
    # A small site that limits by address and asks for restraint.
    return {"base_url": settings.pypistats_api_url, "burst": 30, "per_second": 1}


def _pypi(settings: Settings) -> dict[str, Any]:
    return {"base_url": pypi_releases.endpoint(settings), "headers": pypi_releases.HEADERS}


def _clickhouse(settings: Settings) -> dict[str, Any]:
    headers = {"x-clickhouse-user": clickhouse_versions.USER}
    return {"base_url": settings.clickhouse_url or "", "headers": headers, "burst": 30, "per_second": 1}


def _imports(settings: Settings) -> dict[str, Any]:
    return {"base_url": settings.data_dir.as_uri()}  # files: nothing is sent


_APIS = {"github": _github, "pypistats": _pypistats, "pypi": _pypi, "clickhouse": _clickhouse, "imports": _imports}


def open_api(name: str, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None = None) -> Api:
    """The API that a source names, with the limits that its settings give."""
    return Api(
        name,
        **_APIS[name](settings),
        timeout_seconds=settings.timeout_seconds,
        max_wait_seconds=settings.max_wait_seconds,
        clock=clock,
        transport=transport,
    )
