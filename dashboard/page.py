"""What a page declares, and how pages are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboard.session import View
from lakepulse.outcome import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page's entry in the navigation, which is sorted by `order`; the first page opens at the root address.

    `show` draws the page. The module that defines it gives the page its address.
    """

    title: str
    icon: str
    order: int
    show: Callable[[View], None]

    @property
    def path(self) -> str:
        """The page's path in the address."""
        return self.show.__module__.rpartition(".")[2]


def discover(package: str, folders: Sequence[str]) -> tuple[Page, ...]:
    """The pages that the modules of a package declare as `PAGE`, in the order of the navigation.

    Raises:
        PermanentError: a module declares none.
    """
    pages = []
    for module in pkgutil.iter_modules(folders):
        page = getattr(importlib.import_module(f"{package}.{module.name}"), "PAGE", None)
        if not isinstance(page, Page):
            raise PermanentError(
                f"{package}.{module.name} declares no page: add PAGE = Page(...) at its end, or move it out of the package"
            )
        pages.append(page)
    return tuple(sorted(pages, key=lambda page: page.order))
