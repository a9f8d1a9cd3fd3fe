"""Messages to the webhook."""

from __future__ import annotations

from typing import Any

import httpx
import structlog

from lakepulse.settings import Settings

log = structlog.get_logger()

_SECONDS = 10


def post(settings: Settings, body: dict[str, Any]) -> None:
    """Post a message, if a webhook is set. It must not decide how a step ends, so a failure is one warning."""
    if settings.webhook_url is None:
        return
    try:
        # A redirect could carry the message, and the secret in the path, elsewhere.
        answer = httpx.post(settings.webhook_url.get_secret_value(), json=body, timeout=_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
        # Its text may hold the address, which is a secret. The last two: a proxy that httpx cannot use.
        log.warning("the webhook could not be reached", reason=type(error).__name__)
    else:
        if not answer.is_success:
            log.warning("the webhook refused the message", status=answer.status_code)
