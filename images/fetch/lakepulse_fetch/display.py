"""Progress on a terminal; elsewhere the log lines are enough."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lakepulse.logs import configure_logs
from lakepulse.settings import Settings


class Display:
    """Receives what happens; shows nothing."""

    def begin(self, total: int) -> None:
        """`total` visits are to be made."""

    def say(self, text: str) -> None:
        """What is being fetched at this moment."""

    def advance(self) -> None:
        """One visit has ended."""


class _Bar(Display):
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("fetch", total=None)

    def begin(self, total: int) -> None:
        self._bar.update(self._task, total=total)

    def say(self, text: str) -> None:
        self._bar.update(self._task, description=text[:100])

    def advance(self) -> None:
        self._bar.advance(self._task)


@contextmanager
def display(settings: Settings) -> Iterator[Display]:
    """A progress bar if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield Display()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        # The bar replaces stderr, so that log lines appear above it.
        configure_logs(settings)
        yield _Bar(bar)
    configure_logs(settings)
