"""The sources, one module each: a module here that has `SOURCES` is registered by that alone."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from lakepulse.names import SOURCES as NAMES
from lakepulse_fetch.visit import Source


def all_sources() -> dict[str, Source]:
    """Name -> source, in the order of `lakepulse.names.SOURCES`."""
    found = {
        source.name: source
        for module in iter_modules(__path__)
        for source in import_module(f"{__name__}.{module.name}").SOURCES
    }
    return {name: found[name] for name in NAMES if name in found}
