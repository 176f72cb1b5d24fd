"""Functions that people take for each other, and those through which they put a value once too often."""

CONFUSED = {
    "max": ("min", "sum", "mean", "argmax"),
    "sum": ("mean", "max", "prod"),
    "argmax": ("argmin", "max"),
    "maximum": ("minimum", "add"),
    "zeros": ("ones",),
    "arctan": ("tanh", "tan", "sin", "arcsinh", "degrees"),
    "arctan2": ("hypot",),
    "cos": ("sin", "tan"),
    "exp": ("exp2", "expm1"),
    "tanh": ("arctan", "sinh"),
    "abs": ("square", "sign"),
    "convolve2d": ("correlate2d",),
    "correlate2d": ("convolve2d",),
    "outer": ("multiply",),
    "repeat": ("tile",),
}
PUT_THROUGH = {  # how it is written, and how rare it is
    "put through arctan": ("np.arctan({})", 3),
    "put through tanh": ("np.tanh({})", 4),
    "put through the logistic function": ("1 / (1 + np.exp(-{}))", 4),
    "put through softmax": ("np.exp({0}) / np.sum(np.exp({0}))", 5),
}
