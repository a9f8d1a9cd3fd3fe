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
    listing = "; ".join(f"{name}: {pipeline.purpose}" for name, pipeline in PIPELINES.items())
    run = commands.add_parser("run", help="run a pipeline on this machine", epilog=listing)
    run.add_argument("pipeline", choices=PIPELINES, metavar="PIPELINE", help=", ".join(PIPELINES))
    commands.add_parser("render", help="write the Argo manifests in workflows/rendered")
    submit = commands.add_parser("submit", help="run a pipeline on the cluster and watch it", epilog=listing)
    submit.add_argument("pipeline", choices=PIPELINES, metavar="PIPELINE", help=", ".join(PIPELINES))
    submit.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters such as as_of=2026-01-31 or sweep=1")
    commands.add_parser("status", help="last runs, next times, freshness and pods in trouble")
    return _exit_code(parser.parse_args(arguments))


def _exit_code(chosen: argparse.Namespace) -> int:
    codes: list[int] = []
    # Each command pays for its own imports only: Hera and the Kubernetes client take seconds.
    match chosen.command:
        case "run":
            from workflows import local

            settings = load_settings()
            failed = run_step(lambda: codes.append(local.run(settings, PIPELINES[chosen.pipeline])))
        case "render":
            from workflows import argo

            failed = run_step(lambda: print(*argo.write(), sep="\n"))
        case "submit":
            from workflows import cluster

            failed = run_step(lambda: codes.append(cluster.submit(PIPELINES[chosen.pipeline], chosen.parameters)))
        case _:
            from workflows import cluster

            failed = run_step(cluster.status)
    return failed or next(iter(codes), 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
