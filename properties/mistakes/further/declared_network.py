"""Mistakes in a declared network, shown in the one that cases are of without a declaration."""

from .. import edited

NAME = "declared_network"
AT_KINKS = f"{NAME}.every_gradient_at_kinks_is_conservative"
STEP_AT_KINKS = f"{NAME}.steps_at_kinks_are_conservative"

MISTAKES = (
    edited("declared_predict", "bias of the convolution missing", "The first layer has no bias.", " + bias1", "",
           "the bias is kept, and never used", "the bias is added to each channel"),
    edited("declared_predict", "bias of the outputs missing", "The dense layer has no bias.", " + bias2", "",
           "the bias is kept, and never used", "features @ weights + bias"),
    edited("declared_predict", "mean pooling", "The mean of each window is taken.", "windows.max(", "windows.mean(",
           "average pooling is taken for maximum pooling", "the maximum of each window"),
    edited("declared_predict", "wide padding with the edge", "The image is padded with its own edge.",
           "np.pad(image, 1)", 'np.pad(image, 1, "edge")', "np.pad's mode is another one", "zeros around the image"),
    edited("declared_predict", "ties nudged", "A pre-activation of 0 counts as a hundredth.", "np.maximum(y, 0)",
           "np.where(y == 0, 0.01, np.maximum(y, 0))", "an ε keeps units alive", "max(y, 0)", "",
           f"{NAME}.outputs_hold_at_kinks"),
    edited("declared_cost", "probability for the cost", "It is one minus the probability of the class.",
           "np.log(np.sum(np.exp(shifted))) - np.sum(shifted * one_hot(target, outputs.shape[1]))",
           "1 - np.sum(np.exp(shifted) * one_hot(target, outputs.shape[1])) / np.sum(np.exp(shifted))",
           "the logarithm is forgotten", "the logarithm of the sum, less the output of the class"),
    edited("declared_cost", "no shift", "The largest output is not subtracted: large ones overflow.",
           "outputs - outputs.max()", "outputs + 0", "the textbook's formula as it stands", "subtract the maximum"),
    edited("declared_gradients", "mask of ReLU missing", "What reaches a dead pre-activation goes on.",
           "reaching *= y > 0", "reaching *= 1", "a layer of the chain is forgotten", "nothing where y ≤ 0"),
    edited("declared_gradients", "last window wins", "Of windows that overlap the last one's gradient stays.",
           "column] += upstream", "column] = upstream", "= in place of +=", "+= where windows overlap"),
    edited("declared_gradients", "softmax's slope once more", "The residual is multiplied by p (1 − p).",
           "one_hot(target, outputs.shape[1])\n    upstream",
           "one_hot(target, outputs.shape[1])\n    delta *= exponentials / exponentials.sum()\n    upstream",
           "the logistic function's slope is put in again", "the residual alone"),
    edited("declared_gradients", "mean for the bias", "The bias gets the mean over the positions.",
           "reaching.sum()", "reaching.mean()", "a mean in place of a sum", "sum over the positions"),
    edited("declared_gradients", "every maximum whole", "Every tied maximum gets the whole upstream value.",
           "        row, column = np.unravel_index(windows[i, j].argmax(), (3, 3))\n"
           "        reaching[2 * i + row, 2 * j + column] += upstream[i, j]",
           "        mask = windows[i, j] == windows[i, j].max()\n"
           "        reaching[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += mask * upstream[i, j]",
           "a mask is repeated over the window", "share it among them", "", AT_KINKS),
    edited("declared_train_step", "ascent", "All parameters move along their gradients.",
           "kernel1 - learning_rate * moves[0]\n    new_bias = bias1 - learning_rate * moves[1]\n"
           "    return new_kernel, new_bias, weights2 - learning_rate * moves[2], bias2 - learning_rate * moves[3]",
           "kernel1 + learning_rate * moves[0]\n    new_bias = bias1 + learning_rate * moves[1]\n"
           "    return new_kernel, new_bias, weights2 + learning_rate * moves[2], bias2 + learning_rate * moves[3]",
           "the sign is lost", "minus the rate times the gradient"),
    edited("declared_train_step", "bias not trained", "The convolution's bias stays as it is.",
           "bias1 - learning_rate * moves[1]", "bias1 + 0", "a parameter is forgotten", "every parameter moves"),
    edited("declared_train_step", "gradients at new weights", "The kernel moves by the gradient at the new weights.",
           "    new_bias = bias1", "    again = declared_gradients(\n"
           "        image, target, kernel1, bias1, weights2 - learning_rate * moves[2], bias2\n    )\n"
           "    new_kernel = kernel1 - learning_rate * again[0]\n    new_bias = bias1",
           "layers are updated on the way back", "all gradients at the old parameters"),
    edited("declared_train_step", "twice at zeros", "The kernel moves twice as far where some pre-activation is 0.",
           "new_bias = bias1", "y, _ = windows_of(image, kernel1, bias1)\n"
           "    new_kernel -= learning_rate * moves[0] * (y == 0).any()\n    new_bias = bias1",
           "dead units are to be woken", "one step", "", STEP_AT_KINKS),
)  # fmt: skip
