"""Write a publication as a lake that any web server serves: the read half of Iceberg's REST catalog, as files.

Clients attach the folder's address as a catalog and read the data below it as S3 objects, which over HTTP are
plain files. Metadata therefore names `s3://lakepulse/...`, whatever the address is; the address itself stands
in the catalog's JSON answers alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import structlog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import ManifestContent, ManifestFile, write_manifest, write_manifest_list
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRef, SnapshotRefType
from pyiceberg.table.snapshots import Snapshot

from lakepulse.data_dir import look_into_data_dir
from lakepulse.names import GOLD
from lakepulse.outcome import PermanentError
from lakepulse.publications import find_publication
from lakepulse.settings import Settings
from lakepulse_dbt.folders import checked_address, whole_folder, write_json
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

log = structlog.get_logger()

CARD = "lake.json"
BUCKET = "lakepulse"
"""Bucket and folder of the data: the object `s3://lakepulse/<key>` is the file `<out>/lakepulse/<key>`."""

_LIST = "index.html"
"""What web servers answer the address of a folder with. Lists lie beside what they list, as REST addresses do."""

_ENDPOINTS = [
    "GET /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
]
_METADATA = "metadata/00000.metadata.json"
_CODEC: Final = "deflate"
_FILE_PATH, _MANIFEST_PATH = 1, 0
"""Positions in the records that PyIceberg reads; their properties cannot be set."""


def lake(settings: Settings, out: Path, wanted: str | None, address: str) -> None:
    """Write the gold tables of a publication, the newest unless `wanted` names its run or date, into the folder `out`.

    Raises:
        PermanentError: there is no such publication, `address` is not one, or `out` holds something else.
    """
    address = checked_address(address)
    look_into_data_dir(settings)
    with catalog_errors():
        catalog = open_catalog(settings)
        publication = find_publication(catalog, settings, wanted)
        with whole_folder(out, CARD) as partial:
            for name, snapshot_id in sorted(publication.snapshots.items()):
                _write_table(catalog.load_table(f"{GOLD}.{name}"), snapshot_id, partial, name)
            _write_catalog(partial, publication.manifest() | {"address": address})
    log.info(
        "the lake is written", folder=str(out), run_id=publication.run_id, tables=len(publication.snapshots), address=address
    )


def readdress(out: Path, address: str) -> None:
    """Give a lake in `out`, wherever it was moved to, another address. Data and metadata stay as they are.

    Raises:
        PermanentError: `address` is not one, or `out` holds no lake.
    """
    address = checked_address(address)
    try:
        card = json.loads((out / CARD).read_text(encoding="utf-8"))
        if not isinstance(card["snapshot_ids"], dict):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        raise PermanentError(f"{out} holds no lake; write one first") from None
    _write_catalog(out, card | {"address": address})
    log.info("the lake has another address", folder=str(out), address=address)


def _write_table(table: Table, snapshot_id: int, out: Path, name: str) -> None:
    """Copy the files of a snapshot, and write the metadata that names the copies."""
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        raise PermanentError(f"gold.{name}: snapshot {snapshot_id} has expired; name a newer publication")
    root = out / BUCKET / GOLD / name
    for folder in ("data", "metadata"):
        (root / folder).mkdir(parents=True)
    manifests = list(_copied(table, snapshot, root, name))
    listed = f"metadata/snap-{snapshot_id}.avro"
    with write_manifest_list(
        format_version=table.format_version,
        output_file=PyArrowFileIO().new_output(str(root / listed)),
        snapshot_id=snapshot_id,
        parent_snapshot_id=None,
        sequence_number=snapshot.sequence_number,
        avro_compression=_CODEC,
    ) as writer:
        writer.add_manifests(manifests)
    metadata = _metadata_of(table, snapshot.model_copy(update={"manifest_list": _location(name, listed)}), _location(name))
    (root / _METADATA).write_text(metadata.model_dump_json(by_alias=True), encoding="utf-8")


def _copied(table: Table, snapshot: Snapshot, root: Path, name: str) -> Iterator[ManifestFile]:
    """The snapshot's manifests, written again around copies of their data files."""
    for number, manifest in enumerate(snapshot.manifests(table.io)):
        if manifest.content != ManifestContent.DATA:
            raise PermanentError(
                f"gold.{name}: snapshot {snapshot.snapshot_id} has delete files, which this version never writes"
            )
        entries = manifest.fetch_manifest_entry(table.io)
        if not entries:  # it names only what the snapshot removed
            continue
        path = f"metadata/manifest-{number}.avro"
        with write_manifest(
            format_version=table.format_version,
            spec=table.specs()[manifest.partition_spec_id],
            schema=table.schemas()[_schema_of(table, snapshot)],
            output_file=PyArrowFileIO().new_output(str(root / path)),
            snapshot_id=snapshot.snapshot_id,
            avro_compression=_CODEC,
        ) as writer:
            for entry in entries:
                source = entry.data_file.file_path
                copy = f"data/{source.rsplit('/', 1)[-1]}"
                with table.io.new_input(source).open() as read, (root / copy).open("xb") as write:
                    shutil.copyfileobj(read, write)
                entry.data_file[_FILE_PATH] = _location(name, copy)
                writer.existing(entry)
        written = writer.to_manifest_file()
        written[_MANIFEST_PATH] = _location(name, path)
        yield written


def _schema_of(table: Table, snapshot: Snapshot) -> int:
    return table.schema().schema_id if snapshot.schema_id is None else snapshot.schema_id


def _metadata_of(table: Table, snapshot: Snapshot, location: str) -> TableMetadata:
    """The table as if it had this snapshot alone, with the columns of its time."""
    only = {
        "location": location,
        "current_schema_id": _schema_of(table, snapshot),
        "snapshots": [snapshot.model_copy(update={"parent_snapshot_id": None})],
        "current_snapshot_id": snapshot.snapshot_id,
        "snapshot_log": [],
        "metadata_log": [],
        "refs": {"main": _branch(snapshot)},
        "statistics": [],
        "partition_statistics": [],
    }
    return table.metadata.model_copy(update=only)


def _branch(snapshot: Snapshot) -> SnapshotRef:
    return SnapshotRef.model_validate({"snapshot-id": snapshot.snapshot_id, "type": SnapshotRefType.BRANCH})


def _location(name: str, *path: str) -> str:
    return "/".join((f"s3://{BUCKET}", GOLD, name, *path))


def _write_catalog(out: Path, card: dict[str, Any]) -> None:
    """The catalog's answers, and the card of the folder, for the card's address."""
    partial = out / ".v1"
    shutil.rmtree(partial, ignore_errors=True)
    config = _client_config(card["address"])
    tables = list(card["snapshot_ids"])
    properties = {key: str(card[key]) for key in ("as_of", "run_id", "published_at", "is_demo")}
    answers: dict[str, object] = {
        "config": {"defaults": {}, "overrides": config, "endpoints": _ENDPOINTS},
        f"namespaces/{_LIST}": {"namespaces": [[GOLD]]},
        f"namespaces/{GOLD}/{_LIST}": {"namespace": [GOLD], "properties": properties},
        f"namespaces/{GOLD}/tables/{_LIST}": {"identifiers": [{"namespace": [GOLD], "name": name} for name in tables]},
    }
    for name in tables:
        metadata = json.loads((out / BUCKET / GOLD / name / _METADATA).read_text(encoding="utf-8"))
        answers[f"namespaces/{GOLD}/tables/{name}"] = {
            "metadata-location": _location(name, _METADATA),
            "metadata": metadata,
            "config": config,
        }
    for path, answer in answers.items():
        (partial / path).parent.mkdir(parents=True, exist_ok=True)
        write_json(partial / path, answer)
    shutil.rmtree(out / "v1", ignore_errors=True)
    partial.rename(out / "v1")
    write_json(out / CARD, card)


def _client_config(address: str) -> dict[str, str]:
    """How a client reads the data: an S3 of one bucket, whose objects anybody may read."""
    return {
        "uri": address,
        "s3.endpoint": address,
        "s3.region": "us-east-1",
        "client.region": "us-east-1",
        "s3.path-style-access": "true",
        # Clients refuse to read without keys, or look for the user's own; a web server ignores them.
        "s3.access-key-id": "anonymous",
        "s3.secret-access-key": "anonymous",
    }
