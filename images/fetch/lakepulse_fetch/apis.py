"""The upstreams: address, credentials and pace of each. Headers that one source needs are declared there."""

from __future__ import annotations

from typing import Any, get_args

import httpx

from lakepulse.settings import Settings
from lakepulse.sources import Upstream, check_registered
from lakepulse_fetch.clock import Clock
from lakepulse_fetch.transport import Api


def _github(settings: Settings) -> dict[str, Any]:
    index, count = share("github", settings)
    return {
        "base_url": settings.github_api_url,
        "tokens": settings.github_tokens[index::count],
        "headers": {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"},
        "has_quota": True,
        "advice": "check what the token may read",
    }


def _pypistats(settings: Settings) -> dict[str, Any]:
    # A small site that limits by address and requests restraint.
    return {"base_url": settings.pypistats_api_url, "burst": 30, "per_second": 1, "advice": "check PYPISTATS_API_URL"}


def _pypi(settings: Settings) -> dict[str, Any]:
    return {"base_url": settings.pypi_simple_url or _default_index(), "advice": "check PYPI_SIMPLE_URL"}


def _default_index() -> str:
    from pypi_simple import PyPISimple  # takes a second to import, and its endpoint is a default only

    with PyPISimple() as client:
        return client.endpoint


def _clickhouse(settings: Settings) -> dict[str, Any]:
    return {
        "base_url": settings.clickhouse_url or "",
        "burst": 30,
        "per_second": 1,
        "advice": "check CLICKHOUSE_URL, and what its user may read",
    }


def _imports(settings: Settings) -> dict[str, Any]:
    return {"base_url": settings.data_dir.as_uri()}  # files: nothing is sent


_APIS = {"github": _github, "pypistats": _pypistats, "pypi": _pypi, "clickhouse": _clickhouse, "imports": _imports}


def check_upstreams() -> None:
    """Compare the upstreams here with those that the register knows.

    Raises:
        PermanentError: they differ.
    """
    check_registered("upstream", _APIS, get_args(Upstream), "images/fetch/lakepulse_fetch/apis.py")


def share(name: str, settings: Settings) -> tuple[int, int]:
    """This shard's index and the number of shards that use an API side by side; a greater index has no share.

    A token sends one request at a time, so every shard has tokens of its own. Without tokens the
    limits are those of our address, which all shards share; PyPI alone sets none.
    """
    index, count = (int(part) for part in settings.shard.split("/"))
    match name:
        case "pypi":
            most = count
        case "github":
            most = max(1, len(settings.github_tokens))
        case _:
            most = 1
    return index, min(count, most)


def open_api(name: str, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None = None) -> Api:
    """The API of an upstream, with the limits that its settings give."""
    return Api(
        name,
        **_APIS[name](settings),
        timeout_seconds=settings.timeout_seconds,
        max_wait_seconds=settings.max_wait_seconds,
        clock=clock,
        transport=transport,
    )
