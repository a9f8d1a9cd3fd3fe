from __future__ import annotations

from datetime import UTC, date, datetime

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakepulse import landing
from lakepulse.landing import Manifest, Page
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings
from lakepulse.store import Store, open_store

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def manifest(number: int) -> Manifest:
    return Manifest(
        landing_id=landing.landing_id("github_issues", "apache/iceberg", number),
        source="github_issues",
        scope="apache/iceberg",
        run_id="run-1",
        as_of=date(2026, 1, 2),
        started_at=NOW,
        finished_at=NOW,
        pages=(Page(file="page-00001.jsonl.gz", rows=2),),
    )


def put(store: Store, document: Manifest) -> None:
    path = f"{landing.landing_path(document.landing_id)}/{landing.MANIFEST}"
    obstore.put(store, path, document.model_dump_json().encode())


def test_landings_come_in_order_and_only_those_after_a_given_one(settings: Settings) -> None:
    store = open_store(settings)
    for number in (10, 9, 1, 2):
        put(store, manifest(number))
    obstore.put(store, "landing/github_issues/apache__iceberg/00000011/page-00001.jsonl.gz", b"unfinished")
    found = [m.landing_id for m in landing.complete_landings(store, "github_issues", "apache__iceberg")]
    assert [identifier[-2:] for identifier in found] == ["01", "02", "09", "10"]
    later = landing.complete_landings(store, "github_issues", "apache__iceberg", after=found[1])
    assert [m.landing_id for m in later] == found[2:]
    assert landing.scopes(store, "github_issues") == ["apache__iceberg"]
    assert landing.scopes(store, "github_pulls") == []


def test_a_manifest_is_read_back_as_it_was_written(settings: Settings) -> None:
    store = open_store(settings)
    put(store, manifest(1))
    assert landing.read_manifest(store, manifest(1).landing_id) == manifest(1)
    assert manifest(1).rows == 2
    with pytest.raises(FileNotFoundError):
        landing.read_manifest(store, manifest(2).landing_id)


@pytest.mark.parametrize("content", [b"{}", b"not json", b'{"layout": 99}', b'{"layout": 1}'])
def test_a_manifest_that_cannot_be_read_is_an_error_and_not_an_absence(settings: Settings, content: bytes) -> None:
    store = open_store(settings)
    obstore.put(store, "landing/github_issues/a__b/00000001/manifest.json", content)
    with pytest.raises(PermanentError, match="00000001"):
        list(landing.complete_landings(store, "github_issues", "a__b"))


@given(
    st.lists(
        st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
    )
)
def test_packed_lines_come_back_whatever_they_hold(items: list[object]) -> None:
    packed = landing.pack_lines(items)
    assert landing.unpack_lines(packed) == items
    assert packed == landing.pack_lines(items)


def test_lone_surrogates_and_nul_survive() -> None:
    assert landing.unpack_lines(landing.pack_lines(["\ud800\x00\u202e"])) == ["\ud800\x00\u202e"]


@pytest.mark.parametrize("scope", ["../up", "/etc", "a b", "", ".hidden", "a/b/c"])
def test_a_scope_cannot_leave_its_folder(scope: str) -> None:
    with pytest.raises(PermanentError):
        landing.scope_slug(scope)


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(PermanentError, match="unknown source 'gitlab'"):
        landing.scope_prefix("gitlab", "a/b")
