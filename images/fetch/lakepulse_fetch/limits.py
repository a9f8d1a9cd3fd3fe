"""Rate limits: which token sends the next request, and when.

Rules that GitHub documents for its REST API and that hold for every API here: requests of one
token go one after another; at most 900 points (a GET is one) a minute; a primary limit
(`x-ratelimit-remaining: 0`) ends at `x-ratelimit-reset`; a secondary limit ends after
`retry-after`, without it after a minute that doubles. An ETag is valid only for the token that it
was given to, so conditional requests of one list stay with one token while that has quota left.
"""

from __future__ import annotations

import random
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import structlog

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse_fetch.answers import Answer, http_date, number
from lakepulse_fetch.clock import Clock

log = structlog.get_logger()

_STRIKES = 4
_KEPT = "what was fetched is kept, run again later"


class QuotaExhaustedError(TemporaryError):
    """Without a token the hour's requests are used up: keep what has landed, continue later."""


@dataclass(slots=True)
class Meter:
    """What a visit has spent: `requests` sent, `quota` of them that count against the primary limit.

    `book` moves them to the landing that accounts for them; `booked` is the quota moved so far.
    """

    requests: int = 0
    quota: int = 0
    booked: int = 0

    def book(self) -> tuple[int, int]:
        """Take out what is not booked yet: requests and quota."""
        found = self.requests, self.quota
        self.requests, self.quota, self.booked = 0, 0, self.booked + self.quota
        return found


@dataclass(eq=False)
class Lane:
    """One token, or none, and what is known of its limits; a request holds `busy` while it is under way."""

    number: int
    token: str | None
    busy: threading.Lock = field(default_factory=threading.Lock)
    remaining: int | None = None
    blocked_until: float = 0.0
    strikes: int = 0
    is_refused: bool = False
    sent: deque[float] = field(default_factory=deque)


class Limits:
    """The limits of one API.

    In any 60 s the first `burst` requests of a token go at once, further ones at `per_second`, so
    that a minute never has more than `burst + 60 * per_second` of them and none waits long.
    Without tokens an exhausted quota raises `QuotaExhaustedError` if `has_quota`, instead of
    waiting for an hour. Other limits are waited for, up to `max_wait_seconds` each.
    """

    def __init__(
        self,
        api: str,
        tokens: tuple[str, ...],
        *,
        burst: int,
        per_second: float,
        has_quota: bool,
        max_wait_seconds: float,
        clock: Clock,
    ) -> None:
        self.has_quota = has_quota
        self._api, self._clock = api, clock
        self._burst, self._per_second, self._max_wait_seconds = burst, per_second, max_wait_seconds
        self._lanes = [Lane(number, token) for number, token in enumerate(tokens or (None,), 1)]
        self._choosing = threading.Lock()

    def __len__(self) -> int:
        """How many requests may be under way at once."""
        return len(self._lanes)

    @property
    def has_tokens(self) -> bool:
        return self._lanes[0].token is not None

    @property
    def is_anonymous(self) -> bool:
        """Whether there is a quota and no token to raise it."""
        return self.has_quota and not self.has_tokens

    @property
    def remaining(self) -> int | None:
        """Requests left of the quota in all lanes; None before the first answer."""
        known = [lane.remaining for lane in self._lanes if lane.remaining is not None]
        return sum(known) if known else None

    @contextmanager
    def lane(self, home: str | None) -> Iterator[Lane]:
        """Hold the lane to use now: that of the list `home`, else an idle one with the most quota left.

        Raises:
            TemporaryError: every lane is limited for too long.
            PermanentError: every token is refused.
        """
        while True:
            with self._choosing:
                usable = [lane for lane in self._lanes if not lane.is_refused]
                if not usable:
                    raise PermanentError(f"{self._api} refused every token; check GITHUB_TOKEN")
                now = self._clock.monotonic()
                free = [lane for lane in usable if lane.blocked_until <= now]
            if free:
                own = self._lanes[zlib.crc32(home.encode()) % len(self._lanes)] if home else None
                lane = own if own in free and own else max(free, key=_merit)
                with lane.busy:
                    if lane.blocked_until <= self._clock.monotonic() and not lane.is_refused:
                        self._pace(lane)
                        yield lane
                        return
                continue
            soonest = min(usable, key=lambda lane: lane.blocked_until)
            self._wait(soonest, soonest.blocked_until - now)

    def _wait(self, lane: Lane, seconds: float) -> None:
        if self.is_anonymous and lane.remaining == 0:
            raise QuotaExhaustedError(f"{self._api}: the hour's requests without a token are used up; set GITHUB_TOKEN")
        if seconds > self._max_wait_seconds:
            raise TemporaryError(
                f"{self._api}: rate limited for another {seconds:.0f} s, longer than MAX_WAIT_SECONDS; {_KEPT}"
            )
        log.info("waiting for a rate limit to reset", api=self._api, seconds=round(seconds))
        self._clock.sleep(max(seconds, 0.01))

    def _pace(self, lane: Lane) -> None:
        now = self._clock.monotonic()
        while lane.sent and lane.sent[0] <= now - 60:
            lane.sent.popleft()
        if len(lane.sent) >= self._burst:
            wait = lane.sent[-1] + 1 / self._per_second - now
            if wait > 0:
                self._clock.sleep(wait)
                now = self._clock.monotonic()
        lane.sent.append(now)

    def note(self, lane: Lane, headers: httpx.Headers) -> None:
        """Note what an answer says about the quota."""
        remaining = number(headers, "x-ratelimit-remaining")
        if remaining is None:
            return
        lane.remaining = remaining
        if remaining == 0:
            lane.blocked_until = self._clock.monotonic() + self._seconds_to_reset(headers)

    def _seconds_to_reset(self, headers: httpx.Headers) -> float:
        """By the server's clock where it sends the time, since ours may be wrong."""
        reset = number(headers, "x-ratelimit-reset")
        if reset is None:
            return 60.0
        now = http_date(headers) or self._clock.now()
        return max(reset - now.timestamp(), 0.0) + 1.0

    def refuse(self, lane: Lane) -> None:
        """Never use this lane's token again."""
        lane.is_refused = True
        log.warning("token refused", api=self._api, token=lane.number, of=len(self._lanes))

    def block(self, lane: Lane, answer: Answer) -> None:
        """Block the lane for as long as an answer that is a limit asks for.

        Raises:
            TemporaryError: the limit did not end after several waits.
        """
        lane.strikes += 1
        if lane.strikes > _STRIKES:
            lane.strikes = 0
            raise TemporaryError(f"{self._api}: still rate limited after {_STRIKES} waits; {_KEPT}")
        if _is_primary(answer):
            return  # `note` has blocked it until its reset
        retry_after = number(answer.headers, "retry-after")
        seconds = float(retry_after) if retry_after is not None else 60.0 * 2 ** (lane.strikes - 1)
        lane.blocked_until = self._clock.monotonic() + seconds + random.random()  # noqa: S311  (spreads waits)


def is_limit(answer: Answer) -> bool:
    """Whether a 403 or 429 is a rate limit, not a refusal."""
    if answer.status not in {403, 429}:
        return False
    has_words = answer.status == 429 or "rate limit" in answer.message.lower()
    return has_words or _is_primary(answer) or number(answer.headers, "retry-after") is not None


def _is_primary(answer: Answer) -> bool:
    return number(answer.headers, "x-ratelimit-remaining") == 0 and "retry-after" not in answer.headers


def _merit(lane: Lane) -> tuple[bool, float]:
    return (not lane.busy.locked(), float("inf") if lane.remaining is None else lane.remaining)
