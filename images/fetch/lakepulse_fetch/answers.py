"""What an upstream answers: status, headers and document, and which refusals a source expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from lakepulse.outcome import TemporaryError, one_line

Parse = Callable[[bytes, httpx.Headers, str], Any]
"""Makes a document of a body, its headers and its URL; ValueError rejects it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer by which an upstream refuses a list whose scope exists: a status, and words of its message, ignoring case."""

    status: int
    words: str = ""

    def matches(self, answer: Answer) -> bool:
        """Whether an answer is this refusal."""
        return answer.status == self.status and self.words.lower() in answer.message.lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """A definite answer: 200 with its `document`, one of 304, 404, 409, 410, 422 and 451, or a refusal.

    A refusal is a 403 by which GitHub blocks one repository for everybody, or what the request named as one.
    URLs are paths below the API's `base`, so that a stored one outlives a change of base.
    """

    status: int
    url: str
    headers: httpx.Headers
    document: Any = None
    base: str = ""

    @property
    def etag(self) -> str | None:
        found: str | None = self.headers.get("etag")
        return found

    @property
    def next_url(self) -> str | None:
        """The `next` relation of the Link header.

        Raises:
            TemporaryError: it is not a valid URL.
        """
        links = httpx.Response(200, headers=self.headers).links
        found = links.get("next", {}).get("url")
        return relative(self.base, joined(absolute(self.base, self.url), found)) if found else None

    @property
    def date(self) -> datetime | None:
        """The server's own time, UTC."""
        return http_date(self.headers)

    @property
    def message(self) -> str:
        """What the API says about an error, or the bare status."""
        text = self.document.get("message") if isinstance(self.document, dict) else None
        return one_line(f"{self.status} {text}" if isinstance(text, str) else self.status)[:300]

    @property
    def is_gone(self) -> bool:
        """Whether what the URL names does not exist, or is blocked."""
        return self.status in {404, 410, 451} or self.is_blocked

    @property
    def is_blocked(self) -> bool:
        """Whether GitHub refuses one repository to everybody."""
        return self.status == 403 and "repository access blocked" in self.message.lower()


def absolute(base: str, url: str) -> str:
    """`url` itself, or a path appended to `base`."""
    return url if url.startswith(("http://", "https://")) else f"{base}{url}"


def relative(base: str, url: str) -> str:
    """`url` as a path below `base`; one that is elsewhere stays absolute."""
    return url.removeprefix(base) if url.startswith(f"{base}/") else url


def joined(url: str, link: str) -> str:
    """Where a link on the page `url` leads.

    Raises:
        TemporaryError: it is not a valid URL.
    """
    try:
        return str(httpx.URL(url).join(link))
    except httpx.InvalidURL as error:
        raise TemporaryError(f"{url} has an invalid link ({one_line(error)[:200]}); run again later") from error


def http_date(headers: httpx.Headers) -> datetime | None:
    """The Date header, UTC; None if it is missing or malformed."""
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def number(headers: httpx.Headers, name: str) -> int | None:
    """A header that is an integer; None if it is missing or malformed."""
    try:
        return int(headers[name])
    except (KeyError, ValueError):
        return None


def error_document(body: bytes) -> Any:
    """The JSON of an error, else `{"message": <first line of its text>}`; None for a page of HTML."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        text = body[:4096].decode(errors="replace").strip()
    return {"message": text.splitlines()[0]} if text and text[0] not in "<{[" else None


def json_object(body: bytes, headers: httpx.Headers, _url: str) -> dict[str, Any]:
    """A body that must be a JSON object.

    Raises:
        ValueError: it is not.
    """
    document = _json(body, headers)
    if not isinstance(document, dict):
        raise ValueError(f"a JSON {type(document).__name__} where an object was expected")  # noqa: TRY004  (bad data, no bug)
    return document


def json_list(body: bytes, headers: httpx.Headers, _url: str) -> list[Any]:
    """A body that must be a JSON array.

    Raises:
        ValueError: it is not.
    """
    document = _json(body, headers)
    if not isinstance(document, list):
        raise ValueError(f"a JSON {type(document).__name__} where an array was expected")  # noqa: TRY004  (bad data, no bug)
    return document


def _json(body: bytes, headers: httpx.Headers) -> Any:
    if body.lstrip()[:1] == b"<" or headers.get("content-type", "").startswith("text/html"):
        raise ValueError("HTML where JSON was expected")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"malformed JSON of {len(body)} bytes") from error
