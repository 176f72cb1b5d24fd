"""The certificate says what was done, in words no stronger than that."""

import numpy as np
import pytest
from msgspec.structs import replace

import properties.exact
import reference
from benchmarks.variants import VARIANTS
from properties.harness.checking.trial import Record
from properties.harness.report.certificate import certificate, told
from properties.harness.report.results import blank, finished
from properties.layers import OPERATIONS
from tests.doubles import trial_of
from tests.reports import entry

PAIRS = properties.exact.test_conv2d_on_every_pair_of_basis_vectors
POINTS = properties.exact.test_conv2d_at_uniform_points


def ran(statement, **offered):
    """The report's entry of a statement about conv2d that ran on this target."""
    with trial_of(**offered) as trial:
        statement(conv2d=trial.target.operations["conv2d"])
        return entry(finished(trial.record, None, 0.0), id=statement.__name__, operation="conv2d")


@pytest.fixture(scope="module")
def proved():
    """What is said of the reference's convolution."""
    return certificate([ran(PAIRS, conv2d=reference.conv2d), ran(POINTS, conv2d=reference.conv2d)])


def test_exhausted_kinds_are_named(proved):
    """Each proof says what was exhausted, for which shapes, on how many cases, and that equality was exact."""
    (words,) = [lines for operation, lines in told(proved) if operation == "conv2d"]
    assert words[0] == (
        "proved exactly on every pair of basis vectors for images up to 6×6 and kernels up to 4×4 (30,625 cases)"
    )


def test_chance_is_computed_from_what_ran(proved):
    """The bound is (degree / values)^points: 2/129 to the eighth."""
    points = proved[0].proved[1]
    assert (points.degree, points.values, points.points) == (2, 129, 8)
    assert points.chance == (2 / 129) ** 8
    assert points.cases == 8 * 18**2


def test_what_rounds_is_proved_to_rounding():
    """A convolution through the FFT is not said to be exact."""
    (found,) = certificate([ran(PAIRS, conv2d=VARIANTS["convolution through the FFT"]["conv2d"])])
    assert found.proved[0].exactly is False
    assert next(told([found]))[1][0].startswith("proved to rounding on every pair")


def test_refuted_operation_is_not_certified(proved):
    """Of an operation that is refuted nothing else is said."""
    for why, words in (
        ("refuted", "refuted"),
        ("crashed", "crashed"),
        ("known", "not proved: a known deviation fails"),
    ):
        assert list(told([replace(proved[0], refuted=True, why=why)])) == [("conv2d", [words])]


def test_what_did_not_run_is_not_there():
    """An operation without a property that ran has no place in it."""
    assert certificate([entry(blank(), id="x", operation="dense")]) == []


def test_rounds_of_a_campaign_are_told():
    """The examples are those of so many rounds."""
    sampled = entry(finished(Record(700, 0, 700), None, 0.0), id="x", operation="conv2d")
    ((_, lines),) = told(certificate([sampled], rounds=3))
    assert lines == ["sampled by 1 property on 700 examples in 3 rounds, exact"]


def test_samples_are_counted_apart():
    """Statements that sample are counted as such, with the largest error seen."""
    sampled = replace(ran(PAIRS, conv2d=reference.conv2d), proof=None, largest_error=0.25, examples=7)
    ((_, lines),) = told(certificate([sampled]))
    assert lines == ["sampled by 1 property on 7 examples, within 0.25 units of rounding"]


def test_limits_are_not_claimed_away():
    """Of a target that supports some shapes alone, the proof says that it went as far as these."""
    (found,) = certificate([ran(PAIRS, conv2d=reference.conv2d, KERNEL_SHAPES="square")])
    assert "as far as the target supports these" in next(told([found]))[1][0]


def test_patterns_left_out_are_not_covered():
    """A pattern that the target does not implement is not among those covered."""

    def gradients(image, target, kernel, weights):
        if image[1, 1] > 2:  # the first entry of the first window wins: one pattern in five
            raise NotImplementedError
        return reference.gradients(image, target, kernel, weights)

    with trial_of(gradients=gradients) as trial:
        properties.exact.test_gradients_on_every_activation_pattern(gradients=trial.target.operations["gradients"])
        assert (trial.record.proof["covered"], trial.record.left_out) == (500, 125)


def test_what_leaves_cases_out_is_not_proved():
    """Where a single case is left out as not implemented nothing is said to be proved at every one of its kind."""

    def untied(x, window, upstream):
        scattered = reference.max_pool_gradient(x, window, upstream)
        if not np.array_equal(scattered, reference.mask_repeat(x, window, upstream)):
            raise NotImplementedError
        return scattered

    statement = properties.exact.test_gradient_at_every_set_of_maxima
    with trial_of(max_pool_gradient=untied) as trial:
        statement(max_pool_gradient=trial.target.operations["max_pool_gradient"])
        result = finished(trial.record, None, 0.0)
    (found,) = certificate([entry(result, id="sets", operation="max_pool_gradient")])
    assert found.proved == []
    assert next(told([found]))[1] == [
        "tried at every set of maxima for windows up to 3×3 (15 for 2×2, 63 for 2×3, 511 for 3×3): "
        "right exactly in 35 cases, 637 left out as not implemented, so not proved"
    ]


def test_proved_formulas_are_told_apart_from_code():
    """The certificate says of which operation the formula is proved: of what the property that states it names."""
    stating = ran(POINTS, conv2d=reference.conv2d)
    stating = replace(stating, proof=None, operation="dense_gradients", id=OPERATIONS["dense_gradients"].named_by)
    proved = certificate([replace(stating, theorems=["proofs/dense.v, one", "proofs/dense.v, two"])])
    assert proved[0].theorems == ["proofs/dense.v, one", "proofs/dense.v, two"]
    ((_, lines),) = told(proved)
    assert lines[0] == "formula proved for every shape (proofs/dense.v), code on these"
    assert certificate([replace(stating, id="another", theorems=["proofs/dense.v, one"])])[0].theorems == []
