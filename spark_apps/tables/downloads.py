"""Daily downloads of packages, of every source that counts them."""

from __future__ import annotations

from spark_apps.schema import Table, given, read

TABLE = Table(
    name="downloads",
    # `category` as pypistats names it; `version` where a source counts by version.
    item="category STRING, version STRING, date STRING, downloads STRING",
    columns=(
        given("package", "string", "scope"),
        given(
            "kind",
            "string",
            """CASE source WHEN 'pypistats_overall' THEN 'overall' WHEN 'pypistats_python_minor' THEN 'python_minor'
               WHEN 'pypistats_system' THEN 'system' ELSE 'version' END""",
        ),
        # pypistats gives null for downloads whose Python or system nobody knows; a key cannot be null.
        given("category", "string", "coalesce(item.category, item.version, 'null')"),
        read("date", "date", "date", required=True),
        read("downloads", "bigint", "downloads", required=True),
    ),
    key=("package", "kind", "category", "date"),
    scope="package",
    scope_value="scope",
    partitions="years(date)",
)
