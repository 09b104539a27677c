"""How features and gradients become a map; the module `gradients` says which method is whose.

All take (B, h, w, K) features and (B, h, w, K, C) gradients of C logits by them, and give
(B, h, w, C) float32 maps.
"""

from typing import cast

import numpy as np

from maskdet.detections import FloatArray


def _hires_cam(features: FloatArray, gradients: FloatArray) -> FloatArray:
    places = np.float32(features.shape[1] * features.shape[2])
    return cast("FloatArray", places * np.einsum("bhwk,bhwkc->bhwc", features, gradients))


def _grad_cam(features: FloatArray, gradients: FloatArray) -> FloatArray:
    return _weighted(features, gradients.sum(axis=(1, 2)))


def _weighted(features: FloatArray, weights: FloatArray) -> FloatArray:
    return cast("FloatArray", np.einsum("bhwk,bkc->bhwc", features, weights))


def _grad_cam_plus_plus(features: FloatArray, gradients: FloatArray) -> FloatArray:
    totals = features.sum(axis=(1, 2))[:, None, None, :, None]
    squares = gradients**2
    below = 2 * squares + squares * gradients * totals
    alpha = np.divide(squares, below, out=np.zeros_like(below), where=below != 0)
    weights = (alpha * np.maximum(gradients, 0)).sum(axis=(1, 2))
    return np.maximum(_weighted(features, weights), 0)


def _layer_cam(features: FloatArray, gradients: FloatArray) -> FloatArray:
    return np.maximum(_hires_cam(features, np.maximum(gradients, 0)), 0)


COMBINE = {
    "cam": _hires_cam,
    "hirescam": _hires_cam,
    "gradcam": _grad_cam,
    "gradcam++": _grad_cam_plus_plus,
    "layercam": _layer_cam,
}
