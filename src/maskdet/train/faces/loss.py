"""The multibox loss of Liu et al., "SSD: Single Shot MultiBox Detector" (2016), section 2.2."""

from typing import Any

import tensorflow as tf

FACE, BACKGROUND, IGNORED = 1, 0, -1
"""What a prior box is to learn."""

NEGATIVES_A_FACE = 3  # hard negative mining, ibidem
FEWEST_NEGATIVES = 24  # a picture without faces teaches too


def multibox_loss(logits: Any, offsets: Any, kinds: Any, targets: Any) -> tuple[Any, Any]:
    """Computes how wrong the heads are, per prior box that has a face.

    Args:
        logits: (B, P, 2) float32, background and face.
        offsets: (B, P, 4) float32, what the network predicts.
        kinds: (B, P) int32 out of `FACE`, `BACKGROUND` and `IGNORED`.
        targets: (B, P, 4) float32, `maskdet.vision.faces.prior_boxes.encode`d; anything where there
            is no face.

    Returns:
        Two float32 scalars: cross entropy of the faces' priors and, in each picture, of the three
        times as many (or `FEWEST_NEGATIVES`) background priors that are most wrong; and smooth L1
        of the faces' offsets. Both are summed and divided by the number of the faces' priors.
    """
    faces = tf.equal(kinds, FACE)
    background = tf.equal(kinds, BACKGROUND)
    # Softmax of two is a logistic of their difference.
    difference = logits[..., 1] - logits[..., 0]
    face_losses = tf.nn.softplus(-difference)
    background_losses = tf.where(background, tf.nn.softplus(difference), 0.0)
    positives = tf.reduce_sum(tf.cast(faces, tf.int32), axis=1)
    wanted = tf.maximum(NEGATIVES_A_FACE * positives, FEWEST_NEGATIVES)
    wanted = tf.minimum(wanted, tf.shape(kinds)[1])
    ranked = tf.sort(tf.stop_gradient(background_losses), axis=1, direction="DESCENDING")
    least = tf.gather(ranked, wanted - 1, axis=1, batch_dims=1)
    hard = background & (background_losses >= least[:, None])
    chosen = tf.reduce_sum(tf.where(faces, face_losses, 0.0)) + tf.reduce_sum(
        tf.where(hard, background_losses, 0.0)
    )
    distance = tf.abs(offsets - targets)
    smooth = tf.where(distance < 1, 0.5 * distance**2, distance - 0.5)
    misplaced = tf.reduce_sum(tf.where(faces[..., None], smooth, 0.0))
    count = tf.maximum(tf.cast(tf.reduce_sum(positives), tf.float32), 1.0)
    return chosen / count, misplaced / count
