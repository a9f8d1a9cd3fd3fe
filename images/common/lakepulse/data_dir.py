"""The data folder's identity card, checked by each step before it touches anything.

Iceberg metadata holds absolute paths, so a moved folder cannot be read; demo and real data must
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
    """Check `DATA_DIR`, or create it; on the cluster there is none and nothing happens.

    Raises:
        PermanentError: it was moved, has another layout, or holds the other kind of data.
        OSError: it cannot be read or written.
    """
    if not settings.is_local:
        return
    folder = settings.data_dir.resolve()
    card = folder / _CARD
    kind = "demo" if settings.demo else "real"
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
        layout, path, held = found["layout"], found["path"], found["kind"]
    except FileNotFoundError:
        _create(folder, card, kind)
        return
    except (ValueError, KeyError, TypeError):
        raise PermanentError(f"{card} is damaged; restore it from a copy, or use another DATA_DIR") from None
    if layout != LAYOUT:
        raise PermanentError(f"DATA_DIR {folder} has layout {layout}, this version needs {LAYOUT}; use another DATA_DIR")
    if path != str(folder):
        raise PermanentError(
            f"DATA_DIR {folder} was moved from {path}, and Iceberg paths are absolute; move it back, or use another DATA_DIR"
        )
    if held != kind:
        raise PermanentError(f"DATA_DIR {folder} holds {held} data, this run's is {kind}; use another DATA_DIR")


def _create(folder: Path, card: Path, kind: str) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise PermanentError(f"DATA_DIR {folder} is not empty and not a lakepulse folder; use another DATA_DIR")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"layout": LAYOUT, "path": str(folder), "kind": kind})
    partial = card.with_suffix(".partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(card)
