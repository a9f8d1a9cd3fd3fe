"""HTTP with one upstream: one connection pool per API, retries, redirects, bodies within bounds."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from urllib.request import getproxies, proxy_bypass

import httpx
import stamina
import structlog

from lakepulse.outcome import PermanentError, TemporaryError, one_line
from lakepulse_fetch.answers import Answer, Parse, Refusal, absolute, error_document, joined, json_object, relative
from lakepulse_fetch.clock import Clock
from lakepulse_fetch.limits import Lane, Limits, Meter, is_limit

log = structlog.get_logger()

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of one decoded body. A hundred issues of GitHub's longest text are a fifth of it."""

_ATTEMPTS = 6
_CONNECT_ATTEMPTS = 4
_CONNECT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_HEAVY_AFTER = 2
_REDIRECTS = 5
_DEADLINE_FACTOR = 10  # a body may take this many read timeouts in all, however steadily it drips
_HEAVY = frozenset({502, 504})  # GitHub's answer to a page that takes too long to make
_REDIRECT = frozenset({301, 302, 307, 308})
_DEFINITE = frozenset({304, 404, 409, 410, 422, 451})


class HeavyPageError(TemporaryError):
    """The upstream cannot serve a page of this size: request a smaller one."""


class UnreachableError(TemporaryError):
    """No connection to the host: skip its other requests in this run."""


class _BadAnswerError(Exception):
    """An answer that the API does not mean; the request is retried a few times."""

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status


def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    error = details.caused_by
    url = ", ".join(getattr(error, "__notes__", []))
    log.info("retrying", url=url, after=round(details.wait_for, 1), why=_problem(error))


stamina.instrumentation.set_on_retry_hooks([_log_retry])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A GET of `url`, absolute or a path below the API's base.

    `parse` makes the document of a 200; a body that it rejects by ValueError is requested again, like
    one that is cut off. `home` names the list whose ETags must stay with one token. With `can_shrink` a
    page that the upstream fails to make, or that is over the size limit, raises `HeavyPageError` soon.
    `headers` go with it beside the API's own. An answer that is one of `refusals` is returned, not raised.
    """

    url: str
    parse: Parse = json_object
    etag: str | None = None
    home: str | None = None
    can_shrink: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether an answer other than 200 is one that the caller knows what to do with."""
        if answer.status in _DEFINITE | _REDIRECT or answer.is_blocked:
            return True
        return any(refusal.matches(answer) for refusal in self.refusals)


class Api:
    """One upstream, for several threads.

    `headers` go with every request. `advice` ends the line about a request that is refused. The limits
    are those of `Limits`.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        tokens: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
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
        self.advice = advice
        self.clock = clock or Clock()
        self.limits = Limits(
            name,
            tokens,
            burst=burst,
            per_second=per_second,
            has_quota=has_quota,
            max_wait_seconds=max_wait_seconds,
            clock=self.clock,
        )
        self._timeout_seconds, self._body_limit = timeout_seconds, body_limit
        self._down: str | None = None
        connections = max(4, len(self.limits))
        try:
            self._client = httpx.Client(
                headers={"user-agent": "lakepulse", "accept-encoding": "gzip", **(headers or {})},
                timeout=timeout_seconds,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                transport=transport,
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            # httpx reads every proxy of the environment, also one that no request needs.
            raise PermanentError(
                f"a proxy of the environment cannot be used ({_proxies()}): {one_line(error)[:200]}; "
                "name an HTTP proxy in HTTPS_PROXY, or unset it"
            ) from error

    def __enter__(self) -> Api:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def get(self, request: Request, meter: Meter) -> Answer:
        """Send a request until there is a definite answer; `meter` counts what that costs.

        Raises:
            TemporaryError: network, server or rate limit did not recover.
            PermanentError: refused: credentials, permission, size, a redirect elsewhere.
        """
        following = replace(request, url=absolute(self.base_url, request.url))
        for _ in range(_REDIRECTS):
            try:
                answer = self._retrying(following, meter)
            except HeavyPageError as error:
                if request.can_shrink:
                    raise
                raise PermanentError(str(error)) from error
            if answer.status not in _REDIRECT:
                return replace(answer, url=relative(self.base_url, answer.url), base=self.base_url)
            location = answer.headers.get("location")
            if not location:
                raise PermanentError(f"{self.name}: {following.url} redirects without a location; check the address")
            following = replace(following, url=joined(following.url, location))
        raise PermanentError(f"{self.name}: {request.url} redirects too often; check the address")

    def _retrying(self, request: Request, meter: Meter) -> Answer:
        self._check_origin(request.url)
        failures = _Failures(request.can_shrink)
        try:
            for attempt in stamina.retry_context(
                on=failures.is_worth_another, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=20
            ):
                with attempt:
                    if self._down:
                        raise UnreachableError(self._down)
                    return self._noted(request, meter)
        except _CONNECT_ERRORS as error:
            if _is_untrusted(error):
                raise PermanentError(
                    f"{self.name}: the certificate of {self.host} is not trusted ({one_line(error)[:200]}); "
                    "if your network has a CA of its own, name its file in SSL_CERT_FILE"
                ) from error
            # Trying every other list of a host that cannot be reached would take minutes.
            through, check = "", "the network"
            if proxy := _proxy_of(httpx.URL(request.url)):
                through, check = f" through the proxy {proxy}", "the proxy"
            self._down = (
                f"cannot reach {self.name} at {self.host}{through} ({one_line(error)[:200]}); check {check}, then run again"
            )
            raise UnreachableError(self._down) from error
        except (httpx.TransportError, _BadAnswerError) as error:
            problem = f"{self.name}: {request.url} failed: {_problem(error)}"
            if failures.is_heavy:
                raise HeavyPageError(problem) from error
            raise TemporaryError(f"{problem}, {_ATTEMPTS} times; run again later") from error
        raise AssertionError("retries ended without an answer")

    def _noted(self, request: Request, meter: Meter) -> Answer:
        try:
            return self._send(request, meter)
        except (httpx.TransportError, _BadAnswerError) as error:
            error.add_note(request.url)
            raise

    def _check_origin(self, url: str) -> None:
        """A token is sent to the configured address alone, whatever Link or Location say."""
        base, target = httpx.URL(self.base_url), httpx.URL(url)
        same = (base.scheme, base.host, base.port) == (target.scheme, target.host, target.port)
        if target.scheme not in {"http", "https"} or target.userinfo or (not same and self.limits.has_tokens):
            where = f"{target.scheme}://{target.host}"
            raise PermanentError(f"{self.name}: refused to follow a link to {where}; check {self.base_url}")

    def _send(self, request: Request, meter: Meter) -> Answer:
        """Send until no rate limit is in the way."""
        while True:
            with self.limits.lane(request.home) as lane:
                answer = self._exchange(request, meter, lane)
                if answer is not None:
                    return answer

    def _exchange(self, request: Request, meter: Meter, lane: Lane) -> Answer | None:
        """One request in a lane that is held; None if the lane turned out to be limited or refused."""
        headers = dict(request.headers)
        if request.etag:
            headers["if-none-match"] = request.etag
        if lane.token:
            headers["authorization"] = f"Bearer {lane.token}"
        meter.requests += 1
        with self._client.stream("GET", request.url, headers=headers) as response:
            status = response.status_code
            if self.limits.has_quota and (status != 304 or lane.token is None):
                meter.quota += 1
            self.limits.note(lane, response.headers)
            body = self._read(response)
        if status == 200:
            lane.strikes = 0
            try:
                return Answer(status, request.url, response.headers, request.parse(body, response.headers, request.url))
            except ValueError as error:
                raise _BadAnswerError(str(error)) from error
        answer = Answer(status, request.url, response.headers, error_document(body))
        if is_limit(answer) and not answer.is_blocked:
            self.limits.block(lane, answer)
            return None
        lane.strikes = 0
        if status == 401 and lane.token:
            self.limits.refuse(lane)
            return None
        if status >= 500:
            raise _BadAnswerError(f"status {answer.message}", status)
        if status == 304 and not request.etag:
            raise _BadAnswerError("304 to an unconditional request")
        if not request.is_answered_by(answer):
            raise PermanentError(f"{self.name}: {answer.message} for {answer.url.partition('?')[0]}; {self.advice}")
        return answer

    def _read(self, response: httpx.Response) -> bytes:
        """The decoded body, never more than the limit in memory.

        Raises:
            HeavyPageError: it is larger.
            _BadAnswerError: it is incomplete.
        """
        unzip = zlib.decompressobj(wbits=31) if response.headers.get("content-encoding", "").lower() == "gzip" else None
        body = bytearray()
        deadline = self.clock.monotonic() + self._timeout_seconds * _DEADLINE_FACTOR
        for chunk in response.iter_raw():
            room = self._body_limit - len(body) + 1
            try:
                body += unzip.decompress(chunk, room) if unzip else chunk
            except zlib.error as error:
                raise _BadAnswerError(f"damaged gzip body: {error}") from error
            if len(body) > self._body_limit:
                raise HeavyPageError(f"{self.name}: the body of {response.url} is over {self._body_limit} bytes")
            if self.clock.monotonic() > deadline:
                raise httpx.ReadTimeout("the body is too slow", request=response.request)
        if unzip and body and not unzip.eof:
            raise _BadAnswerError("truncated gzip body")
        return bytes(body)


class _Failures:
    """Counts what went wrong with one request, to tell whether another attempt may help."""

    def __init__(self, can_shrink: bool) -> None:
        self._can_shrink = can_shrink
        self._timeouts = 0
        self._connects = 0

    @property
    def is_heavy(self) -> bool:
        """Whether a smaller page would do better than another attempt."""
        return self._can_shrink and self._timeouts >= _HEAVY_AFTER

    def is_worth_another(self, error: Exception) -> bool:
        if isinstance(error, _CONNECT_ERRORS):
            self._connects += 1
            return self._connects < _CONNECT_ATTEMPTS and not _is_untrusted(error)
        if isinstance(error, httpx.ReadTimeout) or (isinstance(error, _BadAnswerError) and error.status in _HEAVY):
            self._timeouts += 1
        return isinstance(error, httpx.TransportError | _BadAnswerError) and not self.is_heavy


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a connection failed since the other side's certificate could not be verified."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _proxy_of(url: httpx.URL) -> str | None:
    """Host and port of the proxy that the environment names for an address, without its credentials."""
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    return None if named is None or proxy_bypass(url.host) else httpx.URL(named).netloc.decode("ascii")


def _proxies() -> str:
    """The proxies that the environment names, without credentials."""
    return ", ".join(f"{scheme}: {value.rpartition('@')[2]}" for scheme, value in getproxies().items() if scheme != "no")


def _problem(error: Exception) -> str:
    return one_line(error if isinstance(error, _BadAnswerError) else f"{type(error).__name__}: {error}")[:200]
