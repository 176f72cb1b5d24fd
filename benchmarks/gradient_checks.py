"""Verified cases per second: this suite beside the gradient checkers that people use, on one and the same network.

Every checker verifies both gradients of the notebook's network (a 6×6 image, a 3×3 kernel, 4 weights) at random points
for some seconds, in one run; then the smallest relative error of the gradients that it catches at any of twenty points
is looked for. A peer gets the hand-written
gradients of `benchmarks.numpy_network`, as its users would hand them over, and where it differentiates by itself a
network of its own too. Peers' points are Gaussian; this suite draws its own, and all that it does beside is timed too.
The rates are then those of the LeNet-like network of `examples/lenet.py`, for all at cases that this suite draws.
It needs `pip install '.[benchmarks]'`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import numpy as np
from tqdm import tqdm

import reference
from benchmarks import numpy_network, peers, trials
from benchmarks.command import command
from benchmarks.detection_floor import floor
from benchmarks.network import Point, jax_cost, pytorch_cost
from properties.harness.checking.conventions import examined
from properties.harness.checking.fixed_cases import smooth
from properties.harness.checking.properties import all_properties
from properties.harness.checking.statement import settled
from properties.harness.checking.trial import on_trial
from properties.harness.core.setting import with_setting
from properties.harness.run.verdict import judged
from properties.harness.target.modules import module_from
from properties.harness.target.operation import Refuted, options_of
from properties.harness.target.target import make_target

OURS = "backproof"
PROPERTY = "network.gradients_are_the_chain_rule"
EVERY_ENTRY, ONE_DIRECTION, NO_VERDICT = "every entry", "one direction", "every entry, no verdict"
CHECKED = {OURS: EVERY_ENTRY, "gradcheck": EVERY_ENTRY, "SciPy check_grad": NO_VERDICT}
PEERS = ("gradcheck", "gradcheck, fast mode", "SciPy check_grad", "JAX check_grads", "autograd check_grads")
FEWEST, SEVERAL_POINTS = 100, 200  # examples: for a floor, and from which an example carries several points
LENET = module_from(Path(__file__).parents[1] / "examples" / "lenet.py")
LENETS, LENETS_PROPERTY = "LeNet-like, by hand", "declared_network.every_gradient_is_the_chain_rules"
CASES = 200  # of the LeNet-like network, over and over
Check = Callable[[Point], bool]
Offered = Mapping[str, Any]


def drawn() -> Iterator[Point]:
    """Images (6, 6), targets, kernels (3, 3) and weights (4, 1) from the standard normal distribution, without end."""
    normal = np.random.default_rng(7839).standard_normal
    while True:
        yield normal((6, 6)), float(normal()), normal((3, 3)), normal((4, 1))


def handed_over(name: str, point: Point) -> bool:
    """A peer's check of the hand-written gradients."""
    image, target, *parameters = point
    return peers.CHECKS[name](peers.network("gradients", vars(numpy_network), image, target), tuple(parameters))


def lenets() -> Iterator[Callable[[str], bool]]:
    """Checks by a peer of the LeNet-like network's hand-written gradients, at cases that this suite draws."""
    target, conventions = examined(make_target(LENET, "lenet"))
    cost, gradients = (target.operations[f"declared_{name}"] for name in ("cost", "gradients"))
    with on_trial(target, conventions), with_setting(options=options_of([cost, gradients])):
        handed = [gradients.handed(gradients.signature.arguments(case)) for case in smooth(gradients.signature, CASES)]
    for image, labels, *parameters in cycle(handed):

        def function(*point: Any, first: tuple[Any, Any] = (image, labels)) -> Any:
            return cost.function(*first, *point)

        def product(upstream: Any, *point: Any, first: tuple[Any, Any] = (image, labels)) -> Any:
            return [upstream * slope for slope in gradients.function(*first, *point)]

        problem = peers.Problem(function, product, np.ones(()))
        yield lambda name, posed=(problem, tuple(parameters)): peers.CHECKS[name](*posed)


def of_pytorch(point: Point, *, fast_mode: bool) -> bool:
    """`gradcheck` of PyTorch's own gradients."""
    import torch

    image, kernel, weights = (torch.tensor(point[number]) for number in (0, 2, 3))
    parameters = kernel.requires_grad_(), weights.requires_grad_()
    return torch.autograd.gradcheck(partial(pytorch_cost, image, point[1]), parameters, fast_mode=fast_mode)


def of_jax(*, compiled: bool) -> Check:
    """`check_grads` of JAX's own gradients."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    cost = jax.jit(jax_cost) if compiled else jax_cost

    def check(point: Point) -> bool:
        image, target, kernel, weights = (jax.numpy.asarray(part) for part in point)
        check_grads(partial(cost, image, target), (kernel, weights), order=1, modes=("rev",))
        return True

    return check


def rate(check: Callable[[Any], bool], seconds: float, points: Iterator[Any]) -> tuple[float, int]:
    """Points checked per second, after a first one that may compile, and at how many it refuses what is right."""
    check(next(points))
    count, refused, started = 0, 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        try:
            refused += not check(next(points))
        except (AssertionError, RuntimeError):  # how JAX, autograd and PyTorch refuse
            refused += 1
        count += 1
    return count / took, refused


def verified(offered: Offered, examples: int, wanted: str = PROPERTY) -> float:
    """Examples per second of this suite's property. Raises the `Refuted` that it finds."""
    entry = next(one for one in all_properties().values() if one.id == wanted)
    target, conventions = examined(make_target(SimpleNamespace(**offered), "target"))
    operations = {name: target.operations[name] for name in entry.operations}
    with on_trial(target, conventions, examples, seed=0):
        trials.settle(examples)
        statement = settled(entry.function, hypothesis.settings.default)
        started = time.perf_counter()
        with judged(entry, statement, operations, 600.0) as record:
            statement(**operations)
        return record.examples / (time.perf_counter() - started)


def rate_of_ours(offered: Offered, seconds: float, wanted: str = PROPERTY, few: int = 50 * SEVERAL_POINTS) -> float:
    """The same, of as many examples as take about so many seconds, going by the time of a `few`."""
    return verified(offered, max(SEVERAL_POINTS, int(seconds * verified(offered, few, wanted))), wanted)


def too_large(error: float) -> dict[str, Any]:
    """The hand-written network with gradients that are too large by this relative error."""

    def gradients(*point: Any) -> tuple[Any, Any]:
        for_kernel, for_weights = numpy_network.gradients(*point)
        return for_kernel * (1 + error), for_weights * (1 + error)

    return vars(numpy_network) | {"gradients": gradients}


def caught_by_ours(error: float) -> bool:
    """Whether this suite's property refutes it, in a default run of 100 examples."""
    try:
        verified(too_large(error), FEWEST)
    except Refuted:
        return True
    return False


def caught_by(name: str, error: float) -> bool:
    """Whether the peer refutes it at any of twenty points."""
    offered = {"cost": None, "predict": None, "train_step": None} | too_large(error)
    return bool(peers.refuted("gradients", offered, peers.POINTS[0], checkers=(name,))[name])


def _row(checker: str, network: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {"checker": checker, "network": network, "checks": CHECKED.get(checker, ONE_DIRECTION), **figures}


def measured(seconds: float) -> list[dict[str, Any]]:
    """A row for each checker and network: what it checks, its rate, and its floor where the gradients are ours."""
    import torch

    torch.set_num_threads(1)  # more of them are slower for so small a network
    ours = {"NumPy, by hand": vars(numpy_network), "the reference": vars(reference)}
    own: dict[tuple[str, str], Check] = {
        ("gradcheck", "PyTorch"): partial(of_pytorch, fast_mode=False),
        ("gradcheck, fast mode", "PyTorch"): partial(of_pytorch, fast_mode=True),
        ("JAX check_grads", "JAX, eager"): of_jax(compiled=False),
        ("JAX check_grads", "JAX, jitted"): of_jax(compiled=True),
    }
    by_hand = {(name, "NumPy, by hand"): partial(handed_over, name) for name in PEERS}
    rows = []
    with tqdm(total=len(ours) + len(own) + len(by_hand), desc="gradient checks", disable=None) as bar:
        for network, offered in ours.items():
            figures = {"rate": rate_of_ours(offered, seconds), "refused": 0, "floor": floor(caught_by_ours)}
            rows.append(_row(OURS, network, figures))
            bar.update()
        for (name, network), check in (by_hand | own).items():
            least = floor(partial(caught_by, name)) if (name, network) in by_hand else None
            speed, refused = rate(check, seconds, drawn())
            figures = {"rate": speed, "refused": refused, "floor": least}
            rows.append(_row(name, network, figures))
            bar.update()
    return rows


def measured_on_lenet(seconds: float) -> list[dict[str, Any]]:
    """The same rows, without a floor, of the LeNet-like network of `examples/lenet.py`."""
    figures = {"rate": rate_of_ours(vars(LENET), seconds, LENETS_PROPERTY, SEVERAL_POINTS), "refused": 0, "floor": None}
    rows = [_row(OURS, LENETS, figures)]
    for name in PEERS:
        speed, refused = rate(lambda check, name=name: check(name), seconds, lenets())
        figures = {"rate": speed, "refused": refused, "floor": None}
        rows.append(_row(name, LENETS, figures))
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Our rate over the fastest peer's and over `gradcheck`'s in slow mode, and how much tighter its bound is.

    Of the same gradients, written by hand in NumPy; of a peer that has several networks, whichever is faster counts.
    """
    ours, theirs = rows[0], [row for row in rows if row["checker"] != OURS]
    slow = max(row["rate"] for row in theirs if row["checker"] == "gradcheck")
    return {
        "times the fastest peer": ours["rate"] / max(row["rate"] for row in theirs),
        "times gradcheck, slow mode": ours["rate"] / slow,
        "times as tight as the tightest peer": min(row["floor"] for row in theirs if row["floor"]) / ours["floor"],
    }


def main(seconds: float = 5.0) -> dict[str, Any]:
    """Measure, print, and return the figures."""
    rows, further = measured(seconds), measured_on_lenet(seconds)
    print("| checker | network | checks | cases a second | right ones refused | smallest error caught |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows + further:
        least = f"{row['floor']:.0e}" if row["floor"] else "–"
        what = f"{row['checker']} | {row['network']} | {row['checks']}"
        print(f"| {what} | {row['rate']:,.0f} | {row['refused']} | {least} |")
    fastest = max(row["rate"] for row in further[1:])
    found = ratios(rows) | {f"times the fastest peer, {LENETS}": further[0]["rate"] / fastest}
    for what, ratio in found.items():
        print(f"{what}: {ratio:,.3g}")
    return {"rows": rows + further, "ratios": found}


if __name__ == "__main__":
    command(main, seconds="of each checker")
