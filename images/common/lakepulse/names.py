"""Names that more than one stage uses: the catalog, its namespaces and tables.

The JDBC catalog stores its name in every key, so all engines must use this one.
"""

from __future__ import annotations

CATALOG = "lakepulse"

RAW = "raw"
"""Namespace of the tables that `spark_apps` writes."""

GOLD = "gold"
"""Namespace of the published tables."""

OPS = "ops"
"""Namespace of the record of runs, outside any publication."""

LANDINGS = f"{RAW}.landings"
"""Ledger of loaded landings, one row each."""

QUARANTINE = f"{RAW}.quarantine"
"""Rows that could not be typed, with the reason."""

PUBLICATIONS = f"{GOLD}.publications"
"""One row a publication: run, `as_of` and the snapshot id of every gold table."""

RUNS = f"{OPS}.runs"
"""One row a run, failed ones too."""
