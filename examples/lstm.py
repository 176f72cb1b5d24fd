"""An LSTM cell and a layer norm by hand: layers that no table knows, each a pair of functions in `LAYERS`.

Sources: Hochreiter & Schmidhuber, 1997, and Gers, Schmidhuber & Cummins, 2000, for the cell; Ba, Kiros & Hinton, 2016,
for the norm. Check it with

    python -m backproof examples/lstm.py

- Library: numpy
- Verdict: holds
- Convolution: not offered
- Ties: not offered
- ReLU'(0): not offered
- Precision: float64
"""

import numpy as np
from backproof import Layer


def sigmoid(x):
    """1 / (1 + e^-x), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def gates(x, hidden, weights, recurrent, bias):
    """The input, forget and output gates, and the candidate, each (N, H)."""
    before = np.split(x @ weights + hidden @ recurrent + bias, 4, axis=1)
    return sigmoid(before[0]), sigmoid(before[1]), sigmoid(before[2]), np.tanh(before[3])


def lstm_cell(x, hidden, cell, weights, recurrent, bias):
    """The new hidden state and the new cell state."""
    enter, forget, leave, candidate = gates(x, hidden, weights, recurrent, bias)
    new = forget * cell + enter * candidate
    return leave * np.tanh(new), new


def lstm_cell_gradients(x, hidden, cell, weights, recurrent, bias, upstream_hidden, upstream_cell):
    """A gradient for each argument, of what comes back to the hidden state and to the cell state."""
    enter, forget, leave, candidate = gates(x, hidden, weights, recurrent, bias)
    active = np.tanh(forget * cell + enter * candidate)
    new = upstream_cell + upstream_hidden * leave * (1 - active**2)
    before = np.hstack(
        [
            new * candidate * enter * (1 - enter),
            new * cell * forget * (1 - forget),
            upstream_hidden * active * leave * (1 - leave),
            new * enter * (1 - candidate**2),
        ]
    )
    return before @ weights.T, before @ recurrent.T, new * forget, x.T @ before, hidden.T @ before, before.sum(axis=0)


def layer_norm(x, scale, shift, eps):
    """Each row with mean 0 and variance 1, scaled and shifted."""
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    return scale * (x - x.mean(axis=1, keepdims=True)) / deviation + shift


def layer_norm_gradients(x, scale, shift, eps, upstream):
    """A gradient for x, the scale and the shift; eps is fixed."""
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    normal = (x - x.mean(axis=1, keepdims=True)) / deviation
    scaled = upstream * scale
    means = scaled.mean(axis=1, keepdims=True), (scaled * normal).mean(axis=1, keepdims=True)
    return (scaled - means[0] - normal * means[1]) / deviation, (upstream * normal).sum(axis=0), upstream.sum(axis=0)


CELL = {"weights": (3, "4H"), "recurrent": ("H", "4H"), "bias": ("4H",)}
LAYERS = {
    "lstm_cell": Layer(
        lstm_cell, lstm_cell_gradients, x=("N", 3), hidden=("N", "H"), cell=("N", "H"), **CELL
    ).with_rows("N"),
    "layer_norm": Layer(
        layer_norm, layer_norm_gradients, x=("N", "D"), scale=("D",), shift=("D",), eps=[1e-5]
    ).with_rows("N"),
}
