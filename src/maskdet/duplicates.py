"""Finds pictures that show the same thing: difference hashes, compared all with all.

A picture's hash says, for a small grey copy of it, where brightness rises from left to right. It
survives scaling, compression, noise and, mostly, a mask pasted on the face, so that neither a copy
nor the same face with and without a mask ends up on both sides of a split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from maskdet.boxes import UInt8Array
from maskdet.detections import FloatArray

FINE_SIDE, COARSE_SIDE = 16, 8  # bits a side: hashes of 256 and of 64 bits

# Largest number of differing bits between copies. Looked at on 5,208 pictures: pairs within these
# are the same photograph (noisy, blurred, mirrored, recompressed, or with a mask pasted on), save
# faces cut out onto one black background; beyond 40 and 6 unrelated pictures begin to chain.
FINE_DISTANCE, COARSE_DISTANCE = 24, 4

HashRow = tuple[FloatArray, FloatArray, FloatArray]  # fine, mirrored, coarse, of one picture

_BLOCK = 1024  # rows compared at a time: bounds the memory, 8 MB of distances for 2,000 pictures


@dataclass(frozen=True)
class Hashes:
    """The hashes of N pictures, each bit as -1 or 1 so that a product counts the equal ones.

    Attributes:
        fine: (N, 256) float32.
        mirrored: (N, 256) float32, of the pictures flipped left to right.
        coarse: (N, 64) float32.
    """

    fine: FloatArray
    mirrored: FloatArray
    coarse: FloatArray

    def __len__(self) -> int:
        return len(self.fine)

    def subset(self, indices: Sequence[int]) -> "Hashes":
        """Returns the hashes of some of the pictures."""
        rows = list(indices)
        return Hashes(self.fine[rows], self.mirrored[rows], self.coarse[rows])


@dataclass(frozen=True)
class Pairs:
    """Near-duplicates as parallel arrays.

    Attributes:
        first: (P,) index into the first set of hashes.
        second: (P,) index into the second.
        distance: (P,) differing bits of 256, the smaller of plain and mirrored.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    distance: NDArray[np.intp]


def difference_bits(grey: UInt8Array, side: int) -> FloatArray:
    """Returns the (side * side,) difference hash of an (H, W) grey picture as -1 and 1."""
    small = cv2.resize(grey, (side + 1, side), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.where(small[:, 1:] > small[:, :-1], 1, -1).astype(np.float32).ravel()


def hash_picture(picture_bgr: UInt8Array) -> HashRow:
    """Returns the fine, mirrored fine and coarse hash of an (H, W, 3) picture."""
    grey = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY)
    return (
        difference_bits(grey, FINE_SIDE),
        difference_bits(cv2.flip(grey, 1), FINE_SIDE),
        difference_bits(grey, COARSE_SIDE),
    )


def stack_hashes(rows: Sequence[HashRow]) -> Hashes:
    """Gathers what `hash_picture` returned for N pictures."""
    fine, coarse = FINE_SIDE**2, COARSE_SIDE**2
    columns = [
        np.array([row[which] for row in rows], np.float32).reshape(-1, bits)
        for which, bits in enumerate((fine, fine, coarse))
    ]
    return Hashes(*columns)


def near_pairs(first: Hashes, second: Hashes) -> Pairs:
    """Finds every pair of one picture of each set that are near-duplicates.

    Comparing a set with itself gives each pair twice, and each picture with itself.
    """
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]] = []
    for start in range(0, len(first), _BLOCK):
        rows = slice(start, start + _BLOCK)
        plain = (FINE_SIDE**2 - first.fine[rows] @ second.fine.T) / 2
        flipped = (FINE_SIDE**2 - first.fine[rows] @ second.mirrored.T) / 2
        coarse = (COARSE_SIDE**2 - first.coarse[rows] @ second.coarse.T) / 2
        fine = np.minimum(plain, flipped)
        i, j = np.nonzero((fine <= FINE_DISTANCE) | (coarse <= COARSE_DISTANCE))
        found.append((i + start, j, fine[i, j].astype(np.intp)))
    if not found:
        empty = np.zeros(0, np.intp)
        return Pairs(empty, empty, empty)
    return Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def group_duplicates(hashes: Hashes, given: Sequence[str | None]) -> tuple[NDArray[np.intp], Pairs]:
    """Puts pictures that are near-duplicates, or said to belong together, into one group.

    Args:
        hashes: of N pictures.
        given: for each, the name of the group it is said to be in, or ``None``.

    Returns:
        (N,) group numbers from 0, and the near-duplicate pairs with first < second.
    """
    both = near_pairs(hashes, hashes)
    once = both.first < both.second
    pairs = Pairs(both.first[once], both.second[once], both.distance[once])
    leaders: dict[str, int] = {}
    told = [
        (leaders.setdefault(name, index), index)
        for index, name in enumerate(given)
        if name is not None
    ]
    rows = np.concatenate([pairs.first, np.array([a for a, _ in told], np.intp)])
    columns = np.concatenate([pairs.second, np.array([b for _, b in told], np.intp)])
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(hashes), len(hashes)))
    _, groups = connected_components(graph, directed=False)
    return groups.astype(np.intp), pairs
