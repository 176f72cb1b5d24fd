"""Pictures for the README and docs/, and what makes them: `python -m pictures`."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Where Chromium is, under one of its names; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)
