"""The lake's identity card, checked by each step before it reads or writes anything.

On one machine it lies in DATA_DIR, on a cluster in the object store beside the landings. Iceberg metadata has absolute
paths, so a lake that was moved cannot be read; demo and real data must never mix; and a lake of another layout must not
be misread.
"""

from __future__ import annotations

import json
from pathlib import Path

import obstore

from lakepulse.outages import outage
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings
from lakepulse.store import open_store

LAYOUT = 1
_CARD = "lakepulse.json"


def open_data_dir(settings: Settings) -> None:
    """Check the lake before a step writes, or create its card; on one machine that is DATA_DIR, which is created too.

    Raises:
        StepError: it was moved, has another layout, holds the other kind of data, or does not answer.
        OSError: DATA_DIR cannot be read or written.
    """
    kind = "demo" if settings.demo else "real"
    held = _held(settings)
    if held is None:
        _create(settings, kind)
    elif held != kind:
        raise PermanentError(
            f"{_named(settings)} holds {held} data, this run has {kind} data; use another {_setting(settings)}"
        )


def look_into_data_dir(settings: Settings) -> None:
    """Check the lake before something is read from it, be it real data or the demo's.

    Raises:
        StepError: there is none, it was moved, has another layout, or does not answer.
        OSError: DATA_DIR cannot be read.
    """
    if _held(settings) is None:
        what = "make demo or make run" if settings.is_local else "a pipeline"
        raise PermanentError(f"{_named(settings)} has no data; run {what} first, or use another {_setting(settings)}")


def _setting(settings: Settings) -> str:
    return "DATA_DIR" if settings.is_local else "LAKE_URL"


def _where(settings: Settings) -> str:
    return str(settings.data_dir) if settings.is_local else settings.lake


def _named(settings: Settings) -> str:
    return f"{_setting(settings)} {_where(settings)}"


def _held(settings: Settings) -> str | None:
    """The kind of data in the lake by its card; None without a card."""
    text = _read(settings)
    if text is None:
        return None
    setting, where = _setting(settings), _where(settings)
    try:
        found = json.loads(text)
        layout, path, held = found["layout"], found["path"], str(found["kind"])
    except (ValueError, KeyError, TypeError):
        raise PermanentError(f"{where}/{_CARD} is damaged; restore it from a copy, or use another {setting}") from None
    if layout != LAYOUT:
        raise PermanentError(f"{_named(settings)} has layout {layout}, this version needs {LAYOUT}; use another {setting}")
    if path != where:
        raise PermanentError(
            f"{_named(settings)} was moved from {path}, and Iceberg paths are absolute; move it back, or use another {setting}"
        )
    return held


def _read(settings: Settings) -> str | None:
    if settings.is_local:
        try:
            return (settings.data_dir / _CARD).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
    try:
        return bytes(obstore.get(open_store(settings), _CARD).bytes()).decode(errors="replace")
    except FileNotFoundError as error:
        # A missing bucket is one too.
        if known := outage(error):
            raise known from error
        return None


def _create(settings: Settings, kind: str) -> None:
    text = json.dumps({"layout": LAYOUT, "path": _where(settings), "kind": kind}) + "\n"
    if settings.is_local:
        _create_folder(settings.data_dir, text)
    else:
        obstore.put(open_store(settings), _CARD, text.encode())


def _create_folder(folder: Path, text: str) -> None:
    card = folder / _CARD
    partial = card.with_suffix(".partial")
    # A first step that was killed here leaves a half-written card.
    if folder.is_dir() and set(folder.iterdir()) - {partial}:
        raise PermanentError(f"DATA_DIR {folder} is not empty and not a lakepulse folder; use another DATA_DIR")
    folder.mkdir(parents=True, exist_ok=True)
    partial.write_text(text, encoding="utf-8")
    partial.replace(card)
