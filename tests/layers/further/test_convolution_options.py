"""The convolution with options: what cases reach, that the oracle is right, and what targets are held and refused."""

import json
from collections import Counter

import numpy as np
import pytest

import properties
from benchmarks.trials import failure_of, settle
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.core.limits import Limits
from properties.harness.core.setting import Conventions, Counts, with_setting
from properties.harness.core.tape import Case, Tape
from properties.harness.target.layout import Layout
from properties.harness.why.diagnosis import diagnosed
from properties.layers import LAYERS, OPERATIONS
from properties.layers.options.convolution_bases import every_option, tensor
from properties.layers.options.convolution_sides import NONE, read, smaller
from properties.mistakes.channels import channel_mistakes
from properties.mistakes.right import full
from tests.doubles import trial_of

LAYER = LAYERS["convolution_options"]
BIAS = "conv2d_bias_gradient"
FORWARD, KERNEL, IMAGE = (f"conv2d{name}_with_options" for name in ("", "_kernel_gradient", "_image_gradient"))


def cases(count, reader=read):
    """So many cases, from random bytes."""
    generator = np.random.default_rng(0)
    return [reader(Tape(generator.bytes(4096))) for _ in range(count)]


def sides(case):
    """Of rows and columns: stride, padding, dilation; of the kernel, the output, the image, and what is left over."""
    for axis in (-2, -1):
        stride, padding, dilation = (case[name][axis] for name in NONE)
        kernel, output, image = (case[name].shape[axis] for name in ("kernel", "upstream", "image"))
        rest = image + 2 * padding - dilation * (kernel - 1) - 1 - stride * (output - 1)
        yield stride, padding, dilation, kernel, output, image, rest


def test_cases_reach_every_option():
    """Every stride, padding and dilation up to 3 comes with every other, with something left over, for rows and columns
    apart; with kernels larger than the image, outputs that see the padding alone, and patches that overlap or do not.
    """
    found = [tuple(sides(case)) for case in cases(2000)]
    every = [side for pair in found for side in pair]
    assert {side[:3] for side in every} == {(s, p, d) for s in (1, 2, 3) for p in (0, 1, 2, 3) for d in (1, 2, 3)}
    assert all(0 <= rest < stride and image > 0 for stride, *_, image, rest in every)
    assert {(stride, rest) for stride, *_, rest in every} == {(s, r) for s in (1, 2, 3) for r in range(s)}
    counts = Counter[str]()
    for rows, columns in found:
        counts["strides differ"] += rows[0] != columns[0]
        counts["paddings differ"] += rows[1] != columns[1]
        counts["dilations differ"] += rows[2] != columns[2]
        counts["no padding in rows alone"] += rows[1] == 0 < columns[1]
        for stride, padding, dilation, kernel, _, image, rest in (rows, columns):
            counts["kernel larger than the image"] += kernel > image
            counts["padding alone"] += padding > dilation * (kernel - 1)
            counts["gaps between patches"] += stride > dilation * (kernel - 1) + 1
            counts["overlaps"] += stride <= dilation * (kernel - 1)
            counts["left over in the image"] += rest > padding
    assert min(counts.values()) > 100, counts


def test_cases_that_leave_over_do():
    """Each leaves rows and columns of the image itself over; with no stride there is nothing to leave."""
    for case in cases(200, lambda tape: read(tape, leaves=True)):
        assert all(rest > padding for _, padding, *_, rest in sides(case))
    with with_setting(options=frozenset()):
        assert all(case.stride == (1, 1) for case in cases(20, lambda tape: read(tape, leaves=True)))


@pytest.mark.parametrize("option", [*NONE, "bias"])
def test_option_that_is_not_offered_is_not_used(option):
    """It has the value that changes nothing in every case; the others are used."""
    with with_setting(options=frozenset({*NONE, "bias"} - {option})):
        found = cases(100)
    assert not np.any(
        [case["bias"] for case in found] if option == "bias" else [case[option] != NONE[option] for case in found]
    )
    assert all(any(case[other] != NONE[other] for case in found) for other in {*NONE} - {option})


def test_declared_shapes_are_kept_to():
    """Kernels and images are those that are declared, with options that fit: no output is without a place."""
    limits = Limits(kernels=((3, 3), (1, 2)), images=((5, 6), (3, 3)))
    with with_setting(limits=limits):
        for case in cases(300):
            assert case.kernel.shape[2:] in limits.kernels
            assert case.image.shape[2:] in limits.images
            assert case.upstream.shape[2:] == OPERATIONS[FORWARD].shapes(case)[0][2:]


def test_smaller_cases_are_cases_and_smaller():
    """Of each case those that are one thing less have outputs of their upstream's shape, and no more of anything."""
    with with_setting(most=Counts(2, 2, 2)):
        for case in cases(60):
            for one in smaller(case):
                assert OPERATIONS[FORWARD].shapes(one)[0] == one.upstream.shape
                assert all(np.size(one[name]) <= np.size(case[name]) for name in case)
                assert all(np.all(np.array(one[name]) <= case[name]) for name in NONE)


@pytest.mark.parametrize("convention", ["convolution", "correlation"])
def test_oracles_are_the_sums_of_the_definition(convention):
    """They are what loops over all indices give, with images, channels and filters, and for points together."""
    with with_setting(most=Counts(2, 3, 2), conventions=Conventions(convention)):
        for case in cases(40):
            output, kernel, image = _by_loops(case, flips=convention == "convolution")
            for name, expected in ((FORWARD, output), (KERNEL, kernel), (IMAGE, image)):
                found = OPERATIONS[name].value(case)[0]
                assert (np.abs(found.value - expected) <= found.allowed).all()
                arrays = {key: np.stack([value, value]) for key, value in case.items() if isinstance(value, np.ndarray)}
                points = OPERATIONS[name].value(case.changed(**arrays))[0]
                np.testing.assert_array_equal(points.value, np.stack([found.value] * 2))
                np.testing.assert_allclose(points.allowed[0], np.broadcast_to(found.allowed, points.allowed[0].shape))


def _by_loops(case, flips):
    """The three answers by sums over all indices, on numbers short enough to be exact."""
    image, kernel, upstream = case.arguments("image", "kernel", "upstream")
    (s, t), (p, q), (d, e) = case.arguments(*NONE)
    padded = np.pad(image, ((0, 0), (0, 0), (p, p), (q, q)))
    height, width = kernel.shape[2:]
    output = np.zeros(upstream.shape) + case.bias[:, None, None]
    for_kernel, for_image = np.zeros(kernel.shape), np.zeros(padded.shape)
    for n, o, i, j in np.ndindex(*upstream.shape):
        for c, a, b in np.ndindex(*kernel.shape[1:]):
            m, k = (height - 1 - a, width - 1 - b) if flips else (a, b)
            place = n, c, i * s + m * d, j * t + k * e
            output[n, o, i, j] += padded[place] * kernel[o, c, a, b]
            for_kernel[o, c, a, b] += padded[place] * upstream[n, o, i, j]
            for_image[place] += kernel[o, c, a, b] * upstream[n, o, i, j]
    return output, for_kernel, for_image[:, :, p : p + image.shape[2], q : q + image.shape[3]]


@pytest.mark.parametrize("most", [Counts(), Counts(3, 3, 3)])
def test_bases_go_through_every_stride_and_padding(most):
    """All strides and paddings of rows and columns come, and the tensor is what the oracle says of basis vectors."""
    with with_setting(most=most):
        found = list(every_option(1.0))
        up_to = 3 if most == Counts() else 2
        assert len({(case.stride, case.padding) for case in found}) == (up_to * (up_to + 1)) ** 2
        assert {case.dilation for case in found} == {(d, e) for d in range(1, up_to + 1) for e in range(1, up_to + 1)}
        for case in found[::17]:
            expected = tensor(case)
            for m in range(case.image.size):
                image = np.eye(case.image.size)[m].reshape(case.image.shape)
                kernel = np.ones(case.kernel.shape)
                output = OPERATIONS[FORWARD].value(case.changed(image=image, kernel=kernel))[0].value
                np.testing.assert_array_equal(expected[m].sum(axis=0), output[0].ravel())
        assert 0 < len(list(every_option(0.1))) < len(found) / 5


def answers(layout, flips, options, **arrays):
    """What is right of arrays in this layout: the output, or with an upstream the gradients for image, kernel, bias."""
    own, case = Layout(layout), Case(zip(NONE, options, strict=True))
    for name, value in arrays.items():
        case[name] = own.inward(LAYER.kinds[name], np.asarray(value, dtype=np.float64), case)
    wanted = (IMAGE, KERNEL, BIAS) if "upstream" in case else (FORWARD,)
    with with_setting(conventions=Conventions("convolution" if flips else "correlation")):
        found = [OPERATIONS[name].value(case)[0].value for name in wanted]
    return tuple(own.outward(OPERATIONS[name].gives[0], one, case) for name, one in zip(wanted, found, strict=True))


def target(layout="HW", flips=False, parts=3):
    """A right target: the forward pass, and all gradients by one function; every option has a default."""

    def conv2d(image, kernel, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
        bias = np.zeros(1 if layout == "HW" else len(kernel)) if bias is None else bias
        return answers(layout, flips, (stride, padding, dilation), image=image, kernel=kernel, bias=bias)[0]

    def conv2d_gradients(image, kernel, upstream, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
        options = stride, padding, dilation
        return answers(layout, flips, options, image=image, kernel=kernel, upstream=upstream)[:parts]

    return {"conv2d": conv2d, "conv2d_gradients": conv2d_gradients, "LAYOUT": layout}


def outcomes(offered, keyword="convolution", examples=4):
    """The outcomes of the properties that apply to a target, by id."""
    report = json.loads(properties.verify(offered, keyword=keyword, examples=examples).as_json())
    return {entry["id"]: entry["outcome"] for entry in report["properties"] if entry["outcome"] != "not applicable"}


def held(found, layer="convolution_options"):
    """The statements about a layer that applied, if all that applied held."""
    assert {*found.values()} == {"held"}, found
    return {name.partition(".")[2] for name in found if name.startswith(f"{layer}.")}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Failures are kept in a folder of the test."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("layout", "flips", "parts"),
    [("HW", True, 3), ("HW", False, 2), ("CHW", True, 2), ("NCHW", False, 3), ("NHWC", True, 3)],
)
def test_right_target_holds(layout, flips, parts):
    """Gradients may come as a pair, or as a triple with the bias's, for the operations with options and for those
    without; only of a triple is the bias's gradient checked.
    """
    found = outcomes(target(layout, flips, parts))
    assert held(found, "convolution") >= {"kernel_gradient_is_the_adjoint", "image_gradient_is_the_adjoint"}
    assert len(held(found)) == 16 + 2 * (parts == 3)


def test_required_parameters_are_handed_what_changes_nothing():
    """A target whose functions have no defaults is asked for the operations without options too, and holds."""
    own = target()

    def conv2d(image, kernel, bias, stride, padding, dilation):
        return own["conv2d"](image, kernel, bias, stride, padding, dilation)

    def conv2d_gradients(image, kernel, upstream, bias, stride, padding, dilation):
        assert not np.any(bias)
        return own["conv2d_gradients"](image, kernel, upstream, stride, padding, dilation)

    found = outcomes({"conv2d": conv2d, "conv2d_gradients": conv2d_gradients})
    assert len(held(found, "convolution")) == 10
    assert len(held(found)) == 18


def test_gradients_may_be_functions_of_their_own():
    """Each with options of its own; the bias's gradient takes upstream alone. Adjoints have those that both offer."""
    own = target("NCHW")
    offered = {
        "LAYOUT": "NCHW",
        "conv2d": lambda image, kernel, stride=(1, 1): own["conv2d"](image, kernel, None, stride),
        "conv2d_image_gradient": lambda image, kernel, upstream, padding=(0, 0): own["conv2d_gradients"](
            image, kernel, upstream, (1, 1), padding
        )[0],
        "conv2d_kernel_gradient": lambda image, kernel, upstream: own["conv2d_gradients"](image, kernel, upstream)[1],
        "conv2d_bias_gradient": lambda upstream: upstream.sum(axis=(0, 2, 3)),
    }
    statements = held(outcomes(offered))
    assert {"image_gradient_with_options_is_the_adjoint", "bias_gradient_is_the_sum_of_upstream"} <= statements
    assert (
        not {"padding_is_a_frame_of_zeros", "bias_is_added_to_each_channel", "bias_gradient_is_the_adjoint"}
        & statements
    )
    assert not any(name.startswith("kernel_gradient") for name in statements)


def test_options_may_be_declared():
    """A function whose signature tells nothing has those that are named in OPTIONS."""
    own = target()["conv2d"]
    offered = {
        "conv2d": lambda image, kernel, **options: own(image, kernel, **options),
        "OPTIONS": {"conv2d": ("padding",)},
    }
    assert held(outcomes(offered)) >= {"padding_is_a_frame_of_zeros", "options_that_change_nothing_give_conv2d"}
    assert "stride_takes_every_so_manieth_output" not in held(outcomes(offered))


@pytest.mark.parametrize(
    "declared", [{"KERNEL_SHAPES": "square", "IMAGE_SHAPES": "square"}, {"IMAGE_SHAPES": [(7, 6)]}]
)
def test_declared_shapes_hold(declared):
    """A target that supports some shapes alone is asked for no others, by statements that change them neither."""
    own = target()

    def conv2d(image, kernel, bias, stride, padding, dilation):
        limits = [[(side, side) for side in range(1, 30)], declared["IMAGE_SHAPES"]]
        assert image.shape in limits["square" not in declared["IMAGE_SHAPES"]]
        assert kernel.shape[0] == kernel.shape[1] or "KERNEL_SHAPES" not in declared
        return own["conv2d"](image, kernel, bias, stride, padding, dilation)

    assert len(held(outcomes(own | {"conv2d": conv2d} | declared, examples=8))) > 10


WRONG = {
    "strides swapped": lambda stride, padding, dilation: (stride[::-1], padding, dilation),
    "rows' padding for both": lambda stride, padding, dilation: (stride, padding[:1] * 2, dilation),
    "no dilation": lambda stride, padding, dilation: (stride, padding, (1, 1)),
}
OF_GRADIENTS = [
    f"{part}_gradient{more}_is_the_adjoint" for part in ("kernel", "image") for more in ("", "_with_options")
]


@pytest.mark.parametrize("option", WRONG)
def test_wrong_option_is_refuted_where_it_is_used_alone(option):
    """Gradients of other options are refuted by the statements about options; those without options hold."""
    own, wrong = target(), WRONG[option]

    def conv2d_gradients(image, kernel, upstream, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
        return own["conv2d_gradients"](image, kernel, upstream, *wrong(stride, padding, dilation))

    settle(30, shrinks=False)
    entries = [one for one in all_properties().values() if one.id.partition(".")[2] in OF_GRADIENTS]
    with trial_of(**own | {"conv2d_gradients": conv2d_gradients}) as trial:
        for entry in entries:
            arguments = arguments_of(entry.function, trial.target, entry.operation)
            assert bool(failure_of(entry.function, arguments, trial)) == ("with_options" in entry.id)
    assert len(entries) == 4


OF_SEVERAL = {one.id: one for one in channel_mistakes() if OPERATIONS[one.operation].layer == LAYER.name}


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_mistake_of_several_is_refuted_and_named(name):
    """A mistake in the sums over images, channels or filters is refuted by its property, and named first."""
    wrong = OF_SEVERAL[name]
    offered = {one.name: full(one.name) for one in LAYER.operations} | {"LAYOUT": "NCHW"}
    settle(30, shrinks=False)
    with trial_of(**offered | {wrong.operation: wrong.make()}) as trial:
        entry = next(one for one in all_properties().values() if one.id == wrong.named_by)
        found = failure_of(entry.function, arguments_of(entry.function, trial.target, entry.operation), trial)
        assert diagnosed(trial.target.operations[wrong.operation], Case(found.case)).mistakes[0] == name


def test_bias_gradient_of_one_filter_may_be_a_number():
    """Without channels there is one bias: its gradient may be a number, or have any shape of one entry."""
    for answer in (lambda upstream: upstream.sum(), lambda upstream: upstream.sum(keepdims=True)):
        assert len(held(outcomes({"conv2d_bias_gradient": answer}, "conv2d_bias or bias_gradient"))) == 1
    found = outcomes({"conv2d_bias_gradient": lambda upstream: upstream.sum(axis=0)}, "sum_of_upstream")
    assert found == {"convolution_options.bias_gradient_is_the_sum_of_upstream": "refuted"}


SIZES = {
    "this is the shape without the padding": {"padding": lambda case: (0, 0)},
    "it takes the rows' stride for that of the columns too": {"stride": lambda case: case.stride[:1] * 2},
    "it takes the rows' options for the columns'": {name: lambda case, name=name: case[name][::-1] for name in NONE},
}


@pytest.mark.parametrize("words", SIZES)
def test_shape_of_other_options_is_told(words):
    """What answers of another shape have in common is said in words; of right ones nothing is."""
    found = cases(60)
    wrong = [
        (case, (1, 1, *np.maximum(OPERATIONS[FORWARD].shapes(_changed(case, SIZES[words]))[0][2:], 0).tolist()))
        for case in found
    ]
    assert words in OPERATIONS[FORWARD].misshapen(wrong)
    assert OPERATIONS[FORWARD].misshapen([(case, case.upstream.shape) for case in found]) is None


def _changed(case, options):
    return case.changed(**{name: change(case) for name, change in options.items()})


def test_shape_rounded_up_is_told():
    """An output for what does not fill a stride is said to be one."""
    wrong = []
    for case in cases(60):
        counts = [output + (rest > 0) for *_, output, _, rest in sides(case)]
        wrong.append((case, (1, 1, *counts)))
    assert "rounds the number of outputs up" in OPERATIONS[FORWARD].misshapen(wrong)
