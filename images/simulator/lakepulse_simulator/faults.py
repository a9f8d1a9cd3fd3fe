"""The ways in which an answer goes wrong, scripted per request or drawn from a seed."""

from __future__ import annotations

import random
import re
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast, get_args

Kind = Literal[
    "status",  # answer `status`, with an HTML body for 5xx as a proxy gives it
    "stall",  # nothing for `seconds`, then the right answer
    "stall_body",  # headers and half of the body, then nothing for `seconds`, then the connection ends
    "truncate",  # chunked transfer that ends in the middle of a chunk
    "wrong_length",  # Content-Length is `surplus` bytes off; positive: more than the body
    "html",  # a page instead of JSON, status 200
    "malformed",  # JSON that ends too early, status 200, right length
    "empty",  # status 200, no body
    "huge",  # valid JSON of `size` bytes
    "gzip_bomb",  # small gzip body of `size` bytes once unpacked
    "redirect",  # `status` (else 301) to `location`
    "reset",  # TCP reset before any answer
    "reset_body",  # TCP reset in the middle of the body
    "primary",  # rate limit: `status` 403 or 429, remaining 0, reset in `seconds`
    "secondary",  # secondary rate limit: `status` 403 or 429, with `retry_after` or without
]

RANDOM_KINDS: tuple[Kind, ...] = ("status", "truncate", "wrong_length", "html", "malformed", "empty", "reset", "reset_body")
"""Faults that a client can repair by a retry, without waiting."""


@dataclass
class Fault:
    """One fault and the requests that it affects.

    `match` is a regular expression searched in `METHOD path?query` (paths begin with
    `/github/`, `/pypistats/`, `/simple/` or `/clickhouse/`). The first `skip` matches are spared; then it
    strikes `times` times, or always if that is None. `above_per_page` spares pages of that
    many items or fewer.
    """

    kind: Kind
    match: str = ""
    times: int | None = 1
    skip: int = 0
    above_per_page: int | None = None
    status: int | None = None
    seconds: float = 0
    retry_after: int | None = None
    location: str | None = None
    surplus: int = 10
    size: int = 200_000_000
    message: str | None = None
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(get_args(Kind))}")
        re.compile(self.match)

    def strikes(self, request: str, per_page: int | None) -> bool:
        if self.above_per_page is not None and (per_page is None or per_page <= self.above_per_page):
            return False
        if not re.search(self.match, request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        self.struck += 1
        return True


@dataclass
class Faults:
    """What goes wrong from now on; scripted faults come before random ones."""

    scripted: list[Fault] = field(default_factory=list)
    struck: int = 0
    _random: random.Random | None = None
    _rate: float = 0
    _kinds: Sequence[Kind] = RANDOM_KINDS
    _in_a_row: int = 2
    _rows: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, match: str = "", **more: Any) -> Fault:
        """Script one fault; arguments as in `Fault`.

        Raises:
            ValueError: unknown kind.
        """
        fault = Fault(cast("Kind", kind), match, **more)
        with self._lock:
            self.scripted.append(fault)
        return fault

    def at_random(self, seed: int, rate: float, kinds: Sequence[Kind] = RANDOM_KINDS, in_a_row: int = 2) -> None:
        """Strike each request with probability `rate`, but one address at most `in_a_row` times in a row."""
        with self._lock:
            self._random, self._rate, self._kinds, self._in_a_row = random.Random(seed), rate, kinds, in_a_row
            self._rows.clear()

    def clear(self) -> None:
        with self._lock:
            self.scripted.clear()
            self._random = None
            self._rows.clear()

    def pick(self, request: str, per_page: int | None) -> Fault | None:
        """The fault that strikes this request, if any."""
        if not self.scripted and self._random is None:
            return None
        with self._lock:
            for fault in self.scripted:
                if fault.strikes(request, per_page):
                    self.struck += 1
                    return fault
            if self._random is not None:
                running = self._rows.get(request, 0)
                if running < self._in_a_row and self._random.random() < self._rate:
                    self._rows[request] = running + 1
                    self.struck += 1
                    return Fault(self._random.choice(list(self._kinds)), status=self._random.choice((500, 502, 503)))
                self._rows[request] = 0
        return None


@lru_cache(maxsize=2)
def gzip_bomb(size: int) -> bytes:
    """A gzip stream that unpacks to a JSON list of `size` bytes."""
    packer = zlib.compressobj(1, wbits=31)
    block = b" " * 1_000_000
    parts = [packer.compress(b"[")]
    parts.extend(packer.compress(block) for _ in range(size // len(block)))
    parts += [packer.compress(b"]"), packer.flush()]
    return b"".join(parts)
