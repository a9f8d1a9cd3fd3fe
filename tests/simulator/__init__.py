"""A misbehaving stand-in for GitHub REST, pypistats and the simple index of PyPI.

Standard library only, so that it also runs in a bare Python container. See `Simulator`.
"""

from tests.simulator.demo import demo_world
from tests.simulator.faults import Fault, Faults
from tests.simulator.recorded import RecordedWorld
from tests.simulator.server import Simulator
from tests.simulator.tiny import tiny_world
from tests.simulator.world import Person, Repo, User, World

__all__ = ["Fault", "Faults", "Person", "RecordedWorld", "Repo", "Simulator", "User", "World", "demo_world", "tiny_world"]
