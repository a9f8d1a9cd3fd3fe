"""Lakes under tmp_path, for the real dbt project and for a small one that tests may break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lakepulse.data_dir import open_data_dir
from tests.dbt.lake import ROOT, Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake that the real dbt project builds from."""
    lake = Lake(tmp_path)
    open_data_dir(lake.settings())
    return lake


@pytest.fixture
def mini(lake: Lake) -> Lake:
    """An empty lake that a copy of the small project builds from."""
    project = lake.folder / "project"
    shutil.copytree(Path(__file__).parent / "mini", project)
    shutil.copy(ROOT / "dbt" / "profiles.yml", project)
    (project / "tests" / "generic").mkdir()
    shutil.copy(ROOT / "dbt" / "tests" / "generic" / "grain.sql", project / "tests" / "generic")
    lake.extra["DBT_PROJECT_DIR"] = str(project)
    # It declares no figures that a rule could name.
    lake.extra["ALERTS"] = str(project / "no-alerts.yaml")
    return lake
