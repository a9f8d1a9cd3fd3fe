"""The console command `lakepulse`: one table of commands, each a function of the stage that owns it.

A stage keeps its commands in a light module `commands.py`, one function a command, named like it:

```python
def load(*, tables: str | None = None, replay: bool = False) -> int:
    \"\"\"Load new landings into the raw tables.

    Args:
        tables: names separated by commas; default: all.
        replay: load again what the quarantine holds.
    \"\"\"
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from spark_apps.load import load_tables  # takes seconds to import

        load_tables(settings, tables, replay=replay)

    return run_step(step)
```

- The module imports nothing heavy at its top: engines and clients are imported inside `step`.
- Parameters before a `/` are positional (`def export(out: Path, /)`, `def submit(pipeline: str, /, *parameters: str)`),
  those after a `*` are options; a `bool` is a flag without a `--no-` form. Their annotations are evaluated, so the
  types are imported at the top and not under `TYPE_CHECKING`. A default from the environment is
  `Annotated[str | None, Parameter(env_var="OUTCOME")]`.
- The docstring's first line is the command's help, `Args:` describes its parameters.
- The result is the exit code: what `run_step` returns. A step may return an exit code of its own, None is 0.
- What is wrong with a value is a `PermanentError` raised inside the step, never a traceback.
- Several commands under one name are a `cyclopts.App` of that name: `cluster = App(name="cluster", help=...)`.

A new command also gets its line in `COMMANDS`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from lakepulse.outcome import PERMANENT, StepError, one_line


class Command(NamedTuple):
    """A command, the module that has a function or an App of its name, and its line in the help."""

    name: str
    module: str
    summary: str


COMMANDS = (
    Command("run", "workflows.commands", "Run a pipeline on this machine."),
    Command("submit", "workflows.commands", "Run a pipeline on the cluster and watch it."),
    Command("status", "workflows.commands", "Show last runs, next times, freshness and pods in trouble."),
    Command("fetch", "lakepulse_fetch.commands", "Fetch what is new upstream into the landings."),
    Command("load", "spark_apps.commands", "Load new landings into the raw tables."),
    Command("build", "lakepulse_dbt.commands", "Run dbt's models and data tests."),
    Command("publish", "lakepulse_dbt.commands", "Make what this run built the newest publication."),
    Command("record", "lakepulse_dbt.commands", "Notify the webhook, and record the run in ops.runs."),
    Command("watch", "lakepulse_dbt.commands", "Notify the webhook if no run has succeeded for too long."),
    Command("maintain", "spark_apps.commands", "Compact tables, expire snapshots, remove orphaned files."),
    Command("export", "lakepulse_dbt.commands", "Write the gold tables as Parquet and CSV."),
    Command("lake", "lakepulse_dbt.commands", "Write the gold tables as a static Iceberg REST catalog."),
    Command("site", "lakepulse_dbt.commands", "Write a static JSON API, badges, charts and feeds."),
    Command("digest", "lakepulse_dbt.commands", "Print the week as Markdown."),
    Command("answer", "lakepulse_answer.commands", "Answer questions about the figures as an MCP server."),
    Command("jars", "spark_apps.commands", "Download the jars that Spark needs."),
    Command("render", "lakepulse.render", "Rewrite the files that follow from others."),
    Command("cluster", "k8s.commands", "Create, open and delete the local cluster."),
)

_HELP = {"--help", "-h"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. A bad argument is one line on stderr and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _reach_this_machine_directly()
    names = [command.name for command in COMMANDS]
    if given and given[0] not in {*names, *_HELP}:
        return _refused(f"unknown command {given[0]!r}; known: {', '.join(names)}")
    wanted = COMMANDS[names.index(given[0])] if given and given[0] in names else None
    if wanted and not _is_installed(wanted.module):
        return _refused(f"{wanted.name}: {wanted.module} is not installed here; use an image or a checkout that has it")
    try:
        code = _app(wanted)(given, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _refused(f"{_problem(error)}; see {' '.join(['lakepulse', *(error.command_chain or ())])} --help")
    except StepError as error:  # raised as a stage is imported, such as by the register of sources
        return _refused(one_line(error))
    except KeyboardInterrupt:
        return 130
    if code is None:  # the help was printed: on request, or for want of a command
        return 0 if _HELP & set(given) else PERMANENT
    return int(code)


def _reach_this_machine_directly() -> None:
    """Have every client leave the proxy aside for this machine: the demo's upstreams and forwarded ports are here."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(dict.fromkeys([*filter(None, named.split(",")), "localhost", "127.0.0.1", "::1"]))
    # An empty one in lowercase would hide the other.
    os.environ |= {"NO_PROXY": hosts, "no_proxy": hosts}


def _problem(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError):
        return f"unexpected argument {' '.join(error.unused_tokens or ())!r}"
    return one_line(error).rstrip(".")


def _app(wanted: Command | None) -> App:
    """The application; of its commands at most `wanted` is imported, and shows its own docstring as help."""
    app = App(
        name="lakepulse",
        help="Vital signs of open lakehouse projects, as a pipeline of stages.",
        help_format="plaintext",
        version_flags=[],
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
    )
    for position, command in enumerate(COMMANDS):
        summary = None if command is wanted else command.summary
        app.command(f"{command.module}:{command.name}", name=command.name, help=summary, sort_key=position)
    return app


def _is_installed(module: str) -> bool:
    package = module.partition(".")[0]
    return find_spec(package) is not None and find_spec(module) is not None


def _refused(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return PERMANENT
