"""What is written down in two places, compared: each function lists the differences, one line each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from inspect import isfunction
from pathlib import Path

import yaml
from cyclopts import App

from lakepulse.cli import Command
from lakepulse.sources import REGISTER
from lakepulse_dbt.declared_figures import Entry

_LISTS = {
    "Makefile": "the packages that `make lint` checks",
    "pyproject.toml": "known_first_party and source_pkgs",
}


def unlisted_packages(root: Path, listed: Iterable[str]) -> list[str]:
    """Packages below `root` that the house tests, mypy, deptry or the coverage do not know."""
    found = {
        path.parent
        for folder in ("", "images/*/", "dbt/")
        for path in root.glob(f"{folder}*/__init__.py")
        if path.parent.name != "tests" and not (path.parent.parent / "__init__.py").exists()
    }
    problems = [
        f"{path.relative_to(root)}: add the package to PACKAGES of tests/house/code.py"
        for path in sorted(found)
        if path.name not in set(listed)
    ]
    mypy = next(line for line in (root / "Makefile").read_text(encoding="utf-8").splitlines() if "-m mypy" in line).split()
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    for path in sorted(found):
        if str(path.relative_to(root)) not in mypy:
            problems.append(f"{path.relative_to(root)}: add it to {_LISTS['Makefile']}, in the Makefile")
        if any(
            f'"{path.name}"' not in line
            for line in project.splitlines()
            if line.startswith(("known_first_party", "source_pkgs"))
        ):
            problems.append(f"{path.relative_to(root)}: add it to {_LISTS['pyproject.toml']}, in pyproject.toml")
    return problems


def unlisted_commands(commands: Iterable[Command]) -> list[str]:
    """Public functions of the stages' `commands.py` that no command calls, and commands without a function."""
    known = {(command.module, command.name) for command in commands}
    problems = [
        f"{module}: no function {name} for the command of lakepulse/cli.py"
        for module, name in sorted(known)
        if not hasattr(import_module(module), name)
    ]
    for module in sorted({module for module, _ in known}):
        defined = [value for value in vars(import_module(module)).values() if getattr(value, "__module__", "") == module]
        apps = [value for value in vars(import_module(module)).values() if isinstance(value, App)]
        below = [app[name].default_command for app in apps for name in app]
        names = [value.__name__ for value in defined if isfunction(value) and value not in below]
        problems += [
            f"{module}: {name} has no line in COMMANDS of lakepulse/cli.py"
            for name in sorted(names)
            if not name.startswith("_") and (module, name) not in known
        ]
    return problems


def unlisted_renderers(root: Path, folders: Iterable[Path], listed: Iterable[str]) -> list[str]:
    """Modules with `rendered` and `write` that `lakepulse render` does not call."""
    problems = []
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        functions = {node.name for node in _tree(path).body if isinstance(node, ast.FunctionDef)}
        name = ".".join(path.with_suffix("").parts[-2:])
        if {"rendered", "write"} <= functions and name not in listed:
            problems.append(f"{path.relative_to(root)}: {name} is not in RENDERERS of lakepulse/render.py")
    return problems


def groups_without_pipeline(pipelines: Iterable[str]) -> list[str]:
    """Sources that are fetched once a day only, since no pipeline has the name of their group."""
    known = set(pipelines)
    return [
        f"source {entry.name}: its pipeline {entry.pipeline} is not in PIPELINES of workflows/pipelines.py"
        for entry in REGISTER
        if entry.pipeline not in known
    ]


def unused_queries(dashboard: Path) -> list[str]:
    """`.sql` files that the module beside their folder does not name, and queries that have no file."""
    problems = []
    for module in sorted(dashboard.rglob("*.py")):
        folder, tree = module.with_suffix(""), _tree(module)
        texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        called = {
            str(argument.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "query"
            for argument in node.args
            if isinstance(argument, ast.Constant)
        }
        where = module.relative_to(dashboard.parent)
        files = {path.stem for path in folder.glob("*.sql")}
        problems += [f"{where} does not use {folder.name}/{name}.sql" for name in sorted(files - texts)]
        problems += [f"{where}: no file {folder.name}/{name}.sql" for name in sorted(called - files)]
    folders = {path.parent for path in dashboard.rglob("*.sql")}
    problems += [
        f"{folder.relative_to(dashboard.parent)}: no module beside it"
        for folder in sorted(folders)
        if not folder.with_suffix(".py").exists()
    ]
    return problems


def undefined_tables(dashboard: Path) -> list[str]:
    """Gold tables that a page names and definitions.yaml does not explain."""
    defined = set(yaml.safe_load((dashboard / "definitions.yaml").read_text(encoding="utf-8")))
    problems = []
    for module in sorted(dashboard.rglob("*.py")):
        named = {
            str(node.value)
            for node in ast.walk(_tree(module))
            if isinstance(node, ast.Constant) and re.fullmatch(r"fct_\w+", str(node.value))
        }
        where = module.relative_to(dashboard.parent)
        problems += [f"{where}: {table} has no entry in dashboard/definitions.yaml" for table in sorted(named - defined)]
    return problems


def figure_drift(declared: Mapping[str, Mapping[str, Entry]], columns: Mapping[str, Iterable[str]]) -> list[str]:
    """Differences between the figures' YAML entries and the columns of the models (name -> columns) that compute them."""
    problems = []
    for model, found in columns.items():
        figures, there = declared.get(model, {}), set(found)
        needed = {
            f"{name}{suffix}": name
            for name, figure in figures.items()
            for suffix in ("", "_n", *(("_status", "_reason") if figure.has_status else ()))
        }
        problems += [f"{model}: figure {needed[name]} has no column {name}" for name in sorted(needed.keys() - there)]
        told = sorted(name for name in there - needed.keys() if name.endswith(("_n", "_status", "_reason")))
        problems += [f"{model}: column {name} belongs to no figure that the YAML beside it declares" for name in told]
    return problems


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
