"""The command line: `backproof [TARGET] [options]`, `python -m backproof`; in a clone also `python -m properties`."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import NoReturn

from .harness.campaign.merge import merge
from .harness.campaign.parts import CannotMerge
from .harness.campaign.rounds import campaign
from .harness.checking.trial import DEFAULT_EXAMPLES
from .harness.core.shards import WHOLE, shard_of
from .harness.core.streams import steady
from .harness.core.text import printable
from .harness.report import github
from .harness.report.data import Report, as_json, as_schema
from .harness.report.report import HELD, INTERRUPTED, UNUSABLE, Request, applied, as_junit, exit_status
from .harness.run.database import address_of
from .harness.run.outputs import place, refusal, write
from .harness.run.processes import stopping_by, unheard
from .harness.run.run import CannotRun, run
from .harness.run.scripts import write_scripts
from .harness.target import memory, modules
from .harness.target.target import CannotLoad
from .harness.target.timeouts import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, SHORTEST_TIMEOUT
from .harness.template import template

DEFAULT_TARGET = "reference"
DEFAULT_SEED = 0
SHORTEST_CAMPAIGN = 0.01  # minutes
OUTPUTS = {"json": "as JSON", "junit": "as JUnit XML", "html": "as one HTML page"}
Form = Callable[[Report], str | bytes]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        message = re.sub("(?s)://.*[@?].*", "://…", message)  # a mistyped --database may hold a password
        self.exit(UNUSABLE, f"backproof: {printable(message)} (see --help)\n")


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 up is wanted, not {text!r}")
    return int(text)


def _duration(unit: str, shortest: float, text: str) -> float:
    try:
        duration = float(text)
    except ValueError:
        duration = 0.0
    if not shortest <= duration <= LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(
            f"a number of {unit} from {shortest} to {LONGEST_TIMEOUT:g} is wanted, not {text!r}"
        )
    return duration


def _seed(text: str) -> int:
    if text == "random":
        return SystemRandom().randrange(2**32)
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"a whole number from 0 up or 'random' is wanted, not {text!r}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The options, as the contract has them."""
    result = _Parser(
        prog="backproof",
        description="Check an implementation of convolution, ReLU, max pooling, dense and arctan, and their gradients.",
        epilog="To join the reports of shards: backproof merge REPORT.json... (a target of that name: ./merge.py). "
        "Exit status: 0 holds, 1 refuted or crashed, 2 nothing could be checked, 130 interrupted.",
    )
    result.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help=f"module, module:attribute or path to a .py or .ipynb file (default: the bundled {DEFAULT_TARGET})",
    )
    _add_outputs(result)
    result.add_argument(
        "--examples", type=_whole, default=DEFAULT_EXAMPLES, metavar="N", help="per property (default: %(default)s)"
    )
    result.add_argument(
        "--seed",
        type=_seed,
        default=DEFAULT_SEED,
        metavar="N",
        help="or 'random' (default: %(default)s, always the same)",
    )
    result.add_argument(
        "--shard", type=shard_of, default=WHOLE, metavar="I/N", help="the I-th of N parts alone; `merge` joins them"
    )
    result.add_argument(
        "--minutes",
        type=partial(_duration, "minutes", SHORTEST_CAMPAIGN),
        metavar="M",
        help="a campaign: rounds of more and larger examples, until M minutes are over or one fails; one report of all",
    )
    result.add_argument("--resume", action="store_true", help="go on with the newest campaign, for --minutes more")
    result.add_argument("--round", type=_whole, default=1, metavar="K", help="the K-th round of a campaign alone")
    result.add_argument("-k", default="", dest="keyword", metavar="EXPR", help="only matching properties, as in pytest")
    result.add_argument("-n", type=_whole, dest="workers", metavar="N", help="worker processes")
    result.add_argument(
        "--timeout",
        type=partial(_duration, "seconds", SHORTEST_TIMEOUT),
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help="seconds that a property may take, and a single call a tenth of that (default: %(default)g)",
    )
    result.add_argument(
        "--memory",
        type=memory.size_of,
        metavar="SIZE",
        help="that a process of the target may take, such as 4G (default: half of the machine's)",
    )
    result.add_argument(
        "--database", type=address_of, metavar="URL", help="share failures with other machines on redis://HOST:PORT/N"
    )
    result.add_argument("--template", action="store_true", help="print a target to fill in, and do nothing else")
    result.add_argument("--filled", action="store_true", help="with --template: one that has the right code already")
    result.add_argument("--schema", action="store_true", help="print the JSON Schema of --json, and do nothing else")
    result.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    result.add_argument("--known", metavar="FILE", help="known deviations: an id and its reason per line; strict")
    return result


def merge_parser() -> argparse.ArgumentParser:
    """The options of `merge`."""
    result = _Parser(
        prog="backproof merge",
        description="Join the reports of a campaign's shards into the one report of the whole.",
        epilog="Exit status: as without shards; 1 also if a shard is missing.",
    )
    result.add_argument("reports", nargs="+", metavar="REPORT.json", help="what --json wrote of a shard")
    _add_outputs(result)
    return result


def _add_outputs(to: argparse.ArgumentParser) -> None:
    for option, what in OUTPUTS.items():
        to.add_argument(f"--{option}", type=place, metavar="FILE", help=f"write the report there, {what}")


def _refuse_outputs(
    asking: argparse.ArgumentParser, options: argparse.Namespace, inputs: list[str], target: str | None
) -> None:
    outputs = {f"--{option}": path for option in OUTPUTS if (path := getattr(options, option))}
    if line := refusal(outputs, inputs, target):
        asking.error(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the target, print the report, write it where asked; the exit status.

    What stops the command, at any time, is a user's interruption; output that cannot be written is told by the status.
    """
    with steady() as output:
        try:
            with stopping_by(signal.default_int_handler):
                status = _done(arguments)
        except KeyboardInterrupt:
            _complain("interrupted before any property ran")
            status = INTERRUPTED
        except SystemExit as end:  # argparse's
            status = end.code if isinstance(end.code, int) else UNUSABLE
        sys.stdout.flush()
        if output and output.error:
            _complain(f"cannot write to standard output: {output.error.strerror}")
            return UNUSABLE
        return status


def _done(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    if rival := modules.hiding():
        return _unusable(f"{printable(str(rival))} hides the package {modules.PACKAGE} in this folder: rename it", "")
    if given[:1] == ["merge"]:
        options = (asking := merge_parser()).parse_args(given[1:])
        _refuse_outputs(asking, options, options.reports, "")
        return _reported(partial(merge, options.reports), options, "merge")
    options = (asking := parser()).parse_args(given)
    if options.resume and not options.minutes:
        asking.error("argument --resume: needs --minutes")
    if options.round > 1 and options.minutes:
        asking.error("argument --round: not allowed with argument --minutes")
    if options.filled and not options.template:
        asking.error("argument --filled: needs --template")
    if options.template:
        print(template(options.filled), end="")
        return HELD
    if options.schema:
        print(as_schema(), end="")
        return HELD
    _refuse_outputs(asking, options, [options.known] if options.known else [], options.target)
    target = options.target or DEFAULT_TARGET
    asked = Request(
        target,
        options.examples,
        options.seed,
        options.keyword,
        _bounded(options.workers),
        options.fail_fast,
        options.known,
        options.timeout,
        shard=options.shard,
        database=options.database,
        runs_scripts=bool(options.json or options.junit or options.html or github.is_here()),
        round_number=options.round,
        memory=options.memory,
    )
    made = partial(campaign, asked, options.minutes, options.resume) if options.minutes else partial(run, asked)
    return _reported(made, options, target)


def _bounded(workers: int | None) -> int | None:
    """No more worker processes than there are cores for them; a line says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers and workers > cores:
        _complain(f"note: {cores} worker processes, not {workers}: there are no more cores")
        return cores
    return workers


def _reported(made: Callable[[], Report], options: argparse.Namespace, target: str) -> int:
    """Make a report, print it and write it where asked; the exit status."""
    try:
        forms: dict[str, Form] = {"json": as_json, "junit": as_junit}
        if options.html:
            from .harness.report.page import render

            forms["html"] = render
        with stopping_by(unheard):  # a report that is made is told, however often one asks to stop
            report = made()
            return _told(report, options, target, forms)
    except CannotLoad as error:
        return _unusable(str(error), target)
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe", "matplotlib"):
            raise
        return _unusable("--html needs the extra: pip install '.[report]' in a clone of backproof", target)
    except (CannotMerge, CannotRun) as error:
        return _unusable(printable(str(error).removeprefix("ERROR: ")), target)


def _told(report: Report, options: argparse.Namespace, target: str, forms: Mapping[str, Form]) -> int:
    """Print a report and write it, in each form that is asked for; the exit status."""
    if not applied(report):
        return _unusable(_nothing(report), target)
    from .harness.report.terminal import show

    written = {path: form for name, form in forms.items() if (path := getattr(options, name))}
    refused = [line for path, form in written.items() if (line := write(path, form(report)))]
    scripts = _scripts(report, options.json or options.junit or options.html)
    if github.is_here():
        for line in github.annotations(report):
            print(line)
        _complain(github.write_summary(report))
    show(report, scripts=scripts, guard=github.commands_stopped() if github.is_here() else None)
    _complain("; ".join(refused))
    return UNUSABLE if refused else exit_status(report)


def _scripts(report: Report, path: str | None) -> dict[str, str]:
    """Write the failures' scripts beside the report that is written first, and say what could not be."""
    if path is None:
        return {}
    written, refused = write_scripts(report, Path(path))
    for line in refused:
        _complain(printable(line))
    return written


def _nothing(report: Report) -> str:
    if not report.properties:
        return "nothing to check: no property matches -k"
    return "nothing to check: no selected property applies to what the target offers within its limits"


def _unusable(message: str, target: str) -> int:
    if github.is_here():
        print(github.unusable(target, message))
    _complain(message)
    return UNUSABLE


def _complain(line: str | None) -> None:
    if line:
        print(f"backproof: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
