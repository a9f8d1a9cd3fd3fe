"""Pictures of every page of the demo: `python -m tests.dashboard.screenshots`, with `PYTHONPATH` as in CONTRIBUTING.md.

Each is a PNG with few colours, small enough for a README.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from dashboard.views import PAGES
from tests.dashboard import browser

_ROOT = Path(__file__).resolve().parents[2]
_QUERIES = {"project": "project?project=Apache+Iceberg"}
"""Page -> its address, if it shows nothing without a choice."""
_COLOURS = 128
_MOST_BYTES = 240_000


def main(data_dir: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with browser.served(data_dir) as (address, _):
        for width, dark, suffix in ((1280, False, ""), (360, True, "-phone-dark")):
            with browser.chromium(width, dark=dark) as opened:
                for index, page in enumerate(PAGES):
                    if suffix and index:
                        continue
                    opened.resize(width, 1000)
                    opened.open(f"{address}/{_QUERIES.get(page.path, page.path) if index else ''}")
                    save(opened.whole_page(width, 5000), folder / f"{page.path}{suffix}.png")


def save(picture: bytes, path: Path) -> None:
    """Write the picture with a small palette, cropped at the bottom until the file is small enough."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    # The most frequent colours unchanged, so that backgrounds keep their tint and lines stay distinguishable.
    frequent = sorted(image.getcolors(image.width * image.height) or [], reverse=True)[:_COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette(b"".join(bytes(colour) for _, colour in frequent if isinstance(colour, tuple)))
    image = image.quantize(palette=palette, dither=Image.Dither.NONE)
    while True:
        out = io.BytesIO()
        image.save(out, "PNG", optimize=True)
        if out.tell() < _MOST_BYTES:
            break
        image = image.crop((0, 0, image.width, int(image.height * 0.85)))
    path.write_bytes(out.getvalue())
    print(f"{path}: {image.width} x {image.height}, {out.tell() // 1000} kB")


if __name__ == "__main__":
    main(_ROOT / ".data" / "demo", _ROOT / "dashboard" / "screenshots")
