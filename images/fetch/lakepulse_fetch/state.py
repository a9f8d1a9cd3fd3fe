"""What fetch remembers of each source and scope between runs: one small JSON object each.

Objects are written atomically, so a reader never sees half a state. Losing one costs requests,
never data: landings are the record.
"""

from __future__ import annotations

from typing import Any, TypeVar

import obstore
from pydantic import BaseModel, ConfigDict, ValidationError

from lakepulse.landing import scope_slug
from lakepulse.outcome import PermanentError
from lakepulse.store import Store

ROOT = "state"

_FACTS = ("watermark", "covered_from", "covered_to", "last_event_at", "upstream_status")


class ScopeState(BaseModel):
    """Common to all: `landing` is the number of the last landing that the state reflects."""

    model_config = ConfigDict(extra="forbid")
    landing: int = 0

    def facts(self) -> dict[str, Any]:
        """The fields of a manifest that the state gives: those that it has under the same name."""
        return {name: getattr(self, name) for name in _FACTS if hasattr(self, name)}


class AnyState(ScopeState):
    """A scope's state, of any source."""

    model_config = ConfigDict(extra="allow")


S = TypeVar("S", bound=BaseModel)


def state_path(source: str, scope: str, name: str = "") -> str:
    """Store path of a scope's state object, or of the further object `name` beside it."""
    base = f"{ROOT}/{source}/{scope_slug(scope)}"
    return f"{base}/{name}" if name else f"{base}.json"


def read_object(store: Store, path: str) -> bytes | None:
    """An object's bytes, or None if there is none."""
    try:
        return bytes(obstore.get(store, path).bytes())
    except FileNotFoundError:
        return None


def read_model(store: Store, path: str, kind: type[S]) -> S | None:
    """A stored model, or None if there is none.

    Raises:
        PermanentError: it is damaged.
    """
    text = read_object(store, path)
    if text is None:
        return None
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise PermanentError(f"{path}: damaged or of a later version; restore it, or remove it to fetch again") from error


def write_model(store: Store, path: str, model: BaseModel) -> None:
    """Store a model in place of an earlier one."""
    obstore.put(store, path, model.model_dump_json().encode())


def delete_object(store: Store, path: str) -> None:
    """Remove an object; none is fine."""
    try:
        obstore.delete(store, path)
    except FileNotFoundError:
        return
