"""Files of the releases on PyPI."""

from __future__ import annotations

from spark_apps.schema import Removal, Table, given, read

# A pre-release or development release as the version specifiers standard spells them, other
# spellings that it normalises included; what follows `+` is local and says nothing.
PRE_RELEASE = r"(?i)^v?([0-9]+!)?[0-9]+([.][0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)"
DEVELOPMENT = r"(?i)^[^+]*[0-9][-_.]?dev[-_.]?[0-9]*([+]|$)"

TABLE = Table(
    name="package_files",
    description="One file of a release on PyPI.",
    item="""
        version STRING, filename STRING, packagetype STRING, uploaded_at STRING, is_yanked STRING, yanked_reason STRING,
        requires_python STRING
    """,
    columns=(
        given("package", "string", "scope"),
        read("version", "string", "version", required=True),
        read("filename", "string", "filename", required=True),
        read("packagetype", "string", "packagetype"),
        read("uploaded_at", "timestamp", "uploaded_at"),
        given("is_prerelease", "boolean", f"item.version RLIKE '{PRE_RELEASE}' OR item.version RLIKE '{DEVELOPMENT}'"),
        read("is_yanked", "boolean", "is_yanked"),
        read("yanked_reason", "string", "yanked_reason"),
        read("requires_python", "string", "requires_python"),
    ),
    key=("package", "version", "filename"),
    scope="package",
    scope_value="scope",
    partitions="bucket(16, package)",
    counted_by=("uploaded_at",),
    newest_by="uploaded_at",
    removal=Removal("is_deleted", gone_value=True, key="filename", born="uploaded_at"),
)
