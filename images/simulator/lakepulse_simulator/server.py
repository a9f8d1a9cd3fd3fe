"""The HTTP server: GitHub REST under /github, pypistats under /pypistats/api, PyPI under /simple, ClickHouse under /clickhouse.

It writes its answers itself, byte by byte, so that it can also write wrong ones.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import http.client
import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from lakepulse_simulator import items
from lakepulse_simulator.faults import Fault, Faults, gzip_bomb
from lakepulse_simulator.world import Comment, Issue, Repo, World, from_iso, normalise

JSON = "application/json; charset=utf-8"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
DOCS = "https://docs.github.com/rest"
ISSUES_OFF = "Issues has been disabled in this repository."

FIRST_DAY_QUERY = (
    "SELECT min(date) AS first FROM pypi.pypi_downloads_per_day_by_version WHERE project = {project:String} FORMAT JSON"
)
VERSIONS_QUERY = (
    "SELECT date, version, toUInt32(sum(count)) AS downloads FROM pypi.pypi_downloads_per_day_by_version "
    "WHERE project = {project:String} AND date BETWEEN {first:Date} AND {last:Date} "
    "GROUP BY date, version ORDER BY date, version FORMAT JSON"
)
"""The two queries that ClickHouse's side answers; white space between words may be any."""


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    rows: int = 0


@dataclass(frozen=True)
class Logged:
    """One request as it was answered. `auth` is a hash of the Authorization header, if any."""

    method: str
    target: str
    """Path and query, with the prefix of its API."""
    status: int
    quota: int
    rows: int
    auth: str | None
    fault: str | None
    is_conditional: bool
    in_flight: int
    """Requests under way to the same API with the same authorization, this one included."""
    at: float
    """Monotonic seconds when it came in."""


@dataclass
class Quota:
    """Primary limit of one authorization: `used` of `limit` until `reset`, in clock seconds."""

    limit: int
    reset: float
    used: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass
class Rules:
    """What the servers enforce: GitHub's, and the last one ClickHouse's."""

    anonymous_limit: int = 60
    token_limit: int = 5_000
    window_seconds: float = 3_600
    limit_status: int = 403
    """403 or 429: what a request past the limit is answered."""
    points_per_minute: int | None = None
    """900 at GitHub; a request more is answered with a secondary limit. None: not enforced."""
    points_retry_after: int | None = 60
    max_in_flight: int | None = None
    """Requests at a time with one authorization; None: not enforced."""
    page_row_limit: int = 10_000
    """`page` times `per_page` at which /issues answers 422 and wants a cursor."""
    bad_tokens: tuple[str, ...] = ()
    """Tokens that are answered 401."""
    result_rows: int = 10_000
    """Rows at which ClickHouse's public server cuts a result, with status 200."""


def error(status: int, message: str, **more: object) -> Answer:
    body = {"message": message, "documentation_url": DOCS, "status": str(status)} | more
    return Answer(status, items.dump(body), {"Content-Type": JSON})


class Simulator:
    """A running server::

        with Simulator(world) as sim:
            httpx.get(f"{sim.github_url}/repos/apache/iceberg")

    `world`, `faults` and `rules` may be changed while it runs.
    """

    def __init__(self, world: World, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self.faults = Faults()
        self.rules = Rules()
        self.log: list[Logged] = []
        self.quotas: dict[str | None, Quota] = {}
        self._points: dict[str | None, deque[float]] = {}
        self._in_flight: dict[str | None, int] = {}
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None

    # --- life

    def start(self) -> Simulator:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="simulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.end_connections()
        self._server.server_close()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def reset(self, world: World | None = None) -> None:
        """Forget log, faults, rules and quotas, and serve `world` if one is given."""
        with self._lock:
            self.world = world or self.world
            self.faults = Faults()
            self.rules = Rules()
            self.log = []
            self.quotas.clear()
            self._points.clear()

    # --- addresses

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self._server.server_address[0]!s}:{self.port}"

    @property
    def github_url(self) -> str:
        return f"{self.url}/github"

    @property
    def pypistats_url(self) -> str:
        return f"{self.url}/pypistats/api"

    @property
    def simple_url(self) -> str:
        return f"{self.url}/simple"

    @property
    def clickhouse_url(self) -> str:
        return f"{self.url}/clickhouse"

    def environment(self) -> dict[str, str]:
        """The settings that point lakepulse here."""
        return {
            "GITHUB_API_URL": self.github_url,
            "PYPISTATS_API_URL": self.pypistats_url,
            "PYPI_SIMPLE_URL": self.simple_url,
            "CLICKHOUSE_URL": self.clickhouse_url,
        }

    # --- quota

    def quota(self, token: str | None) -> Quota:
        """The quota of a token (None: without one); its fields may be set."""
        return self._quota(None if token is None else hash_auth(f"Bearer {token}"))

    def _quota(self, auth: str | None) -> Quota:
        now = time.time()
        found = self.quotas.get(auth)
        if found is None or now >= found.reset:
            limit = self.rules.anonymous_limit if auth is None else self.rules.token_limit
            found = self.quotas[auth] = Quota(found.limit if found else limit, now + self.rules.window_seconds)
        return found

    def quota_spent(self) -> int:
        """Quota that all requests in the log spent together."""
        return sum(entry.quota for entry in self.log)

    def enter(self, client: str | None) -> tuple[int, bool]:
        """Note a client's request: how many of its own are under way, and whether its points are used up."""
        with self._lock:
            count = self._in_flight[client] = self._in_flight.get(client, 0) + 1
            points = self._points.setdefault(client, deque())
            now = time.monotonic()
            while points and points[0] < now - 60:
                points.popleft()
            points.append(now)
            limit = self.rules.points_per_minute
            return count, limit is not None and len(points) > limit

    def leave(self, client: str | None, entry: Logged) -> None:
        with self._lock:
            self._in_flight[client] -= 1
            self.log.append(entry)

    def spend(self, auth: str | None) -> bool:
        """Take one request off the quota; False if nothing is left."""
        with self._lock:
            quota = self._quota(auth)
            if quota.remaining == 0:
                return False
            quota.used += 1
            return True

    def refund(self, auth: str | None) -> None:
        with self._lock:
            self._quota(auth).used -= 1

    def quota_headers(self, auth: str | None) -> dict[str, str]:
        with self._lock:
            quota = self._quota(auth)
            return {
                "x-ratelimit-limit": str(quota.limit),
                "x-ratelimit-remaining": str(quota.remaining),
                "x-ratelimit-reset": str(int(quota.reset) + 1),
                "x-ratelimit-used": str(quota.used),
                "x-ratelimit-resource": "core",
            }


def hash_auth(header: str | None) -> str | None:
    """What the log keeps of an Authorization header: neither the scheme's case nor the secret."""
    if not header:
        return None
    return hashlib.sha256(header.split(" ", 1)[-1].encode()).hexdigest()[:12]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that disconnects is no error of ours."""

    def end_connections(self) -> None:
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Reset(Exception):  # noqa: N818  (it carries no error, it ends a connection)
    """End the connection now."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it)
        """The simulator keeps its own log."""

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_DELETE(self) -> None:
        self.respond()

    def respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length) if length else b""
        simulator = self.server.simulator
        parts = urlsplit(self.path)
        if parts.path.startswith("/_simulator/"):
            self.write(control(simulator, self.command, parts.path, sent))
            return
        auth = hash_auth(self.headers.get("Authorization"))
        # Limits go by host, and these four APIs are four hosts.
        api = parts.path.split("/")[1]
        client = auth if api == "github" else api
        in_flight, is_over = simulator.enter(client)
        began = time.monotonic()
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(simulator, self.command, parts.path, query, self.headers, auth, is_over, in_flight, sent)
        fault = simulator.faults.pick(f"{self.command} {self.path}", request.page_size)
        answer, quota = Answer(0), 0
        try:
            if fault is not None and fault.kind == "stall":
                simulator.stopping.wait(fault.seconds)
            answer, quota = request.answer(fault)
        finally:
            simulator.leave(
                client,
                Logged(
                    self.command,
                    self.path,
                    answer.status,
                    quota,
                    answer.rows,
                    auth,
                    fault.kind if fault else None,
                    "If-None-Match" in self.headers,
                    in_flight,
                    began,
                ),
            )
        try:
            self.spoil(answer, fault)
        except (_Reset, ConnectionError, TimeoutError):
            self.close_connection = True

    # --- bytes

    def head(self, answer: Answer, length: int | None, extra: Sequence[str] = ()) -> bytes:
        reason = http.client.responses.get(answer.status, "")
        lines = [f"HTTP/1.1 {answer.status} {reason}", f"Date: {self.date_time_string()}", "Server: simulator"]
        lines += [f"{key}: {value}" for key, value in answer.headers.items()]
        lines += extra
        if length is not None:
            lines.append(f"Content-Length: {length}")
        if self.close_connection:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def write(self, answer: Answer) -> None:
        # 304 has no body and no length.
        if answer.status == 304:
            self.connection.sendall(self.head(answer, None))
            return
        self.connection.sendall(self.head(answer, len(answer.body)) + answer.body)

    def spoil(self, answer: Answer, fault: Fault | None) -> None:
        if fault is None:
            self.write(answer)
            return
        half = answer.body[: len(answer.body) // 2]
        match fault.kind:
            case "reset":
                self.reset()
            case "reset_body":
                self.connection.sendall(self.head(answer, len(answer.body) or 100) + half)
                self.reset()
            case "truncate":
                self.close_connection = True
                size = f"{len(answer.body) or 100:x}\r\n".encode()
                self.connection.sendall(self.head(answer, None, ["Transfer-Encoding: chunked"]) + size + half)
            case "wrong_length":
                self.close_connection = True
                promised = max(0, len(answer.body) + fault.surplus)
                self.connection.sendall(self.head(answer, promised) + answer.body)
            case "stall_body":
                self.connection.sendall(self.head(answer, len(answer.body) or 100) + half)
                self.server.simulator.stopping.wait(fault.seconds)
                self.close_connection = True
            case "huge":
                self.huge(answer, fault.size)
            case "gzip_bomb":
                body = gzip_bomb(fault.size)
                self.connection.sendall(self.head(answer, len(body), ["Content-Encoding: gzip"]) + body)
            case _:
                self.write(answer)

    def huge(self, answer: Answer, size: int) -> None:
        self.connection.sendall(self.head(answer, size))
        block = b" " * 1_000_000
        left = size - 2
        self.connection.sendall(b"[")
        while left > 0:
            self.connection.sendall(block[:left])
            left -= len(block)
        self.connection.sendall(b"]")

    def reset(self) -> None:
        # Linger of zero seconds turns the close into a TCP reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise _Reset


@dataclass
class Request:
    """One request to one of the four APIs, and how it is answered."""

    simulator: Simulator
    method: str
    path: str
    query: dict[str, str]
    headers: Any
    auth: str | None
    is_over_points: bool
    in_flight: int
    body: bytes = b""

    @property
    def page_size(self) -> int | None:
        """Items a page, as GitHub reads `per_page`; None for other APIs."""
        if not self.path.startswith("/github/"):
            return None
        text = self.query.get("per_page", "30")
        return min(100, int(text)) if text.isdecimal() and int(text) > 0 else 30

    @property
    def base(self) -> str:
        return f"http://{self.headers.get('Host', '')}/github"

    def answer(self, fault: Fault | None) -> tuple[Answer, int]:
        """The answer and the quota that it cost."""
        answer, quota = self.github(fault) if self.path.startswith("/github/") else (self.others(fault), 0)
        if fault is not None and fault.kind == "malformed" and answer.body:
            answer.body = answer.body[: max(1, len(answer.body) - 7)]
        return answer, quota

    def others(self, fault: Fault | None) -> Answer:
        spoilt = self.spoilt(fault)
        if spoilt is not None:
            return spoilt
        with self.simulator.world.lock:
            if self.method != "GET":
                return error(405, "Method Not Allowed")
            if self.path.startswith("/pypistats/api/"):
                return self.pypistats(self.path.removeprefix("/pypistats/api"))
            if self.path.startswith("/simple/"):
                return self.simple()
            if self.path == "/clickhouse/":
                return self.clickhouse()
        return error(404, "Not Found")

    def spoilt(self, fault: Fault | None) -> Answer | None:
        """What a fault answers in place of the right answer, if it does."""
        if fault is None:
            return None
        match fault.kind:
            case "status":
                status = fault.status or 502
                if status >= 500 or not self.path.startswith("/github/"):
                    return Answer(status, f"<html><h1>{status}</h1></html>".encode(), {"Content-Type": "text/html"})
                return error(status, fault.message or http.client.responses.get(status, "Error"))
            case "html":
                body = fault.message or "<!DOCTYPE html><html><body>Down for maintenance</body></html>"
                return Answer(200, body.encode(), {"Content-Type": "text/html; charset=utf-8"})
            case "empty":
                return Answer(200, b"", {"Content-Type": JSON})
            case "redirect":
                return Answer(fault.status or 301, b"", {"Location": fault.location or "/", "Content-Type": JSON})
            case "primary":
                answer = error(fault.status or 403, "API rate limit exceeded for user ID 1.")
                answer.headers |= {
                    "x-ratelimit-limit": "5000",
                    "x-ratelimit-remaining": "0",
                    "x-ratelimit-reset": str(int(time.time() + fault.seconds)),
                    "x-ratelimit-used": "5000",
                    "x-ratelimit-resource": "core",
                }
                return answer
            case "secondary":
                return secondary(fault.status or 403, fault.retry_after)
            case _:
                return None

    # --- GitHub

    def github(self, fault: Fault | None) -> tuple[Answer, int]:
        simulator = self.simulator
        path = self.path.removeprefix("/github")
        token = (self.headers.get("Authorization") or "").split(" ", 1)[-1]
        if token and token in simulator.rules.bad_tokens:
            return error(401, "Bad credentials"), 0
        if path == "/rate_limit":
            return self.rate_limit(), 0
        limit = simulator.rules.max_in_flight
        if self.is_over_points or (limit is not None and self.in_flight > limit):
            answer = secondary(simulator.rules.limit_status, simulator.rules.points_retry_after)
            answer.headers |= simulator.quota_headers(self.auth)
            return answer, 0
        if not simulator.spend(self.auth):
            who = "for user ID 1" if self.auth else "for 127.0.0.1"
            answer = error(simulator.rules.limit_status, f"API rate limit exceeded {who}.")
            answer.headers |= simulator.quota_headers(self.auth)
            return answer, 0
        quota = 1
        spoilt = self.spoilt(fault)
        if spoilt is not None:
            answer = spoilt
        else:
            with simulator.world.lock:
                if self.method == "POST" and path == "/graphql":
                    answer = self.graphql()
                else:
                    answer = error(405, "Method Not Allowed") if self.method != "GET" else self.route(path)
            if answer.status == 200 and self.method == "GET":
                answer = self.conditional(answer)
            if answer.status == 304 and self.auth is not None:
                simulator.refund(self.auth)
                quota = 0
        for key, value in simulator.quota_headers(self.auth).items():
            answer.headers.setdefault(key, value)
        answer.headers.setdefault("X-GitHub-Media-Type", "github.v3; format=json")
        return answer, quota

    def conditional(self, answer: Answer) -> Answer:
        # GitHub's ETag depends on the authorization.
        digest = hashlib.sha256((self.auth or "").encode() + answer.body).hexdigest()
        etag = f'W/"{digest}"'
        given = [tag.strip() for tag in (self.headers.get("If-None-Match") or "").split(",")]
        shared = {"ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60", "Vary": "Accept, Authorization, Cookie"}
        if etag in given or digest in (tag.strip('W/"') for tag in given):
            return Answer(304, b"", shared)
        answer.headers |= shared
        return answer

    def graphql(self) -> Answer:
        """The one query that other loaders send first: names and ids of repositories."""
        query = str(json.loads(self.body).get("query"))
        asked = re.findall(r'(\w+): repository\(name: "([^"]+)", owner: "([^"]+)"\)', query)
        found = {alias: self.simulator.world.find(f"{owner}/{name}") for alias, name, owner in asked}
        data: dict[str, Any] = {
            alias: {"nameWithOwner": repo.name, "databaseId": repo.id} if repo else None for alias, repo in found.items()
        }
        return Answer(200, items.dump({"data": data | {"rateLimit": {"cost": 1}}}), {"Content-Type": JSON})

    def rate_limit(self) -> Answer:
        found = self.simulator.quota_headers(self.auth)
        core = {key: int(found[f"x-ratelimit-{key}"]) for key in ("limit", "used", "remaining", "reset")}
        return Answer(200, items.dump({"resources": {"core": core}, "rate": core}), {"Content-Type": JSON} | found)

    def route(self, path: str) -> Answer:
        world = self.simulator.world
        by_id = re.fullmatch(r"/repositories/(\d+)(/.*)?", path)
        if by_id:
            repo, rest = world.repos.get(int(by_id[1])), by_id[2] or ""
        else:
            by_name = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", path)
            if not by_name:
                return error(404, "Not Found")
            name, rest = unquote(by_name[1]), by_name[2] or ""
            repo = world.find(name)
            if repo is not None and repo.gone is None and repo.name.lower() != name.lower():
                return self.moved(f"/repositories/{repo.id}{rest}")
        if repo is None:
            return error(404, "Not Found")
        if repo.gone is not None:
            return gone(repo.gone)
        return self.repository(repo, rest)

    def moved(self, path: str) -> Answer:
        url = f"{self.base}{path}" + (f"?{urlencode(self.query)}" if self.query else "")
        answer = error(301, "Moved Permanently", url=url)
        answer.headers["Location"] = url
        return answer

    def repository(self, repo: Repo, rest: str) -> Answer:
        if rest == "":
            return one(repo.derive("repository", lambda: items.repository(repo)))
        lists: dict[str, Callable[[Repo], Answer]] = {
            "/commits": self.commits,
            "/issues": self.issues,
            "/issues/comments": self.comments,
            "/pulls": self.pulls,
            "/releases": self.releases,
            "/tags": self.tags,
        }
        if rest in lists:
            return lists[rest](repo)
        if found := re.fullmatch(r"/commits/(.+)", rest):
            return self.one_commit(repo, unquote(found[1]))
        if found := re.fullmatch(r"/compare/(.+?)\.\.\.(.+)", rest):
            return self.compare(repo, unquote(found[1]), unquote(found[2]))
        if found := re.fullmatch(r"/(issues|pulls)/(\d+)(/comments)?", rest):
            return self.one_issue(repo, found[1], int(found[2]), found[3] is not None)
        return error(404, "Not Found")

    def pages(
        self,
        repo: Repo,
        rest: str,
        found: Sequence[Any],
        render: Callable[[Repo, Any], bytes],
    ) -> Answer:
        """One page by number, with the links to the others."""
        size = self.page_size or 30
        page = self.page
        rows = found[(page - 1) * size : page * size]
        last = max(1, -(-len(found) // size))
        links = []
        if page > 1:
            links += [self.link(repo, rest, "prev", page=min(page - 1, last)), self.link(repo, rest, "first", page=1)]
        if page < last:
            links += [self.link(repo, rest, "next", page=page + 1), self.link(repo, rest, "last", page=last)]
        return listing([render(repo, row) for row in rows], links)

    @property
    def page(self) -> int:
        text = self.query.get("page", "1")
        return max(1, int(text)) if text.isdecimal() else 1

    def link(self, repo: Repo, rest: str, relation: str, **more: object) -> str:
        query = {key: value for key, value in self.query.items() if key not in ("page", "after", "before")}
        url = f"{self.base}/repositories/{repo.id}{rest}?{urlencode(query | more)}"
        return f'<{url}>; rel="{relation}"'

    def since(self) -> int | None:
        """`since` in seconds.

        Raises:
            ValueError: not a time.
        """
        text = self.query.get("since")
        return None if not text else from_iso(text.replace(" ", "+"))

    def commits(self, repo: Repo) -> Answer:
        wanted = self.query.get("sha")
        if repo.head is None:
            return error(409, "Git Repository is empty.")
        start = self.resolve(repo, wanted)
        if start is None:
            return error(404, "Not Found")
        found = repo.log(start)
        try:
            since = self.since()
            until = from_iso(self.query["until"].replace(" ", "+")) if self.query.get("until") else None
        except ValueError:
            return error(422, "Validation Failed")
        if since is not None:
            # At the epoch GitHub finds nothing.
            found = [c for c in found if c.committed_at >= since] if since > 0 else []
        if until is not None:
            found = [c for c in found if c.committed_at <= until]
        return self.pages(repo, "/commits", found, items.commit)

    def resolve(self, repo: Repo, name: str | None) -> str | None:
        if not name or name in (repo.default_branch, f"refs/heads/{repo.default_branch}", "HEAD"):
            return repo.head
        sha = repo.tags.get(name, name)
        # A tag may be on a branch that is not served.
        return sha if sha in repo.commits else None

    def one_commit(self, repo: Repo, name: str) -> Answer:
        sha = self.resolve(repo, name)
        if sha is None:
            return error(422, f"No commit found for SHA: {name}")
        body = json.loads(items.commit(repo, repo.commits[sha]))
        return one(items.dump(body | {"stats": {"total": 0, "additions": 0, "deletions": 0}, "files": []}))

    def compare(self, repo: Repo, base: str, head: str) -> Answer:
        ends = (self.resolve(repo, base), self.resolve(repo, head))
        if ends[0] is None or ends[1] is None:
            return error(404, "Not Found")
        before, after = repo.log(ends[0]), repo.log(ends[1])
        known, reached = {c.sha for c in before}, {c.sha for c in after}
        ahead = [c for c in reversed(after) if c.sha not in known]
        behind = sum(c.sha not in reached for c in before)
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        size = self.page_size or 30
        rows = ahead[(self.page - 1) * size : self.page * size]
        common = next((c for c in before if c.sha in reached), None)
        body = {
            "url": f"{items.API}/repos/{repo.name}/compare/{base}...{head}",
            "base_commit": json.loads(items.commit(repo, repo.commits[ends[0]])),
            "merge_base_commit": json.loads(items.commit(repo, common)) if common else None,
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": [json.loads(items.commit(repo, c)) for c in rows],
            "files": [],
        }
        answer = one(items.dump(body))
        if self.page * size < len(ahead):
            rest = f"/compare/{quote(base)}...{quote(head)}"
            answer.headers["Link"] = self.link(repo, rest, "next", page=self.page + 1)
        return answer

    def issues(self, repo: Repo) -> Answer:
        """Issues and pull requests, paged by a cursor that stays right while items move."""
        if not repo.has_issues and not repo.lists_pulls:
            return error(410, ISSUES_OFF)
        sort, state = self.query.get("sort", "created"), self.query.get("state", "open")
        is_down = self.query.get("direction", "desc") != "asc"
        size = self.page_size or 30
        try:
            since = self.since()
            after = read_cursor(self.query["after"]) if "after" in self.query else None
        except ValueError:
            return error(422, "Validation Failed")
        if since == 0:
            return listing([], [])
        found = repo.derive(("issues", sort, state, is_down), lambda: sorted_issues(repo, sort, state, is_down, False))
        if since is not None:
            found = [entry for entry in found if entry[1].updated_at >= since]
        if after is not None:
            rows = [e for e in found if (e[0] < after if is_down else e[0] > after)]
        elif self.page * size >= self.simulator.rules.page_row_limit and self.page > 1:
            message = (
                "Pagination with the page parameter is not supported for large datasets, please use cursor based pagination"
            )
            return error(422, f"{message} (after/before)")
        else:
            rows = found[(self.page - 1) * size :]
        links = []
        if len(rows) > size:
            links.append(self.link(repo, "/issues", "next", after=make_cursor(rows[size - 1][0]), page=self.page + 1))
        return listing([items.issue(repo, entry[1]) for entry in rows[:size]], links)

    def comments(self, repo: Repo) -> Answer:
        try:
            since = self.since()
        except ValueError:
            return error(422, "Validation Failed")
        sort = self.query.get("sort")
        # Without `sort` the list is by id and `direction` means nothing.
        is_down = sort in ("created", "updated") and self.query.get("direction", "desc" if sort else "asc") == "desc"

        def make() -> list[Any]:
            keys: dict[str | None, Callable[[Comment], tuple[int, int]]] = {
                "updated": lambda c: (c.updated_at, c.id),
                "created": lambda c: (c.created_at, c.id),
                None: lambda c: (c.id, c.id),
            }
            shown = [comment for comment in repo.comments.values() if repo.shows(comment)]
            return sorted(shown, key=keys.get(sort, keys[None]), reverse=is_down)

        found = repo.derive(("comments", sort, is_down), make)
        if since is not None:
            found = [c for c in found if c.updated_at >= since] if since > 0 else []
        return self.pages(repo, "/issues/comments", found, items.comment)

    def pulls(self, repo: Repo) -> Answer:
        sort, state = self.query.get("sort", "created"), self.query.get("state", "open")
        is_down = self.query.get("direction", "desc" if sort == "created" else "asc") == "desc"
        found = repo.derive(
            ("pulls", sort, state, is_down), lambda: [e[1] for e in sorted_issues(repo, sort, state, is_down, True)]
        )
        return self.pages(repo, "/pulls", found, items.pull)

    def releases(self, repo: Repo) -> Answer:
        # Only those who may push see drafts.
        found = sorted((r for r in repo.releases.values() if not r.draft), key=lambda r: (r.created_at, r.id), reverse=True)
        return self.pages(repo, "/releases", found, items.release)

    def tags(self, repo: Repo) -> Answer:
        found = sorted(repo.tags.items(), reverse=True)
        return self.pages(repo, "/tags", found, lambda repo, entry: items.tag(repo, *entry))

    def one_issue(self, repo: Repo, kind: str, number: int, wants_comments: bool) -> Answer:
        found = repo.issues.get(number)
        if found is not None and not found.is_pull and not repo.has_issues:
            return error(410, ISSUES_OFF)
        if found is None and number in repo.moved_issues:
            target, new_number = repo.moved_issues[number]
            return self.moved(f"/repositories/{target.id}/issues/{new_number}")
        if found is None or (kind == "pulls" and not found.is_pull):
            return (
                error(410, "This issue was deleted")
                if number <= repo.last_number and kind == "issues"
                else error(404, "Not Found")
            )
        if wants_comments:
            rows = sorted((c for c in repo.comments.values() if c.number == number), key=lambda c: c.id)
            return self.pages(repo, f"/issues/{number}/comments", rows, items.comment)
        return one((items.pull if kind == "pulls" else items.issue)(repo, found))

    # --- pypistats

    def pypistats(self, path: str) -> Answer:
        found = re.fullmatch(r"/packages/([^/]+)/(overall|python_minor|system|recent)/?", path)
        if found is None:
            return page_404()
        # Only these two are folded; a name in another case is another package, and unknown.
        name, kind = re.sub("[._]", "-", unquote(found[1])), found[2]
        package = self.simulator.world.packages.get(name)
        today = self.simulator.world.date
        rows = package.served("overall" if kind == "recent" else kind, today) if package and not package.is_gone else []
        # For an unknown package the real site answers 404 to these two, and an empty list with 200 to the others.
        if kind in ("overall", "recent") and not rows:
            return page_404()
        if kind == "recent":
            return one(items.dump({"data": recent(rows, today), "package": name, "type": "recent_downloads"}))
        mirrors, chosen = self.query.get("mirrors"), self.query.get("version") or self.query.get("os")
        if kind == "overall" and mirrors in ("true", "false"):
            rows = [row for row in rows if row[0] == ("with_mirrors" if mirrors == "true" else "without_mirrors")]
        elif kind != "overall" and chosen:
            rows = [row for row in rows if row[0] == chosen.title()]
        data = [{"category": category, "date": day.isoformat(), "downloads": count} for category, day, count in rows]
        answer = one(items.dump({"data": data, "package": name, "type": f"{kind}_downloads"}))
        answer.rows = len(data)
        return answer

    # --- PyPI

    def simple(self) -> Answer:
        found = re.fullmatch(r"/simple/([^/]+)/?", self.path)
        package = self.simulator.world.packages.get(normalise(unquote(found[1]))) if found else None
        if package is None or package.is_gone:
            return Answer(404, b"404 Not Found", {"Content-Type": "text/plain"})
        if not self.path.endswith("/"):
            return Answer(301, b"", {"Location": f"{self.path}/"})
        rows = 0 if package.status == "quarantined" else len(package.files)
        answer = Answer(200, items.simple_page(package), {"Content-Type": SIMPLE_JSON}, rows)
        answer.headers |= {"X-PyPI-Last-Serial": str(package.version), "Cache-Control": "max-age=600, public"}
        etag = f'"{hashlib.sha256(answer.body).hexdigest()[:22]}"'
        if self.headers.get("If-None-Match") == etag:
            return Answer(304, b"", {"ETag": etag})
        answer.headers["ETag"] = etag
        return answer

    # --- ClickHouse

    def clickhouse(self) -> Answer:
        if self.headers.get("X-ClickHouse-User") != "demo":
            return exception(403, 516, "default: Authentication failed", "AUTHENTICATION_FAILED")
        query = " ".join(self.query.get("query", "").split())
        if query not in (FIRST_DAY_QUERY, VERSIONS_QUERY):
            return exception(400, 62, f"Syntax error: the simulator does not know {query!r}", "SYNTAX_ERROR")
        given: dict[str, Any] = {}
        for name, kind in re.findall(r"{(\w+):(\w+)}", query):
            text = self.query.get(f"param_{name}")
            if text is None:
                return exception(400, 456, f"Substitution `{name}` is not set", "UNKNOWN_QUERY_PARAMETER")
            try:
                given[name] = date.fromisoformat(text) if kind == "Date" else text
            except ValueError:
                return exception(
                    400, 457, f"Value {text} cannot be parsed as {kind} for query parameter '{name}'", "BAD_QUERY_PARAMETER"
                )
        world = self.simulator.world
        package = world.packages.get(given["project"])
        # Its table is made from the log, which keeps packages that left the index.
        first, last = given.get("first", date.min), min(given.get("last", date.max), world.date - timedelta(days=1))
        rows = package.served_versions(first, last) if package else []
        if query == FIRST_DAY_QUERY:
            return result({"first": "Date"}, [(min((row[0] for row in rows), default=date(1970, 1, 1)),)])
        return result({"date": "Date", "version": "String", "downloads": "UInt32"}, rows[: self.simulator.rules.result_rows])


def result(types: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> Answer:
    """ClickHouse's FORMAT JSON of rows with these columns."""
    body = {
        "meta": [{"name": name, "type": kind} for name, kind in types.items()],
        "data": [
            {name: v.isoformat() if isinstance(v, date) else v for name, v in zip(types, row, strict=True)} for row in rows
        ],
        "rows": len(rows),
        "statistics": {"elapsed": 0.001, "rows_read": len(rows), "bytes_read": 16 * len(rows)},
    }
    return Answer(
        200, items.dump(body), {"Content-Type": "application/json; charset=UTF-8", "X-ClickHouse-Format": "JSON"}, len(rows)
    )


def exception(status: int, code: int, message: str, name: str) -> Answer:
    """An error as ClickHouse says it, in plain text."""
    body = f"Code: {code}. DB::Exception: {message}. ({name}) (version 25.8.1.1)\n"
    return Answer(
        status, body.encode(), {"Content-Type": "text/plain; charset=UTF-8", "X-ClickHouse-Exception-Code": str(code)}
    )


def one(body: bytes) -> Answer:
    return Answer(200, body, {"Content-Type": JSON}, 1)


def listing(rows: list[bytes], links: list[str]) -> Answer:
    headers = {"Content-Type": JSON}
    if links:
        headers["Link"] = ", ".join(links)
    return Answer(200, b"[" + b",".join(rows) + b"]", headers, len(rows))


def secondary(status: int, retry_after: int | None) -> Answer:
    answer = error(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def gone(status: int) -> Answer:
    if status in {403, 451}:
        reason = {403: "tos", 451: "dmca"}[status]
        block = {"reason": reason, "created_at": "2026-01-01T00:00:00Z", "html_url": f"https://github.com/{reason}"}
        return error(status, "Repository access blocked", block=block)
    return error(status, {404: "Not Found", 410: "Gone"}.get(status, "Unavailable"))


def sorted_issues(repo: Repo, sort: str, state: str, is_down: bool, pulls_only: bool) -> list[tuple[tuple[int, int], Issue]]:
    """(sort key, issue) in the requested order; numbers break ties, so a key names one item."""
    keys: dict[str, Callable[[Issue], int]] = {
        "created": lambda i: i.created_at,
        "updated": lambda i: i.updated_at,
        "comments": lambda i: i.comments,
    }
    key = keys.get(sort, keys["created"])
    found = [
        ((key(issue), issue.number), issue)
        for issue in repo.issues.values()
        if state in ("all", issue.state) and (issue.is_pull or (repo.has_issues and not pulls_only))
    ]
    return sorted(found, key=lambda entry: entry[0], reverse=is_down)


def make_cursor(key: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"cursor:v2:{key[0]}:{key[1]}".encode()).decode()


def read_cursor(text: str) -> tuple[int, int]:
    """Inverse of `make_cursor`.

    Raises:
        ValueError: not a cursor.
    """
    try:
        found = re.fullmatch(rb"cursor:v2:(-?\d+):(\d+)", base64.urlsafe_b64decode(text))
    except (binascii.Error, UnicodeEncodeError):
        found = None
    if not found:
        raise ValueError(f"not a cursor: {text!r}")
    return int(found[1]), int(found[2])


def page_404() -> Answer:
    return Answer(404, b"404", {"Content-Type": "text/html; charset=utf-8"})


def recent(rows: list[tuple[str, date, int]], today: date) -> dict[str, int]:
    def total(days: int) -> int:
        first = today - timedelta(days=days)
        return sum(count for category, day, count in rows if category == "without_mirrors" and day >= first)

    return {"last_day": total(1), "last_week": total(7), "last_month": total(30)}


def control(simulator: Simulator, method: str, path: str, sent: bytes) -> Answer:
    """Requests to the simulator itself, for tests in other processes."""
    given = json.loads(sent) if sent else {}
    match method, path:
        case "GET", "/_simulator/health":
            return one(items.dump({"date": simulator.world.date.isoformat(), "repos": len(simulator.world.repos)}))
        case "GET", "/_simulator/log":
            return one(items.dump([asdict(entry) for entry in simulator.log]))
        case "DELETE", "/_simulator/log":
            simulator.log = []
            return one(b"{}")
        case "POST", "/_simulator/date":
            simulator.world.set_date(date.fromisoformat(given["date"]))
            return one(items.dump({"date": simulator.world.date.isoformat()}))
        case "POST", "/_simulator/faults":
            simulator.faults.add(**given)
            return one(b"{}")
        case "DELETE", "/_simulator/faults":
            simulator.faults.clear()
            return one(b"{}")
        case _:
            return error(404, "Not Found")
