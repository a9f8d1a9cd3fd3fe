"""The simulator inside the cluster: `python -m tests.cluster.served`, in the fetch image.

It listens on the pod's address and names itself by its service, since paging links are absolute.
Everything else is told by the environment: WORLD, WORLD_DATE, SERVICE_URL and BAD_TOKEN.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import date

from lakepulse_simulator import Simulator, demo_world, tiny_world


class Served(Simulator):
    """A simulator behind another address than its own."""

    @property
    def url(self) -> str:
        return os.environ["SERVICE_URL"]


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    day = date.fromisoformat(os.environ["WORLD_DATE"])
    world = tiny_world(0, day) if os.environ["WORLD"] == "tiny" else demo_world(day)
    with Served(world, host="0.0.0.0", port=8000) as simulator:  # noqa: S104 - its pod is its own machine
        simulator.rules.bad_tokens = (os.environ["BAD_TOKEN"],)
        print(f"serving the {os.environ['WORLD']} world of {day} as {simulator.url}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
