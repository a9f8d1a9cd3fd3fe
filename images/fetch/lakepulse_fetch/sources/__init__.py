"""The sources, one module each, in step with the register `lakepulse.sources`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from lakepulse.sources import SOURCES, check_registered
from lakepulse_fetch.apis import check_upstreams
from lakepulse_fetch.visit import Source


def all_sources() -> dict[str, Source]:
    """Name -> source, in the order of the register.

    Raises:
        PermanentError: the register and the modules differ.
    """
    check_upstreams()
    found = [source for module in iter_modules(__path__) for source in import_module(f"{__name__}.{module.name}").SOURCES]
    check_registered("source", (source.name for source in found), SOURCES, "images/fetch/lakepulse_fetch/sources")
    by_name = {source.name: source for source in found}
    return {name: by_name[name] for name in SOURCES}
