"""The data folder's identity card, checked by each step before it reads or writes anything.

Iceberg metadata has absolute paths, so a moved folder cannot be read; demo and real data must
never mix; and a folder of another layout must not be misread.
"""

from __future__ import annotations

import json
from pathlib import Path

from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings

LAYOUT = 1
_CARD = "lakepulse.json"


def open_data_dir(settings: Settings) -> None:
    """Check `DATA_DIR` before a step writes, or create it; does nothing on the cluster, which has none.

    Raises:
        PermanentError: it was moved, has another layout, or holds the other kind of data.
        OSError: it cannot be read or written.
    """
    if not settings.is_local:
        return
    folder = settings.data_dir.resolve()
    kind = "demo" if settings.demo else "real"
    held = _held(folder)
    if held is None:
        _create(folder, kind)
    elif held != kind:
        raise PermanentError(f"DATA_DIR {folder} holds {held} data, this run has {kind} data; use another DATA_DIR")


def look_into_data_dir(settings: Settings) -> None:
    """Check `DATA_DIR` before something is read from it, be it real data or the demo's.

    Raises:
        PermanentError: there is none, it was moved, or it has another layout.
        OSError: it cannot be read.
    """
    if settings.is_local and _held(folder := settings.data_dir.resolve()) is None:
        raise PermanentError(f"DATA_DIR {folder} has no data; run make demo or make run first, or use another DATA_DIR")


def _held(folder: Path) -> str | None:
    """The kind of data in a folder by its card; None without a card."""
    card = folder / _CARD
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
        layout, path, held = found["layout"], found["path"], str(found["kind"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise PermanentError(f"{card} is damaged; restore it from a copy, or use another DATA_DIR") from None
    if layout != LAYOUT:
        raise PermanentError(f"DATA_DIR {folder} has layout {layout}, this version needs {LAYOUT}; use another DATA_DIR")
    if path != str(folder):
        raise PermanentError(
            f"DATA_DIR {folder} was moved from {path}, and Iceberg paths are absolute; move it back, or use another DATA_DIR"
        )
    return held


def _create(folder: Path, kind: str) -> None:
    card = folder / _CARD
    partial = card.with_suffix(".partial")
    # A first step that was killed here leaves a half-written card.
    if folder.is_dir() and set(folder.iterdir()) - {partial}:
        raise PermanentError(f"DATA_DIR {folder} is not empty and not a lakepulse folder; use another DATA_DIR")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"layout": LAYOUT, "path": str(folder), "kind": kind})
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(card)
