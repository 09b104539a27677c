"""What an evaluation of heat maps found, and the figures that follow from it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import FloatArray
from maskdet.heatmap.evidence.faces import FaceSet
from maskdet.heatmap.evidence.perturbation import ROAD_SHARES, area
from maskdet.vision.evidence import EvidenceShares, evidence_shares

_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Returns it as a JSON-ready object."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class MethodEvidence:
    """How one method's maps fared on N faces.

    Attributes:
        name: the method.
        maps: (N, h, w) the maps shown.
        deletion: (N, steps) probability of the answer as blocks are deleted.
        insertion: likewise, as they appear.
        morf: (N, 4) probability with the most relevant blocks removed; see ROAD.
        lerf: (N, 4) with the least relevant removed.
        shares: where the positive evidence lies.
    """

    name: str
    maps: FloatArray
    deletion: FloatArray
    insertion: FloatArray
    morf: FloatArray
    lerf: FloatArray
    shares: EvidenceShares

    @property
    def deletion_areas(self) -> NDArray[np.float64]:
        """(N,) areas under the deletion curves: less is better."""
        return np.array([area(curve) for curve in self.deletion])

    @property
    def insertion_areas(self) -> NDArray[np.float64]:
        """(N,) areas under the insertion curves: more is better."""
        return np.array([area(curve) for curve in self.insertion])


@dataclass(frozen=True)
class Completeness:
    """How far the maps of an exported file are from adding up to its logits.

    Attributes:
        precision: of the file.
        largest: greatest absolute difference, in logits.
        mean: mean absolute difference.
        span: greatest less least logit of the faces looked at.
    """

    precision: str
    largest: float
    mean: float
    span: float


@dataclass(frozen=True)
class Evidence:
    """An evaluation.

    Attributes:
        labels: the C class names.
        view: which map was looked at.
        faces: N faces.
        chosen: (N,) index of the classifier's answer.
        probabilities: (N, C) its probabilities.
        methods: what was compared, the baselines last.
        completeness: of each exported file.
        shifted: the same on crops shifted at random, where that was measured, too.
    """

    labels: tuple[str, ...]
    view: str
    faces: FaceSet
    chosen: NDArray[np.intp]
    probabilities: FloatArray
    methods: tuple[MethodEvidence, ...]
    completeness: tuple[Completeness, ...]
    shifted: "Evidence | None" = None

    @property
    def baselines(self) -> tuple[MethodEvidence, ...]:
        """The maps that know nothing of the face."""
        return tuple(one for one in self.methods if one.name in ("random", "centre"))

    def interval(self, values: NDArray[Any]) -> Interval:
        """Returns the mean of (N,) values with its 95% bootstrap interval.

        Groups are drawn, not faces: those of one photograph are alike, and to count each as news
        would make the interval too narrow. NaN values are left out.
        """
        kept = ~np.isnan(values)
        _, group = np.unique(np.array(self.faces.groups)[kept], return_inverse=True)
        sums = np.bincount(group, values[kept])
        counts = np.bincount(group)
        draws = np.random.default_rng(0).integers(0, len(sums), (_RESAMPLES, len(sums)))
        means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        return Interval(float(sums.sum() / counts.sum()), float(low), float(high))

    def better_than(self, method: MethodEvidence, other: MethodEvidence) -> dict[str, Interval]:
        """Returns by how much a method beats another, face by face: above 0 is better."""
        return {
            "deletion": self.interval(other.deletion_areas - method.deletion_areas),
            "insertion": self.interval(method.insertion_areas - other.insertion_areas),
            "road": self.interval((other.morf - method.morf).mean(axis=1)),
        }

    def even_shares(self) -> EvidenceShares:
        """Returns where evidence would lie that is spread evenly over the crop."""
        return evidence_shares(np.ones((len(self.faces), 7, 7), np.float32), self.faces.places)

    def shares_of(self, shares: EvidenceShares, kind: int | None) -> dict[str, Interval]:
        """Returns the mean shares over the faces of a true class, ``None`` for all."""
        here = np.ones(len(self.faces), bool) if kind is None else self.faces.labels == kind
        return {
            name: self.interval(np.where(here, getattr(shares, name), np.nan))
            for name in ("lower", "outside", "rim")
        }

    def to_json(self) -> dict[str, Any]:
        """Returns all figures as a JSON-ready object."""
        kinds = {name: number for number, name in enumerate(self.labels)}
        present = {name: kind for name, kind in kinds.items() if (self.faces.labels == kind).any()}
        report: dict[str, Any] = {
            "faces": {name: int((self.faces.labels == kind).sum()) for name, kind in kinds.items()},
            "photographs": len(set(self.faces.groups)),
            "right": float((self.chosen == self.faces.labels).mean()),
            "class_shown": self.view,
            "completeness": {
                one.precision: {
                    "largest": one.largest,
                    "mean": one.mean,
                    "logit_range": one.span,
                    "largest_share_of_range": one.largest / one.span if one.span else 0.0,
                }
                for one in self.completeness
            },
            "even_shares": {
                name: _json(self.shares_of(self.even_shares(), kind))
                for name, kind in present.items()
            },
            # What a good method's figures are.
            "better": {"deletion": "lower", "insertion": "higher", "road": "lower"},
            "methods": {},
        }
        for method in self.methods:
            report["methods"][method.name] = {
                "deletion": self.interval(method.deletion_areas).to_json(),
                "insertion": self.interval(method.insertion_areas).to_json(),
                "road": {
                    "removed": list(ROAD_SHARES),
                    "most_relevant_first": method.morf.mean(axis=0).round(4).tolist(),
                    "least_relevant_first": method.lerf.mean(axis=0).round(4).tolist(),
                },
                "shares": {
                    name: _json(self.shares_of(method.shares, kind))
                    for name, kind in present.items()
                },
                "better_than": {
                    baseline.name: _json(self.better_than(method, baseline))
                    for baseline in self.baselines
                    if baseline is not method
                },
            }
        if self.shifted is not None:
            report["shifted"] = self.shifted.to_json()
        return report


def _json(intervals: dict[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval.to_json() for name, interval in intervals.items()}
