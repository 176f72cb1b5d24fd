"""The layers of `stateful.py` as a loop would use them: kept, and never reset.

    python -m backproof examples/kept_layers.py -k calls

- Library: numpy
- Verdict: refuted
- Refuted: calls.keeps_the_contract[conv2d_kernel_gradient]
- Refuted: calls.holds_at_a_larger_size[conv2d_kernel_gradient]
- Refuted: calls.holds_at_every_scale[conv2d_kernel_gradient]
- Refuted: calls.gives_its_answers_away[conv2d_kernel_gradient]
- Refuted: calls.goes_by_every_argument[conv2d_kernel_gradient]
- Convolution: convolution
- Ties: not offered
- ReLU'(0): not offered
- Precision: float64

`kept` gives the same layer back for the same kernel. What it computes first is right; its kernel's gradient is that of
all calls so far, so what every operation owes its callers (`-k calls`) is refuted: asked again, it gives another
answer. The second case fails since the image's gradient was asked for before, with the same kernel. Calling `reset`
before `forward` mends both.
"""

from pathlib import Path

from backproof.adapters import from_layer, kept, module_from

stateful = module_from(Path(__file__).with_name("stateful.py"))

conv2d, convolution_gradients = from_layer(kept(stateful.Convolution), "kernel_gradient")


def conv2d_image_gradient(image, kernel, upstream):
    return convolution_gradients(image, kernel, upstream)[0]


def conv2d_kernel_gradient(image, kernel, upstream):
    return convolution_gradients(image, kernel, upstream)[1]
