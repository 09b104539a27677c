"""What removing the parts of a face that a map points at does to the answer.

Parts are removed in blocks, in the order of the map. All scores are the probability of the class
that the untouched face was given.

- Deletion and insertion: Petsiuk et al., "RISE", BMVC 2018, section 4.3. Blocks give way to the
  crop's mean colour, or appear in a blurred crop; the score is the area under the curve.
- ROAD: Rong et al., "A consistent and efficient evaluation strategy for attribution methods", ICML
  2022, section 5. Blocks are filled from what surrounds them, with a little noise, so that neither
  the filling nor the shape of the hole tells the class; with the most relevant parts removed first
  (MoRF) the probability should fall, with the least relevant first (LeRF) it should stay.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.heatmap.drawing.overlay import enlarge
from maskdet.media.frames import UInt8Array

# (B, S, S, 3) uint8 RGB crops to (B, C) probabilities.
Score = Callable[[UInt8Array], FloatArray]

# Blocks along a side: parts of 4x4 pixels of a 224-pixel crop.
GRID = 56
STEPS = 10
ROAD_SHARES = (0.2, 0.4, 0.6, 0.8)
# Standard deviation of the blur that insertion starts from, as a share of the side: the paper's 5
# pixels of 224.
_BLUR = 5 / 224
# Of the noise added to what ROAD fills in, in grey levels.
_NOISE = 2.5


def ranks(map_: FloatArray) -> NDArray[np.intp]:
    """Returns the (GRID, GRID) place of each block in the order of removal, 0 the most relevant."""
    values = enlarge(map_, GRID, GRID)
    places = np.empty(values.size, np.intp)
    places[np.argsort(-values, axis=None, kind="stable")] = np.arange(values.size)
    return places.reshape(values.shape)


def deletion_and_insertion(
    face: UInt8Array, order: NDArray[np.intp], kind: int, score: Score
) -> tuple[FloatArray, FloatArray]:
    """Traces both curves.

    Args:
        face: (S, S, 3) uint8 RGB crop.
        order: what `ranks` returned.
        kind: index of the class whose probability is traced.
        score: the network.

    Returns:
        Two (STEPS + 1,) float32 curves of the probability over the share of blocks 0, 1/STEPS...1
        that was deleted, and inserted.
    """
    size = face.shape[0]
    mean = np.broadcast_to(face.mean(axis=(0, 1)).astype(np.uint8), face.shape)
    blurred = cv2.GaussianBlur(face, (0, 0), size * _BLUR)
    batch = []
    for step in range(STEPS + 1):
        reached = _on_pixels(order < round(order.size * step / STEPS), size)
        batch += [np.where(reached, mean, face), np.where(reached, face, blurred)]
    probabilities = score(np.stack(batch))[:, kind]
    return probabilities[::2], probabilities[1::2]


def area(curve: FloatArray) -> float:
    """Returns the area under a curve over 0..1 by the trapezoidal rule."""
    return float((curve[1:] + curve[:-1]).mean() / 2)


def road(
    face: UInt8Array,
    order: NDArray[np.intp],
    kind: int,
    score: Score,
    random: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Removes and fills in, the most and the least relevant blocks first.

    Args:
        face: (S, S, 3) uint8 RGB crop.
        order: what `ranks` returned.
        kind: index of the class whose probability is measured.
        score: the network.
        random: makes the noise.

    Returns:
        MoRF and LeRF: (4,) float32 probabilities with `ROAD_SHARES` of the blocks removed.
    """
    counts = [round(order.size * share) for share in ROAD_SHARES]
    holes = [order < count for count in counts]
    holes += [order >= order.size - count for count in counts]
    probabilities = score(np.stack([filled(face, hole, random) for hole in holes]))[:, kind]
    return probabilities[: len(counts)], probabilities[len(counts) :]


def filled(face: UInt8Array, hole: NDArray[np.bool_], random: np.random.Generator) -> UInt8Array:
    """Fills blocks from their surroundings: each is the weighted mean of its eight neighbours.

    Args:
        face: (S, S, 3) uint8.
        hole: (GRID, GRID), the blocks to fill.
        random: makes the noise.

    Returns:
        (S, S, 3) uint8, a new picture.
    """
    from scipy.sparse import identity
    from scipy.sparse.linalg import spsolve

    size = face.shape[0]
    small = cv2.resize(face, (GRID, GRID), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    unknown = np.flatnonzero(hole)
    known = np.flatnonzero(~hole)
    values = small.astype(np.float64)
    if len(known) == 0:
        values[:] = values.mean(axis=0)
    elif len(unknown):
        rows = _neighbours()[unknown]
        system = identity(len(unknown), format="csr") - rows[:, unknown]
        values[unknown] = spsolve(system.tocsc(), rows[:, known] @ values[known])
    values[unknown] += random.normal(0, _NOISE, (len(unknown), 3))
    picture = values.reshape(GRID, GRID, 3).clip(0, 255).astype(np.uint8)
    large = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    return cast("UInt8Array", np.where(_on_pixels(hole, size), large, face))


@lru_cache(maxsize=1)
def _neighbours() -> Any:
    """Returns the (GRID^2, GRID^2) sparse weights of a block's neighbours, each row summing to 1.

    Direct neighbours weigh twice as much as diagonal ones (ROAD, appendix).
    """
    from scipy.sparse import csr_matrix, diags

    numbers = np.arange(GRID * GRID).reshape(GRID, GRID)
    rows, columns, weights = [], [], []
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            if down == across == 0:
                continue
            here = numbers[max(0, -down) : GRID - max(0, down)]
            here = here[:, max(0, -across) : GRID - max(0, across)].ravel()
            rows.append(here)
            columns.append(here + down * GRID + across)
            weights.append(np.full(len(here), 1.0 if down and across else 2.0))
    matrix = csr_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(GRID * GRID, GRID * GRID),
    )
    return (diags(1 / np.asarray(matrix.sum(axis=1)).ravel()) @ matrix).tocsr()


def _on_pixels(blocks: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Enlarges (GRID, GRID) to (size, size, 1)."""
    large = cv2.resize(blocks.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
    return cast("NDArray[np.bool_]", large[:, :, np.newaxis] > 0)
