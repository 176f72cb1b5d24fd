"""Reading the reports of a campaign's parts, and refusing what is none, or of another campaign."""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn, TypeVar

from msgspec import ValidationError, convert

from ..core.shards import WHOLE, Shard, name_of, shard_of
from ..report.data import Report

_Kind = TypeVar("_Kind")


class CannotMerge(Exception):
    """These are not reports of one campaign's parts; the message is one line."""


def read_campaign(paths: Iterable[str]) -> tuple[dict[int, Report], int]:
    """The reports by the number of their shard, in order, and how many shards there are. Raises `CannotMerge`."""
    read: dict[int, tuple[str, Report]] = {}
    for path in paths:
        report = checked(path, read_json(path))
        number, shards = shard = _shard(report)
        campaign = _campaign(report)
        for other, first in list(read.values())[:1]:
            different = [what for what, one in _campaign(first).items() if one != campaign[what]]
            if different:
                raise CannotMerge(f"{path} and {other} are not of one campaign: another {different[0]}")
        if number in read:
            raise CannotMerge(f"{path} and {read[number][0]} are both of shard {name_of(shard)}")
        read[number] = path, report
    return {number: read[number][1] for number in sorted(read)}, shards


def read_json(path: str) -> object:
    """What this file holds as strict JSON. Raises `CannotMerge`."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_not_strict)
    except OSError as error:
        raise CannotMerge(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CannotMerge(f"{path} is not JSON") from None


def checked(path: str, given: object) -> Report:
    """What was read from this file, if it is a whole report that was not merged. Raises `CannotMerge`."""
    if not isinstance(given, dict) or given.get("schema_version") != 1:
        raise CannotMerge(f"{path} is not a report of backproof's, of schema version 1")
    report = of_kind(path, given, Report)
    if report.merged:
        raise CannotMerge(f"{path} was merged already: the shards' own reports are wanted")
    try:
        shards = _shard(report)[1]
    except ArgumentTypeError as error:
        raise CannotMerge(f"{path} is of no shard: {error}") from None
    if shards > report.examples:
        raise CannotMerge(f"{path} is of no shard: {shards} would not have an example each")
    return report


def of_kind(path: str, given: object, kind: type[_Kind]) -> _Kind:
    """What was read from this file as a structure. Raises `CannotMerge` if anything is missing or damaged."""
    try:
        return convert(given, kind)
    except ValidationError as error:
        raise CannotMerge(f"{path} is not a whole report: {error}") from None


def _not_strict(constant: str) -> NoReturn:
    raise ValueError(constant)


def _shard(report: Report) -> Shard:
    return WHOLE if report.shard is None else shard_of("/".join(map(str, report.shard)))


def _campaign(report: Report) -> dict[str, object]:
    """What the shards of a campaign have in common, by what it is called."""
    return {
        "target": report.target,
        "number of shards": _shard(report)[1],
        "version of backproof": report.versions.get("backproof"),
        "seed": report.seed,
        "number of examples": report.examples,
        "round": report.round,
        "way of running: with --minutes or without": bool(report.campaign),
        "choice of properties": [entry.id for entry in report.properties],
        "set of operations": report.lacking,
        "layout": report.layout,
        "layout of kernels": report.kernel_layout,
        "kind of gradients": report.gradients_are,
        "set of declarations": report.declared,
        "set of limits": report.limits,
        "set of conventions": report.conventions,
    }
