"""Daily downloads of packages, of every source that counts them."""

from __future__ import annotations

from spark_apps.schema import Table, given, kind_by_source, read

TABLE = Table(
    name="downloads",
    description="Downloads of a package on a day in one category; `kind` says what is counted by.",
    # `category` as pypistats names it; `version` where a source counts by version.
    item="category STRING, version STRING, date STRING, downloads STRING",
    columns=(
        given("package", "string", "scope"),
        given("kind", "string", kind_by_source("downloads"), required=True),
        # pypistats gives null for downloads whose Python or system is unknown; a key cannot be null.
        given("category", "string", "coalesce(item.category, item.version, 'null')"),
        read("date", "date", "date", required=True),
        read("downloads", "bigint", "downloads", required=True),
    ),
    key=("package", "kind", "category", "date"),
    scope="package",
    scope_value="scope",
    partitions="years(date)",
    counted_by=("date",),
    newest_by="date",
)
