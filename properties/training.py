"""Gradient descent: one step, and the cost's decrease at the rate that the gradient promises.

That the cost decreases refutes almost nothing: many wrong gradients are descent directions too. Its teeth are
the rate. On a step that crosses no kink, s is a quadratic in the learning rate η, so that
`cost(θ − ηg) − cost(θ) + η‖g‖²` is at most η²/2 times a bound on the cost's second derivative, and rounding.
"""

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree, require, require_legal
from .harness.checking.statement import given
from .harness.core.values import Value
from .layers import network as right
from .layers.network_cases import read_kinked, read_lively, read_smooth

smooth_network_cases, kinked_network_cases = cases_from(read_smooth), cases_from(read_kinked)
lively_network_cases = cases_from(read_lively)


@given(case=lively_network_cases)
def test_train_step_moves_by_the_old_gradients(train_step, case):
    """Both parameters move by −η times the gradients at the old parameters, neither at the other's new value.

    Source: the notebook's update; gradient descent on both parameters at once.
    """
    kernel, weights = train_step(*_point(case), case.learning_rate)
    expected = right.step_values(*_point(case), case.learning_rate)
    agree(kernel, expected[0], "the new kernel")
    agree(weights, expected[1], "the new weights")


@given(case=kinked_network_cases)
def test_train_step_at_kinks_is_conservative(train_step, case):
    """At ties and zeros both parameters move by −η times gradients that some choice of subgradients gives.

    `(kernel − new kernel) / η` is held against the choices. Source: Bolte & Pauwels, Mathematical Programming,
    2021: conservative gradients.
    """
    case["learning_rate"] = case.learning_rate or 1.0  # what is asked is what a counterexample shows
    require_legal(train_step, train_step(*_point(case), case.learning_rate), case)


RUN_LENGTH = 3


@given(case=lively_network_cases)
def test_cost_decreases_at_the_gradients_rate(gradients, cost, case):
    """On small steps against the gradient the cost decreases, by `η‖g‖²` up to a term in η².

    The step is safe: it crosses no kink, and is short enough for the decrease to be at least half of that.
    Source: Nocedal & Wright, Numerical Optimization, section 3.1, for the sufficient decrease.
    Proof: proofs/network.v, cost_decreases_at_the_gradients_rate, cost_falls_by_half_of_the_promise.
    """
    gradient = gradients(*_point(case))
    start = cost(*_point(case))
    path = right.Path(case, gradient)
    for rate in path.rates():
        moved = case.changed(kernel=case.kernel - rate * gradient[0], weights=case.weights - rate * gradient[1])
        end = cost(*_point(moved))
        promised = rate * path.squared_norm
        error = path.remainder(rate) + right.rounding(case, moved)
        agree(end - start, Value(-promised, 0.0, 1.0, error), f"the change of the cost on a step of rate {rate:.3g}")
        if promised / 2 > error - path.remainder(rate):
            require(end < start, "the cost does not decrease", yours=end, expected=f"less than {start!r}")


@given(case=lively_network_cases)
def test_train_step_descends_at_the_gradients_rate(train_step, cost, case):
    """One small training step of rate η moves the parameters by some Δ and the cost by `−‖Δ‖²/η`, up to a term in η².

    Source: the first-order expansion of the cost along `Δ = −η ∇cost`; Nocedal & Wright, section 3.1.
    """
    start = cost(*_point(case))
    for rate in right.Path(case, right.gradients(*_point(case))).rates():
        kernel, weights = train_step(*_point(case), rate)
        gradient = (case.kernel - kernel) / rate, (case.weights - weights) / rate
        path = right.Path(case, gradient)
        moved = case.changed(kernel=kernel, weights=weights)
        error = path.remainder(rate) + right.rounding(case, moved) + path.subtraction_error(rate)
        end = cost(*_point(moved))
        agree(
            end - start, Value(-rate * path.squared_norm, 0.0, 1.0, error), f"the change of the cost at rate {rate:.3g}"
        )


@given(case=smooth_network_cases)
def test_train_step_agrees_with_gradients(train_step, gradients, case):
    """One training step is the target's own gradients, times −η, added to the parameters.

    Source: the contract's definition of `train_step`.
    """
    moved = train_step(*_point(case), case.learning_rate)
    own = gradients(*_point(case))
    bound = right.gradient_values(*_point(case))
    all_terms = right.step_terms(case.image, case.weights)
    for name, yours, gradient, value, terms in zip(("kernel", "weights"), moved, own, bound, all_terms, strict=True):
        gradient_value = Value(gradient, 2 * value.units, value.size, value.floor)
        agree(yours, right.moved(case[name], gradient_value, case.learning_rate, terms), f"the new {name}")


@given(case=lively_network_cases)
def test_cost_falls_over_a_run(train_step, cost, case):
    """Over a run of safe steps the cost falls at each, by at least half of what the gradient promises.

    The rate of every step is computed anew: no kink is crossed, and the second-order term is at most half of
    the first. Source: Nocedal & Wright, Numerical Optimization, section 3.1.
    Proof: proofs/network.v, cost_falls_on_small_steps, cost_falls_by_half_of_the_promise.
    """
    for _ in range(RUN_LENGTH):
        path = right.Path(case, right.gradients(*_point(case)))
        rate = path.longest()
        kernel, weights = train_step(*_point(case), rate)
        moved = case.changed(kernel=kernel, weights=weights)
        before, after = cost(*_point(case)), cost(*_point(moved))
        error = right.rounding(case, moved) + path.subtraction_error(rate)
        require(
            after <= before - rate * path.squared_norm / 2 + error,
            f"the cost does not fall as promised on a step of rate {rate:.3g}",
            yours=after,
            expected=f"at most {before - rate * path.squared_norm / 2 + error!r}, down from {before!r}",
        )
        if rate * path.squared_norm <= error:
            break
        case = moved


def _point(case):
    return case.arguments(*right.POINT)
