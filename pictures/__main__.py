"""Makes the pictures of the README and of docs/ anew: `python -m pictures [FOLDER]`.

`refuted.png` is what the page shows of the notebook's pooling gradient, `holds.png` the beginning of the reference's,
and `notebook.png` what `python -m reference.notebook --figure` draws. It needs Chromium (Debian's package `chromium`)
and the extra `test`.
"""

import sys
import tempfile
from pathlib import Path
from types import ModuleType

from msgspec import convert
from PIL import Image
from playwright.sync_api import sync_playwright

import reference
from pictures import NAMES, chromium
from properties import verify
from properties.harness.report.data import Report
from properties.harness.report.page import render
from reference import notebook
from reference.notebook.__main__ import main as run_notebook

WIDTH, COLORS = 900, 48


def main(folder: Path) -> None:
    """Write the pictures into the folder. Raises `FileNotFoundError` without a Chromium."""
    path = chromium()
    if path is None:
        raise FileNotFoundError(f"no Chromium: none of {', '.join(NAMES)} can be found")
    with tempfile.TemporaryDirectory() as pages, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 720})
        page.goto(_written(notebook, "reference.notebook", Path(pages)))
        box = page.locator("#max_pool_gradient").bounding_box()
        end = page.locator("#max_pool_gradient details").first.bounding_box()
        clip = {"x": 0, "y": box["y"] - 10, "width": WIDTH, "height": end["y"] - box["y"] + 10}
        page.screenshot(full_page=True, clip=clip, path=folder / "refuted.png")
        page.goto(_written(reference, "reference", Path(pages)))
        page.screenshot(path=folder / "holds.png")
        browser.close()
    run_notebook(["--figure", str(folder / "notebook.png")])
    for name in ("refuted", "holds", "notebook"):
        _make_small(folder / f"{name}.png")


def _written(target: ModuleType, name: str, folder: Path) -> str:
    path = folder / f"{name}.html"
    path.write_text(render(convert(verify(target, name=name).data, Report)), encoding="utf-8")
    return path.as_uri()


def _make_small(path: Path) -> None:
    """Write a picture again with few colours."""
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
