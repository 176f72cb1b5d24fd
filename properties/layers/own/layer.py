"""A target's own layer as the machine knows layers: two operations, whose right answers are found by differences."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from ...harness.core.memory_order import reversed_entries
from ...harness.core.setting import setting
from ...harness.core.tape import SEED, Case, Tape
from ...harness.core.values import Kind, parts
from ..base.registry import Layer, Signature
from .cases import Reader
from .declared import ROLES, Drawn, Sizes, Spec
from .derivatives import Derivatives, key_of

_TRIED = 64
KNOWN_AS = "own."  # before its name: there may be a layer of the contract's that is called alike


class OwnLayer(Derivatives):
    """One of a target's own layers: what it declares, and its two operations once they can be called."""

    def __init__(self, name: str, specs: Mapping[str, Spec], rows: str = "") -> None:
        super().__init__(name, specs)
        self.rows, self.reader = rows, Reader(specs, self.shapes)
        self._shapes: dict[Any, tuple[tuple[int, ...], ...]] = {}
        self.made_for(1)

    def made_for(self, outputs: int) -> None:
        """Become a layer whose forward pass gives so many arrays: `layer` is what the machine knows of it."""
        takes = dict.fromkeys(self.specs, Kind.ANY)
        upstream = ["upstream"] if outputs == 1 else [f"upstream{number}" for number in range(1, outputs + 1)]
        forward = Signature(
            name=f"{self.name}.forward",
            summary="",
            takes=takes,
            gives=(Kind.ANY,) * outputs,
            shapes=self.shapes,
            value=self._answer,
            formulas=(),
            named_by="",
            smooth=self.reader.generic,
        )
        backward = replace(
            forward,
            name=self.backward,
            takes=takes | dict.fromkeys(upstream, Kind.ANY),
            gives=(Kind.ANY,) * len(self.drawn),
            shapes=lambda case: tuple(case[name].shape for name in self.drawn),
            value=self.derivatives,
            kinked=self.reader.at_kinks,
            parts=self.drawn,
            of=forward.name,
        )
        self.layer = Layer(
            name=KNOWN_AS + self.name,
            operations=(forward, backward),
            kinds=dict.fromkeys([*takes, *upstream], Kind.ANY),
            read=self.reader.any,
            larger=lambda limits: iter(()),
            smaller=lambda case: iter(()),
            fresh=lambda number, seed: self.reader.generic(_tape(number + seed)),
            plain=lambda pair: self.reader.generic(_tape(0)),
            other=self.other,
            bounds=self.bounds,
            has_oracle=False,
        )

    def count(self) -> int:
        """How many arrays the forward pass gives; 1, if it takes no case of those that are tried."""
        for seed in range(_TRIED):
            with suppress(Exception):
                case = self.reader.generic(_tape(seed))
                return len(self.upstreams(case))
        return 1

    def sizes_of(self, case: Case) -> Sizes:
        """The sizes that a case's letters have."""
        found = {}
        for name in self.drawn:
            for side, length in zip(self.specs[name].sides, case[name].shape, strict=True):  # type: ignore[union-attr]
                if not isinstance(side, int):
                    found[side[1]] = length // side[0]
        return found

    def has_rows(self, name: str) -> bool:
        """Whether the first axis of an array is that of the rows."""
        spec = self.specs.get(name)
        return isinstance(spec, Drawn) and bool(spec.sides) and spec.sides[0] == (1, self.rows)

    def other(self, case: Case) -> Case:
        """A case that differs: arrays are reversed along their last axis, and what has none stays."""
        return case.changed(**{name: reversed_entries(case[name]) for name in self.drawn if case[name].ndim})

    def shapes(self, case: Case) -> tuple[tuple[int, ...], ...]:
        """The shapes of what the forward pass gives; it is asked once for arguments of the same shapes."""
        fixed = (key_of(case[name]) for name in self.specs if name not in self.drawn)
        key = (*(case[name].shape for name in self.drawn), *fixed)
        if key not in self._shapes:
            door = self.doors["forward"]
            self._shapes[key] = tuple(np.shape(part) for part in parts(door.raw(*door.handed(self._arguments(case)))))
        return self._shapes[key]


def _tape(seed: int) -> Tape:
    return Tape(np.random.default_rng((SEED, seed)).bytes(2**14))


def layer_named(operation: str) -> str:
    """The name of the own layer whose operation this is. `KeyError` for any other name."""
    layer, _, role = operation.rpartition(".")
    if not layer or role not in ROLES:
        raise KeyError(operation)
    return KNOWN_AS + layer


def own_layer(name: str) -> Layer:
    """The layer of this name of the target that is tried.

    A report is made where there is no target: of its layers no more than the operations' names is known there.
    """
    if not name.startswith(KNOWN_AS):
        raise KeyError(name)
    declared = setting().own_layers
    own: OwnLayer = declared[name] if name in declared else OwnLayer(name.removeprefix(KNOWN_AS), {})
    return own.layer
