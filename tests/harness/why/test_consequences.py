"""A failure of the network is traced to the layer that it follows from, and only where that explains it."""

import numpy as np
import pytest

import reference
from properties.harness.checking.fixed_cases import smooth
from properties.harness.core.tape import Case
from properties.harness.core.values import parts
from properties.harness.target.layout import HW
from properties.harness.target.operation import Operation
from properties.harness.why.consequences import is_wrong
from properties.harness.why.diagnosis import diagnosed
from properties.layers import OPERATIONS
from properties.layers.declared import composed
from properties.mistakes.channels import NETWORK
from properties.mistakes.right import full as right
from tests.doubles import reference_with, trial_of


def twice(x):
    """A ReLU that is twice too large."""
    return 2 * reference.relu(x)


def turned(image, kernel, upstream):
    """A kernel gradient that lacks its outer rotation."""
    return np.rot90(reference.conv2d_kernel_gradient(image, kernel, upstream), 2)


def made_of(name, **layers):
    """One operation of the network, for (H, W) arrays, made of these layers and of the reference's."""

    def part(operation, *arguments):
        if operation not in layers and OPERATIONS[operation].uses:
            return composed(operation, part)(*arguments)
        function = layers.get(operation) or getattr(reference, operation)
        door = Operation(operation, function)
        return door.checked(function(*door.handed(arguments)), arguments)

    def answer(*own):
        case = Operation(name, composed(name, part)).case_of(own)
        given = parts(composed(name, part)(*case.values()))
        outward = tuple(HW.outward(*one, case) for one in zip(OPERATIONS[name].gives, given, strict=True))
        return outward if len(outward) > 1 else outward[0]

    return answer


def network_of(**layers):
    """The reference with these layers, and a network that is made of them."""
    return reference_with(**layers, **{name: made_of(name, **layers) for name in NETWORK})


def causes_of(name, **offered):
    """What is said of a network's operation."""
    with trial_of(**offered) as trial:
        return diagnosed(trial.target.operations[name], Case()).causes


@pytest.mark.parametrize("name", NETWORK)
def test_composed_network_is_right(name):
    """Made of right layers, every operation of the network is right."""
    made = composed(name, lambda operation, *arguments: right(operation)(*arguments))
    for case in smooth(OPERATIONS[name], 5):
        arguments = case.arguments(*OPERATIONS[name].parameters)
        for mine, expected in zip(parts(made(*arguments)), parts(right(name)(*arguments)), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NETWORK)
def test_layer_of_the_forward_pass_is_found(name):
    """A wrong ReLU makes all four wrong, and is named for each."""
    assert causes_of(name, **network_of(relu=twice)) == ("relu",)


def test_tie_error_is_found():
    """Mask repeat in the pooling layer is named for the gradients, though they are right off ties."""
    assert causes_of("gradients", **network_of(max_pool_gradient=reference.mask_repeat)) == ("max_pool_gradient",)


def test_two_layers_are_found():
    """Where it takes both to explain the answers, both are named, and no right one."""
    assert set(causes_of("gradients", **network_of(relu=twice, conv2d_kernel_gradient=turned))) == {
        "relu",
        "conv2d_kernel_gradient",
    }


def test_gradients_are_the_cause_of_a_step():
    """With right layers and wrong gradients of its own, the step follows from these."""
    wrong = made_of("gradients", relu=twice)
    step = made_of("train_step", gradients=wrong)
    assert causes_of("train_step", **reference_with(gradients=wrong, train_step=step)) == ("gradients",)


def test_wrong_layer_that_the_network_does_not_use_is_no_cause():
    """The network's own mistake is told as such, though a layer is wrong too."""
    negated = lambda *case: [-part for part in reference.gradients(*case)]  # noqa: E731
    assert causes_of("gradients", **reference_with(relu=twice, gradients=negated)) == ()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("relu", twice),
        ("max_pool_gradient", reference.mask_repeat),
        ("conv2d_kernel_gradient", turned),
        ("gradients", made_of("gradients", max_pool_gradient=reference.mask_repeat)),
        ("train_step", made_of("train_step", max_pool_gradient=reference.mask_repeat)),
    ],
)
def test_wrong_layers_are_known_as_such(name, wrong):
    """Off kinks or at them, and asked once; right ones are right. The property's record is not touched."""
    with trial_of(**reference_with(**{name: wrong})) as trial:
        before = trial.record.comparisons
        assert [one.name for one in trial.target.operations.values() if is_wrong(one)] == [name]
        assert trial.record.comparisons == before


def test_two_crashes_do_not_explain_each_other():
    """That a network and a layer both crash on everything does not make one follow from the other."""

    def crashing(*arguments):
        raise KeyError("no")

    assert causes_of("predict", **reference_with(conv2d=crashing, predict=crashing)) == ()


def test_what_a_layer_leaves_out_is_not_wrong():
    """A layer that takes some cases alone is right if it is right on these, and wrong if it is not."""

    def few(x):
        if x.size < 3:
            raise NotImplementedError
        return reference.relu(x)

    with trial_of(**reference_with(relu=few)) as trial:
        assert not is_wrong(trial.target.operations["relu"])
    with trial_of(**reference_with(relu=lambda x: 2 * few(x))) as trial:
        assert is_wrong(trial.target.operations["relu"])


def test_what_a_layer_leaves_out_explains_nothing():
    """A wrong layer that takes some cases alone is no cause of a network that takes them all."""

    def few(image, kernel):
        if kernel.size > 1:
            raise NotImplementedError
        return 2 * reference.conv2d(image, kernel)

    doubled = made_of("predict", relu=twice)
    assert causes_of("predict", **reference_with(conv2d=few, predict=doubled)) == ()
