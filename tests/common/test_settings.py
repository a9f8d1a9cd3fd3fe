from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakepulse.settings import load_settings


def test_defaults_keep_everything_under_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / ".data" / "real"
    assert settings.lake == settings.data_dir.as_uri()
    assert settings.warehouse.startswith(settings.lake)
    assert settings.as_of == datetime.now(UTC).date()


def test_a_dotenv_file_is_read_and_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GITHUB_TOKEN=one, two\nSWEEP=1\n", encoding="utf-8")
    monkeypatch.setenv("PYPI_SIMPLE_URL", "")
    settings = load_settings()
    assert settings.github_tokens == ("one", "two")
    assert settings.sweep
    assert settings.pypi_simple_url is None


TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AS_OF", "yesterday"),
        ("AS_OF", TOMORROW),
        ("SWEEP", "perhaps"),
        ("GITHUB_API_URL", "api.example.org"),
        ("GITHUB_API_URL", "https://user:secret@example.org"),
        ("PYPISTATS_API_URL", "ftp://example.org"),
        ("PYPI_SIMPLE_URL", "https://example.org/?token=secret"),
        ("GITHUB_TOKEN", "one,,two"),
        ("RUN_ID", "../up"),
        ("SHARD", "2/2"),
        ("LOOKBACK", "0"),
        ("TRINO_PORT", "70000"),
        ("ENGINE", "spark"),
        ("LOG_FORMAT", "yaml"),
        ("CATALOG_URI", "postgresql://user:secret@host:5432/catalog"),
        ("CATALOG_URI", "host:5432/catalog"),
        ("LAKE_URL", "http://secret.example.org"),
        ("WAREHOUSE_URL", "/secret/warehouse"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load_settings()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith(f"error: {name}: ")
    assert said.count("\n") == 1
    assert "secret" not in said


def test_secrets_do_not_show_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_verysecret")
    monkeypatch.setenv("CATALOG_PASSWORD", "alsosecret")
    shown = repr(load_settings())
    assert "ghp_verysecret" not in shown
    assert "alsosecret" not in shown
