"""Where a run keeps what the next one goes on from: beside what Hypothesis keeps."""

import os
import re
from pathlib import Path


def storage(kind: str, target: str, folder: str = "") -> Path:
    """Where things of this kind are kept of a target, by its name: under `.hypothesis` of the folder it is run in."""
    home = Path(folder) / os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY", ".hypothesis")
    return home / kind / re.sub(r"\W+", "-", target)
