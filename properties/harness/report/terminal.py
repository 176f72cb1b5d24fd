"""The report on a terminal: a table by operation, then each failure with both sides, then the verdict."""

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..checking.conventions import FOUND_BY
from ..core.shards import in_words
from ..core.text import printable
from ..target.layout import KERNEL
from .certificate import counted_rounds, told
from .data import Certificate, Definition, Entry, Report
from .report import one_line
from .results import by_operation, explanation, outcomes_of, overview, parted

STYLES = {"held": "green", "refuted": "bold red", "crashed": "bold magenta", "known": "yellow"}
VERDICT_STYLES = {"holds": "bold green", "refuted": "bold red", "broken": "bold magenta", "incomplete": "bold yellow"}
WIDTH = 80
INDENT = " " * 17
LABEL = 24
ROOM = WIDTH - LABEL
MOST_SHAPES, MOST_LACKING = 3, 12


def show(
    report: Report,
    console: Console | None = None,
    scripts: Mapping[str, str] = MappingProxyType({}),
    guard: AbstractContextManager[None] | None = None,
) -> None:
    """Print the report, on standard output or this console; `scripts` says by a property's id where its script is.

    All but the last line, which is the summary, is printed within `guard`.
    """
    console = console or Console(highlight=False, markup=False, emoji=False)
    with guard or nullcontext():
        _show_all(console, report, scripts)
    _print(console, Text(summary(report), style=VERDICT_STYLES[report.verdict]))


def _show_all(console: Console, report: Report, scripts: Mapping[str, str]) -> None:
    if lines := overview_lines(report):
        _print(console, Text("what is wrong", style="bold"))
        _print(console, "\n".join([*lines, ""]))
    console.print(_table(report))
    _show_certificate(console, report.certificate)
    for line in notes(report):
        _print(console, textwrap.fill(line, WIDTH, subsequent_indent="  "))
    if report.campaign and report.campaign.resume:
        _labelled(console, "to go on", printable(report.campaign.resume))
    shown, definitions = dict[str, str](), report.definitions
    news, consequences = parted(report.properties)
    crashes: dict[tuple[str, str | None], str] = {}
    for entry in news:
        first = crashes.setdefault((entry.operation, entry.message), entry.id)
        if entry.outcome == "crashed" and first != entry.id:
            _print(console, _title(entry).append(f": as {first}"))
            continue
        _show_failure(console, entry, shown, definitions)
        if entry.id in scripts:
            _labelled(console, "script", f"python {printable(shlex.quote(scripts[entry.id]))}")
    for line in consequence_lines(consequences):
        _print(console, line)
    console.print()
    for hint in hints(report):
        _print(console, Text(textwrap.fill(hint, WIDTH), style="yellow"))


def brief(report: Report) -> str:
    """The report in a few lines: what is wrong, or else what was found, and the verdict."""
    lines = overview_lines(report) or [textwrap.fill(_conventions(report), WIDTH, subsequent_indent="  ")]
    return "\n".join([*lines, summary(report)])


def first_failure(report: Report) -> str:
    """What is said of the one property of this report, as text for the terminal that errors go to."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        _print(console, Text(f"the first failure, after {report.seconds:.1f} s", style="bold"))
        _show_failure(console, report.properties[0], {}, report.definitions)
        console.print()
    return captured.get()


def plain_console(file: TextIO) -> Console:
    """A console that writes plain text to this file, also where it would write HTML into a notebook."""
    return Console(
        file=file,
        width=WIDTH,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def overview_lines(report: Report) -> list[str]:
    """What is wrong with each operation, in one or two lines of `WIDTH`; a long place has a line of its own."""
    lines = []
    for fault in overview(report):
        place = f"  {fault.place}" if fault.place else ""
        first, *more = textwrap.wrap(fault.what, ROOM) if not fault.mend else [fault.what]
        second = f"mend: {fault.mend}" if fault.mend else " ".join(more)
        lines.append(_columns(fault.operation, first))
        if len(place) >= LABEL:
            lines += [place, *([_columns("", second)] if second else [])]
        elif place or second:
            lines.append(_columns(place, second))
    follow = len(parted(report.properties)[1])
    return [*lines, _columns("", f"and {follow} more that follow from these")] if follow else lines


def _columns(label: str, text: str) -> str:
    """A label, and beside it what fits of a text into the line."""
    return f"{_label(label)}{text if len(text) <= ROOM else f'{text[: ROOM - 1]}…'}".rstrip()


def _label(label: str) -> str:
    """A label with blanks up to the text beside it, on a line of its own if it is too long for that."""
    return f"{label:{LABEL}}" if len(label) < LABEL else f"{label}\n{'':{LABEL}}"


def consequence_lines(entries: list[Entry]) -> Iterator[str]:
    """What follows from which other failure, without its arrays: they are in the JSON."""
    causes = dict.fromkeys(tuple(entry.follows_from) for entry in entries)
    for cause in causes:
        names = " and ".join(cause)
        yield f"\nThese follow from {names}: a right network with that in it answers just so."
        for entry in entries:
            if tuple(entry.follows_from) == cause:
                yield f"  {entry.outcome:8} {entry.operation:11} {entry.id}"


def hints(report: Report) -> list[str]:
    """Names of the target that look like misspelt operations, which are not checked."""
    return [
        printable(f"the target has no {right}, but {wrong}: is that what was meant?")
        for wrong, right in report.near_misses.items()
    ]


def summary(report: Report) -> str:
    """The verdict in one line, and how long it took."""
    return one_line(report, f"{report.seconds:.1f} s")


def _table(report: Report) -> Table:
    used = outcomes_of(report)
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")  # 80 columns for all outcomes
    table.add_column("operation", no_wrap=True)
    for outcome in used:
        table.add_column("n/a" if outcome == "not applicable" else outcome, justify="right")
    for name in ("examples", "comparisons", "max error"):
        table.add_column(name, justify="right")
    for row in by_operation(report):
        counts = [(outcome, row.totals[outcome]) for outcome in used]
        table.add_row(
            row.operation,
            *(Text(str(n or "·"), style=STYLES.get(outcome, "") if n else "dim") for outcome, n in counts),
            f"{row.examples:,}",
            f"{row.comparisons:,}",
            row.error,
        )
    return table


def notes(report: Report) -> list[str]:
    """The conventions found, and whatever else a reader of the verdict must know, a line each."""
    lines = [
        "",
        _conventions(report),
        "max error: in units of rounding, eps times the size of what was summed; – where something failed",
    ]
    if report.shapes:
        lines.append("checked on: " + "; ".join(_sizes(name, shapes) for name, shapes in report.shapes.items()))
    if report.lacking:
        more = len(report.lacking) - MOST_LACKING
        named = report.lacking if more <= 1 else [*report.lacking[:MOST_LACKING], f"and {more} more"]
        lines.append(f"not offered, so not checked: {', '.join(named)}")
    limits = [f"{kind} {_shapes(shapes)}" for kind, shapes in report.limits.items() if shapes]
    if limits:
        lines.append(f"within the declared limits: {', '.join(limits)}")
    left_out = sum(entry.left_out for entry in report.properties)
    if left_out:
        lines.append(f"left out as not implemented: {left_out:,} cases")
    for warning, count in list(report.warnings.items())[:3]:
        lines.append(f"warned {count} times: {warning}" if count > 1 else f"warned: {warning}")
    for entry in report.properties:
        if entry.outcome == "known":
            lines.append(printable(f"known: {entry.id}: {entry.message}"))
    if report.round > 1:
        lines.append(f"round {report.round} of a campaign alone: larger cases, and nothing exhaustive")
    if report.shard:
        number, shards = report.shard
        lines.append(f"{in_words([number], shards)}: what is proved is told once all of them are merged")
    if report.merged and report.merged.missing:
        missing = report.merged.missing
        verb = "is" if len(missing) == 1 else "are"
        lines.append(f"incomplete: {in_words(missing, report.merged.shards)} {verb} missing")
    lines += _campaign_notes(report)
    if report.interrupted:
        done = sum(entry.outcome != "not run" for entry in report.properties)
        which = f" in round {report.campaign.rounds}" if report.campaign else ""
        lines.append(f"interrupted{which}: {done} of {len(report.properties)} properties were done")
    return lines


def _conventions(report: Report) -> str:
    """What the target chose; `not offered` is what it lacks the operations for to find it by."""
    found = report.conventions
    offered = {name: any(one not in report.lacking for one in by) for name, by in FOUND_BY.items()}
    unknown = {name: "not found" if offered[name] else "not offered" for name in FOUND_BY}
    kinds = {
        "convolution": "true convolution (kernel flipped)",
        "correlation": "cross-correlation",
        None: f"convolution {unknown['convolution']}",
    }
    ties = {None: unknown["ties"], "all": "all (wrong)"}.get(found.ties, found.ties)
    zero = found.relu_derivative_at_zero
    layout = f"; layout {report.layout}" if report.layout != "HW" else ""
    layout += f", kernels {report.kernel_layout}" if report.kernel_layout != KERNEL else ""
    layout += "; parameters' gradients: mean over the images" if report.gradients_are == "mean" else ""
    at_zero = unknown["relu_derivative_at_zero"] if zero is None else format(zero, "g")
    kind = kinds[found.convolution]
    further = "".join(f"; {name}: {value}" for name, value in found.further.items())
    return f"conventions: {kind}; pooling ties: {ties}; ReLU'(0): {at_zero}{further}; {found.dtype}{layout}"


def _campaign_notes(report: Report) -> Iterator[str]:
    if campaign := report.campaign:
        larger = ", each with larger cases than the one before" if campaign.rounds > 1 else ""
        yield f"campaign: {counted_rounds(campaign.rounds)} in {report.seconds / 60:.1f} minutes{larger}"
        if not campaign.finished and not report.interrupted:
            done = sum(entry.outcome != "not run" for entry in report.properties)
            yield f"incomplete: the time was over after {done} of {len(report.properties)} properties"


def _sizes(name: str, shapes: list[list[int]]) -> str:
    if len(shapes) <= MOST_SHAPES:
        return f"{name} {_shapes(shapes)}"
    return f"{name} {_shapes(shapes[:1])} to {_shapes(shapes[-1:])} ({len(shapes)} shapes)"


def _shapes(declared: str | Sequence[Sequence[int]]) -> str:
    return declared if isinstance(declared, str) else ", ".join("×".join(map(str, shape)) or "()" for shape in declared)


def _show_certificate(console: Console, certificate: Certificate) -> None:
    _print(console, Text("\ncertificate", style="bold"))
    for operation, lines in told(certificate.operations):
        for line, label in zip(lines, [operation, *[""] * len(lines)], strict=False):
            wrapped = textwrap.wrap(line, ROOM)
            _print(console, "\n".join([f"{_label(label)}{wrapped[0]}", *(" " * LABEL + rest for rest in wrapped[1:])]))
    _print(console, textwrap.fill(f"not proved: {'; '.join(certificate.not_proved)}", WIDTH, subsequent_indent="  "))


def _title(entry: Entry) -> Text:
    word = "NO LONGER FAILS" if entry.note == "no longer fails" else entry.outcome.upper()
    title = Text(word, style=STYLES[entry.outcome])
    return title.append(f"  {entry.operation}  ", style="bold").append(entry.id, style="dim")


def _show_failure(console: Console, entry: Entry, shown: dict[str, str], definitions: Mapping[str, Definition]) -> None:
    """All that is said of a failure; of a reason that was `shown` already, with which property, without its code."""
    console.print()
    _print(console, _title(entry))
    _print(console, textwrap.indent(textwrap.fill(entry.statement, WIDTH - 2), "  "))
    is_news = True
    for line in explanation(entry, definitions):
        said = line.text
        if line.form == "reason":
            first = shown.setdefault(said, entry.id)
            is_news = first == entry.id
            said = said if is_news else f"as for {first}"
        if line.form != "code" or is_news:
            is_kept = line.form in ("lines", "code")
            lines = said.splitlines() if is_kept else textwrap.wrap(said, WIDTH - len(INDENT))
            _labelled(console, line.label, "\n".join(lines))
    _labelled(console, "again with", printable(entry.reproduce))


def _labelled(console: Console, label: str, text: str) -> None:
    """A label in the margin and the text beside it, its lines kept as they are, however long."""
    line = Text(f"  {printable(label):{len(INDENT) - 2}}", style="cyan")
    _print(console, line.append(Text(text.replace("\n", f"\n{INDENT}"), style="default")))


def _print(console: Console, text: Text | str) -> None:
    console.print(text, soft_wrap=True)
