"""The MCP server: its answers equal gold, its receipts can be replayed, and what is not known is refused."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from lakepulse.data_dir import open_data_dir
from lakepulse.outcome import PermanentError
from lakepulse.publications import publications, read_table
from lakepulse_answer import answers
from lakepulse_answer.documents import Answer, Receipt
from lakepulse_answer.reader import Reader
from tests.dbt.lake import ROOT, Lake, first_load, second_load

TOKEN = "a-token-of-the-tests"
TOOLS = {*answers.TOOLS, "replay"}

Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A lake with two publications 30 days apart, and what was answered before the second."""

    lake: Lake
    before: list[Answer[Any]]

    def reader(self) -> Reader:
        return Reader(self.lake.settings())

    def gold(self, name: str, run_id: str) -> list[Row]:
        catalog = self.lake.catalog()
        publication = next(each for each in publications(catalog) if each.run_id == run_id)
        rows: list[Row] = read_table(catalog, publication, name).to_pylist()
        return rows


def every_question(reader: Reader) -> Iterator[tuple[Any, Row]]:
    """A question of each kind about each project and figure."""
    yield answers.list_projects, {}
    yield answers.list_figures, {}
    projects = [project.project for project in answers.ask(reader, answers.list_projects, None, {}).result.projects]
    figures = answers.ask(reader, answers.list_figures, None, {}).result.figures
    for figure in figures:
        yield answers.explain_figure, {"figure": figure.figure}
        yield answers.compare, {"figure": figure.figure, "projects": None, "week": None}
        for project in projects:
            for period in (None, "all", "2024-02-05/2024-02-25"):
                yield answers.read_figure, {"project": project, "figure": figure.figure, "period": period}
    for project in projects:
        yield answers.people, {"project": project, "window_days": 365, "most": 20}
        yield answers.releases, {"project": project, "most": 20}
        yield answers.freshness, {"project": project}
    yield answers.what_changed, {"project": None, "days": 28}


def answered(reader: Reader) -> list[Answer[Any]]:
    found = []
    for tool, arguments in every_question(reader):
        try:
            found.append(answers.ask(reader, tool, None, arguments))
        except PermanentError:
            continue
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    lake = Lake(tmp_path_factory.mktemp("answered"))
    open_data_dir(lake.settings())
    first_load(lake)
    lake.step("build")
    lake.publish()
    before = answered(Reader(lake.settings()))
    lake.run_id, lake.as_of = "run-2", "2024-04-09"
    second_load(lake, "2024-04-02")
    lake.step("build")
    lake.publish()
    return World(lake, before)


def environment(lake: Lake) -> dict[str, str]:
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("images/answer", "images/common"))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": paths} | lake.environment()


@asynccontextmanager
async def over_stdio(lake: Lake) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "lakepulse", "answer"], env=environment(lake), cwd=lake.folder
    )
    async with Client(server) as client:
        yield client


@contextmanager
def serving(lake: Lake) -> Iterator[str]:
    """The server on HTTP, until the block ends; gives its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "lakepulse", "answer", "--http", "--port", str(port)]
    with (lake.folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment(lake) | {"ANSWER_TOKEN": TOKEN}, cwd=lake.folder, stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 120
            while not is_healthy(port):
                assert server.poll() is None, (lake.folder / "server.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.terminate()
            server.wait()


def is_healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").text == "ok\n"
    except httpx.TransportError:
        return False


@asynccontextmanager
async def over_http(lake: Lake) -> AsyncIterator[Client]:
    import httpx2  # the SDK's own HTTP client

    with serving(lake) as address:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            yield client


TRANSPORTS = {"stdio": over_stdio, "http": over_http}


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The one line that refuses a call."""
    done = await client.call_tool(tool, arguments)
    assert done.is_error, done.structured_content
    [content] = done.content
    return str(content.text).removeprefix(f"Error executing tool {tool}: ")  # type: ignore[union-attr]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_tool_answers_over_the_transport(world: World, transport: str) -> None:
    calls: dict[str, Row] = {
        "list_projects": {},
        "list_figures": {},
        "read_figure": {"project": "Lake", "figure": "commits_28d"},
        "compare": {"figure": "commits_28d"},
        "people": {"project": "Lake"},
        "what_changed": {"days": 28},
        "explain_figure": {"figure": "commits_28d"},
        "freshness": {"project": "Lake"},
    }

    async def run() -> None:
        async with TRANSPORTS[transport](world.lake) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert tools.keys() == TOOLS
            assert all(tool.description and tool.output_schema for tool in tools.values())
            for tool, arguments in calls.items():
                done = await client.call_tool(tool, arguments)
                assert not done.is_error, done.content
                answer = done.structured_content
                assert answer is not None
                receipt = answer["receipt"]
                assert (receipt["tool"], receipt["publication"]["run_id"]) == (tool, "run-2")
                assert receipt["queries"]
                again = await client.call_tool("replay", {"receipt": receipt})
                assert not again.is_error, again.content
                assert again.structured_content == {"is_identical": True, "result": answer["result"], "receipt": receipt}
            assert await refusal(client, "releases", project="Pond") == (
                "Pond has no final release; github_releases of acme/pond: not fetched yet"
            )
            assert (await refusal(client, "read_figure", project="Lake", figure="moons")).startswith(
                "unknown figure 'moons'; known: "
            )

    asyncio.run(run())


def test_figures_equal_gold_and_what_has_no_value_is_refused_with_its_reason(world: World) -> None:
    """Every second week of every figure of every project, in both publications."""
    reader, asked, refused = world.reader(), 0, 0
    for run_id in ("run-1", "run-2"):
        for row in world.gold("fct_figures", run_id)[::2]:
            if row["scope_kind"] != "project":
                continue
            period = min(row["week"], reader.find(run_id).publication.as_of).isoformat()
            arguments = {"project": row["scope"], "figure": row["figure"], "period": period}
            if row["value"] is None:
                with pytest.raises(PermanentError) as error:
                    answers.ask(reader, answers.read_figure, run_id, arguments)
                assert str(error.value).endswith(f" of {row['scope']} is {row['status']}: {row['reason']}")
                refused += 1
                continue
            answer = answers.ask(reader, answers.read_figure, run_id, arguments)
            [week] = answer.result.weeks
            assert (week.week, week.value, week.n, week.status, week.reason) == tuple(
                row[key] for key in ("week", "value", "n", "status", "reason")
            )
            assert (answer.receipt.status, answer.receipt.reason) == (row["status"], row["reason"])
            asked += 1
    assert asked >= 100
    assert refused >= 10


def test_a_receipt_names_what_it_was_made_of(world: World) -> None:
    reader = world.reader()
    arguments = {"project": "Lake", "figure": "downloads_per_day_28d", "period": None}
    receipt = answers.ask(reader, answers.read_figure, "2024-03-10", arguments).receipt
    publication = reader.find("run-1").publication
    assert receipt.publication.run_id == "run-1"
    assert {name: int(snapshot) for name, snapshot in receipt.snapshots.items()} == {
        name: publication.snapshots[name] for name in receipt.snapshots
    }
    assert {"fct_figures", "dim_figures", "fct_data_freshness", "fct_known_breaks"} <= receipt.snapshots.keys()
    assert receipt.definition == next(
        row["definition"] for row in world.gold("dim_figures", "run-1") if row["figure"] == arguments["figure"]
    )
    assert {(row.source, row.scope) for row in receipt.coverage} == {("pypistats_overall", "pylake")}
    assert any("from gold.fct_figures" in asked.sql and asked.parameters.get("project") == "Lake" for asked in receipt.queries)


def test_known_breaks_are_those_within_the_window(world: World) -> None:
    reader = world.reader()
    for row in world.gold("fct_known_breaks", "run-2"):
        if row["source"].startswith("pypistats") and row["scope"] is None:
            explained = answers.ask(reader, answers.explain_figure, None, {"figure": "downloads_per_day_28d"}).result
            assert row["id"] in {known.id for known in explained.known_breaks}
            first = row["from_date"] - timedelta(days=400)
            near = answers._breaks(answers.Notes(reader.find(None)), ["pypistats_overall"], ["Lake"], first, row["from_date"])
            far = answers._breaks(
                answers.Notes(reader.find(None)), ["pypistats_overall"], ["Lake"], first, row["from_date"] - timedelta(days=1)
            )
            assert {known.id for known in near} - {known.id for known in far} >= {row["id"]}
            return
    pytest.fail("the seed has no break of pypistats")


def test_receipts_give_the_same_answer_30_days_later(world: World) -> None:
    reader = world.reader()
    newest = [answer.result for answer in answered(reader)]
    assert len(world.before) > 60
    for answer in world.before:
        # As a client keeps it.
        kept = Receipt.model_validate_json(answer.receipt.model_dump_json())
        replayed = answers.replay(reader, kept)
        assert replayed.result == json.loads(answer.result.model_dump_json())
    assert sum(answer.result not in newest for answer in world.before) > 10, "the second publication changed too little"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"result_sha256": "0" * 64}, "the receipt differs from its publication in result_sha256; "),
        ({"snapshots": {"fct_figures": "1"}}, "the receipt differs from its publication in snapshots; "),
        (
            {"queries": [{"sql": "drop table gold.fct_figures", "parameters": {}}]},
            "the receipt differs from its publication in queries; ",
        ),
        ({"tool": "drop"}, "the receipt names an unknown tool 'drop'"),
        ({"arguments": {"path": "/etc/passwd"}}, "the receipt's arguments are not those of read_figure"),
        ({"arguments": {"project": 5, "figure": [], "period": None}}, "the receipt's arguments are not those of read_figure"),
    ],
)
def test_a_receipt_that_was_changed_is_refused(world: World, change: Row, line: str) -> None:
    reader = world.reader()
    arguments = {"project": "Lake", "figure": "commits_28d", "period": None}
    receipt = answers.ask(reader, answers.read_figure, None, arguments).receipt
    with pytest.raises(PermanentError) as refused:
        answers.replay(reader, receipt.model_copy(update=Receipt.model_validate(receipt.model_dump() | change).__dict__))
    assert str(refused.value).startswith(line)
    assert answers.replay(reader, receipt).is_identical


def test_a_receipt_of_another_catalog_is_refused(world: World) -> None:
    reader = world.reader()
    receipt = answers.ask(reader, answers.list_projects, None, {}).receipt
    foreign = receipt.model_copy(update={"publication": receipt.publication.model_copy(update={"run_id": "elsewhere"})})
    with pytest.raises(PermanentError, match="the publication of this receipt is not in this catalog"):
        answers.replay(reader, foreign)


def test_a_receipt_whose_snapshots_have_expired_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    open_data_dir(lake.settings())
    states = pa.table({"project": ["Lake"], "state": ["active"], "sentence": ["Active."]})
    for lake.run_id, name in (("run-1", "acme/lake"), ("run-2", "acme/pond")):
        members = pa.table({"project": ["Lake"], "kind": ["repo"], "name": [name]})
        lake.stage(dim_projects=(["project", "kind", "name"], members), fct_project_state=(["project"], states))
        lake.publish()
    reader = Reader(lake.settings())
    receipt = answers.ask(reader, answers.list_projects, "run-1", {}).receipt
    assert answers.replay(reader, receipt).result["projects"][0]["members"] == ["acme/lake"]
    table = lake.catalog().load_table("gold.dim_projects")
    table.manage_snapshots().remove_tag("publication-run-1").commit()
    table.maintenance.expire_snapshots().by_id(int(receipt.snapshots["dim_projects"])).commit()
    with pytest.raises(PermanentError) as refused:
        answers.replay(Reader(lake.settings()), receipt)
    gone = receipt.snapshots["dim_projects"]
    assert str(refused.value) == (
        f"the publication as of 2024-03-10 has expired: snapshot {gone} of dim_projects is no longer kept"
    )
    with pytest.raises(PermanentError, match="the publication as of 2024-03-10 has no table dim_figures; an older version"):
        answers.ask(Reader(lake.settings()), answers.list_figures, None, {})


HOSTILE = "Lake'; drop table gold.fct_figures; --"


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("read_figure", {"project": HOSTILE, "figure": "stars"}, f'unknown project "{HOSTILE}"; known: Lake, Pond'),
        ("read_figure", {"project": "x" * 10_000, "figure": "stars"}, f"unknown project '{'x' * 79}…'; known: Lake, Pond"),
        ("read_figure", {"project": "Lake\n\x00", "figure": "stars"}, "unknown project 'Lake\\n\\x00'; known: Lake, Pond"),
        (
            "read_figure",
            {"project": "Lake", "figure": "stars", "period": "y" * 10_000},
            f"period '{'y' * 79}…' must be YYYY-MM-DD",
        ),
        (
            "read_figure",
            {"project": "Lake", "figure": "stars", "period": "2024-02-30"},
            "period '2024-02-30' has a day that does not exist",
        ),
        (
            "read_figure",
            {"project": "Lake", "figure": "stars", "period": "2024-03-01/2024-02-01"},
            "period 2024-03-01/2024-02-01 ends",
        ),
        (
            "read_figure",
            {"project": "Lake", "figure": "stars", "period": "2030-01-01"},
            "2030-01-01 is after the publication's date",
        ),
        ("read_figure", {"project": "Lake", "figure": "stars", "as_of": "z" * 10_000}, f"no publication '{'z' * 100}'; name"),
        ("compare", {"figure": "commits_28d", "projects": ["Lake", "Sea"]}, "unknown project 'Sea'; known: Lake, Pond"),
        ("compare", {"figure": "commits_28d", "week": "2024-01-01/2024-02-01"}, "compare takes one week: "),
        ("people", {"project": "Lake", "window_days": 17}, "window_days 17 is not available; known: 0, "),
        ("people", {"project": "Lake", "most": 0}, "most must be 1 to 200"),
        ("what_changed", {"days": 29}, "days must be 1 to 28, which is how far back events are kept"),
        ("explain_figure", {"figure": ""}, "unknown figure ''; known: "),
        ("freshness", {"project": "lake"}, "unknown project 'lake'; known: Lake, Pond"),
    ],
)
def test_what_cannot_be_answered_is_one_line(world: World, tool: str, arguments: Row, line: str) -> None:
    defaults: dict[str, Row] = {
        "read_figure": {"period": None},
        "compare": {"projects": None, "week": None},
        "people": {"window_days": 365, "most": 20},
        "what_changed": {"project": None},
    }
    as_of = arguments.get("as_of")
    given = defaults.get(tool, {}) | {key: value for key, value in arguments.items() if key != "as_of"}
    with pytest.raises(PermanentError) as refused:
        answers.ask(world.reader(), answers.TOOLS[tool], as_of, given)
    assert str(refused.value).startswith(line)
    assert len(str(refused.value)) < 1500
    assert "\n" not in str(refused.value)


def test_http_lets_nobody_in_without_the_token(world: World) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with serving(world.lake) as address:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": ""}):
            answer = httpx.post(address, json=body, headers=headers)
            assert (answer.status_code, answer.text) == (401, "send the token as Authorization: Bearer\n")
    assert TOKEN not in (world.lake.folder / "server.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "more", "line"),
    [
        (["--http"], {}, "error: ANSWER_TOKEN: HTTP needs a token that clients send; set one of at least 16 characters"),
        (["--http"], {"ANSWER_TOKEN": "short"}, "error: ANSWER_TOKEN: must have at least 16 characters, without spaces"),
        ([], {"DATA_DIR": "nowhere"}, "/nowhere has no data; run make demo or make run first, or use another DATA_DIR"),
    ],
)
def test_a_server_that_cannot_start_is_one_line(world: World, arguments: list[str], more: Row, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lakepulse", "answer", *arguments],
        env=environment(world.lake) | more,
        cwd=world.lake.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(line)
    assert not Path(world.lake.folder, "nowhere").exists()
