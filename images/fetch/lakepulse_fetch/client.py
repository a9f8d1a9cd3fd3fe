"""HTTP as the upstreams want it used: one connection pool per API, limits kept, bad answers refused.

Rules that GitHub documents for its REST API and that hold for every API here: requests of one
token go one after another; at most 900 points (a GET is one) a minute; a primary limit
(`x-ratelimit-remaining: 0`) ends at `x-ratelimit-reset`; a secondary limit ends after
`retry-after`, without it after a minute that doubles. An ETag is good for the token only that it
was given to, so conditional requests of one list stay with one token while that has quota left.
"""

from __future__ import annotations

import json
import random
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

import httpx
import stamina
import structlog

from lakepulse.outcome import PermanentError, TemporaryError, one_line

log = structlog.get_logger()


def _tell_retry(details: stamina.instrumentation.RetryDetails) -> None:
    error = details.caused_by
    where = ", ".join(getattr(error, "__notes__", []))
    said = error.args[-1] if isinstance(error, _BadAnswerError) else f"{type(error).__name__}: {error}"
    log.info("asking again", url=where, after=round(details.wait_for, 1), why=one_line(said)[:200])


stamina.instrumentation.set_on_retry_hooks([_tell_retry])

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of one decoded body. A hundred issues of GitHub's longest text are a fifth of it."""

_ATTEMPTS = 6
_CONNECT_ATTEMPTS = 4
_CONNECT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_HEAVY_AFTER = 2
_STRIKES = 4
_REDIRECTS = 5
_DEADLINE_FACTOR = 10  # a body may take this many read timeouts in all, however steadily it drips
_HEAVY = frozenset({502, 504})  # GitHub's answer to a page that takes too long to make
_KEPT = "what was fetched is kept, run again later"
_DEFINITE = frozenset({304, 404, 409, 410, 422, 451})


Parse = Callable[[bytes, httpx.Headers, str], Any]
"""Makes a document of a body, its headers and its address; ValueError refuses it."""


class Clock:
    """Time as the client sees it; tests have their own."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> datetime:
        """Wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some point, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            TemporaryError: `stop` was called.
        """
        if self._stopped.wait(seconds):
            raise TemporaryError("stopped while waiting; run again")

    def stop(self) -> None:
        """End all waiting, now and later."""
        self._stopped.set()


class QuotaExhaustedError(TemporaryError):
    """Without a token the hour's requests are used up: take what is there, come back later."""


class HeavyPageError(TemporaryError):
    """The upstream cannot serve a page of this size: ask for a smaller one."""


class UnreachableError(TemporaryError):
    """No connection to the host: nothing else need be asked of it in this run."""


class _BadAnswerError(Exception):
    """An answer that is not what the API would say; asked for again a few times."""


@dataclass(slots=True)
class Meter:
    """What a visit spent: `requests` sent, `quota` of them that count against the primary limit."""

    requests: int = 0
    quota: int = 0


def _absolute(base: str, url: str) -> str:
    return url if url.startswith(("http://", "https://")) else f"{base}{url}"


def _below(base: str, url: str) -> str:
    """`url` as a path below `base`; one that lies elsewhere stays whole."""
    return url.removeprefix(base) if url.startswith(f"{base}/") else url


def _joined(url: str, link: str) -> str:
    """Where a link on the page `url` leads.

    Raises:
        TemporaryError: it is no address.
    """
    try:
        return str(httpx.URL(url).join(link))
    except httpx.InvalidURL as error:
        raise TemporaryError(f"{url} links to what is no address ({one_line(error)[:200]}); run again later") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """A definite answer: 200 with its `document`, or one of 304, 404, 409, 410, 422, 451.

    403 too where GitHub blocked the one repository, as by 451: other refusals are errors.
    Its addresses are paths below the API's `base`, so that what is kept of them outlives a change of base.
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
            TemporaryError: it is no address.
        """
        links = httpx.Response(200, headers=self.headers).links
        found = links.get("next", {}).get("url")
        return _below(self.base, _joined(_absolute(self.base, self.url), found)) if found else None

    @property
    def date(self) -> datetime | None:
        """The server's own time, UTC."""
        return _http_date(self.headers)

    @property
    def message(self) -> str:
        """What the API said about an error, or the bare status."""
        said = self.document.get("message") if isinstance(self.document, dict) else None
        return one_line(f"{self.status} {said}" if isinstance(said, str) else self.status)[:300]


def _http_date(headers: httpx.Headers) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def _number(headers: httpx.Headers, name: str) -> int | None:
    try:
        return int(headers[name])
    except (KeyError, ValueError):
        return None


@dataclass(eq=False)
class _Lane:
    """One token, or none, and what is known of its limits; requests hold `busy` one at a time."""

    number: int
    token: str | None
    busy: threading.Lock = field(default_factory=threading.Lock)
    remaining: int | None = None
    blocked_until: float = 0.0
    strikes: int = 0
    is_refused: bool = False
    sent: deque[float] = field(default_factory=deque)


class Api:
    """One upstream.

    In any 60 s the first `burst` requests of a token go at once, further ones at `per_second`, so
    that a minute never has more than `burst + 60 * per_second` of them and none waits long.
    Without tokens an exhausted quota raises `QuotaExhaustedError` if `has_quota`, instead of
    waiting for an hour. `advice` ends the line about a request that is refused.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        tokens: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        burst: int = 840,
        per_second: float = 1,
        has_quota: bool = False,
        advice: str = "check the address",
        timeout_seconds: float = 60,
        max_wait_seconds: float = 3900,
        body_limit: int = BODY_LIMIT,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.host = httpx.URL(base_url).netloc.decode("ascii")
        self.has_quota = has_quota
        self.advice = advice
        self.clock = clock or Clock()
        self._burst, self._per_second = burst, per_second
        self._timeout_seconds, self._max_wait_seconds = timeout_seconds, max_wait_seconds
        self._body_limit = body_limit
        self._lanes = [_Lane(number, token) for number, token in enumerate(tokens or (None,), 1)]
        self._choosing = threading.Lock()
        self._down: str | None = None
        self._client = httpx.Client(
            headers={"user-agent": "lakepulse", "accept-encoding": "gzip", **(headers or {})},
            timeout=timeout_seconds,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=max(4, len(self._lanes)), max_keepalive_connections=max(4, len(self._lanes))),
            transport=transport,
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    @property
    def is_anonymous(self) -> bool:
        """Whether a quota holds and no token raises it."""
        return self.has_quota and self._lanes[0].token is None

    @property
    def remaining(self) -> int | None:
        """Requests left of the quota in all lanes, as far as answers have told."""
        known = [lane.remaining for lane in self._lanes if lane.remaining is not None]
        return sum(known) if known else None

    @property
    def lanes(self) -> int:
        """How many requests may be under way at once."""
        return len(self._lanes)

    def get(
        self,
        url: str,
        meter: Meter,
        *,
        parse: Parse | None = None,
        etag: str | None = None,
        home: str | None = None,
        can_shrink: bool = False,
    ) -> Answer:
        """Ask for `url` (absolute, or a path below the base) until there is a definite answer.

        `parse` makes the document of a 200 (default: `json_object`); a body that it refuses by
        ValueError is asked for again, like one that is cut off. `home` names the list whose ETags
        must stay with one token. With `can_shrink` a page that the upstream fails to make, or that
        is over the size limit, raises `HeavyPageError` soon.

        Raises:
            TemporaryError: network, server or rate limit did not recover.
            PermanentError: refused: credentials, permission, size, a redirect elsewhere.
        """
        target = _absolute(self.base_url, url)
        for _ in range(_REDIRECTS):
            try:
                answer = self._retrying(target, meter, parse=parse or json_object, etag=etag, home=home, can_shrink=can_shrink)
            except HeavyPageError as error:
                if can_shrink:
                    raise
                raise PermanentError(str(error)) from error
            if answer.status not in {301, 302, 307, 308}:
                return replace(answer, url=_below(self.base_url, answer.url), base=self.base_url)
            location = answer.headers.get("location")
            if not location:
                raise PermanentError(f"{self.name}: {target} redirects to nowhere; check the address")
            target = _joined(target, location)
        raise PermanentError(f"{self.name}: {url} redirects in circles; check the address")

    def _retrying(
        self, url: str, meter: Meter, *, parse: Parse, etag: str | None, home: str | None, can_shrink: bool
    ) -> Answer:
        self._check_origin(url)
        failures = _Failures(can_shrink)
        try:
            for attempt in stamina.retry_context(
                on=failures.is_worth_another, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=20
            ):
                with attempt:
                    if self._down:
                        raise UnreachableError(self._down)
                    return self._noted(url, meter, parse, etag, home)
        except _CONNECT_ERRORS as error:
            # Asking every other list of a host that cannot be reached would take minutes.
            self._down = f"cannot reach {self.name} at {self.host} ({one_line(error)[:200]}); check the network, then run again"
            raise UnreachableError(self._down) from error
        except (httpx.TransportError, _BadAnswerError) as error:
            said = self._describe(error, url)
            if failures.is_heavy:
                raise HeavyPageError(f"{self.name}: {said}") from error
            raise TemporaryError(f"{self.name}: {said}, {_ATTEMPTS} times; run again later") from error
        raise AssertionError("retries ended without an answer")

    def _noted(self, url: str, meter: Meter, parse: Parse, etag: str | None, home: str | None) -> Answer:
        try:
            return self._send(url, meter, parse, etag, home)
        except (httpx.TransportError, _BadAnswerError) as error:
            error.add_note(url)
            raise

    def _describe(self, error: Exception, url: str) -> str:
        said = str(error.args[-1]) if isinstance(error, _BadAnswerError) else f"{type(error).__name__}: {error}"
        return f"{url} failed: {one_line(said)[:200]}"

    def _check_origin(self, url: str) -> None:
        """A token is sent to the configured address alone, whatever Link or Location say."""
        base, target = httpx.URL(self.base_url), httpx.URL(url)
        same = (base.scheme, base.host, base.port) == (target.scheme, target.host, target.port)
        if target.scheme not in {"http", "https"} or target.userinfo or (not same and self._lanes[0].token):
            where = f"{target.scheme}://{target.host}"
            raise PermanentError(f"{self.name}: refused to follow a link to {where}; check {self.base_url}")

    def _send(self, url: str, meter: Meter, parse: Parse, etag: str | None, home: str | None) -> Answer:
        """Send until no rate limit is in the way."""
        while True:
            with self._lane(home) as lane:
                answer = self._exchange(url, meter, parse, etag, lane)
                if answer is not None:
                    return answer

    @contextmanager
    def _lane(self, home: str | None) -> Iterator[_Lane]:
        """The lane to use now: the list's own, else an idle one with the most quota left."""
        while True:
            with self._choosing:
                usable = [lane for lane in self._lanes if not lane.is_refused]
                if not usable:
                    raise PermanentError(f"{self.name} refused every token; check GITHUB_TOKEN")
                now = self.clock.monotonic()
                free = [lane for lane in usable if lane.blocked_until <= now]
            if free:
                own = self._lanes[zlib.crc32(home.encode()) % len(self._lanes)] if home else None
                lane = own if own in free and own else max(free, key=_merit)
                with lane.busy:
                    if lane.blocked_until <= self.clock.monotonic() and not lane.is_refused:
                        self._pace(lane)
                        yield lane
                        return
                continue
            soonest = min(usable, key=lambda lane: lane.blocked_until)
            self._wait(soonest, soonest.blocked_until - now)

    def _wait(self, lane: _Lane, seconds: float) -> None:
        if self.is_anonymous and lane.remaining == 0:
            raise QuotaExhaustedError(f"{self.name}: the hour's requests without a token are used up; set GITHUB_TOKEN")
        if seconds > self._max_wait_seconds:
            raise TemporaryError(
                f"{self.name}: rate limited for another {seconds:.0f} s, longer than MAX_WAIT_SECONDS; {_KEPT}"
            )
        log.info("waiting for a rate limit to reset", api=self.name, seconds=round(seconds))
        self.clock.sleep(max(seconds, 0.01))

    def _pace(self, lane: _Lane) -> None:
        now = self.clock.monotonic()
        while lane.sent and lane.sent[0] <= now - 60:
            lane.sent.popleft()
        if len(lane.sent) >= self._burst:
            wait = lane.sent[-1] + 1 / self._per_second - now
            if wait > 0:
                self.clock.sleep(wait)
                now = self.clock.monotonic()
        lane.sent.append(now)

    def _exchange(self, url: str, meter: Meter, parse: Parse, etag: str | None, lane: _Lane) -> Answer | None:
        """One request in a lane that is held; None if the lane turned out to be limited."""
        headers = {"if-none-match": etag} if etag else {}
        if lane.token:
            headers["authorization"] = f"Bearer {lane.token}"
        meter.requests += 1
        with self._client.stream("GET", url, headers=headers) as response:
            status = response.status_code
            if self.has_quota and (status != 304 or lane.token is None):
                meter.quota += 1
            self._note_quota(lane, response.headers)
            body = self._read(response)
        error = Answer(status, url, response.headers, None if status == 200 else _said(body))
        if status in {403, 429} and not _is_blocked(error):
            self._limit(error, lane)
            return None
        lane.strikes = 0
        if status == 401 and lane.token:
            lane.is_refused = True
            log.warning("token refused", api=self.name, token=lane.number, of=len(self._lanes))
            return None
        if status >= 500:
            raise _BadAnswerError(status, f"status {error.message}")
        if status == 304 and not etag:
            raise _BadAnswerError("304", "304 to a request without condition")
        if status in _DEFINITE or status in {301, 302, 307, 308, 403}:
            return error
        if status != 200:
            raise self._refused(error)
        try:
            return Answer(status, url, response.headers, parse(body, response.headers, url))
        except ValueError as error:
            raise _BadAnswerError("body", str(error)) from error

    def _note_quota(self, lane: _Lane, headers: httpx.Headers) -> None:
        remaining = _number(headers, "x-ratelimit-remaining")
        if remaining is None:
            return
        lane.remaining = remaining
        if remaining == 0:
            lane.blocked_until = self.clock.monotonic() + self._seconds_to_reset(headers)

    def _seconds_to_reset(self, headers: httpx.Headers) -> float:
        """By the server's clock where it tells the time, since ours may be wrong."""
        reset = _number(headers, "x-ratelimit-reset")
        if reset is None:
            return 60.0
        now = _http_date(headers) or self.clock.now()
        return max(reset - now.timestamp(), 0.0) + 1.0

    def _limit(self, answer: Answer, lane: _Lane) -> None:
        """Block the lane for as long as the API says.

        Raises:
            PermanentError: a 403 that is about permission, not about a limit.
            TemporaryError: the limit did not end after several waits.
        """
        headers = answer.headers
        retry_after = _number(headers, "retry-after")
        is_primary = _number(headers, "x-ratelimit-remaining") == 0 and "retry-after" not in headers
        is_limit = is_primary or answer.status == 429 or retry_after is not None or "rate limit" in answer.message.lower()
        if not is_limit:
            raise self._refused(answer)
        lane.strikes += 1
        if lane.strikes > _STRIKES:
            lane.strikes = 0
            raise TemporaryError(f"{self.name}: still rate limited after {_STRIKES} waits; {_KEPT}")
        if is_primary:
            return  # already blocked until its reset
        seconds = float(retry_after) if retry_after is not None else 60.0 * 2 ** (lane.strikes - 1)
        lane.blocked_until = self.clock.monotonic() + seconds + random.random()  # noqa: S311  (spreads waits)

    def _refused(self, answer: Answer) -> PermanentError:
        return PermanentError(f"{self.name}: {answer.message} for {answer.url.partition('?')[0]}; {self.advice}")

    def _read(self, response: httpx.Response) -> bytes:
        """The decoded body, never more than the limit in memory.

        Raises:
            HeavyPageError: it is larger.
            _BadAnswerError: it is not whole.
        """
        unzip = zlib.decompressobj(wbits=31) if response.headers.get("content-encoding", "").lower() == "gzip" else None
        body = bytearray()
        deadline = self.clock.monotonic() + self._timeout_seconds * _DEADLINE_FACTOR
        for chunk in response.iter_raw():
            room = self._body_limit - len(body) + 1
            try:
                body += unzip.decompress(chunk, room) if unzip else chunk
            except zlib.error as error:
                raise _BadAnswerError("gzip", f"damaged gzip body: {error}") from error
            if len(body) > self._body_limit:
                raise HeavyPageError(f"{self.name}: the body of {response.url} is over {self._body_limit} bytes")
            if self.clock.monotonic() > deadline:
                raise httpx.ReadTimeout("the body drips too slowly", request=response.request)
        if unzip and body and not unzip.eof:
            raise _BadAnswerError("gzip", "truncated gzip body")
        return bytes(body)


class _Failures:
    """Counts what went wrong with one request, to tell whether to ask again."""

    def __init__(self, can_shrink: bool) -> None:
        self._can_shrink = can_shrink
        self._timeouts = 0
        self._connects = 0

    @property
    def is_heavy(self) -> bool:
        """Whether a smaller page would do better than another try."""
        return self._can_shrink and self._timeouts >= _HEAVY_AFTER

    def is_worth_another(self, error: Exception) -> bool:
        if isinstance(error, _CONNECT_ERRORS):
            self._connects += 1
            return self._connects < _CONNECT_ATTEMPTS
        if isinstance(error, httpx.ReadTimeout) or (isinstance(error, _BadAnswerError) and error.args[0] in _HEAVY):
            self._timeouts += 1
        return isinstance(error, httpx.TransportError | _BadAnswerError) and not self.is_heavy


def _merit(lane: _Lane) -> tuple[bool, float]:
    return (not lane.busy.locked(), float("inf") if lane.remaining is None else lane.remaining)


def _said(body: bytes) -> Any:
    """What an error says: its JSON, or else the first line of its text; None for a page."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        text = body[:4096].decode(errors="replace").strip()
    return {"message": text.splitlines()[0]} if text and text[0] not in "<{[" else None


def _is_blocked(answer: Answer) -> bool:
    """Whether GitHub refuses one repository to everybody."""
    return answer.status == 403 and "repository access blocked" in answer.message.lower()


def _json(body: bytes, headers: httpx.Headers) -> Any:
    if body.lstrip()[:1] == b"<" or headers.get("content-type", "").startswith("text/html"):
        raise ValueError("HTML where JSON was due")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"malformed JSON of {len(body)} bytes") from error


def json_object(body: bytes, headers: httpx.Headers, _url: str) -> dict[str, Any]:
    """A body that must be a JSON object.

    Raises:
        ValueError: it is not.
    """
    document = _json(body, headers)
    if not isinstance(document, dict):
        raise ValueError(f"a JSON {type(document).__name__}, not an object")  # noqa: TRY004  (bad data, no bug)
    return document


def json_list(body: bytes, headers: httpx.Headers, _url: str) -> list[Any]:
    """A body that must be a JSON array.

    Raises:
        ValueError: it is not.
    """
    document = _json(body, headers)
    if not isinstance(document, list):
        raise ValueError(f"a JSON {type(document).__name__}, not an array")  # noqa: TRY004  (bad data, no bug)
    return document
