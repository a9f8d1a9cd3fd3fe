"""The command of the answers stage."""

from __future__ import annotations

from lakepulse.logs import configure_logs
from lakepulse.outcome import PermanentError
from lakepulse.settings import load_settings
from lakepulse.step import run_step


def answer(*, http: bool = False, host: str = "127.0.0.1", port: int = 8765) -> int:
    """Answer questions about the figures as an MCP server, on stdin and stdout or over HTTP.

    Args:
        http: streamable HTTP at /mcp, for clients that send ANSWER_TOKEN as a bearer token.
        host: of HTTP.
        port: of HTTP.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_answer import server  # imports the SDK, PyIceberg and DuckDB

        if not http:
            server.serve_stdio(settings)
            return
        if settings.answer_token is None:
            raise PermanentError("ANSWER_TOKEN: HTTP needs a token that clients send; set one of at least 16 characters")
        server.serve_http(settings, host, port, settings.answer_token.get_secret_value())

    return run_step(step)
