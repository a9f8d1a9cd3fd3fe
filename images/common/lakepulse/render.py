"""The command `render`: rewrites every file of the repository that follows from another one.

Each stage renders its own: a module with `rendered()`, path -> text of each file, and `write()`, which
brings them up to date and returns the paths that changed. Where it removes files whose origin is gone, `stale()`
lists them.
"""

from __future__ import annotations

from importlib import import_module

from lakepulse.outcome import PermanentError
from lakepulse.step import run_step

RENDERERS = ("spark_apps.contract", "lakepulse_dbt.declared_figures", "workflows.argo")
"""Modules that render: bronze and its sources, the figures' macro, Argo's manifests."""


def render(*, check: bool = False) -> int:
    """Rewrite what follows from the register, the tables, the figures and the pipelines.

    Args:
        check: write nothing, and fail if a file is out of date.
    """

    def step() -> None:
        modules = [import_module(name) for name in RENDERERS]
        if not check:
            for module in modules:
                print(*module.write(), sep="\n")
            return
        late = [
            str(path)
            for module in modules
            for path, text in module.rendered().items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        late += [f"{path} (its origin is gone)" for module in modules if hasattr(module, "stale") for path in module.stale()]
        if late:
            raise PermanentError(f"out of date: {', '.join(late)}; run make render")

    return run_step(step)
