"""The operations of a network that a target declares, as the machine knows them: `predict`, `cost`, `gradients` and
`train_step` of an image and a list of parameters, in the order of the layers.

Inside, every parameter has a name of its own in a case, as `kernel1`, `bias1`, `weights2`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

from ...harness.core.tape import Case
from ...harness.core.values import Kind, Value, within
from ..base.registry import Layer, Sides, Signature
from . import chain, chain_cases
from .chain_cases import NAME
from .choices import gradient_faults, is_kinked, step_faults


class _Takes(Mapping[str, Kind]):
    """What an operation takes: the network's parameters between what comes before and after them."""

    def __init__(self, before: tuple[str, ...], after: tuple[str, ...] = ()) -> None:
        self._before, self._after = before, after

    def _all(self) -> dict[str, Kind]:
        known = {"image": Kind.IMAGES, "target": chain.label_kind(), "learning_rate": Kind.RATE}
        before, after = ({name: known[name] for name in names} for names in (self._before, self._after))
        return {**before, **chain.parameters(), **after}

    def __getitem__(self, name: str) -> Kind:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class _Each(Sequence[Any]):
    """Something for each of the network's parameters."""

    def __init__(self, what: Callable[[str, Kind], Any]) -> None:
        self._what = what

    def _all(self) -> list[Any]:
        return [self._what(name, kind) for name, kind in chain.parameters().items()]

    @overload
    def __getitem__(self, number: int) -> Any: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Any]: ...
    def __getitem__(self, number: int | slice) -> Any:
        return self._all()[number]

    def __len__(self) -> int:
        return len(chain.parameters())


def _prediction(case: Case) -> tuple[Value]:
    outputs = chain.forward(case).outputs
    return (within(outputs.value, outputs.error),)


def _cost(case: Case) -> tuple[Value]:
    return (chain.cost_of(chain.forward(case).outputs, case.target),)


def _output(case: Case) -> tuple[Sides]:
    return (chain.forward(case).outputs.value.shape,)


def _parameters(case: Case) -> tuple[Sides, ...]:
    return tuple(case[name].shape for name in chain.parameters())


_GIVES: Any = _Each(lambda name, kind: kind)
_PARTS: Any = _Each(lambda name, kind: name)
_FORMULAS = (
    "`∂C/∂θ = ∂y/∂θ · ∂C/∂y` for the parameter θ of every layer and what it gives, `y`",
    "`∂C/∂x = ∂y/∂x · ∂C/∂y` for what it takes, `x`, which the layer before it gave",
)
_READ = chain_cases.read


def _signature(name: str, **fields: Any) -> Signature:
    return Signature(
        f"declared_{name}",
        **{"smooth": _READ, "follows": "convolution", "function": name, "where": "NETWORK", **fields},
    )


DECLARED_NETWORK = Layer(
    NAME,
    operations=(
        _signature(
            "predict",
            summary="The outputs of the network that NETWORK declares, before its loss: (N, m).",
            takes=_Takes(("image",)),
            gives=(Kind.FEATURES,),
            shapes=_output,
            value=_prediction,
            formulas=("`y` is what the last layer before the loss gives",),
            named_by=f"{NAME}.outputs_are_the_composition",
        ),
        _signature(
            "cost",
            summary="The loss of the network that NETWORK declares: a number.",
            takes=_Takes(("image", "target")),
            gives=(Kind.SCALAR,),
            shapes=lambda case: ((),),
            value=_cost,
            formulas=("`C` is the loss of the outputs, a mean over the images",),
            named_by=f"{NAME}.cost_is_the_loss_of_the_outputs",
        ),
        _signature(
            "gradients",
            summary="The cost's gradients for every parameter, in the order of the layers.",
            takes=_Takes(("image", "target")),
            gives=_GIVES,
            shapes=_parameters,
            value=chain.gradients_of,
            formulas=_FORMULAS,
            named_by=f"{NAME}.every_gradient_is_the_chain_rules",
            parts=_PARTS,
            kinked=chain_cases.read_kinked,
            is_kinked=is_kinked,
            faults=gradient_faults,
        ),
        _signature(
            "train_step",
            summary="The new parameters: every one moved by −learning_rate times its gradient at the old ones.",
            takes=_Takes(("image", "target"), ("learning_rate",)),
            gives=_GIVES,
            shapes=_parameters,
            value=chain.stepped_of,
            formulas=(*_FORMULAS, "`θ' = θ − η ∂C/∂θ`"),
            named_by=f"{NAME}.every_parameter_moves_by_its_old_gradient",
            parts=_PARTS,
            kinked=chain_cases.read_kinked,
            is_kinked=is_kinked,
            faults=step_faults,
        ),
    ),
    kinds=_Takes(("image", "target"), ("learning_rate",)),
    read=_READ,
    larger=chain_cases.larger,
    smaller=chain_cases.smaller,
    fresh=chain_cases.fresh,
    plain=chain_cases.plain,
    pairs=chain_cases.pairs,
    rests_on_others=True,
    is_homogeneous=False,
)
