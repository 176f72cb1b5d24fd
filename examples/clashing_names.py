"""Layers of two projects whose files are both called `layers.py`, and both import a `utils.py` of their own.

    python -m backproof examples/clashing_names.py --examples 20

- Library: numpy
- Verdict: refuted
- Refuted: pooling.gradient_at_ties_is_a_subgradient
- Refuted: pooling.gradient_obeys_eulers_identity
- Refuted: exact.gradient_at_every_set_of_maxima
- Refuted: exact.gradient_at_every_weak_ordering
- Refuted: calls.holds_at_a_larger_size[max_pool_gradient]
- Refuted: calls.holds_at_every_scale[max_pool_gradient]
- Convolution: correlation
- Ties: all
- ReLU'(0): not offered
- Precision: float64

Two plain imports would give the first project's `layers` twice; `module_from` keeps the files of each together. The
second project has the error that 17 of 44 public implementations have: every maximum of a tie gets the whole gradient.
"""

from pathlib import Path

from backproof.adapters import module_from

folder = Path(__file__).with_name("clashing")
convolution, pooling = (module_from(folder / project / "layers.py") for project in ("convolution", "pooling"))

conv2d, max_pool = convolution.forward, pooling.forward


def conv2d_kernel_gradient(image, kernel, upstream):
    return convolution.backward(upstream, image)


def max_pool_gradient(x, window, upstream):
    return pooling.backward(upstream, x, window)
