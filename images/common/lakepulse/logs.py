"""Log lines on stderr, UTC, with secrets hidden: `key=value` text, or JSON with LOG_FORMAT=json.

A JSON line is an object with `timestamp`, `level`, `event` and what the event has beside them; text
has the same. Result lines that a person or a script reads go to stdout and are not logged.
"""

from __future__ import annotations

import logging
import sys
from functools import reduce
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from lakepulse.settings import Settings

HIDDEN = "[hidden]"
_FIRST = ("timestamp", "level", "event")
_OURS = ("timestamp", "level")


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret value of the settings, the longest first."""
    values = [
        settings.catalog_password,
        settings.aws_secret_access_key,
        settings.trino_password,
        settings.webhook_url,
        settings.answer_token,
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
    rendered: list[Processor] = [_Hidden(secrets_of(settings)), _renderer(settings)]
    structlog.configure(
        processors=[*stamped, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    finish: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=stamped, processors=finish))
    # httpx logs each address at INFO; ours say more.
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _renderer(settings: Settings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.processors.KeyValueRenderer(key_order=_FIRST)


class _Hidden:
    """Hides the secrets in an event's values, however deep, and puts time, level and event first."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        # As they are, and as a traceback or an object's repr may have them.
        self._hidden = [form for secret in secrets for form in (secret, repr(secret)[1:-1])]

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        names = [name for name in (*_FIRST, *event) if name in event]
        return {name: event[name] if name in _OURS else self._clean(event[name]) for name in names}

    def _clean(self, value: Any) -> Any:
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                return {name: self._clean(inner) for name, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(inner) for inner in value]
        text = value if isinstance(value, str) else repr(value)
        return reduce(lambda left, form: left.replace(form, HIDDEN), self._hidden, text)
