"""What dbt knows of the raw tables, rendered from `spark_apps.tables` and the register of sources.

`make render` writes it into `dbt/`: a bronze model per raw table, the sources and models in YAML, the
seed `sources`, and the macros that models loop over. A column, key or source thus stands in one place.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent, wrap

from lakepulse.outcome import PermanentError
from lakepulse.sources import REGISTER, sources_of
from spark_apps import ledger, quarantine
from spark_apps.schema import EARLIEST, PAYLOAD, Table
from spark_apps.tables import all_tables

PROJECT = Path(__file__).resolve().parents[1] / "dbt"
BRONZE = PROJECT / "models" / "bronze"
SOURCES_YAML = BRONZE / "_sources.yml"
SEED = PROJECT / "seeds" / "sources.csv"
MACROS = PROJECT / "macros" / "rendered.sql"

_HEADER = "Written by `make render` from spark_apps/{origin}; edit it there."

TRINO_TYPES = {
    "string": "varchar",
    "bigint": "bigint",
    "int": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp(6) with time zone",
    "array<string>": "array(varchar)",
}
"""Spark SQL type of a raw column -> Trino's name of it, which the dbt sources declare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Relation:
    """A raw table as dbt sees it: the columns of `layout` with Spark SQL types, renamed as `renamed` says."""

    name: str
    origin: str
    description: str
    layout: dict[str, str]
    key: tuple[str, ...]
    renamed: dict[str, str] = field(default_factory=dict)
    is_incremental: bool = True
    freshness: str | None = None
    columns: str | None = None

    @property
    def grain(self) -> tuple[str, ...]:
        return tuple(self.renamed.get(name, name) for name in self.key)


def _relations() -> list[_Relation]:
    tables = [
        _Relation(
            name=table.name,
            origin=f"tables/{table.name}.py",
            description=table.description,
            layout=table.bronze_layout,
            key=table.key,
        )
        for table in all_tables().values()
    ]
    return [
        *tables,
        _Relation(
            name="landings",
            origin="ledger.py",
            description="The ledger: one loaded landing, that is one visit to an upstream for one scope.",
            layout=ledger.LAYOUT,
            key=("landing_id",),
            renamed={"pages": "page_count", "rows": "row_count", "requests": "request_count", "quota": "quota_count"},
            is_incremental=False,
            freshness="{warn_after: {count: 36, period: hour}, error_after: {count: 7, period: day}}",
            columns=_LANDINGS_COLUMNS,
        ),
        _Relation(
            name="quarantine",
            origin="quarantine.py",
            description="One line of a landing that could not be typed, with the reason; a replay that can sets `resolved_at`.",
            layout={name: kind for name, kind in quarantine.LAYOUT.items() if name != PAYLOAD},
            key=("landing_id", "page_file", "line"),
            renamed={"line": "line_number"},
            is_incremental=False,
            # No new rows is what one hopes for.
            freshness="null",
        ),
    ]


_LANDINGS_COLUMNS = """\
columns:
  - name: source
    description: Listed in the seed sources.csv; freshness would leave out any other.
    data_tests:
      - relationships:
          arguments: {to: ref('sources'), field: source}
"""


def rendered() -> dict[Path, str]:
    """Every file that `make render` writes into `dbt/`, and its text.

    Raises:
        PermanentError: the register and the table modules differ, or a table lacks a column that dbt needs.
    """
    relations = _relations()
    models = {BRONZE / f"bronze_{relation.name}.sql": _bronze_model(relation) for relation in relations}
    return models | {SOURCES_YAML: _sources_yaml(relations), SEED: _seed(), MACROS: _macros()}


def stale() -> list[Path]:
    """Bronze models of raw tables that are gone, which `write` removes.

    Raises:
        PermanentError: as in `rendered`.
    """
    files = rendered()
    return sorted(path for path in BRONZE.glob("*.sql") if path not in files)


def write() -> list[Path]:
    """Write the rendered files, remove bronze models of tables that are gone; returns the paths that changed.

    Raises:
        PermanentError: as in `rendered`.
    """
    files, removed = rendered(), stale()
    for path in removed:
        path.unlink()
    changed = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(files[path], encoding="utf-8")
    return removed + changed


def _bronze_model(relation: _Relation) -> str:
    if relation.is_incremental:
        note, config = "", f"unique_key={list(relation.key)}"
    else:
        note = "{# Rebuilt each time: two loads at once, or one that died, add rows under a load sequence seen before. #}\n"
        config = "materialized='table'"
    columns = ",\n".join(f"        {_renamed(relation, name, kind)}" for name, kind in relation.layout.items())
    new_rows = "    {{ new_rows() }}\n" if relation.is_incremental else ""
    return (
        f"{{# {_HEADER.format(origin=relation.origin)} #}}\n{note}"
        f"{{{{ config({config}) }}}}\n\n"
        f"with source as (\n    select * from {{{{ raw_rows('{relation.name}') }}}}\n{new_rows}),\n\n"
        f"renamed as (\n    select\n{columns}\n    from source\n)\n\n"
        "select * from renamed\n"
    )


def _renamed(relation: _Relation, name: str, kind: str) -> str:
    """A column of bronze: times without zone, counts of one width."""
    alias = relation.renamed.get(name, name)
    match kind:
        case "timestamp":
            return f"{{{{ utc_timestamp('{name}') }}}} as {alias}"
        case "int":
            return f"cast({name} as bigint) as {alias}"
        case _:
            return name if alias == name else f"{name} as {alias}"


def _sources_yaml(relations: list[_Relation]) -> str:
    tables = "".join(indent(_source_entry(relation), " " * 6) for relation in relations)
    models = "".join(indent(_model_entry(relation), " " * 2) for relation in relations)
    return _SOURCES_HEAD + tables + "\nmodels:\n" + models


_SOURCES_HEAD = f"""\
# {_HEADER.format(origin="tables, ledger.py and quarantine.py")}
version: 2

sources:
  - name: raw
    description: >
      The raw Iceberg tables that Spark loads: one row per natural key, the last state reported by upstream, never cut
      by a run's date. Types are Trino's. `{PAYLOAD}`, the unparsed JSON, is not declared, and so never read here.
    schema: raw
    config:
      loaded_at_field: loaded_at
      # A table whose upstream is quiet gets no rows; the ledger, which each visit adds to, has the tight limit.
      freshness:
        warn_after: {{count: 30, period: day}}
      meta:
        # dbt-duckdb only: the plugin reads the table through PyIceberg. Trino has the catalog itself.
        plugin: iceberg_source
    tables:
"""


def _folded(text: str, width: int = 110) -> str:
    return "description: >\n" + indent("\n".join(wrap(text, width)), "  ") + "\n"


def _source_entry(relation: _Relation) -> str:
    freshness = f"config:\n  freshness: {relation.freshness}\n" if relation.freshness else ""
    columns = "".join(f"  - {{name: {name}, data_type: {TRINO_TYPES[kind]}}}\n" for name, kind in relation.layout.items())
    return _entry(relation.name, _folded(relation.description) + freshness + "columns:\n" + columns)


def _model_entry(relation: _Relation) -> str:
    grain = ", ".join(relation.grain)
    how = "Merged by load sequence" if relation.is_incremental else "Rebuilt each time"
    description = _folded(f"{relation.description} Grain: {grain}. {how}; times are UTC without zone.")
    tests = f"data_tests:\n  - grain:\n      arguments: {{columns: [{grain}]}}\n"
    return _entry(f"bronze_{relation.name}", description + (relation.columns or "") + tests)


def _entry(name: str, body: str) -> str:
    return f"- name: {name}\n" + indent(body, "  ")


def _seed() -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("source", "kind", "stale_after_hours", "is_optional"))
    rows.writerows((entry.name, entry.scope, entry.stale_after_hours, json.dumps(entry.is_optional)) for entry in REGISTER)
    return text.getvalue()


def _macros() -> str:
    tables = all_tables().values()
    facts = [_facts(table) for table in tables]
    sources: list[dict[str, object]] = [
        {
            "name": entry.name,
            "table": table.name,
            "scope": entry.scope,
            "kind": entry.kind,
            "newest_by": table.newest_by,
        }
        for table in tables
        for entry in sources_of(table.name)
    ]
    return (
        f"{{# {_HEADER.format(origin='tables and the register lakepulse/sources.py')} #}}\n\n"
        "{# The raw tables: what their rows are about, and which of their columns say when something happened. #}\n"
        + _list_macro("raw_tables", facts)
        + "\n{# The sources, with the raw table that each fills. #}\n"
        + _list_macro("raw_sources", sources)
        + "\n{# The first date that a raw table can hold. #}\n"
        f"{{% macro earliest_date() -%}}\n    cast('{EARLIEST}' as date)\n{{%- endmacro %}}\n"
    )


def _facts(table: Table) -> dict[str, object]:
    if table.scope_kind not in table.bronze_layout:
        raise PermanentError(f"raw table {table.name}: needs the column {table.scope_kind}, which its sources are fetched by")
    return {
        "name": table.name,
        "label": table.label or table.name,
        "scope": table.scope_kind,
        "counted_by": list(table.counted_by),
        "moments": list(table.moments),
        "undated_if": table.undated_if,
        "removal": table.removal.column if table.removal else None,
        "gone_value": table.removal.gone_value if table.removal else None,
    }


def _list_macro(name: str, entries: list[dict[str, object]]) -> str:
    lines = "".join(
        "        {" + ", ".join(f"'{key}': {_literal(value)}" for key, value in entry.items()) + "},\n" for entry in entries
    )
    return f"{{% macro {name}() -%}}\n    {{{{ return([\n{lines}    ]) }}}}\n{{%- endmacro %}}\n"


def _literal(value: object) -> str:
    """The value in Jinja."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case _:
            return repr(value)
