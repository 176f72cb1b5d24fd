"""Layers that no table knows: wrong and right ones by this suite and by the gradient checkers that people use.

`own_right` has layers as people write them, `own_wrong` the same with one mistake each. Checkers get Gaussian points and
small integers, at sizes of 3. Then the smallest relative error of a gradient that is always caught, and cases a second.
"""

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from benchmarks import own_right, own_wrong, peers
from benchmarks.command import command
from properties import Layer, verify
from properties.harness.core.setting import in_setting
from properties.harness.core.tape import SEED, Case, Tape
from properties.harness.core.values import parts
from properties.harness.target.target import make_target
from properties.layers.own.cases import GENERIC, OF_FEW

KINDS = {"generic": GENERIC, "few-valued": OF_FEW}
POINTS, SIDE = 5, 3
CHECKERS = [name for name in peers.CHECKERS if name != "cost decreases"]
FLOORS = ("affine", "layernorm", "lstm_cell", "attention")
OURS = "backproof"


def posed(layer: Layer, kind: int, seed: int) -> tuple[peers.Problem, peers.Point]:
    """A layer as peers take one: its outputs as one vector, its arrays a point, what is fixed kept."""
    target = make_target(SimpleNamespace(LAYERS={"layer": layer}), "layer")
    with in_setting(target.setting()):
        own = target.own_layers["own.layer"]
        sizes = dict.fromkeys(own.reader.letters, SIDE)
        case = own.reader.of_sizes(Tape(np.random.default_rng((SEED, seed)).bytes(2**15)), sizes, kind)
        upstream = np.concatenate([one.ravel() for one in own.upstreams(case)])
        shapes = [one.shape for one in own.upstreams(case)]

    def arguments(point: Sequence[Any]) -> list[Any]:
        given = Case(case, **dict(zip(own.drawn, point, strict=True)))
        return [given[name] for name in own.specs]

    def function(*point: Any) -> Any:
        return np.concatenate([np.ravel(one) for one in parts(layer.forward(*arguments(point)))])

    def product(given: Any, *point: Any) -> Any:
        split = np.split(np.asarray(given), np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
        ups = [one.reshape(shape) for one, shape in zip(split, shapes, strict=True)]
        return parts(layer.backward(*arguments(point), *ups))

    return peers.Problem(function, product, upstream), tuple(np.array(case[name]) for name in own.drawn)


def verdicts(layer: Layer, examples: int) -> dict[str, bool]:
    """Who refutes a layer: this suite, and each checker at any of its points."""
    found = {OURS: not verify(layer, examples=examples, name="layer").holds}
    for kind, form in KINDS.items():
        for name in CHECKERS:
            np.random.seed(SEED)  # noqa: NPY002  # autograd draws its directions from there
            cases = [posed(layer, form, seed) for seed in range(POINTS)]
            found[f"{name}, {kind}"] = not all(peers.accepts(name, *case) for case in cases)
    return found


def floor_of(layer: Layer, check: Any) -> float:
    """The smallest relative error, a power of ten, that is caught when the first gradient is off by it."""
    caught = np.inf
    for power in range(1, 15):

        def backward(*arguments: Any, error: float = 10.0**-power) -> Any:
            first, *others = parts(layer.backward(*arguments))
            return (first * (1 + error), *others)

        if not check(Layer(layer.forward, backward, **layer.arrays)):
            break
        caught = 10.0**-power
    return float(caught)


def caught_by_a_peer(name: str) -> Any:
    """Whether a peer refutes a layer at every one of its generic points."""
    return lambda layer: all(not peers.accepts(name, *posed(layer, GENERIC, seed)) for seed in range(POINTS))


def rates(layer: Layer, seconds: float = 3.0) -> dict[str, float]:
    """Verified cases a second: ours, along lines for all arrays, and of every entry by `gradcheck` in slow mode."""
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        assert peers.accepts("gradcheck", *posed(layer, GENERIC, count))
        count += 1
    gradcheck = count / (time.perf_counter() - started)
    report = verify(layer, examples=400, keyword="gradients_match_differences and not larger", name="layer")
    (ran,) = (entry for entry in report.data["properties"] if entry["examples"])
    return {OURS: ran["examples"] / ran["seconds"], "gradcheck": gradcheck}


def main(every: int = 1, examples: int = 100, right_examples: int = 100) -> dict[str, Any]:
    """Judge every so-manieth wrong layer, and all right ones; print tables."""
    results: dict[str, Any] = {}
    for what, layers, count in (
        ("wrong", dict(list(own_wrong.LAYERS.items())[::every]), examples),
        ("right", dict(list(own_right.LAYERS.items())[::every]), right_examples),
    ):
        found = {name: verdicts(layer, count) for name, layer in tqdm(layers.items(), desc=what)}
        table = Table("who", "refuted", title=f"{len(layers)} {what} layers")
        for who in next(iter(found.values())):
            table.add_row(who, str(sum(one[who] for one in found.values())))
        Console().print(table)
        missed = [name for name, one in found.items() if one[OURS] != (what == "wrong")]
        Console().print(f"{OURS} is wrong on {len(missed)}: {', '.join(missed) or 'none'}")
        results[what] = found
    table = Table("smallest error always caught", *FLOORS)
    ours = lambda layer: not verify(layer, examples=examples, keyword="differences", name="layer").holds  # noqa: E731
    for who, check in {OURS: ours, **{name: caught_by_a_peer(name) for name in CHECKERS}}.items():
        told = {name: floor_of(own_right.LAYERS[name], check) for name in FLOORS}
        table.add_row(who, *(f"{one:.0e}" for one in told.values()))
        results[f"floor, {who}"] = told
    Console().print(table)
    table = Table("cases a second", *FLOORS)
    told = {name: rates(own_right.LAYERS[name]) for name in FLOORS}
    for who in (OURS, "gradcheck"):
        table.add_row(who, *(f"{one[who]:.0f}" for one in told.values()))
    Console().print(table)
    return results | {"rates": told}


if __name__ == "__main__":
    command(
        main,
        every="take every so-manieth layer alone",
        examples="examples of a property for wrong layers",
        right_examples="and for right ones",
    )
