"""The temperature that makes confidences honest, kept only where it helps out of sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from maskdet.detections import FloatArray
from maskdet.metrics import expected_calibration_error, soften

FOLDS = 5  # of the cross-fitting
FEWEST = 20  # groups, below which nothing is told by holding some of them out
_TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True)
class Temperature:
    """What calibration came to.

    Attributes:
        value: for the card: 1 where the fitted one does not help.
        fitted: on all validation pictures.
        before: calibration error of the validation pictures without a temperature.
        after: with one fitted on other groups than the picture's own; not a number where there are
            too few groups to tell.
    """

    value: float
    fitted: float
    before: float
    after: float

    def __str__(self) -> str:
        if np.isnan(self.after):
            return f"temperature 1: fewer than {FEWEST} groups cannot tell whether another helps"
        errors = f"calibration error {self.before:.4f}, {self.after:.4f} out of sample"
        if self.value == 1:
            return f"temperature 1: {self.fitted:.3f} does not help ({errors})"
        return f"temperature {self.value:.3f} ({errors})"


def choose_temperature(
    labels: NDArray[np.intp], probabilities: FloatArray, groups: NDArray[np.intp], *, seed: int
) -> Temperature:
    """Fits a temperature and finds out by cross-fitting whether it helps.

    Each picture is judged with the temperature that the other folds of groups ask for. It is kept
    if the calibration error and the loss of the true labels' probabilities both fall by it: the
    error alone is a matter of few bins, and the loss falls by endless confidence on a set that is
    nearly perfect.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C), at temperature 1.
        groups: (N,) group numbers.
        seed: of the folds.
    """
    fitted = fit_temperature(labels, probabilities)
    before = expected_calibration_error(labels, probabilities)
    names, members = np.unique(groups, return_inverse=True)
    if len(names) < FEWEST:
        return Temperature(1.0, fitted, before, float("nan"))
    folds = (np.random.default_rng(seed).permutation(len(names)) % FOLDS)[members]
    softened = np.empty_like(probabilities)
    for fold in range(FOLDS):
        others = folds != fold
        found = fit_temperature(labels[others], probabilities[others])
        softened[~others] = soften(probabilities[~others], found)
    after = expected_calibration_error(labels, softened)
    helps = after < before and _loss(labels, softened) < _loss(labels, probabilities)
    return Temperature(fitted if helps else 1.0, fitted, before, after)


def fit_temperature(labels: NDArray[np.intp], probabilities: FloatArray) -> float:
    """Finds the temperature at which the probabilities explain the labels best.

    Guo et al., "On Calibration of Modern Neural Networks", 2017: one number, fitted on pictures the
    network was not trained on, that changes no answer. As in Platt's scaling, the targets stop
    short of 1 by as much as so few pictures can tell: a set without mistakes would otherwise ask
    for endless confidence.

    Args:
        labels: (N,) class indices.
        probabilities: (N, C), at temperature 1.
    """
    sure = (len(labels) + 1) / (len(labels) + 2)
    classes = probabilities.shape[1]
    targets = np.full(probabilities.shape, (1 - sure) / (classes - 1))
    targets[np.arange(len(labels)), labels] = sure

    def loss(log_temperature: float) -> float:
        softened = soften(probabilities, float(np.exp(log_temperature)))
        return float(-np.mean(np.sum(targets * np.log(softened + 1e-12), axis=1)))

    bounds = tuple(np.log(_TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _loss(labels: NDArray[np.intp], probabilities: FloatArray) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.mean(np.log(of_truth + 1e-12)))
