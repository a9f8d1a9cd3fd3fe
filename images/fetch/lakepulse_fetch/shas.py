"""A compact set of commit ids: 20 bytes each, sorted, so that a million take 20 MB."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SIZE = 20
_SHA = re.compile(r"[0-9a-f]{40}")


def is_sha(value: object) -> bool:
    """Whether `value` is a commit id in lower-case hexadecimal."""
    return isinstance(value, str) and _SHA.fullmatch(value) is not None


class ShaSet:
    """A set of commit ids that can be stored as bytes; `add` is for some thousands at a time."""

    def __init__(self, data: bytes = b"") -> None:
        self._sorted = data
        self._added: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._sorted) // _SIZE + len(self._added)

    def __contains__(self, sha: str) -> bool:
        wanted = bytes.fromhex(sha)
        return wanted in self._added or self._is_sorted_in(wanted)

    def _is_sorted_in(self, wanted: bytes) -> bool:
        low, high = 0, len(self._sorted) // _SIZE
        while low < high:
            middle = (low + high) // 2
            found = self._sorted[middle * _SIZE : (middle + 1) * _SIZE]
            if found == wanted:
                return True
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return False

    def __iter__(self) -> Iterator[str]:
        data = self.to_bytes()
        for start in range(0, len(data), _SIZE):
            yield data[start : start + _SIZE].hex()

    def add(self, sha: str) -> None:
        """Add one id."""
        wanted = bytes.fromhex(sha)
        if not self._is_sorted_in(wanted):
            self._added.add(wanted)
            if len(self._added) >= 50_000:
                self.to_bytes()

    def to_bytes(self) -> bytes:
        """The ids in order; inverse of the constructor."""
        if self._added:
            parts = [self._sorted[start : start + _SIZE] for start in range(0, len(self._sorted), _SIZE)]
            parts.extend(self._added)
            parts.sort()
            self._sorted, self._added = b"".join(parts), set()
        return self._sorted
