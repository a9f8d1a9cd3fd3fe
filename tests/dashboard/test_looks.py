"""Colours that mean one thing, for every reader."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from dashboard import looks
from dashboard.looks import Look

GROUNDS = {False: "#FFFFFF", True: "#0E1117"}
# Machado, Oliveira and Fernandes (2009): linear RGB as seen without one kind of cone.
SEEN = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)  # fmt: skip
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)  # fmt: skip


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def distance(one: str, other: str, kind: str) -> float:
    """In OKLab, where black and white are 1 apart."""
    seen = [np.cbrt(np.clip(SEEN[kind] @ linear(each), 0, 1) @ TO_CONES.T) @ TO_OKLAB.T for each in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


PROJECTS = tuple((f"Project {index}", "repo", f"owner/{index}") for index in range(11))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", SEEN)
def test_projects_are_told_apart_by_everybody(kind: str, dark: bool) -> None:
    colours = [looks.looks(PROJECTS, dark=dark)[f"Project {index}"].colour for index in range(8)]
    assert min(distance(one, other, kind) for one, other in combinations(colours, 2)) > 0.1
    assert min(contrast(colour, GROUNDS[dark]) for colour in colours) >= 3


def test_a_look_follows_the_project_list_and_beyond_eight_has_another_dash() -> None:
    found = looks.looks(PROJECTS, dark=False)
    assert len({found[f"Project {index}"] for index in range(11)}) == 11
    assert found["Project 9"] == Look(found["Project 1"].colour, 1)
    # The only repository of a project is the project.
    assert found["owner/3"] == found["Project 3"]


def test_members_of_a_project_are_shades_and_dashes_of_it() -> None:
    members = (("A", "repo", "a/a"), ("B", "repo", "b/1"), ("B", "repo", "b/2"), ("B", "package", "b"))
    found = looks.looks(members, dark=False)
    assert found["b"] == found["B"]
    assert len({found["B"], found["b/1"], found["b/2"]}) == 3
    for name in ("b/1", "b/2"):
        assert found[name].dash
        near, far = (distance(found[name].colour, found[project].colour, "normal") for project in ("B", "A"))
        assert near < far


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_parts_of_a_whole_have_no_projects_colour(dark: bool) -> None:
    parts = looks.looks_of_parts([str(index) for index in range(8)], dark=dark)
    assert len({look.colour for look in parts.values()}) == 8
    assert not {look.colour for look in parts.values()} & {look.colour for look in looks.looks(PROJECTS, dark=dark).values()}
