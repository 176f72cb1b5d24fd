"""The network in C, `network.c`, compiled when this is loaded and called through ctypes.

    python -m backproof examples/c_network.py --examples 20

- Library: cc
- Verdict: holds
- Convolution: convolution
- Ties: first
- ReLU'(0): not offered
- Precision: float64

C takes arrays by their address, row by row: `np.ascontiguousarray` lays them out so, whatever order they come in, and
`ndpointer` refuses what is not. It needs a C compiler, `cc`.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

DOUBLES = np.ctypeslib.ndpointer(dtype=np.float64, flags="C_CONTIGUOUS")


def compiled(source):
    """The library that the system's compiler makes of a C file; once it is loaded, its own file can go."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError(f"{source.name} needs a C compiler, and there is no cc on the PATH")
    with TemporaryDirectory() as folder:
        library = Path(folder) / "network.so"
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)
        return ctypes.CDLL(str(library))


library = compiled(Path(__file__).with_name("network.c"))


def declared(name, arguments, answer=None):
    """The function of this name. `arguments` has a letter for each: `a`rray, `i`nteger, `d`ouble."""
    function = library[name]
    function.argtypes = [{"a": DOUBLES, "i": ctypes.c_int, "d": ctypes.c_double}[letter] for letter in arguments]
    function.restype = answer
    return function


c_convolve = declared("convolve", "aiiaiia")
c_kernel_gradient = declared("kernel_gradient", "aiiiiaa")
c_image_gradient = declared("image_gradient", "iiaiiaa")
c_max_pool = declared("max_pool", "aiiiia")
c_max_pool_gradient = declared("max_pool_gradient", "aiiiiaa")
c_relu, c_arctan = declared("relu", "aia"), declared("arctan", "aia")
c_gradients = declared("gradients", "aiidaiiaaa", ctypes.c_double)


def by_rows(*arrays):
    return [np.ascontiguousarray(array) for array in arrays]


def relu(x):
    c_relu(*by_rows(x), x.size, answer := np.empty(x.shape))
    return answer


def arctan(x):
    c_arctan(*by_rows(x), x.size, answer := np.empty(x.shape))
    return answer


def conv2d(image, kernel):
    answer = np.empty((image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1))
    image, kernel = by_rows(image, kernel)
    c_convolve(image, *image.shape, kernel, *kernel.shape, answer)
    return answer


def conv2d_kernel_gradient(image, kernel, upstream):
    image, upstream = by_rows(image, upstream)
    c_kernel_gradient(image, *image.shape, *kernel.shape, upstream, answer := np.empty(kernel.shape))
    return answer


def conv2d_image_gradient(image, kernel, upstream):
    kernel, upstream = by_rows(kernel, upstream)
    c_image_gradient(*image.shape, kernel, *kernel.shape, upstream, answer := np.empty(image.shape))
    return answer


def max_pool(x, window):
    answer = np.empty((x.shape[0] // window[0], x.shape[1] // window[1]))
    c_max_pool(*by_rows(x), *x.shape, *window, answer)
    return answer


def max_pool_gradient(x, window, upstream):
    x, upstream = by_rows(x, upstream)
    c_max_pool_gradient(x, *x.shape, *window, upstream, answer := np.empty(x.shape))
    return answer


def prediction_and_gradients(image, target, kernel, weights):
    image, kernel, weights = by_rows(image, kernel, weights)
    of_kernel, of_weights = np.empty(kernel.shape), np.empty(weights.shape)
    point = image, *image.shape, target, kernel, *kernel.shape, weights
    return c_gradients(*point, of_kernel, of_weights), (of_kernel, of_weights)


def predict(image, kernel, weights):
    return prediction_and_gradients(image, 0.0, kernel, weights)[0]


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - target) ** 2 / 2


def gradients(image, target, kernel, weights):
    return prediction_and_gradients(image, target, kernel, weights)[1]


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
