"""Losses and their gradients; labels are numbers of classes, or rows of a distribution each."""

import numpy as np

from ....harness.core.values import Array
from ..activations import logistic
from ..turns import averaged, of_difference, of_squares, one_hot
from .softmax import softmax

OF_NUMBERS = (
    "cross_entropy",
    "cross_entropy_by_images",
    "cross_entropy_gradient",
    "softmax_cross_entropy",
    "softmax_cross_entropy_by_images",
    "softmax_cross_entropy_gradient",
)


def squared_error(prediction: Array, target: Array) -> float:
    squares = np.sum((prediction - target) ** 2)
    return averaged(of_squares(squares, prediction.shape[1]), len(prediction))


def squared_error_by_entries(prediction: Array, target: Array) -> float:
    images, entries = prediction.shape
    squares = 0.0
    for i in range(images):
        for j in range(entries):
            squares += (prediction[i, j] - target[i, j]) ** 2
    return averaged(of_squares(squares, entries), images)


def squared_error_by_dot(prediction: Array, target: Array) -> float:
    difference = (prediction - target).ravel()
    return averaged(of_squares(difference @ difference, prediction.shape[1]), len(prediction))


def squared_error_gradient(prediction: Array, target: Array) -> Array:
    return averaged(of_difference(prediction - target, prediction.shape[1]), len(prediction))


def cross_entropy(probabilities: Array, labels: Array) -> float:
    likelihoods = probabilities[np.arange(len(labels)), labels]
    return averaged(-np.sum(np.log(np.maximum(likelihoods, 1e-15))), len(labels))


def cross_entropy_by_images(probabilities: Array, labels: Array) -> float:
    loss = 0.0
    for row, label in zip(probabilities, labels, strict=True):
        loss -= np.log(max(row[label], 1e-15))
    return averaged(loss, len(labels))


def cross_entropy_by_one_hot(probabilities: Array, labels: Array) -> float:
    rows = one_hot(labels, probabilities.shape[1])
    return averaged(-np.sum(rows * np.log(np.maximum(probabilities, 1e-15))), len(labels))


def cross_entropy_gradient(probabilities: Array, labels: Array) -> Array:
    images = np.arange(len(labels))
    gradient = np.zeros(probabilities.shape)
    gradient[images, labels] = -1 / np.maximum(probabilities[images, labels], 1e-15)
    return averaged(gradient, len(labels))


def cross_entropy_gradient_by_one_hot(probabilities: Array, labels: Array) -> Array:
    rows = one_hot(labels, probabilities.shape[1])
    return averaged(-rows / np.maximum(probabilities, 1e-15), len(labels))


def softmax_cross_entropy(logits: Array, labels: Array) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return averaged(-np.sum(logarithms[np.arange(len(labels)), labels]), len(labels))


def softmax_cross_entropy_by_images(logits: Array, labels: Array) -> float:
    loss = 0.0
    for row, label in zip(logits, labels, strict=True):
        loss += np.log(np.sum(np.exp(row - np.max(row)))) + np.max(row) - row[label]
    return averaged(loss, len(labels))


def softmax_cross_entropy_by_one_hot(logits: Array, labels: Array) -> float:
    rows = one_hot(labels, logits.shape[1])
    shifted = logits - logits.max(axis=1, keepdims=True)
    sums = np.log(np.sum(np.exp(shifted), axis=1))
    return averaged(np.sum(sums - np.sum(rows * shifted, axis=1)), len(labels))


def softmax_cross_entropy_gradient(logits: Array, labels: Array) -> Array:
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return averaged(gradient, len(labels))


def softmax_cross_entropy_gradient_by_one_hot(logits: Array, labels: Array) -> Array:
    rows = one_hot(labels, logits.shape[1])
    return averaged(softmax(logits) - rows, len(labels))


def logistic_cross_entropy(logits: Array, labels: Array) -> float:
    losses = np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))
    return averaged(np.sum(losses), len(labels))


def logistic_cross_entropy_by_logaddexp(logits: Array, labels: Array) -> float:
    return averaged(np.sum(np.logaddexp(0, logits) - labels * logits), len(labels))


def logistic_cross_entropy_gradient(logits: Array, labels: Array) -> Array:
    return averaged(logistic(logits) - labels, len(labels))


def logistic_cross_entropy_gradient_by_tanh(logits: Array, labels: Array) -> Array:
    return averaged((1 + np.tanh(logits / 2)) / 2 - labels, len(labels))
