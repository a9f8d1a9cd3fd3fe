"""Folders that commands write for use elsewhere: complete, and in place of nothing but their own."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakepulse.outcome import PermanentError


def checked_address(address: str) -> str:
    """The address of a web server's folder, without a slash at its end.

    Raises:
        PermanentError: it is not one.
    """
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/?", address):
        raise PermanentError("ADDRESS: must be an http or https address without user, query or fragment")
    return address.rstrip("/")


def json_bytes(document: object) -> bytes:
    """A small document for people and programs."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def write_json(path: Path, document: object) -> None:
    """Write a small document for people and programs."""
    path.write_bytes(json_bytes(document))


@contextmanager
def whole_folder(out: Path, index: str) -> Iterator[Path]:
    """A folder to write into that becomes `out` at the end, in place of an earlier call's.

    The JSON file `index`, which the caller writes, gets the list of the folder's files, so that no other file is ever deleted.

    Raises:
        PermanentError: `out` holds something else.
    """
    out = out.expanduser().absolute()
    if out.exists() and not out.is_dir():
        raise PermanentError(f"{out} is not a folder; name another")
    if out.is_dir() and any(out.iterdir()) and not _is_ours(out, index):
        raise PermanentError(f"{out} is not empty and holds nothing that this command wrote earlier; name another folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield partial
        document = json.loads((partial / index).read_text(encoding="utf-8"))
        write_json(partial / index, document | {"files": sorted(path.name for path in partial.iterdir())})
        partial.chmod(0o755)  # mkdtemp's is private
        if out.exists():
            # Two renames: for a moment a reader may find no folder, but never half of one.
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            out.rename(old / out.name)
            partial.rename(out)
            shutil.rmtree(old)
        else:
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _is_ours(folder: Path, index: str) -> bool:
    try:
        files = json.loads((folder / index).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return all(path.name in files for path in folder.iterdir())
