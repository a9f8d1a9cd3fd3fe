"""What changed in a project, as an Atom feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from lakepulse.publications import Publication
from lakepulse_dbt.site.documents import Event
from lakepulse_dbt.site.pictures import printable

_ATOM = "http://www.w3.org/2005/Atom"


def feed(project: str, publication: Publication, events: Sequence[Event], itself: str) -> bytes:
    """The feed of a project. An entry's id follows from what happened alone, so a reader shows it once.

    Args:
        project: its name.
        publication: what the events are of.
        events: the newest first.
        itself: the feed's own address.
    """
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    demo = " (demo data)" if publication.is_demo else ""
    _add(root, "id", _id("feed", project))
    _add(root, "title", f"{project}: what changed{demo}")
    _add(root, "updated", publication.published_at.astimezone(UTC).isoformat(timespec="seconds"))
    _add(_add(root, "author"), "name", "lakepulse")
    _add(root, "link").attrib.update({"rel": "self", "href": itself})
    for event in events:
        entry = _add(root, "entry")
        _add(entry, "id", _id("event", project, event.scope, event.kind, event.happened_on.isoformat(), event.subject))
        _add(entry, "title", event.text)
        _add(entry, "updated", datetime.combine(event.happened_on, time.min, UTC).isoformat())
        _add(entry, "category").attrib["term"] = event.kind
        _add(entry, "content", event.text).attrib["type"] = "text"
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    element.text = None if text is None else printable(text)
    return element


def _id(*parts: str) -> str:
    return uuid5(NAMESPACE_URL, "\n".join(("lakepulse", *parts))).urn
