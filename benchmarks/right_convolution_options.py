"""Correct ways to write the convolution with a bias, a stride, padding and dilation, and its gradients."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import as_strided, sliding_window_view

Offered = dict[str, Callable[..., Any]]


def _framed(image: Any, padding: Any) -> Any:
    return np.pad(image, [(side, side) for side in padding])


def _spread(array: Any, steps: Any) -> Any:
    wide = np.zeros([step * (side - 1) + 1 for step, side in zip(steps, array.shape, strict=True)], array.dtype)
    wide[tuple(slice(None, None, step) for step in steps)] = array
    return wide


def _by(valid: Callable[[Any, Any], Any]) -> Offered:
    """The true convolution and its gradients by one routine for `Σ x[i+a, j+b] k[a,b]`, on arrays spread with zeros."""

    def conv2d(image: Any, kernel: Any, bias: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        full = valid(_framed(image, padding), _spread(kernel, dilation)[::-1, ::-1])
        return full[:: stride[0], :: stride[1]] + bias

    def kernel_gradient(image: Any, kernel: Any, upstream: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        wide = _spread(upstream, stride)
        sides = [d * (h - 1) + n for d, h, n in zip(dilation, kernel.shape, wide.shape, strict=True)]
        met = valid(_framed(image, padding)[: sides[0], : sides[1]], wide)
        return met[:: dilation[0], :: dilation[1]][::-1, ::-1]

    def image_gradient(image: Any, kernel: Any, upstream: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        dilated, whole = _spread(kernel, dilation), np.zeros(_framed(image, padding).shape)
        wide = np.pad(_spread(upstream, stride), [(side - 1, side - 1) for side in dilated.shape])
        full = valid(wide, dilated)
        whole[: full.shape[0], : full.shape[1]] = full
        return whole[padding[0] : whole.shape[0] - padding[0], padding[1] : whole.shape[1] - padding[1]]

    return _named(conv2d, kernel_gradient, image_gradient)


def _named(conv2d: Any, kernel_gradient: Any, image_gradient: Any) -> Offered:
    return {
        "conv2d_with_options": conv2d,
        "conv2d_kernel_gradient_with_options": kernel_gradient,
        "conv2d_image_gradient_with_options": image_gradient,
    }


def _patches(image: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """A strided view of the padded image, (rows, columns, h, w)."""
    x, (h, w), (s, t), (d, e) = _framed(image, padding), kernel.shape, stride, dilation
    rows, columns = (x.shape[0] - d * (h - 1) - 1) // s + 1, (x.shape[1] - e * (w - 1) - 1) // t + 1
    down, right = x.strides
    return as_strided(x, (rows, columns, h, w), (down * s, right * t, down * d, right * e), writeable=False)


def _windows(image: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The same by sliding windows, of which every s-th is taken and of each every d-th entry."""
    span = [d * (h - 1) + 1 for d, h in zip(dilation, kernel.shape, strict=True)]
    every = sliding_window_view(_framed(image, padding), span)
    return every[:: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def _places(image: Any, kernel: Any, upstream: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """For every output and entry of the kernel the place in the padded image, flattened."""
    shape, columns = (*upstream.shape, *kernel.shape), image.shape[1] + 2 * padding[1]
    i, j, a, b = np.indices(shape)
    return (i * stride[0] + a * dilation[0]) * columns + j * stride[1] + b * dilation[1]


def _by_patches(taken: Callable[..., Any]) -> Offered:
    def conv2d(image: Any, kernel: Any, bias: Any, *options: Any) -> Any:
        return np.einsum("ijab,ab->ij", taken(image, kernel, *options), kernel[::-1, ::-1]) + bias

    def kernel_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        return np.tensordot(upstream, taken(image, kernel, *options), 2)[::-1, ::-1]

    def image_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        frame = _framed(np.zeros(image.shape), options[1])
        shares = np.multiply.outer(upstream, kernel[::-1, ::-1])
        np.add.at(frame.reshape(-1), _places(image, kernel, upstream, *options), shares)
        return frame[options[1][0] :, options[1][1] :][: image.shape[0], : image.shape[1]]

    return _named(conv2d, kernel_gradient, image_gradient)


def _by_im2col() -> Offered:
    def columns(image: Any, kernel: Any, options: Any) -> Any:
        return _patches(image, kernel, *options).reshape(-1, kernel.size)

    def conv2d(image: Any, kernel: Any, bias: Any, *options: Any) -> Any:
        shape = _patches(image, kernel, *options).shape[:2]
        met = columns(image, kernel, options)
        with_ones = np.hstack([met, np.ones((len(met), 1))])  # the bias is one weight more
        return (with_ones @ np.append(kernel[::-1, ::-1], bias)).reshape(shape)

    def kernel_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        met = columns(image, kernel, options)
        return (met.T @ upstream.reshape(-1)).reshape(kernel.shape)[::-1, ::-1]

    def image_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        frame = _framed(np.zeros(image.shape), options[1])
        shares = np.outer(upstream.reshape(-1), kernel[::-1, ::-1].reshape(-1))
        places = _places(image, kernel, upstream, *options).reshape(-1)
        summed = np.bincount(places, shares.reshape(-1), frame.size).reshape(frame.shape)
        return summed[options[1][0] :, options[1][1] :][: image.shape[0], : image.shape[1]]

    return _named(conv2d, kernel_gradient, image_gradient)


def _by_loops(total: Callable[[list[float]], float]) -> Offered:
    """Every entry as the sum of its terms, without a padded image."""

    def terms(image: Any, kernel: Any, outputs: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        for place in np.ndindex(outputs):
            for weight in np.ndindex(kernel.shape):
                met = tuple(
                    i * s + (h - 1 - a) * d - p
                    for i, s, h, a, d, p in zip(place, stride, kernel.shape, weight, dilation, padding, strict=True)
                )
                if all(0 <= side < most for side, most in zip(met, image.shape, strict=True)):
                    yield place, weight, met

    def summed(shape: Any, pairs: Any) -> Any:
        found: dict[Any, list[float]] = {place: [] for place in np.ndindex(*shape)}
        for place, term in pairs:
            found[place].append(float(term))
        return np.array([total(some) for some in found.values()]).reshape(shape)

    def conv2d(image: Any, kernel: Any, bias: Any, *options: Any) -> Any:
        outputs = _patches(image, kernel, *options).shape[:2]
        every = [(place, image[met] * kernel[weight]) for place, weight, met in terms(image, kernel, outputs, *options)]
        return summed(outputs, every + [(place, bias[0]) for place in np.ndindex(*outputs)])

    def kernel_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        every = terms(image, kernel, upstream.shape, *options)
        return summed(kernel.shape, ((weight, upstream[place] * image[met]) for place, weight, met in every))

    def image_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        every = terms(image, kernel, upstream.shape, *options)
        return summed(image.shape, ((met, upstream[place] * kernel[weight]) for place, weight, met in every))

    return _named(conv2d, kernel_gradient, image_gradient)


def _by_matrix() -> Offered:
    """The convolution as a matrix that its image, flattened, is multiplied with; its transpose takes it back."""

    def matrix(image: Any, kernel: Any, outputs: Any, options: Any) -> Any:
        upstream, frame = np.zeros(outputs), _framed(np.arange(1, image.size + 1).reshape(image.shape), options[1])
        numbers = frame.reshape(-1)[_places(image, kernel, upstream, *options)].reshape(upstream.size, -1)
        found = np.zeros((upstream.size, image.size + 1))
        for row, some in enumerate(numbers):
            found[row, some] += kernel[::-1, ::-1].reshape(-1) * (some > 0)
        return found[:, 1:]

    def conv2d(image: Any, kernel: Any, bias: Any, *options: Any) -> Any:
        outputs = _patches(image, kernel, *options).shape[:2]
        return (matrix(image, kernel, outputs, options) @ image.reshape(-1)).reshape(outputs) + bias

    def image_gradient(image: Any, kernel: Any, upstream: Any, *options: Any) -> Any:
        return (matrix(image, kernel, upstream.shape, options).T @ upstream.reshape(-1)).reshape(image.shape)

    return {"conv2d_with_options": conv2d, "conv2d_image_gradient_with_options": image_gradient}


def _sliding(x: Any, k: Any) -> Any:
    return np.einsum("ijab,ab->ij", sliding_window_view(x, k.shape), k)


def _fft(x: Any, k: Any) -> Any:
    return scipy.signal.fftconvolve(x, k[::-1, ::-1], "valid")


def _spectra(x: Any, k: Any) -> Any:
    spectrum = scipy.fft.rfft2(x) * np.conj(scipy.fft.rfft2(k, x.shape))
    return scipy.fft.irfft2(spectrum, x.shape)[: x.shape[0] - k.shape[0] + 1, : x.shape[1] - k.shape[1] + 1]


def _long(x: Any, k: Any) -> Any:
    return np.float64(_sliding(np.longdouble(x), np.longdouble(k)))


VARIANTS: dict[str, Offered] = {
    "options: over sliding windows": _by(_sliding),
    "options: through the FFT": _by(_fft),
    "options: by periodic spectra": _by(_spectra),
    "options: SciPy's correlate2d": _by(lambda x, k: scipy.signal.correlate2d(x, k, "valid")),
    "options: long doubles inside": _by(_long),
    "options: strided view, scatter": _by_patches(_patches),
    "options: sliding windows, scatter": _by_patches(_windows),
    "options: im2col with a column of ones": _by_im2col(),
    "options: sums without rounding": _by_loops(math.fsum),
    "options: sums from the last term": _by_loops(lambda terms: sum(reversed(terms))),
    "options: sums from the largest term": _by_loops(lambda terms: sum(sorted(terms, key=abs, reverse=True))),
    "options: a matrix and its transpose": _by_matrix(),
    "options: bias gradient as a product": {
        "conv2d_bias_gradient": lambda image, kernel, upstream: np.ones((1, upstream.size)) @ upstream.reshape(-1)
    },
    "options: bias gradient without rounding": {
        "conv2d_bias_gradient": lambda image, kernel, upstream: np.array([math.fsum(upstream.reshape(-1).tolist())])
    },
    "options: bias gradient by a kernel's of ones": {
        "conv2d_bias_gradient": lambda image, kernel, upstream: _sliding(np.ones(upstream.shape), upstream)[0]
    },
}
