from __future__ import annotations

import json
from pathlib import Path

import pytest

from lakepulse.data_dir import look_into_data_dir, open_data_dir
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings


def test_a_new_folder_gets_its_card_and_opens_again(settings: Settings) -> None:
    open_data_dir(settings)
    open_data_dir(settings)
    assert json.loads((settings.data_dir / "lakepulse.json").read_text())["kind"] == "real"


def test_a_moved_folder_is_refused(settings: Settings, tmp_path: Path) -> None:
    open_data_dir(settings)
    settings.data_dir.rename(tmp_path / "elsewhere")
    with pytest.raises(PermanentError, match="was moved from"):
        open_data_dir(Settings(data_dir=tmp_path / "elsewhere"))


def test_a_folder_that_was_opened_by_a_link_outlives_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real").mkdir()
    by_link = Settings(data_dir=tmp_path / "link")
    open_data_dir(by_link)
    assert (by_link.lake, by_link.warehouse) == ((tmp_path / "real").as_uri(), (tmp_path / "real" / "warehouse").as_uri())
    (tmp_path / "link").unlink()
    open_data_dir(Settings(data_dir=tmp_path / "real"))


def test_another_layout_is_refused(settings: Settings) -> None:
    open_data_dir(settings)
    card = settings.data_dir / "lakepulse.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"layout": 0}))
    with pytest.raises(PermanentError, match="has layout 0"):
        open_data_dir(settings)


def test_demo_and_real_data_do_not_mix(settings: Settings) -> None:
    open_data_dir(settings)
    with pytest.raises(PermanentError, match="holds real data"):
        open_data_dir(Settings(data_dir=settings.data_dir, demo=True))


def test_reading_takes_either_kind_and_makes_no_folder(settings: Settings) -> None:
    with pytest.raises(PermanentError, match="has no data; run make demo or make run first"):
        look_into_data_dir(settings)
    assert not settings.data_dir.exists()
    open_data_dir(settings)
    look_into_data_dir(Settings(data_dir=settings.data_dir, demo=True))


def test_a_foreign_folder_is_left_alone(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "thesis.txt").write_text("mine")
    with pytest.raises(PermanentError, match="not a lakepulse folder"):
        open_data_dir(settings)
    assert [entry.name for entry in settings.data_dir.iterdir()] == ["thesis.txt"]


def test_a_first_step_that_was_killed_does_not_block_the_folder(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "lakepulse.partial").write_text('{"lay')
    open_data_dir(settings)
    assert [entry.name for entry in settings.data_dir.iterdir()] == ["lakepulse.json"]


def test_a_damaged_card_is_one_clear_line(settings: Settings) -> None:
    open_data_dir(settings)
    (settings.data_dir / "lakepulse.json").write_text("{")
    with pytest.raises(PermanentError, match="is damaged"):
        open_data_dir(settings)
