"""What the HTML of briefs, of the comparison and of the news says, as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from streamlit.testing.v1 import AppTest


@dataclass
class Part:
    """A card, row, cell or line: its words, and the address of each link by its words."""

    words: str = ""
    links: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects the parts that begin with one of some tags, what is only for the eyes left out."""

    def __init__(self, *tags: str) -> None:
        super().__init__()
        self.found: list[Part] = []
        self._tags = tags
        self._depth = 0
        self._hidden = 0
        self._link: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in self._tags:
            self._depth += 1
            if self._depth == 1:
                self.found.append(Part())
        if tag == "small" and self._depth:
            self.found[-1].words += " "
        if tag == "a":
            self._link = (given.get("href") or "", "")
        if self._hidden or (tag == "span" and "aria-hidden" in given):
            self._hidden += tag == "span"

    def handle_endtag(self, tag: str) -> None:
        if tag in self._tags:
            self._depth -= 1
        if tag == "a" and self._link and self._depth:
            self.found[-1].links[self._link[1]] = self._link[0]
            self._link = None
        if self._hidden and tag == "span":
            self._hidden -= 1
        # Blocks are apart without a space between them.
        if self._depth and tag in {"h3", "p", "small", "br", "strong"}:
            self.found[-1].words += " "

    def handle_data(self, data: str) -> None:
        if not self._depth or self._hidden:
            return
        self.found[-1].words += data
        if self._link:
            self._link = (self._link[0], self._link[1] + data)


def _bodies(page: AppTest, name: str) -> Iterator[str]:
    for element in page.get("html"):
        body = element.proto.body
        if f'class="{name}' in body and "<style>" not in body:
            yield body


def _parts(body: str, *tags: str) -> list[Part]:
    reader = _Reader(*tags)
    reader.feed(body)
    return [Part(" ".join(part.words.split()), part.links) for part in reader.found]


def briefs_of(page: AppTest) -> dict[str, Part]:
    """The card of each project, by the project."""
    cards = [part for body in _bodies(page, "lp-grid") for part in _parts(body, "section")]
    return {next(iter(card.links)): card for card in cards}


def lines_of(page: AppTest) -> list[list[Part]]:
    """The cells of the table of many projects, row by row."""
    return [row for body in _bodies(page, "lp-scroll") if "lp-lines" in body for row in _rows(body)]


def compared(page: AppTest) -> dict[tuple[str, str], Part]:
    """The cells of the comparison, by figure and project."""
    [body] = [body for body in _bodies(page, "lp-scroll") if "lp-lines" not in body]
    (_, *projects), *rows = _rows(body)
    return {
        (title.words, project.words): cell for title, *cells in rows for project, cell in zip(projects, cells, strict=False)
    }


def _rows(body: str) -> list[list[Part]]:
    return [_parts(row, "th", "td") for row in body.split("<tr")[1:]]


def footnotes(page: AppTest) -> list[str]:
    """The reasons below the comparison, in order."""
    [body] = [body for body in _bodies(page, "lp-scroll") if "lp-lines" not in body]
    return [part.words for part in _parts(body, "li")]


def news_of(page: AppTest) -> list[Part]:
    """The lines of what changed, those behind a click at the end."""
    found = []
    for body in _bodies(page, "lp-news"):
        shown, _, hidden = body.partition("<details>")
        found += [*_parts(shown.removesuffix("<li>"), "li"), *_parts(hidden, "li")]
    return found
