"""Mistakes in the activations' gradients, which are given an upstream gradient."""

from . import edited
from .activations import SURVEY

AT_ZERO = "activation_gradients.relu_gradient_at_zero_is_a_subgradient"
SLOPES = {  # what stands in the right code for the slope
    "arctan": " / (1 + x**2)",
    "logistic": " * y * (1 - y)",
    "tanh": " * (1 - np.tanh(x) ** 2)",
    "softplus": " / (1 + np.exp(-x))",
}

MISTAKES = (
    edited("relu_gradient", "mask of the gradient", "ReLU's mask is taken of upstream, not of its input.",
           "(x > 0)", "(upstream > 0)", "the gradient is masked where the input must be", "mask by x > 0", SURVEY),
    edited("relu_gradient", "mask missing", "Upstream goes through as it is.", "upstream * (x > 0)", "upstream + 0",
           "a layer of the chain is forgotten", "upstream times x > 0"),
    edited("relu_gradient", "upstream missing", "It is the mask alone.", "upstream * (x > 0)", "1.0 * (x > 0)",
           "the derivative is taken for the gradient", "upstream times x > 0"),
    edited("relu_gradient", "leaky slope", "Below 0 it hands a hundredth on.", "x > 0, upstream, 0",
           "x > 0, upstream, 0.01 * upstream", "leaky ReLU is copied for ReLU", "below 0 nothing is handed on"),
    edited("relu_gradient", "output for the mask", "Upstream is multiplied with relu(x).",
           "upstream * (x > 0)", "upstream * np.maximum(x, 0)",
           "the masked input is taken for the mask", "upstream times x > 0"),
    edited("relu_gradient", "twice at zero", "At 0 it hands on upstream twice.",
           "gradient[x <= 0] = 0", "gradient[x == 0] *= 2\n    gradient[x < 0] = 0",
           "the slopes on both sides are added up", "at 0 upstream times any number in [0, 1]", named_by=AT_ZERO),
    *(edited(f"{name}_gradient", "upstream missing", "It is the derivative alone.",
             "return upstream", "return np.ones(x.shape)", "the derivative is taken for the gradient", "times upstream")
      for name in SLOPES),
    *(edited(f"{name}_gradient", "slope missing", "Upstream goes through as it is.",
             slope, " + 0", "a layer of the chain is forgotten", "upstream times the derivative at x")
      for name, slope in SLOPES.items()),
    edited("arctan_gradient", "taken at the output", "The derivative is taken at arctan(x).",
           "x**2", "np.arctan(x) ** 2", "the output is kept from the forward pass", "1 / (1 + x²) of the input x"),
    edited("logistic_gradient", "argument taken for the output", "It is `upstream · x (1 − x)`.",
           "1 / (1 + np.exp(-x))", "x", "many courses hand the output over", "σ(x) σ(−x) of the input x", SURVEY),
    edited("logistic_gradient", "second factor missing", "It is upstream times σ(x).", " * (1 - y)", "",
           "a factor is forgotten", "σ(x) (1 − σ(x))"),
    edited("tanh_gradient", "argument taken for the output", "It is `upstream · (1 − x²)`.",
           "np.tanh(x)", "x", "many courses hand the output over", "1 − tanh(x)² of the input x", SURVEY),
    edited("softplus_gradient", "of relu", "It is ReLU's: upstream where x > 0.",
           "upstream / (1 + np.exp(-x))", "upstream * (x > 0)", "softplus is taken for ReLU", "upstream · σ(x)"),
)  # fmt: skip
