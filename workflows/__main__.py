"""`python -m workflows run|render|submit|status`."""

from __future__ import annotations

import argparse
import sys

from lakepulse.outcome import run_step
from lakepulse.settings import load_settings
from workflows.pipelines import PIPELINES


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m workflows")
    commands = parser.add_subparsers(dest="command", required=True)
    pipelines = "; ".join(f"{name}: {pipeline.purpose}" for name, pipeline in PIPELINES.items())
    run = commands.add_parser("run", help="run a pipeline on this machine", epilog=pipelines)
    run.add_argument("pipeline", choices=PIPELINES, metavar="PIPELINE", help=", ".join(PIPELINES))
    commands.add_parser("render", help="write the Argo manifests in workflows/rendered")
    chosen = parser.parse_args(arguments)
    return _render() if chosen.command == "render" else _run(chosen.pipeline)


def _run(pipeline: str) -> int:
    from workflows import local

    settings = load_settings()
    codes: list[int] = []
    failed = run_step(lambda: codes.append(local.run(settings, PIPELINES[pipeline])))
    return failed or codes[0]


def _render() -> int:
    from workflows import argo  # Hera takes seconds to import

    for path in argo.write():
        print(path)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
