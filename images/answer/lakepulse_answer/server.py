"""The MCP server: the answers as tools, on stdin and stdout or over HTTP."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import Field
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lakepulse.outages import outage
from lakepulse.outcome import StepError, one_line
from lakepulse.settings import Settings
from lakepulse_answer import answers
from lakepulse_answer.documents import (
    Answer,
    Changes,
    Comparison,
    Explanation,
    Figures,
    FigureValues,
    Freshness,
    People,
    Projects,
    Receipt,
    Releases,
    Replayed,
    Result,
)
from lakepulse_answer.reader import Reader

INSTRUCTIONS = """\
Figures about open-source lakehouse projects, read from published tables. Every answer carries a receipt: definition, SQL, \
publication, snapshots, coverage, known breaks. What is not known is refused with the reason; do not guess it. \
`replay` reads a receipt's answer again."""

AsOf = Annotated[str | None, Field(description="a date (YYYY-MM-DD) or run id of an earlier publication; none: the newest")]
ProjectName = Annotated[str, Field(description="a name of list_projects")]
FigureName = Annotated[str, Field(description="a name of list_figures")]
Most = Annotated[int, Field(description="at most so many rows, 1 to 200")]


T = TypeVar("T")


def make_server(settings: Settings) -> MCPServer[Any]:
    """The server with its tools.

    Raises:
        PermanentError: there is no data.
    """
    reader = Reader(settings)
    server: MCPServer[Any] = MCPServer("lakepulse", instructions=INSTRUCTIONS, log_level="WARNING")

    def ask(tool: Callable[..., Result], as_of: str | None, **arguments: Any) -> Answer[Result]:
        return _told(lambda: answers.ask(reader, tool, as_of, arguments))

    @server.tool()
    def list_projects(as_of: AsOf = None) -> Answer[Projects]:
        """The projects that are watched, their repositories and packages, and the state of each in a sentence."""
        return ask(answers.list_projects, as_of)

    @server.tool()
    def list_figures(as_of: AsOf = None) -> Answer[Figures]:
        """The figures that exist, with unit, definition and sources."""
        return ask(answers.list_figures, as_of)

    @server.tool()
    def read_figure(
        project: ProjectName,
        figure: FigureName,
        period: Annotated[str | None, Field(description="YYYY-MM-DD, YYYY-MM-DD/YYYY-MM-DD or all; none: newest week")] = None,
        as_of: AsOf = None,
    ) -> Answer[FigureValues]:
        """A figure of a project by week, with status and reason of each week."""
        return ask(answers.read_figure, as_of, project=project, figure=figure, period=period)

    @server.tool()
    def compare(
        figure: FigureName,
        projects: Annotated[list[str] | None, Field(description="names of list_projects; none: all")] = None,
        week: Annotated[str | None, Field(description="a day of the week as YYYY-MM-DD; none: the newest")] = None,
        as_of: AsOf = None,
    ) -> Answer[Comparison]:
        """A figure of several projects in one week, the largest first."""
        return ask(answers.compare, as_of, figure=figure, projects=projects, week=week)

    @server.tool()
    def people(
        project: ProjectName,
        window_days: Annotated[int, Field(description="days that are counted; 0: all time")] = 365,
        most: Most = 20,
        as_of: AsOf = None,
    ) -> Answer[People]:
        """Who made a project's commits, the busiest first, without bots."""
        return ask(answers.people, as_of, project=project, window_days=window_days, most=most)

    @server.tool()
    def releases(project: ProjectName, most: Most = 20, as_of: AsOf = None) -> Answer[Releases]:
        """The final versions of a project, the newest first."""
        return ask(answers.releases, as_of, project=project, most=most)

    @server.tool()
    def what_changed(
        project: Annotated[str | None, Field(description="a name of list_projects; none: all")] = None,
        days: Annotated[int, Field(description="days up to the publication's date, 1 to 28")] = 7,
        as_of: AsOf = None,
    ) -> Answer[Changes]:
        """Releases, unusual downloads, newcomers and backlogs that turned. An empty list means that nothing stood out."""
        return ask(answers.what_changed, as_of, project=project, days=days)

    @server.tool()
    def explain_figure(figure: FigureName, as_of: AsOf = None) -> Answer[Explanation]:
        """What a figure means, what it is made of, and the known breaks in its sources."""
        return ask(answers.explain_figure, as_of, figure=figure)

    @server.tool()
    def freshness(project: ProjectName, as_of: AsOf = None) -> Answer[Freshness]:
        """When each source of a project was fetched, how far it reaches, and what is missing."""
        return ask(answers.freshness, as_of, project=project)

    @server.tool()
    def replay(receipt: Receipt) -> Replayed:
        """The answer of a receipt, read again from the same snapshots."""
        return _told(lambda: answers.replay(reader, receipt))

    return server


def _told(answer: Callable[[], T]) -> T:
    """An answer, or one line that says why there is none."""
    try:
        return answer()
    except StepError as error:
        raise ToolError(one_line(error)) from None
    except Exception as error:
        if known := outage(error):
            raise ToolError(one_line(known)) from error
        raise


def serve_stdio(settings: Settings) -> None:
    """Serve one client on stdin and stdout until it leaves."""
    make_server(settings).run("stdio")


def serve_http(settings: Settings, host: str, port: int, token: str) -> None:
    """Serve streamable HTTP at /mcp until the process is stopped."""
    app = make_server(settings).streamable_http_app(
        json_response=True,
        stateless_http=True,
        # A page in somebody's browser does not have the token, whatever name it reached this server by.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    uvicorn.run(_Guarded(app, token), host=host, port=port, log_level="warning", access_log=False)


class _Guarded:
    """Lets requests with the token through, and answers /healthz to everybody."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if scope["path"] == "/healthz":
                await PlainTextResponse("ok\n")(scope, receive, send)
                return
            if not hmac.compare_digest(given, self._expected):
                refusal = PlainTextResponse("send the token as Authorization: Bearer\n", 401, {"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
