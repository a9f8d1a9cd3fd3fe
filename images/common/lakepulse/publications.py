"""Publications: the record, which of them is the newest, and how their tables are read.

`publish` writes a row of `gold.publications` as its last act; every reader goes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from lakepulse.names import GOLD, PUBLICATIONS
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings

if TYPE_CHECKING:  # not every image has them
    import pyarrow as pa
    from pyiceberg.catalog import Catalog

TAG_PREFIX = "publication-"
"""How the tags begin that keep a publication's snapshots from expiring."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One row of `gold.publications`: the gold tables of one run, each pinned to an Iceberg snapshot.

    `published_at` is UTC. `snapshots` and `row_counts` map a table's name to its snapshot id and row count.
    """

    run_id: str
    as_of: date
    published_at: datetime
    is_demo: bool
    code_version: str
    snapshots: dict[str, int]
    row_counts: dict[str, int]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Publication:
        """A row of the table; maps may come as mappings or as lists of pairs."""
        return cls(**dict(row) | {name: dict(row[name]) for name in ("snapshots", "row_counts")})

    @property
    def key(self) -> str:
        """Distinguishes publications, also two of one run that was published again."""
        return f"{self.run_id} {self.published_at.isoformat()}"

    def manifest(self) -> dict[str, Any]:
        """For JSON beside files that were made of it: what it is, with the row count and snapshot id of each table."""
        return {
            "as_of": self.as_of.isoformat(),
            "run_id": self.run_id,
            "published_at": self.published_at.isoformat(),
            "is_demo": self.is_demo,
            "row_counts": dict(sorted(self.row_counts.items())),
            "snapshot_ids": dict(sorted(self.snapshots.items())),
        }


def tag(run_id: str) -> str:
    """The tag of a run's publication, on every gold table."""
    return f"{TAG_PREFIX}{run_id}"


def recency(as_of: date, published_at: datetime) -> tuple[bool, date, datetime]:
    """Sorts publications, the newest last: by `as_of`, then by the time of publishing.

    A backfill of an older date is therefore never the newest, nor is one of a day that has not come: a clock was ahead.
    """
    return not is_ahead(as_of), as_of, published_at


def is_ahead(as_of: date) -> bool:
    """Whether the day has not come yet, UTC."""
    return as_of > datetime.now(UTC).date()


def newest_first(rows: Iterable[Mapping[str, Any]]) -> list[Publication]:
    """Rows of `gold.publications` as publications, the newest first."""
    found = [Publication.from_row(row) for row in rows]
    return sorted(found, key=lambda publication: recency(publication.as_of, publication.published_at), reverse=True)


def publications(catalog: Catalog) -> list[Publication]:
    """All publications of a catalog, the newest first.

    Raises:
        pyiceberg.exceptions.NoSuchTableError: nothing was ever published.
    """
    return newest_first(catalog.load_table(PUBLICATIONS).scan().to_arrow().to_pylist())


def newest_publication(catalog: Catalog, settings: Settings) -> Publication:
    """The publication that readers see.

    Raises:
        PermanentError: there is none yet.
    """
    newest = next(iter(publications(catalog)), None)
    if newest is None:
        where = f" in DATA_DIR {settings.data_dir}" if settings.is_local else ""
        raise PermanentError(f"nothing is published yet{where}; run the pipeline first")
    return newest


def find_publication(catalog: Catalog, settings: Settings, wanted: str | None) -> Publication:
    """The publication of a run or of a date (`YYYY-MM-DD`, the last one of several); without `wanted` the newest.

    Raises:
        PermanentError: there is none, or none of that name; the message lists the last ones.
    """
    newest = newest_publication(catalog, settings)
    if wanted is None:
        return newest
    known = publications(catalog)
    found = next((each for each in known if wanted in {each.run_id, each.as_of.isoformat()}), None)
    if found is None:
        listed = ", ".join(f"{each.as_of} ({each.run_id})" for each in known[:5])
        raise PermanentError(f"no publication {wanted[:100]!r}; name a date or a run, the newest are {listed}")
    return found


def read_table(catalog: Catalog, publication: Publication, name: str) -> pa.Table:
    """The rows of a gold table as the publication had them, in no particular order."""
    return catalog.load_table(f"{GOLD}.{name}").scan(snapshot_id=publication.snapshots[name]).to_arrow()
