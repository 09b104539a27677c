"""Two answers of a model that gives three: labels merged in the probabilities.

The probabilities of the merged labels are added up. As an answer is the softmax of logits divided
by the temperature T, the logit of the sum is that of a log-sum-exp over the labels i it is made of:

    L = T log sum_i exp(l_i / T) = sum_i w_i l_i + T H(w),    w_i = p_i / sum_j p_j

with H(w) the entropy of the shares w. Both sides are equal, not nearly so, and the w_i are also the
derivatives of L by l_i. So the map of a merged label is the sum of the maps with the weights w_i,
known once the face has been classified: its mean, the biases with the same weights, and T H(w),
which no more belongs to a place than biases do, add up to the logit exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from maskdet.detections import FloatArray
from maskdet.errors import OptionError

Pairs = Sequence[tuple[str, str]]
"""Labels, each with the one that its probability is added to."""


@dataclass(frozen=True)
class Merging:
    """Which labels are left, and what each is made of.

    Attributes:
        labels: M names.
        groups: M tuples of the indices of a model's own labels.
    """

    labels: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, pairs: Pairs, labels: Sequence[str]) -> Self:
        """Checks what is to be merged against a model's labels.

        Args:
            pairs: labels to merge; none leaves all as they are.
            labels: the model's own.

        Raises:
            OptionError: one of them is none of the model's, or merged twice, or nothing is left to
                tell apart.
        """
        into = dict(pairs)
        for label in (name for pair in pairs for name in pair):
            if label not in labels:
                known = ", ".join(labels)
                raise OptionError(f"--merge {label}: this model's labels are {known}")
        if len(into) < len(pairs) or set(into) & set(into.values()):
            said = " ".join(f"--merge {label}={other}" for label, other in pairs)
            raise OptionError(f"{said}: each label goes into one that stays")
        left = tuple(label for label in labels if label not in into)
        if len(left) == 1 and into:
            raise OptionError(f"--merge: only {left[0]} would be left, and nothing to tell apart")
        groups = tuple(
            tuple(index for index, name in enumerate(labels) if into.get(name, name) == label)
            for label in left
        )
        return cls(left, groups)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is merged."""
        return all(len(group) == 1 for group in self.groups)

    def merge(
        self, logits: FloatArray, cams: FloatArray, temperature: float
    ) -> tuple[FloatArray, FloatArray]:
        """Merges answers.

        Args:
            logits: (N, C).
            cams: (N, h, w, C) class activation maps.
            temperature: what logits are divided by before the softmax.

        Returns:
            (N, M) logits, whose softmax at the same temperature has the sums of the
            probabilities, and their (N, h, w, M) maps, float32.
        """
        if self.is_idle:
            return logits, cams
        scaled = logits.astype(np.float64) / temperature
        merged, maps = [], []
        for group in self.groups:
            own = scaled[:, group]
            highest = own.max(axis=1, keepdims=True)
            powers = np.exp(own - highest)
            total = powers.sum(axis=1, keepdims=True)
            merged.append(temperature * (highest + np.log(total))[:, 0])
            maps.append(np.einsum("nhwg,ng->nhw", cams[..., group], powers / total))
        return (
            np.stack(merged, axis=1).astype(np.float32),
            np.stack(maps, axis=-1).astype(np.float32),
        )
