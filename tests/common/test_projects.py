from __future__ import annotations

from pathlib import Path

import pytest

from lakepulse.outcome import PermanentError
from lakepulse.projects import load_projects, packages_of, parse_projects, repos_of
from lakepulse.settings import Settings


def test_the_shipped_list_names_the_three_lakehouse_projects() -> None:
    projects = load_projects(Settings().projects)
    assert [project.name for project in projects] == ["Apache Iceberg", "Delta Lake", "Apache Hudi"]
    assert repos_of(projects) == ["apache/iceberg", "apache/iceberg-python", "delta-io/delta", "apache/hudi"]
    assert packages_of(projects) == ["pyiceberg", "delta-spark"]


def test_package_names_are_normalised() -> None:
    (project,) = parse_projects("projects: [{name: P, packages: [Delta_Spark, a.-_B, x]}]", "list.yaml")
    assert project.packages == ("delta-spark", "a-b", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("projects: []", "list.yaml:1: 'projects' must be a list with at least one entry"),
        ("{}", "list.yaml:1: the file needs the key 'projects'"),
        ("", "list.yaml:1: the file must be a mapping"),
        ("projects:\n  - name: P\n    repo: [a/b]", "list.yaml:3: unknown key 'repo'"),
        ("projects:\n  - name: P\n    name: Q", "list.yaml:3: the key 'name' is given twice"),
        ("projects:\n  - repos: [a/b]", "list.yaml:2: a project needs a 'name'"),
        ("projects:\n  - name: P", "list.yaml:2: project 'P' has neither repos nor packages"),
        (
            "projects:\n  - name: P\n    repos: [a/b]\n  - name: p\n    repos: [c/d]",
            "list.yaml:4: project 'p' is already listed",
        ),
        (
            "projects:\n  - name: P\n    repos: [a/b]\n  - name: Q\n    repos:\n      - A/B",
            "list.yaml:6: repo 'A/B' is already",
        ),
        ("projects:\n  - name: P\n    repos: [a/b, a/B]", "list.yaml:3: repo 'a/B' is already listed in line 3"),
        ("projects:\n  - name: P\n    packages: [x-y, x_y]", "list.yaml:3: package 'x-y' is already listed"),
        ("projects:\n  - name: P\n    repos: [ab]", "list.yaml:3: malformed repo 'ab': expected owner/name"),
        ("projects:\n  - name: P\n    repos: [a/..]", "list.yaml:3: malformed repo 'a/..'"),
        ("projects:\n  - name: P\n    repos: ['../b']", "list.yaml:3: malformed repo '../b'"),
        ("projects:\n  - name: P\n    repos: ['a/b/c']", "list.yaml:3: malformed repo 'a/b/c'"),
        ("projects:\n  - name: P\n    packages: ['a b']", "list.yaml:3: malformed package 'a b'"),
        ("projects:\n  - name: P\n    packages: [x-]", "list.yaml:3: malformed package 'x-'"),
        (f"projects:\n  - name: P\n    packages: [{'x' * 129}]", "list.yaml:3: malformed package 'xxx"),
        ("projects:\n  - name: P\n    repos: a/b", "list.yaml:3: 'repos' must be a list"),
        ("projects:\n  - name: 'P\u202e'\n    repos: [a/b]", "list.yaml:2: malformed project name"),
        ("projects: [{name: P, repos: [a/b]}, {name: P, repos: [c/d]}]", "list.yaml:1: project 'P' is already listed"),
        ("projects: [", "list.yaml:1: not valid YAML"),
    ],
)
def test_a_bad_list_is_refused_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(PermanentError) as refused:
        parse_projects(text, "list.yaml")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_list_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="set PROJECTS"):
        load_projects(tmp_path / "none.yaml")
