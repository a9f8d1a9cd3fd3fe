"""The raw tables, one module each, in step with the register `lakepulse.sources`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from lakepulse.sources import check_registered, raw_tables
from spark_apps.schema import Table


@cache
def all_tables() -> dict[str, Table]:
    """Name -> raw table, in the order of the register.

    Raises:
        PermanentError: the register and the modules differ.
    """
    found: list[Table] = [import_module(f"{__name__}.{module.name}").TABLE for module in iter_modules(__path__)]
    check_registered("raw table", (table.name for table in found), raw_tables(), "spark_apps/tables")
    by_name = {table.name: table for table in found}
    return {name: by_name[name] for name in raw_tables()}
