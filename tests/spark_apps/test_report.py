"""A load whose report cannot be written, as on a full disk, says so in one line."""

from __future__ import annotations

from typing import Any

import pytest
from obstore.exceptions import GenericError

import spark_apps.load
from lakepulse.outcome import PermanentError, TemporaryError
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import issue, land


def test_a_report_that_finds_no_room_hides_no_other_error(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any) -> None:
        raise GenericError("No space left on device (os error 28)")

    monkeypatch.setattr(spark_apps.load, "write_report", no_room)
    land(lake.store, "github_issues", [issue(1)])
    with pytest.raises(PermanentError, match=r"its report was not written \(.*No space left on device"):
        lake.load("issues")
    assert len(lake.rows("issues")) == 1

    def unreachable(*_: Any, **__: Any) -> None:
        raise TemporaryError("the catalog is not reachable")

    monkeypatch.setattr(spark_apps.load, "ensure_table", unreachable)
    with pytest.raises(TemporaryError, match="the catalog is not reachable"):
        lake.load("issues")
