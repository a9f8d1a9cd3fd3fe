"""Log lines on stderr: plain `key=value` text, UTC, with secrets taken out.

Result lines that a person or a script reads go to stdout and are not logged.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from functools import reduce
from typing import Any

import structlog

from lakepulse.settings import Settings

HIDDEN = "[hidden]"


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret value of the settings, the longest first."""
    values = [
        settings.catalog_password,
        settings.aws_secret_access_key,
        settings.trino_password,
        settings.webhook_url,
    ]
    found = {value.get_secret_value() for value in values if value} | set(settings.github_tokens)
    return tuple(sorted(found - {""}, key=len, reverse=True))


def configure_logs(settings: Settings) -> None:
    """Set up structlog and the standard library's logging for a step program."""
    hidden = secrets_of(settings)

    def hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = reduce(lambda text, secret: text.replace(secret, HIDDEN), hidden, value)
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # httpx logs each address at INFO; ours say more and hide secrets.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
