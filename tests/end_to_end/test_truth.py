"""The demo's gold, row by row, against what plain loops over the simulated world give."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from lakepulse.projects import load_projects
from lakepulse_simulator import Simulator, demo_world
from lakepulse_simulator.__main__ import DEMO_PROJECTS
from tests.end_to_end.harness import Gold, Installation, breaks, seed
from tests.truth.gold import Known, Project, differences, gold

pytestmark = pytest.mark.end_to_end

DAYS = (date(2026, 11, 17), date(2026, 11, 18))


def test_the_demo_and_a_day_later_show_what_the_world_holds(tmp_path: Path) -> None:
    projects = load_projects(DEMO_PROJECTS)
    known = Known([Project(project.name, project.repos, project.packages) for project in projects])
    with Simulator(demo_world(DAYS[0])) as simulator:
        settings = simulator.environment() | {"DEMO": "1", "GITHUB_TOKEN": "token-of-the-test", "PROJECTS": str(DEMO_PROJECTS)}
        installation = Installation(tmp_path / "data", settings)
        for day in DAYS:
            simulator.world.set_date(day)
            known.look(simulator.world, day)
            installation.run(day)
            shown: Gold = installation.gold(tmp_path / day.isoformat())
            bots, not_bots = ([row["person"] for row in seed(name)] for name in ("bots", "not_bots"))
            wanted = gold(known, day, bots, breaks(), not_bots)
            assert wanted.keys() <= shown.keys()
            assert differences(wanted, {table: shown[table] for table in wanted}) == []
    assert DAYS[1] - DAYS[0] == timedelta(days=1)
