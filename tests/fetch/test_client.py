"""The HTTP client against a server that misbehaves, over real sockets."""

from __future__ import annotations

import json
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse_fetch.answers import Answer, Refusal, json_list
from lakepulse_fetch.clock import Clock
from lakepulse_fetch.limits import Meter, QuotaExhaustedError
from lakepulse_fetch.transport import Api, HeavyPageError, Request, UnreachableError
from lakepulse_simulator import Simulator, tiny_world

REPO = "/repos/acme/lake"
ISSUES = f"{REPO}/issues?state=all&per_page=100"
TOKEN = "secret-token-1"


class FakeClock(Clock):
    """Waiting takes no time, and is recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self.waits))

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.waits)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(tiny_world()) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


Make = Callable[..., Api]


@pytest.fixture
def make(sim: Simulator, clock: FakeClock) -> Iterator[Make]:
    made: list[Api] = []

    def open_api(*tokens: str, **more: Any) -> Api:
        given: dict[str, Any] = {"base_url": sim.github_url, "has_quota": True, "clock": clock, "timeout_seconds": 5}
        made.append(Api("github", tokens=tokens, **(given | more)))
        return made[-1]

    yield open_api
    for api in made:
        api.__exit__(None, None, None)


@pytest.mark.parametrize("kind", ["truncate", "wrong_length", "html", "malformed", "empty", "reset", "reset_body", "status"])
def test_a_bad_answer_is_retried(sim: Simulator, make: Make, kind: str) -> None:
    sim.faults.add(kind, "/issues", times=2, status=503)
    meter = Meter()
    answer = make(TOKEN).get(Request(url=ISSUES, parse=json_list), meter)
    assert len(answer.document) == len(sim.world.repo("acme/lake").issues)
    assert meter.requests == 3


@pytest.mark.parametrize("surplus", [-10, -200, 10])
def test_a_wrong_content_length_is_noticed(sim: Simulator, make: Make, surplus: int) -> None:
    sim.faults.add("wrong_length", "/issues", surplus=surplus)
    answer = make(TOKEN).get(Request(url=ISSUES, parse=json_list), Meter())
    assert len(answer.document) == len(sim.world.repo("acme/lake").issues)


@pytest.mark.parametrize("kind", ["truncate", "html", "malformed", "empty", "reset", "status"])
def test_an_answer_that_stays_bad_is_a_temporary_error_and_never_empty(sim: Simulator, make: Make, kind: str) -> None:
    sim.faults.add(kind, "/issues", times=None, status=500)
    with pytest.raises(TemporaryError, match="run again later"):
        make(TOKEN).get(Request(url=ISSUES, parse=json_list), Meter())


def test_json_of_another_shape_is_a_bad_answer(make: Make) -> None:
    with pytest.raises(TemporaryError, match="a JSON dict where an array was expected"):
        make(TOKEN).get(Request(url=REPO, parse=json_list), Meter())


def test_a_stalled_body_times_out(sim: Simulator, make: Make) -> None:
    sim.faults.add("stall_body", "/issues", seconds=30)
    meter = Meter()
    make(TOKEN, timeout_seconds=0.3).get(Request(url=ISSUES, parse=json_list), meter)
    assert meter.requests == 2


@pytest.mark.parametrize("kind", ["gzip_bomb", "huge"])
def test_a_body_over_the_limit_is_refused_within_bounded_memory(sim: Simulator, make: Make, kind: str) -> None:
    sim.faults.add(kind, "acme/lake$", times=None, size=300_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(PermanentError, match="over 8000000 bytes"):
            make(TOKEN, body_limit=8_000_000).get(Request(url=REPO), Meter())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


def test_a_heavy_page_is_reported_after_two_attempts(sim: Simulator, make: Make) -> None:
    sim.faults.add("status", "/issues", times=None, status=502)
    meter = Meter()
    with pytest.raises(HeavyPageError):
        make(TOKEN).get(Request(url=ISSUES, parse=json_list, can_shrink=True), meter)
    assert meter.requests == 2


def test_no_connection_is_temporary_names_the_host_and_is_not_tried_again(make: Make) -> None:
    api = make(TOKEN, base_url="http://127.0.0.1:9")
    meter = Meter()
    for _ in range(2):
        with pytest.raises(UnreachableError, match=r"cannot reach github at 127\.0\.0\.1:9"):
            api.get(Request(url=REPO), meter)
    assert meter.requests == 4


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_that_is_down_is_named_and_its_password_is_not(make: Make, no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("HTTP_PROXY", "http://me:s3cret@127.0.0.1:9")
    with pytest.raises(UnreachableError) as raised:
        make(TOKEN, base_url="http://api.example.org").get(Request(url=REPO), Meter())
    assert "cannot reach github at api.example.org through the proxy 127.0.0.1:9 (" in str(raised.value)
    assert "check the proxy" in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("value", ["socks5://me:s3cret@127.0.0.1:9", "nonsense://127.0.0.1"])
def test_a_proxy_that_cannot_be_used_is_one_line(make: Make, no_proxies: pytest.MonkeyPatch, value: str) -> None:
    no_proxies.setenv("ALL_PROXY", value)
    with pytest.raises(PermanentError, match=r"a proxy of the environment cannot be used \(all: ") as raised:
        make(TOKEN)
    assert "s3cret" not in str(raised.value)


def test_a_certificate_that_is_not_trusted_is_no_outage(make: Make, no_proxies: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    signed = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = tmp_path / "server.pem"
    pem.write_bytes(plain + signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """The client hangs up on purpose."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"https://localhost:{server.server_port}"
        meter = Meter()
        with pytest.raises(PermanentError, match=r"certificate of localhost:.* is not trusted .*SSL_CERT_FILE"):
            make(TOKEN, base_url=address).get(Request(url=REPO), meter)
        assert meter.requests == 1
        no_proxies.setenv("SSL_CERT_FILE", str(pem))
        assert make(TOKEN, base_url=address).get(Request(url=REPO), Meter()).document == {}
        server.shutdown()


def test_the_last_request_of_a_quota_ends_in_a_wait_for_its_reset(sim: Simulator, make: Make, clock: FakeClock) -> None:
    api = make(TOKEN)
    sim.faults.add("primary", "acme/lake", seconds=120)
    assert api.get(Request(url=REPO), Meter()).status == 200
    assert 119 <= sum(clock.waits) <= 123


@pytest.mark.parametrize("status", [403, 429])
def test_a_primary_limit_turns_to_the_token_with_most_left(sim: Simulator, make: Make, clock: FakeClock, status: int) -> None:
    sim.rules.limit_status = status
    api = make("token-a", "token-b", "token-c")
    sim.quota("token-a").used = 4_990
    sim.quota("token-b").used = 100
    sim.quota("token-c").used = 4_000
    for _ in range(3):  # each lane learns what it has left
        api.get(Request(url=REPO), Meter())
    for _ in range(30):
        api.get(Request(url=REPO), Meter())
    assert sim.quota("token-b").used >= 130
    sim.quota("token-b").used = 5_000
    for _ in range(30):
        api.get(Request(url=REPO), Meter())
    assert sim.quota("token-c").used >= 4_029
    assert clock.waits == []


def test_a_limit_beyond_the_longest_wait_is_temporary(sim: Simulator, make: Make, clock: FakeClock) -> None:
    sim.faults.add("primary", "acme/lake", seconds=4_000)
    with pytest.raises(TemporaryError, match="longer than MAX_WAIT_SECONDS"):
        make(TOKEN, max_wait_seconds=3_900).get(Request(url=REPO), Meter())
    assert clock.waits == []


def test_a_limit_whose_reset_is_past_ends_after_a_few_waits(sim: Simulator, make: Make, clock: FakeClock) -> None:
    sim.faults.add("primary", "acme/lake", times=None, seconds=-10)
    with pytest.raises(TemporaryError, match="still rate limited"):
        make(TOKEN).get(Request(url=REPO), Meter())
    assert len(sim.log) < 10


def test_an_invalid_link_is_one_line() -> None:
    answer = Answer(200, "/list", httpx.Headers({"link": '<http://[::1>; rel="next"'}), base="https://api.example.org")
    with pytest.raises(TemporaryError, match="has an invalid link"):
        _ = answer.next_url


def test_without_a_token_a_used_up_quota_is_reported_at_once(sim: Simulator, make: Make, clock: FakeClock) -> None:
    api = make()
    sim.quota(None).used = 59
    api.get(Request(url=REPO), Meter())
    with pytest.raises(QuotaExhaustedError):
        api.get(Request(url=REPO), Meter())
    assert clock.waits == []
    assert len(sim.log) == 1  # the second was never sent


def test_a_secondary_limit_waits_for_its_retry_after(sim: Simulator, make: Make, clock: FakeClock) -> None:
    sim.faults.add("secondary", "acme/lake", retry_after=17)
    make(TOKEN).get(Request(url=REPO), Meter())
    assert 17 <= sum(clock.waits) <= 19


def test_a_secondary_limit_without_a_time_doubles_and_then_fails(sim: Simulator, make: Make, clock: FakeClock) -> None:
    sim.faults.add("secondary", "acme/lake", times=3, status=429)
    make(TOKEN).get(Request(url=REPO), Meter())
    assert 60 + 120 + 240 <= sum(clock.waits) <= 60 + 120 + 240 + 6
    sim.faults.add("secondary", "acme/lake", times=None)
    with pytest.raises(TemporaryError, match="still rate limited after 4 waits"):
        make(TOKEN).get(Request(url=REPO), Meter())


def test_a_refused_permission_is_permanent_and_no_limit(sim: Simulator, make: Make, clock: FakeClock) -> None:
    sim.faults.add("status", "acme/lake", status=403, message="Resource not accessible by personal access token")
    with pytest.raises(PermanentError, match="not accessible"):
        make(TOKEN).get(Request(url=REPO), Meter())
    assert clock.waits == []


def test_an_expected_refusal_is_returned_and_no_other(sim: Simulator, make: Make) -> None:
    api, expected = make(TOKEN), Request(url=REPO, refusals=(Refusal(403, "MUST have admin rights"),))
    sim.faults.add("status", "acme/lake", status=403, message="Must have admin rights to Repository.")
    answer = api.get(expected, Meter())
    assert (answer.status, answer.message) == (403, "403 Must have admin rights to Repository.")
    sim.faults.add("status", "acme/lake", status=403, message="Resource not accessible by integration")
    with pytest.raises(PermanentError, match="not accessible"):
        api.get(expected, Meter())


@pytest.mark.parametrize("kind", ["primary", "secondary"])
def test_a_limit_is_waited_for_whatever_refusal_is_expected(sim: Simulator, make: Make, clock: FakeClock, kind: str) -> None:
    sim.faults.add(kind, "acme/lake", seconds=30, status=403)
    answer = make(TOKEN).get(Request(url=REPO, refusals=(Refusal(403),)), Meter())
    assert answer.status == 200
    assert sum(clock.waits) > 25


def test_a_bad_token_gives_way_to_a_good_one_and_alone_is_permanent(sim: Simulator, make: Make) -> None:
    sim.rules.bad_tokens = ("bad-one",)
    api = make("bad-one", "good-one")
    for _ in range(3):
        assert api.get(Request(url=REPO), Meter()).status == 200
    assert [entry.status for entry in sim.log].count(401) <= 1
    with pytest.raises(PermanentError, match="refused every token; check GITHUB_TOKEN"):
        make("bad-one").get(Request(url=REPO), Meter())


def test_requests_of_one_token_never_overlap_and_tokens_run_side_by_side(sim: Simulator, make: Make) -> None:
    sim.rules.max_in_flight = 1
    sim.faults.add("stall", "acme", times=12, seconds=0.02)
    api = make("token-a", "token-b", "token-c")
    hands = [threading.Thread(target=lambda: [api.get(Request(url=REPO), Meter()) for _ in range(10)]) for _ in range(6)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert {entry.in_flight for entry in sim.log} == {1}
    assert len({entry.auth for entry in sim.log}) == 3


def test_a_minute_takes_at_most_900_points_without_one_long_stop(sim: Simulator, make: Make, clock: FakeClock) -> None:
    api = make(TOKEN)
    sim.rules.token_limit = 100_000
    times: list[float] = []
    for _ in range(1_500):
        api.get(Request(url=REPO), Meter())
        times.append(clock.monotonic())
    assert max(sum(start <= time < start + 60 for time in times) for start in times[::50]) <= 900
    assert max(clock.waits) < 1


def test_a_conditional_request_stays_with_the_token_that_has_the_etag(sim: Simulator, make: Make) -> None:
    api = make("token-a", "token-b", "token-c")
    for name in ("one", "two", "three", "four"):
        etag = api.get(Request(url=ISSUES, parse=json_list, home=name), Meter()).etag
        for _ in range(3):
            meter = Meter()
            assert api.get(Request(url=ISSUES, parse=json_list, etag=etag, home=name), meter).status == 304
            assert meter.quota == 0


def test_a_redirect_to_another_host_never_gets_the_token(sim: Simulator, make: Make) -> None:
    seen: list[str | None] = []

    class Thief(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    thief = ThreadingHTTPServer(("127.0.0.1", 0), Thief)
    threading.Thread(target=thief.serve_forever, daemon=True).start()
    try:
        sim.faults.add("redirect", "acme/lake", location=f"http://127.0.0.1:{thief.server_address[1]}/x")
        with pytest.raises(PermanentError, match="refused to follow"):
            make(TOKEN).get(Request(url=REPO), Meter())
        assert seen == []
    finally:
        thief.shutdown()
        thief.server_close()


def test_a_redirect_loop_ends(sim: Simulator, make: Make) -> None:
    sim.faults.add("redirect", "acme/lake", times=None, location=f"{sim.github_url}{REPO}")
    with pytest.raises(PermanentError, match="redirects too often"):
        make(TOKEN).get(Request(url=REPO), Meter())


def test_errors_and_log_lines_never_hold_a_token(sim: Simulator, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    sim.faults.add("status", "acme/lake", times=None, status=500)
    with pytest.raises(TemporaryError) as caught:
        make(TOKEN).get(Request(url=REPO), Meter())
    printed = capsys.readouterr()
    assert "retrying" in printed.out + printed.err
    for text in (repr(caught.value), str(caught.value.__cause__), printed.out, printed.err, json.dumps(sim.log[0].target)):
        assert TOKEN not in text
