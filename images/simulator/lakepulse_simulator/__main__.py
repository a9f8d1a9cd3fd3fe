"""`python -m lakepulse_simulator exec|serve`: run a command against a simulator, or just serve."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from lakepulse_simulator.demo import demo_world
from lakepulse_simulator.recorded import RecordedWorld
from lakepulse_simulator.server import Simulator
from lakepulse_simulator.tiny import tiny_world
from lakepulse_simulator.world import World

DEMO_TOKEN = "demo-token-of-the-simulator"
DEMO_PROJECTS = Path(__file__).resolve().parents[1] / "demo-projects.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command: list[str] = []
    if "--" in given:
        at = given.index("--")
        given, command = given[:at], given[at + 1 :]
    options = parser().parse_args(given)
    if options.action == "exec" and not command:
        parser().error("exec needs a command after --")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        simulator = Simulator(make_world(options), options.host, options.port).start()
    except (OSError, ValueError, KeyError) as error:
        print(f"error: simulator: {error}", file=sys.stderr)
        return 1
    print(
        f"simulator: {simulator.url} ({options.data or options.world} of {simulator.world.date})", file=sys.stderr, flush=True
    )
    try:
        if options.action == "exec":
            settings = {} if options.data or options.world != "demo" else {"PROJECTS": str(DEMO_PROJECTS)}
            return execute(simulator, command, settings, with_token=not options.no_token)
        threading.Event().wait()
    except KeyboardInterrupt:
        return 130
    finally:
        simulator.stop()
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m lakepulse_simulator", description=__doc__)
    made.add_argument(
        "action", choices=("exec", "serve"), help="exec: run the command after -- with its settings pointing here"
    )
    made.add_argument("--world", choices=("demo", "tiny"), default="demo")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--date", type=date.fromisoformat, help="default: AS_OF, else today")
    made.add_argument("--data", type=Path, help="serve the recorded data of a folder and nothing else")
    made.add_argument("--repo", action="append", default=[], help="one more repository (demo world)")
    made.add_argument("--package", action="append", default=[], help="one more package (demo world)")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=0, help="default: a free one")
    made.add_argument("--no-token", action="store_true", help="exec: set no GITHUB_TOKEN")
    return made


def make_world(options: argparse.Namespace) -> World:
    day = options.date or default_date()
    if options.data is not None:
        return RecordedWorld(options.data, day)
    if options.world == "tiny":
        return tiny_world(options.seed, day)
    return demo_world(day, options.seed, options.repo, options.package)


def default_date() -> date:
    """AS_OF, or else today, UTC.

    Raises:
        ValueError: AS_OF is no date; the message is for people.
    """
    text = os.environ.get("AS_OF")
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"AS_OF: {text!r} is not a date, as in 2026-01-31") from None


def execute(simulator: Simulator, command: Sequence[str], settings: Mapping[str, str], *, with_token: bool) -> int:
    """Run a command with the settings that point it here, and pass on its exit code; `settings` are for what is not set."""
    environment = {**settings, **os.environ, **simulator.environment(), "DEMO": "1"}
    if with_token:
        environment.setdefault("GITHUB_TOKEN", DEMO_TOKEN)
    else:
        environment.pop("GITHUB_TOKEN", None)
    try:
        code = subprocess.run(command, env=environment, check=False).returncode
    except OSError as error:
        print(f"error: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
