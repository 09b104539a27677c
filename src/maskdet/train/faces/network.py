"""The network in training: heads joined for the loss, an averaged copy to measure and export."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from maskdet.detections import FloatArray
from maskdet.train.faces.loss import multibox_loss
from maskdet.train.faces.networks.registry import network_of
from maskdet.train.faces.networks.res10 import CLASSES
from maskdet.vision.faces.heads import SsdHeads, squash
from maskdet.vision.faces.prior_boxes import prior_boxes
from maskdet.vision.preprocessing import UInt8Array

LARGEST_GRADIENT = 10.0  # global norm; a crowd of mislabelled faces should not throw the run off
NMS_THRESHOLD = 0.45  # as in the public network's own description
CONFIDENCE_FLOOR = 0.02  # for the average precision


class TrainedSsd:
    """An SSD, its optimizer and the running average of its weights.

    Attributes:
        kind: which network it is.
        spec: layout of its prior boxes.
        network: what the gradient changes.
        averaged: the same network in 32 bits with the average of its weights.
        optimizer: its state.

    Args:
        start: network with the weights to go on from, 32 bits.
        rate: learning rate, or a schedule of it.
        weight_decay: of AdamW.
        averaging: how much of the average is kept at each step, once it has settled.
        mixed_precision: whether to compute in bfloat16.
    """

    def __init__(
        self,
        start: keras.Model,
        *,
        rate: Any,
        weight_decay: float,
        averaging: float,
        mixed_precision: bool,
    ) -> None:
        self.kind = network_of(start)
        before = keras.config.dtype_policy()
        try:
            keras.config.set_dtype_policy("mixed_bfloat16" if mixed_precision else "float32")
            self.network = self.kind.build()
        finally:
            keras.config.set_dtype_policy(before)
        self.network.set_weights(start.get_weights())
        for layer in self.network.layers:
            layer.trainable = not layer.name.startswith(self.kind.frozen)
        self.averaged = start
        self.spec = self.kind.spec
        self.optimizer = keras.optimizers.AdamW(
            rate, weight_decay=weight_decay, global_clipnorm=LARGEST_GRADIENT
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "scale"])
        self.optimizer.build(self.network.trainable_variables)
        self._averaging = averaging
        self._maps = range(len(self.spec.steps))
        self._step = tf.function(self._one_step)
        self._look = tf.function(lambda pixels: self.averaged(pixels, training=False))
        self._decoders: dict[int, SsdHeads] = {}

    @property
    def variables(self) -> list[Any]:
        """Everything that changes in training."""
        return [*self.network.weights, *self.averaged.weights, *self.optimizer.variables]

    def priors(self, size: int) -> FloatArray:
        """Returns the (P, 4) prior boxes at an input side, cxcywh in pixels."""
        return prior_boxes(self.spec, self._shapes(size))

    def step(self, views: Any, kinds: Any, targets: Any) -> tuple[float, float]:
        """Learns from one batch of `maskdet.train.faces.feed.batches`.

        Args:
            views: (B, S, S, 3) uint8 BGR.
            kinds: (B, P) int32, what each of the `priors` at S is to learn.
            targets: (B, P, 4) float32 offsets.

        Returns:
            The two parts of the loss, see `multibox_loss`.
        """
        scoring, placing = self._step(views, kinds, targets)
        return float(scoring), float(placing)

    def detect(self, frame_bgr: UInt8Array, size: int) -> tuple[FloatArray, FloatArray]:
        """Finds faces with the averaged weights.

        Args:
            frame_bgr: (H, W, 3) uint8.
            size: side in pixels of the square it is squashed to.

        Returns:
            (N, 4) float32 xyxy in pixels of the frame, and (N,) float32 scores, best first.
        """
        if size not in self._decoders:
            shapes = self._shapes(size)
            self._decoders[size] = SsdHeads(
                self.spec, shapes, nms_threshold=NMS_THRESHOLD, box_voting=True
            )
        pixels = squash(frame_bgr, size, halve=True)[np.newaxis].astype(np.float32)
        heads = {name: value.numpy() for name, value in self._look(pixels).items()}
        xyxy, scores = self._decoders[size].boxes(heads, CONFIDENCE_FLOOR)
        height, width = frame_bgr.shape[:2]
        return xyxy * np.array([width / size, height / size] * 2, np.float32), scores

    def _shapes(self, size: int) -> list[tuple[int, int]]:
        shapes = self.averaged.compute_output_shape((1, size, size, 3))
        return [tuple(shapes[f"loc_{index}"][1:3]) for index in self._maps]

    def _one_step(self, views: Any, kinds: Any, targets: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            heads = self.network(tf.cast(views, tf.float32), training=True)
            logits = self._joined(heads, "conf", CLASSES)
            offsets = self._joined(heads, "loc", 4)
            scoring, placing = multibox_loss(logits, offsets, kinds, targets)
            loss = scoring + placing
        weights = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        # At first the average follows fast, or it would hold on to where the run began.
        done = tf.cast(self.optimizer.iterations, tf.float32)
        kept = tf.minimum(self._averaging, (1.0 + done) / (10.0 + done))
        for average, weight in zip(self.averaged.weights, self.network.weights, strict=True):
            average.assign(kept * average + (1.0 - kept) * weight)
        return scoring, placing

    def _joined(self, heads: Any, kind: str, width: int) -> Any:
        flat = [
            tf.reshape(heads[f"{kind}_{index}"], (tf.shape(heads["loc_0"])[0], -1, width))
            for index in self._maps
        ]
        return tf.cast(tf.concat(flat, axis=1), tf.float32)
