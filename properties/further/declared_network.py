"""A network that a target declares: its outputs and cost, its gradients off kinks and at them, and its training."""

import numpy as np

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree, require, require_legal
from ..harness.checking.statement import given
from ..harness.core.limits import NotApplicable
from ..harness.core.values import Value, parts
from ..layers.chains import chain
from ..layers.chains.chain_cases import read, read_kinked
from ..layers.chains.choices import first_block
from ..layers.chains.lines import descent, differences, directions

smooth_cases, kinked_cases = cases_from(read), cases_from(read_kinked)


@given(case=smooth_cases)
def test_outputs_are_the_composition(declared_predict, case):
    """What `predict` gives are the outputs of the declared layers, one after the other, up to the loss.

    Source: the contract's definition of a declared network.
    """
    (expected,) = declared_predict.signature.value(case)
    agree(declared_predict.at(case), expected, "predict(image, parameters)")


@given(case=kinked_cases)
def test_outputs_hold_at_kinks(declared_predict, case):
    """Ties and zeros do not disturb the outputs, which are continuous there.

    Source: the contract's definition of a declared network.
    """
    (expected,) = declared_predict.signature.value(case)
    agree(declared_predict.at(case), expected, "predict(image, parameters)")


@given(case=smooth_cases)
def test_cost_is_the_loss_of_the_outputs(declared_cost, case):
    """The cost is the declared loss of the outputs, a mean over the images or, if so declared, their sum.

    Source: the contract's definition of a declared network.
    """
    (expected,) = declared_cost.signature.value(case)
    agree(declared_cost.at(case), expected, "cost(image, target, parameters)")


@given(case=smooth_cases)
def test_every_gradient_is_the_chain_rules(declared_gradients, case):
    """Off kinks the gradient for every parameter is that of the chain rule, to the rounding that it cannot avoid.

    Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
    """
    values = declared_gradients.signature.value(case)
    for name, answer, value in zip(chain.parameters(), parts(declared_gradients.at(case)), values, strict=True):
        agree(answer, value, f"the gradient for {name}")


@given(case=smooth_cases)
def test_every_gradient_matches_differences(declared_gradients, declared_cost, case):
    """Off kinks a gradient's part in a direction is the limit of the differences of the target's own cost along it.

    Directions are the entries, or signs for all of them. The step crosses no kink, so that the outputs are linear in
    it, and truncation and rounding are bounded for each. Source: Higham, Accuracy and Stability of Numerical
    Algorithms, section 1.14.
    """
    values = declared_gradients.signature.value(case)
    for name, answer, value in zip(chain.parameters(), parts(declared_gradients.at(case)), values, strict=True):
        along = (directions(answer.shape) * answer).reshape(-1, answer.size).sum(axis=1)
        agree(along, differences(declared_cost.at, case, name, value), f"the gradient for {name} in some directions")


@given(case=kinked_cases)
def test_every_gradient_at_kinks_is_conservative(declared_gradients, case):
    """At ties and zeros of the first block the gradients are those of some choice of its layers' subgradients.

    Source: Bolte & Pauwels, Mathematical Programming, 2021: conservative gradients.
    """
    _with_kinks()
    require_legal(declared_gradients, declared_gradients.at(case), case)


@given(case=smooth_cases)
def test_every_parameter_moves_by_its_old_gradient(declared_train_step, case):
    """Every parameter moves by −η times its gradient at the old parameters, none at another's new value.

    Source: gradient descent on all parameters at once.
    """
    values = declared_train_step.signature.value(case)
    for name, answer, value in zip(chain.parameters(), parts(declared_train_step.at(case)), values, strict=True):
        agree(answer, value, f"the new {name}")


@given(case=kinked_cases)
def test_steps_at_kinks_are_conservative(declared_train_step, case):
    """At ties and zeros of the first block every parameter moves by −η times a gradient that some choice gives.

    Source: Bolte & Pauwels, Mathematical Programming, 2021: conservative gradients.
    """
    _with_kinks()
    case["learning_rate"] = case.learning_rate or 1.0
    require_legal(declared_train_step, declared_train_step.at(case), case)


@given(case=smooth_cases)
def test_every_step_is_by_the_targets_gradients(declared_train_step, declared_gradients, case):
    """One training step is the target's own gradients, times −η, added to the parameters.

    Source: the contract's definition of `train_step`.
    """
    moved, own = parts(declared_train_step.at(case)), parts(declared_gradients.at(case))
    bounds = declared_train_step.signature.value(case)
    for name, yours, gradient, bound in zip(chain.parameters(), moved, own, bounds, strict=True):
        expected = Value(case[name] - case.learning_rate * gradient, 2 * bound.units, bound.size, bound.floor)
        agree(yours, expected, f"the new {name}")


RUN_LENGTH = 3


@given(case=smooth_cases)
def test_declared_cost_falls_over_a_run(declared_train_step, declared_cost, case):
    """Over a run of safe steps the cost falls at each, by at least half of what the gradient promises.

    The rate is one at which the right step lowers the right cost by three quarters of that. Source: Nocedal & Wright,
    Numerical Optimization, section 3.1, for the sufficient decrease.
    """
    for _ in range(RUN_LENGTH):
        found = descent(case)
        if found is None:
            require(np.isfinite(declared_cost.at(case)), "the cost is not finite", yours=0, expected="a number")
            break
        rate, promised, error = found
        moved = parts(declared_train_step.at(case.changed(learning_rate=rate)))
        after = case.changed(**dict(zip(chain.parameters(), moved, strict=True)))
        before, now = declared_cost.at(case), declared_cost.at(after)
        require(
            now <= before - promised / 2 + error,
            f"the cost does not fall as promised on a step of rate {rate:.3g}",
            yours=now,
            expected=f"at most {before - promised / 2 + error!r}, down from {before!r}",
        )
        case = after


def _with_kinks():
    if first_block() is None:
        raise NotApplicable("the declared network is differentiable everywhere")
