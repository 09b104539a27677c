"""What looking in full now and then loses and saves, beside looking in full at every frame.

    python benchmarks/looks.py VIDEO...

Both see the same frames in one run, in turns. Of the faces that full looks find, those count as
found whose box overlaps one by half; extra are faces that only the other way shows. Longest gap:
frames in a row in which one track of full looks is not found. Flips are changes of label along the
tracks. Trembling: how far the edges of a track's box lie from the middle between where they are a
frame before and a frame after, in percent of the box's height, the mean of all. Milliseconds are of
the processor, for finding faces alone and for reading them.
"""

import functools
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field

import click
import numpy as np

from maskdet.boxes import intersection_over_union
from maskdet.detections import Detections, FloatArray
from maskdet.media.sources import open_source
from maskdet.vision.faces.displacement import SAME_FACE
from maskdet.vision.faces.following import FollowingFaceDetector
from maskdet.vision.faces.size_choice import SizeChooser
from maskdet.vision.faces.sizes import AutoSizedFaceDetector
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import Follower, MaskDetector
from maskdet.vision.preprocessing import UInt8Array


@dataclass
class Way:
    """One way of looking at a video, and what it has given."""

    detector: MaskDetector
    faces: FollowingFaceDetector
    follower: Follower
    seen: list[Detections] = field(default_factory=list)
    finding: float = 0.0
    reading: float = 0.0

    def look(self, number: int, image: UInt8Array, moment: float) -> None:
        """Takes the next frame."""
        begun = time.process_time()
        found = self.detector.find_faces(image, functools.partial(self.faces.detect, number))
        between = time.process_time()
        self.seen.append(self.follower.classify(image, *found, moment))
        self.finding += between - begun
        self.reading += time.process_time() - between

    @property
    def tracks(self) -> dict[int, list[tuple[int, int]]]:
        """The number of each frame and the label, by track."""
        tracks: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, seen in enumerate(self.seen):
            if seen.tracks is not None:
                for track, label in zip(seen.tracks.tolist(), seen.label_indices, strict=True):
                    tracks[track].append((number, int(label)))
        return tracks

    @property
    def flips(self) -> int:
        """How often a track's label changes."""
        return sum(
            a != b for shown in self.tracks.values() for (_, a), (_, b) in itertools.pairwise(shown)
        )

    @property
    def trembling(self) -> float:
        """How far edges are from the middle of before and after, in percent of the height."""
        boxes = {
            (track, number): box
            for number, seen in enumerate(self.seen)
            if seen.tracks is not None
            for track, box in zip(seen.tracks.tolist(), seen.xyxy, strict=True)
        }
        apart = []
        for (track, number), box in boxes.items():
            before, after = boxes.get((track, number - 1)), boxes.get((track, number + 1))
            if before is not None and after is not None:
                edges = np.abs(box - (before + after) / 2)
                apart.append(100 * edges.mean() / (box[3] - box[1]))
        return float(np.mean(apart)) if apart else 0.0


def overlaps(first: Detections, second: Detections) -> FloatArray:
    """Returns by how much each face of the first overlaps the best of the second."""
    if len(first) == 0 or len(second) == 0:
        return np.zeros(len(first), np.float32)
    best: FloatArray = intersection_over_union(first.xyxy, second.xyxy).max(axis=1)
    return best


def longest_gap(full: Way, sparing: Way) -> int:
    """Returns for how many frames of a track of full looks at most nothing was found there."""
    gaps: dict[int, int] = defaultdict(int)
    longest = 0
    for a, b in zip(full.seen, sparing.seen, strict=True):
        if a.tracks is None:
            continue
        for track, best in zip(a.tracks.tolist(), overlaps(a, b), strict=True):
            gaps[track] = 0 if best >= SAME_FACE else gaps[track] + 1
            longest = max(longest, gaps[track])
    return longest


def compare(video: str, detector: MaskDetector, sizes: tuple[int, ...]) -> list[str]:
    """Looks at a video both ways and returns a row of the table."""
    assert isinstance(detector.faces, AutoSizedFaceDetector)
    full, sparing = (
        Way(
            detector,
            FollowingFaceDetector(detector.faces, SizeChooser(sizes), thorough=thorough),
            Follower(detector),
        )
        for thorough in (True, False)
    )
    source = open_source(video)
    for number, frame in enumerate(source):
        for way in (full, sparing):
            way.look(number, frame.image, number / (source.frame_rate or 25))
    pairs = list(zip(full.seen, sparing.seen, strict=True))
    total = sum(len(a) for a, _ in pairs)
    found = sum(int((overlaps(a, b) >= SAME_FACE).sum()) for a, b in pairs)
    extra = sum(int((overlaps(b, a) < SAME_FACE).sum()) for a, b in pairs)
    frames = len(pairs)
    return [
        video.rsplit("/", 1)[-1],
        str(frames),
        f"{total / frames:.1f}",
        f"{found / max(total, 1):.4f}",
        str(extra),
        str(longest_gap(full, sparing)),
        f"{len(full.tracks)} / {len(sparing.tracks)}",
        f"{full.flips} / {sparing.flips}",
        f"{full.trembling:.2f} / {sparing.trembling:.2f}",
        f"{1000 * full.finding / frames:.1f} / {1000 * sparing.finding / frames:.1f}",
        f"{1000 * full.reading / frames:.1f} / {1000 * sparing.reading / frames:.1f}",
    ]


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--precision", default="auto", show_default=True, help="As of maskdet detect.")
def main(videos: tuple[str, ...], precision: str) -> None:
    """Compares full looks at every frame of VIDEOS with looks now and then."""
    detector = load_detector(NetworkOptions(precision=precision), lanes=1)
    assert isinstance(detector.faces, AutoSizedFaceDetector)
    heads = ["video", "frames", "faces a frame", "recall", "extra", "longest gap"]
    heads += ["tracks", "label changes", "trembling, %", "finding, ms", "reading, ms"]
    print("full looks / looks now and then; " + str(detector.precisions))
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for video in videos:
        print("| " + " | ".join(compare(video, detector, detector.faces.sizes)) + " |", flush=True)


if __name__ == "__main__":
    main()
