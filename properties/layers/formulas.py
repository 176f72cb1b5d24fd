"""The right formula of each operation, as the report shows it beside what a target gave."""

from typing import Any

_FLIPPED = {True: ("i+h−1−a, j+w−1−b", "i+h−1−m, j+w−1−n"), False: ("i+a, j+b", "m−i, n−j")}
_FORMULAS = {
    "relu": ["`y = max(x, 0)`"],
    "relu_derivative": [
        "`∂y/∂x = 1` where `x > 0`, `∂y/∂x = 0` where `x < 0`, and where `x = 0` any number in [0, 1]",
    ],
    "arctan": ["`y = arctan(x)`"],
    "arctan_derivative": ["`∂y/∂x = 1 / (1 + x²)`"],
    "logistic": ["`y = σ(x) = 1 / (1 + exp(−x))`"],
    "logistic_derivative": ["`∂y/∂x = σ(x) (1 − σ(x))`, where `σ(x) = 1 / (1 + exp(−x))`"],
    "conv2d": ["`y[i,j] = Σ[a,b] image[{output}] kernel[a,b]`"],
    "conv2d_kernel_gradient": ["`∂C/∂kernel[a,b] = Σ[i,j] upstream[i,j] image[{output}]`"],
    "conv2d_image_gradient": ["`∂C/∂image[m,n] = Σ[i,j] upstream[i,j] kernel[{image}]`"],
    "max_pool": ["`y[i,j] = max[a<p, b<q] x[p i+a, q j+b]`"],
    "max_pool_gradient": [
        "`∂C/∂x[p i+a, q j+b] = g[a,b] upstream[i,j]`",
        "with weights `g[a,b] ≥ 0`, `Σ[a,b] g[a,b] = 1`, and `g[a,b] = 0` off the maxima of the window",
    ],
    "dense": ["`s = Σ[k] features[k] weights[k]`"],
    "dense_gradients": ["`∂C/∂features = upstream · weightsᵀ`", "`∂C/∂weights = featuresᵀ · upstream`"],
    "predict": [
        "`p = arctan(s)`, `s = pooled · weights`",
        "`pooled = max_pool(relu(conv2d(image, kernel)))`, flattened by rows to (1, n)",
    ],
    "cost": ["`C = (p − t)² / 2`"],
    "gradients": [
        "`δ = (p − t) / (1 + s²)`",
        "`∂C/∂weights = δ · pooled`, flattened by rows to (n, 1)",
        "`∂C/∂kernel[a,b] = Σ[i,j] u[i,j] image[{output}]`",
        "with `u[i,j] = δ` times the weight of its window where it wins there and is positive, elsewhere 0",
    ],
    "train_step": ["`kernel' = kernel − η ∂C/∂kernel`", "`weights' = weights − η ∂C/∂weights`"],
}


def formulas(operation: str, conventions: dict[str, Any]) -> list[str]:
    """What is right for an operation, in lines for `notation.typeset`; true convolution where none was found.

    `image` (H, W), `kernel` (h, w), windows (p, q); `C` is the cost, `t` the target and `η` the learning rate. With
    channels, sums go over them and over the images of a batch too. Sources: those of the statements.
    """
    output, image = _FLIPPED[conventions["convolution"] != "correlation"]
    return [line.replace("{output}", output).replace("{image}", image) for line in _FORMULAS[operation]]
