"""The scripts of a report's failures, as files beside the report."""

import re
from pathlib import Path
from typing import Any

from .reproduction import MARK


def write_scripts(report: dict[str, Any], beside: Path) -> tuple[dict[str, str], list[str]]:
    """Write each failure's script into a folder named after the report `beside` it: `report.json`, `report-failures`.

    Returns where each went by its property's id, and a line for whatever could not be written. Scripts of an earlier
    run are removed. A file that is no such script is left as it is, and so are links.
    """
    folder = beside.with_name(f"{beside.stem}-failures")
    wanted = {_file_name(entry["id"]): entry for entry in report["properties"] if entry["script"]}
    written: dict[str, str] = {}
    refused: list[str] = []
    try:
        for path in sorted(folder.glob("*.py")):
            if path.name not in wanted and _is_ours(path):
                path.unlink()
        if wanted:
            folder.mkdir(exist_ok=True)
        elif folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        return {}, [f"cannot write the scripts of the failures into {folder}: {error.strerror}"]
    for name, entry in wanted.items():
        path = folder / name
        if (path.exists() or path.is_symlink()) and not _is_ours(path):
            refused.append(f"{path} is left as it is: it is no script of a failure")
            continue
        try:
            path.write_text(entry["script"], encoding="utf-8")
        except OSError as error:
            refused.append(f"cannot write {path}: {error.strerror}")
        else:
            written[entry["id"]] = str(path)
    return written, refused


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-.") + ".py"


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith(MARK)
