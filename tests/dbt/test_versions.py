"""Versions in normal form: the SQL against the library that defines the form for Python."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from tests.dbt.rendering import Rendering, database, table

RENDERING = Rendering("2024-03-10")
NORMAL = RENDERING.expression("{{ normal_version('lower(trim(text))') }}")
PRE = RENDERING.expression("{{ reads_as_prerelease('version', 'tag') }}")

numbers = st.one_of(st.integers(0, 40).map(str), st.sampled_from(["00", "007", "010", "20240229", "9" * 30]))
separators = st.sampled_from(["", ".", "-", "_"])
letters = st.text("abcdelnoprstvwx+-_.!0 19", max_size=6)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """A version as somebody might write it, at times with a slip that makes it none."""

    def part(words: list[str]) -> str:
        return draw(separators) + draw(st.sampled_from(words)) + draw(separators) + draw(st.one_of(st.just(""), numbers))

    text = draw(st.sampled_from(["", "v", "V", " ", "1!", "0!", "v02!"]))
    text += ".".join(draw(st.lists(numbers, min_size=1, max_size=4)))
    text += draw(st.sampled_from(["", part(["a", "b", "c", "rc", "alpha", "BETA", "pre", "preview", "Rc"])]))
    text += draw(st.sampled_from(["", part(["post", "rev", "r", "POST"]), "-" + draw(numbers)]))
    text += draw(st.sampled_from(["", part(["dev", "Dev"])]))
    local = draw(separators).join(draw(st.lists(st.one_of(numbers, st.sampled_from(["ubuntu", "0a", "A1"])), min_size=1)))
    text += draw(st.sampled_from(["", "", "+" + local]))
    return text + draw(st.sampled_from(["", "", "", draw(letters)]))


def normal(text: str) -> str | None:
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.one_of(spellings(), letters), min_size=1, max_size=60))
def test_versions_are_spelled_as_the_standard_spells_them(texts: list[str]) -> None:
    with database() as connection:
        table(connection, "versions", [{"text": text} for text in texts], text="varchar")
        found = connection.execute(f"select text, {NORMAL} from versions").fetchall()  # noqa: S608 - the project's macro
    assert found == [(text, normal(text)) for text in texts]


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(spellings().filter(lambda text: normal(text) is not None), min_size=1, max_size=60))
def test_a_version_is_a_prerelease_as_the_standard_says(texts: list[str]) -> None:
    rows = [{"version": normal(text), "tag": text.lower()} for text in texts]
    with database() as connection:
        table(connection, "versions", rows, version="varchar", tag="varchar")
        found = connection.execute(f"select tag, {PRE} from versions").fetchall()  # noqa: S608 - the project's macro
    assert found == [(text.lower(), Version(text).is_prerelease) for text in texts]
