"""The transform stage's commands: `python -m lakepulse_dbt build|publish|record|export|badges|digest`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lakepulse.logs import configure_logs
from lakepulse.outcome import run_step
from lakepulse.settings import load_settings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lakepulse_dbt", description="Build gold with dbt, publish and export it.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("build", help="run dbt's models and data tests")
    commands.add_parser("publish", help="make what this run built the newest publication")
    record = commands.add_parser("record", help="write this run's row to ops.runs and tell the webhook")
    record.add_argument("--outcome", default=os.environ.get("OUTCOME"), help="'succeeded', else the run failed (OUTCOME)")
    record.add_argument("--failed-step", default=os.environ.get("FAILED_STEP"), help="name of the step (FAILED_STEP)")
    record.add_argument("--message", default=os.environ.get("MESSAGE"), help="why it failed, one line (MESSAGE)")
    export = commands.add_parser("export", help="write the newest publication's tables as Parquet and CSV")
    export.add_argument("out", type=Path, help="a folder: new, empty, or an earlier export")
    badges = commands.add_parser("badges", help="write SVG badges and a JSON file per project")
    badges.add_argument("out", type=Path, help="a folder: new, empty, or an earlier call's")
    commands.add_parser("digest", help="print the week of the newest publication as Markdown")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        # Each command pays for its own imports only: dbt and PyIceberg take seconds.
        match arguments.command:
            case "build":
                from lakepulse_dbt.build import build

                build(settings)
            case "publish":
                from lakepulse_dbt.publish import publish

                publish(settings)
            case "record":
                from lakepulse_dbt.record import record

                record(settings, arguments.outcome, arguments.failed_step, arguments.message)
            case "export":
                from lakepulse_dbt.export import export

                export(settings, arguments.out)
            case "badges":
                from lakepulse_dbt.badges import badges

                badges(settings, arguments.out)
            case "digest":
                from lakepulse_dbt.digest import digest

                sys.stdout.write(digest(settings))

    return run_step(step)


if __name__ == "__main__":
    sys.exit(main())
