"""Mistakes in the dense layer with several outputs and a bias, and in its gradients."""

from .. import edited
from ..activations import SURVEY

ONCE, DECLARED = "once for each image", 'no division: upstream has it, unless GRADIENTS = "mean" is declared'
SUMMED = "a mean is declared and a sum computed, or the number of images multiplies it"
OF_WEIGHTS = "dense_options.weights_gradient_is_features_times_all_upstream"

MISTAKES = (
    edited("dense_with_options", "bias missing", "The bias is not added.", " + bias", "",
           "the bias is kept, and never used", "features @ weights + bias"),
    edited("dense_with_options", "bias subtracted", "The bias is subtracted.", " + bias", " - bias",
           "a threshold is taken for a bias", "features @ weights + bias"),
    edited("dense_with_options", "first bias for all", "All outputs get the first bias.", "@ weights + bias",
           "@ weights + bias[0]", "a bias of one number is meant", "a bias for each output"),
    edited("dense_with_options", "bias once per feature", "The bias is added with every feature.",
           "features @ weights + bias", "features @ weights + features.shape[1] * bias",
           "it is added inside the sum over the features", "once for each output"),
    edited("dense_gradients_with_options", "mean over the images", "The weights' is divided by the number of images.",
           "features.T @ upstream", "features.T @ upstream / len(features)",
           "the loss is a mean, and divided once more", DECLARED, SURVEY, OF_WEIGHTS),
    edited("dense_gradients_with_options", "times the number of images",
           "The weights' is as many times too large as there are images.", "features.T @ upstream",
           "len(features) * (features.T @ upstream)", SUMMED, ONCE, "", OF_WEIGHTS),
    edited("dense_gradients_with_options", "mean over the outputs",
           "The features' is divided by the number of outputs.", "upstream @ weights.T",
           "upstream @ weights.T / weights.shape[1]", "a mean in place of a sum", "upstream @ weights.T"),
    edited("dense_gradients_with_options", "last image alone", "The weights' is the last image's alone.",
           "weights_gradient += np", "weights_gradient = np", "= in place of +=", "+= over the images", "",
           OF_WEIGHTS),
    edited("dense_bias_gradient", "mean over the images", "Upstream's mean is taken.", "sum(axis=0)", "mean(axis=0)",
           "the loss is a mean, and divided once more", DECLARED, SURVEY),
    edited("dense_bias_gradient", "times the number of images", "It is as many times too large as there are images.",
           "upstream.sum(axis=0)", "len(upstream) * upstream.sum(axis=0)", SUMMED, ONCE),
    edited("dense_bias_gradient", "first image alone", "It is the first image's upstream.", "upstream.sum(axis=0)",
           "upstream[0].copy()", "a batch of one is taken for granted", "upstream.sum(axis=0)", SURVEY),
    edited("dense_bias_gradient", "sum over the outputs", "All of upstream is summed, for every output.",
           "upstream.sum(axis=0)", "np.full(upstream.shape[1], upstream.sum())",
           "np.sum without an axis", "upstream.sum(axis=0)", SURVEY),
)  # fmt: skip
