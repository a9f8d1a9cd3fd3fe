"""Releases: publications by place, versions in normal form, and a project's distinct versions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from packaging.version import InvalidVersion, Version

from tests.truth.basics import DAY, moment
from tests.truth.known import KnownPackage, KnownRepo

Add = Callable[..., None]

_READS_AS_PRERELEASE = re.compile(
    r"(?:^|[\d._+-])(?:rc|alpha|beta|dev|preview|snapshot)(?:$|[\d._+-])|\d[._-]?[ab][._-]?\d|(?:^|[._-])m\d+(?:$|[._-])",
    re.IGNORECASE,
)
"""For names that are no version. Decision: a lone a or b counts between digits only, M with a number only."""


def version_of_tag(tag: str) -> str:
    """The version that a tag names, in normal form; the tag itself if it names none."""
    found = re.search(r"[0-9].*", tag)
    try:
        return str(Version(found[0])) if found else tag
    except InvalidVersion:
        return tag


def normal_form(version: str) -> str:
    """A version of PyPI; very old ones are no versions and stay as they are."""
    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def reads_as_prerelease(version: str) -> bool:
    """Of a version in normal form, or a name that is none."""
    try:
        return Version(version).is_prerelease
    except InvalidVersion:
        return _READS_AS_PRERELEASE.search(version) is not None


@dataclass(frozen=True)
class Publication:
    """A version at one place; `is_yanked` is for PyPI alone."""

    source: str
    name: str
    version: str
    at: datetime
    is_prerelease: bool
    is_yanked: bool = False


def of_repo(repo: KnownRepo, end: int) -> list[Publication]:
    """Of two releases of one tag the later one counts."""
    by_tag: dict[str, Publication] = {}
    for release in sorted(repo.releases, key=lambda release: (release.published_at or 0, release.id)):
        if release.published_at is not None and release.published_at < end:
            version = version_of_tag(release.tag)
            # A tag that is no version is read as a whole.
            is_prerelease = release.prerelease or reads_as_prerelease(version)
            by_tag[release.tag] = Publication("github", release.tag, version, moment(release.published_at), is_prerelease)
    return list(by_tag.values())


def of_package(package: KnownPackage, end: int) -> list[Publication]:
    """Versions with a file that the index lists, dated by the first file that it ever listed."""
    listed = [file for file in package.files.values() if file.uploaded_at < end]
    uploads: dict[str, list[datetime]] = defaultdict(list)
    for file in package.former_files.values():
        if file.uploaded_at < end:
            at = moment(file.uploaded_at).replace(microsecond=file.microsecond)
            uploads[normal_form(file.version)].append(at)
    found = []
    for version in dict.fromkeys(normal_form(file.version) for file in listed):
        is_yanked = all(file.yanked for file in listed if normal_form(file.version) == version)
        found.append(Publication("pypi", version, version, min(uploads[version]), reads_as_prerelease(version), is_yanked))
    return found


def final_versions(publications: Iterable[Publication]) -> dict[str, datetime]:
    """The distinct final versions of some places together, with their dates."""
    places: dict[str, list[Publication]] = defaultdict(list)
    for publication in publications:
        places[publication.version].append(publication)
    found = {}
    for version, published in places.items():
        on_pypi = [publication for publication in published if publication.source == "pypi"]
        finals = [publication.at for publication in published if not publication.is_prerelease]
        if finals and not (on_pypi and all(publication.is_yanked for publication in on_pypi)):
            found[version] = min(finals)
    return found


def table(add: Add, project: str, scope: str, publications: list[Publication]) -> None:
    """Rows of fct_releases of one place."""
    for publication in publications:
        earlier = [other.at for other in publications if not other.is_prerelease and other.at < publication.at]
        add(
            "fct_releases",
            project=project,
            source=publication.source,
            scope=scope,
            name=publication.name,
            version=publication.version,
            released_at=publication.at,
            is_prerelease=publication.is_prerelease,
            is_yanked=publication.is_yanked,
            days_since_previous=(publication.at - max(earlier)).total_seconds() / DAY if earlier else None,
        )


def project_table(add: Add, project: str, publications: list[Publication]) -> None:
    """Rows of fct_project_releases of one project, from its publications in all places."""
    for version, released_at in final_versions(publications).items():
        places = {publication.source for publication in publications if publication.version == version}
        add(
            "fct_project_releases",
            project=project,
            version=version,
            released_at=released_at,
            is_on_pypi="pypi" in places,
            is_on_github="github" in places,
        )
