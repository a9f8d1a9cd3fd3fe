"""Log lines on stderr, UTC, with secrets hidden: `key=value` text, or JSON with LOG_FORMAT=json.

A JSON line is an object with `timestamp`, `level`, `event` and what the event has beside them; text
has the same. Result lines that a person or a script reads go to stdout and are not logged.
"""

from __future__ import annotations

import json
import logging
import sys
from functools import reduce
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from lakepulse.settings import Settings

HIDDEN = "[hidden]"
_FIRST = ("timestamp", "level", "event")


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
    stamped: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    rendered = _Rendered(settings)
    structlog.configure(
        processors=[*stamped, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    finish: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=stamped, processors=finish))
    # httpx logs each address at INFO; ours say more.
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _Rendered:
    """A log line of an event; secrets are hidden in the line, so that none hides in a nested value."""

    def __init__(self, settings: Settings) -> None:
        self._render: Any = structlog.processors.KeyValueRenderer(key_order=_FIRST)
        if settings.log_format == "json":
            self._render = structlog.processors.JSONRenderer()
        self._hidden = [form for secret in secrets_of(settings) for form in _written(secret)]

    def __call__(self, logger: Any, method: str, event: EventDict) -> str:
        ordered = {name: event[name] for name in _FIRST if name in event}
        line: str = self._render(logger, method, {**ordered, **event})
        return reduce(lambda text, secret: text.replace(secret, HIDDEN), self._hidden, line)


def _written(secret: str) -> list[str]:
    """A text as it is, and as Python and JSON write it inside a string, or a string inside a string."""
    as_python, as_json = repr(secret)[1:-1], json.dumps(secret)[1:-1]
    return [secret, as_python, as_json, repr(as_python)[1:-1], json.dumps(as_python)[1:-1]]
