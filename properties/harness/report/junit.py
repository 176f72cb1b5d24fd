"""The report as JUnit XML: a test case for each property, what failed with what a person would read of it."""

from typing import Any
from xml.etree import ElementTree

from .results import FAILING, plain_lines

_SKIPPED = ("not applicable", "known", "not run")


def as_junit(report: dict[str, Any]) -> bytes:
    """The document, UTF-8. A refuted property is a failure, a crashed one an error; what did not run is skipped.

    Source: `junit-10.xsd`, the schema by which the xUnit plugin of Jenkins takes a report or refuses it.
    """
    totals = report["totals"]
    counts = {
        "tests": len(report["properties"]),
        "failures": totals["refuted"],
        "errors": totals["crashed"],
        "time": f"{report['seconds']:.3f}",
    }
    attributes = {name: str(count) for name, count in counts.items()}
    root = ElementTree.Element("testsuites", {"name": "backproof", **attributes})
    skipped = str(sum(totals[outcome] for outcome in _SKIPPED))  # which the schema has on a suite alone
    name = _allowed(report["target"])
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, **attributes, "skipped": skipped})
    for entry in report["properties"]:
        module, _, name = entry["id"].partition(".")
        place = {"classname": f"backproof.{module}", "name": name, "time": f"{entry['seconds']:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", place)
        if entry["outcome"] in FAILING:
            kind = "failure" if entry["outcome"] == "refuted" else "error"
            lines = plain_lines(entry["statement"], entry)
            told = ElementTree.SubElement(case, kind, message=_allowed(entry["message"]), type=entry["outcome"])
            told.text = _allowed("\n".join([*lines, f"{'again with':12}{entry['reproduce']}"]))
        elif entry["outcome"] in _SKIPPED:
            ElementTree.SubElement(case, "skipped", message=_allowed(entry["message"] or entry["outcome"]))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _allowed(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(one if one in "\t\n" or one.isprintable() else ascii(one)[1:-1] for one in text)
