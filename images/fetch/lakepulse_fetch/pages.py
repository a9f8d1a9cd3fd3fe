"""Page sizes in URLs: smaller pages where the upstream cannot serve a full one, full ones again after.

A page number counts pages of the URL's own size, so a change of size must change the number
too; sizes divide each other, so that it always can. An opaque cursor works with any size.
"""

from __future__ import annotations

import httpx


def page_size(url: str) -> int:
    """`per_page` of a URL; 1 if it has none."""
    size = httpx.URL(url).params.get("per_page", "")
    return max(1, int(size)) if size.isdigit() else 1


def page_number(url: str) -> int | None:
    """`page` of a URL; None for a cursor, even with a number beside it, and for a first page."""
    params = httpx.URL(url).params
    number = None if "after" in params else params.get("page")
    return int(number) if number and number.isdigit() else None


def shrink(url: str) -> int | None:
    """The next smaller size, about half; None if pages have one item already."""
    size = page_size(url)
    return next((part for part in range(size // 2, 0, -1) if size % part == 0), None)


def resized(url: str, size: int) -> str:
    """The URL of the smaller page that begins with the same item."""
    address = httpx.URL(url)
    number = page_number(url)
    params = address.params.set("per_page", size)
    if number:
        params = params.set("page", (number - 1) * page_size(url) // size + 1)
    return str(address.copy_with(params=params))


def grown(url: str, size: int) -> str:
    """The URL with full pages of `size` again, where one begins with the same item."""
    number = page_number(url)
    if page_size(url) >= size or (number and (number - 1) * page_size(url) % size):
        return url
    return resized(url, size)


def previous(url: str) -> str | None:
    """The URL of the page before; None without a page number, or on the first page."""
    number = page_number(url)
    if number is None or number <= 1:
        return None
    address = httpx.URL(url)
    return str(address.copy_with(params=address.params.set("page", number - 1)))


def next_number(url: str) -> str:
    """The URL of the page after, of a list whose pages have numbers."""
    return with_param(url, "page", str((page_number(url) or 1) + 1))


def with_param(url: str, name: str, value: str) -> str:
    """The URL with a parameter set."""
    address = httpx.URL(url)
    return str(address.copy_with(params=address.params.set(name, value)))
