"""What a series looks like: one colour per project on every page, its repositories and packages as shades and dashes.

Colours follow the project list, never the selection, so a filter does not change them. Each palette keeps its colours apart
for readers with any of the three colour-vision deficiencies, and every colour in it contrasts 3 to 1 with its background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

_ON_LIGHT = ("#0087FF", "#A53C2D", "#969600", "#3C1E78", "#E169A5", "#5A1E00", "#874BA5", "#0000FF")
_ON_DARK = ("#2D6987", "#FF690F", "#96FF0F", "#9600F0", "#FFD2FF", "#A54B00", "#B487FF", "#00B496")
# Parts of a whole are no projects: shades of one grey-blue scale, from little to much ink.
_PARTS_ON_LIGHT = ("#7A8FA6", "#2F4156", "#A8742A", "#5C6F82", "#6E4A12", "#8796A5", "#44525F", "#93826B")
_PARTS_ON_DARK = ("#8FA8C2", "#DCE6F0", "#D9A55A", "#A9BACB", "#8D6A2F", "#6F8296", "#C5D1DC", "#B8A98F")
DASHES = ((1, 0), (7, 3), (2, 2), (8, 3, 2, 3))
"""Patterns of a line: dash and gap in pixels, beginning with a solid one."""
_SHADES = (0.0, 0.25, 0.45, 0.6)
"""How much of a member's colour is ink: black on light, white on dark."""

Member = tuple[str, str, str]


class Look(NamedTuple):
    """A colour, and the number of a pattern in DASHES."""

    colour: str
    dash: int = 0


@lru_cache(4)
def looks(members: tuple[Member, ...], *, dark: bool) -> Mapping[str, Look]:
    """The look of every project, repository and package of the rows of `dim_projects`, by name.

    A project's only repository or package looks like the project; of several, each has a shade and a dash of its own. Beyond
    eight projects, colours repeat with another dash.
    """
    palette = _ON_DARK if dark else _ON_LIGHT
    found: dict[str, Look] = {}
    own: dict[str, Look] = {}
    for index, project in enumerate(dict.fromkeys(project for project, _, _ in members)):
        look = Look(palette[index % len(palette)], index // len(palette) % len(DASHES))
        own[project] = look
        for kind in ("repo", "package"):
            names = [name for of, its_kind, name in members if of == project and its_kind == kind]
            for place, name in enumerate(names):
                found[name] = look if len(names) == 1 else _member(look, place, dark=dark)
    return MappingProxyType(found | own)


def _member(look: Look, place: int, *, dark: bool) -> Look:
    shade = _mixed(look.colour, "#FFFFFF" if dark else "#000000", _SHADES[place % len(_SHADES)])
    return Look(shade, (look.dash + 1 + place) % len(DASHES))


def _mixed(colour: str, with_: str, share: float) -> str:
    parts = [round(int(colour[at : at + 2], 16) * (1 - share) + int(with_[at : at + 2], 16) * share) for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02X}" for part in parts)


def looks_of_parts(names: Sequence[str], *, dark: bool) -> dict[str, Look]:
    """The look of the parts of one whole, such as versions, by their order; none has the colour of a project."""
    palette = _PARTS_ON_DARK if dark else _PARTS_ON_LIGHT
    return {name: Look(palette[index % len(palette)]) for index, name in enumerate(names)}


def shades(look: Look, names: Sequence[str], *, dark: bool) -> dict[str, Look]:
    """The parts of one project's figure, such as opened and closed: its colour, then closer and closer to the background."""
    ground = "#0E1117" if dark else "#FFFFFF"
    return {name: Look(_mixed(look.colour, ground, 0.35 * place), place % len(DASHES)) for place, name in enumerate(names)}
