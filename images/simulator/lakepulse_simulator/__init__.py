"""A misbehaving stand-in for GitHub REST, pypistats and the simple index of PyPI.

Standard library only, so that it also runs in a bare Python container. See `Simulator`.
"""

from lakepulse_simulator.demo import demo_world
from lakepulse_simulator.faults import Fault, Faults
from lakepulse_simulator.recorded import RecordedWorld
from lakepulse_simulator.server import Simulator
from lakepulse_simulator.tiny import tiny_world
from lakepulse_simulator.world import Person, Repo, User, World

__all__ = ["Fault", "Faults", "Person", "RecordedWorld", "Repo", "Simulator", "User", "World", "demo_world", "tiny_world"]
