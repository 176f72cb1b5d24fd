"""The README and the pages of docs/, as the tests read them, and Python as their readers run it."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"]
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def blocks(language, page="README.md"):
    """The code blocks of this language on a page."""
    return [code for one, code in FENCED.findall(PAGES[page]) if one == language]


def spans(page):
    """What stands between backticks on a page, outside of its code blocks."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCED.sub("", PAGES[page]))]


def python(*arguments, folder):
    """Python as a process in this folder, with the project to be imported."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
