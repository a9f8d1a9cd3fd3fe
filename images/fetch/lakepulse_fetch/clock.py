"""Time as fetch sees it; tests have their own."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from lakepulse.outcome import TemporaryError


class Clock:
    """Wall time, elapsed time and waiting."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> datetime:
        """Wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some point, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            TemporaryError: `stop` was called.
        """
        if self._stopped.wait(seconds):
            raise TemporaryError("stopped while waiting; run again")

    def stop(self) -> None:
        """End all waiting, now and later."""
        self._stopped.set()
