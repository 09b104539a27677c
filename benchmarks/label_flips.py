"""How steady labels are in video: flips with and without tracking, and the delay that it costs.

    python benchmarks/label_flips.py VIDEO...

Bursts of motion blur in random directions are added to the frames. Faces are taken where they are
in the undisturbed frames, so that a blurred one is read and not lost, and labelled frame by frame
and by their tracks; the changes of label along each track are counted.
A change that the undisturbed video shows, too, is no flip. For the delay the videos run backwards
and forwards without blur: the frames from the change of a face's own label to that of its track.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from maskdet.media.frames import usable_rate
from maskdet.media.sources import open_source
from maskdet.vision.faces.sizes import AutoSizedFaceDetector
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import Follower, MaskDetector

SEED = 0
BURST_CHANCE = 0.08  # that a burst begins at a frame
BURST_FRAMES = (1, 5)
BLUR_SHARE = (0.02, 0.08)  # of the frame's width
# A label that lasts for less than half of this is a flicker, not a change. Frames.
STEADY = 15

Frames = list[NDArray[np.uint8]]


@dataclass
class Labels:
    """The labels of one face from frame to frame, each its own and the track's."""

    frames: list[int] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    track: list[int] = field(default_factory=list)


def blurred(frames: Frames) -> Iterator[NDArray[np.uint8]]:
    """Adds bursts of motion blur."""
    generator = np.random.default_rng(SEED)
    left, kernel = 0, np.ones((1, 1), np.float32)
    for frame in frames:
        if left == 0 and generator.random() < BURST_CHANCE:
            left = int(generator.integers(BURST_FRAMES[0], BURST_FRAMES[1] + 1))
            length = int(generator.uniform(*BLUR_SHARE) * frame.shape[1]) | 1
            turn = cv2.getRotationMatrix2D((length // 2, length // 2), generator.uniform(0, 180), 1)
            line = np.zeros((length, length), np.float32)
            line[length // 2] = 1
            kernel = cv2.warpAffine(line, turn, (length, length))
            kernel /= kernel.sum()
        if left:
            left -= 1
            yield cv2.filter2D(frame, -1, kernel)
        else:
            yield frame


def label(
    frames: Frames,
    rate: float,
    detector: MaskDetector,
    shown: Iterable[NDArray[np.uint8]] | None = None,
) -> list[Labels]:
    """Labels every face by itself and by its track.

    Args:
        frames: in which the faces are found.
        rate: frames a second.
        detector: both networks.
        shown: what the classifier sees instead of the frames.
    """
    follower = Follower(detector)
    faces = detector.faces
    following = faces.following() if isinstance(faces, AutoSizedFaceDetector) else None
    by_track: dict[int, Labels] = defaultdict(Labels)
    for number, (frame, seen) in enumerate(zip(frames, shown or frames, strict=True)):
        moment = number / rate
        detect = functools.partial(following.detect, number, moment=moment) if following else None
        found = detector.find_faces(frame, detect)
        own = detector.classify(seen, *found)
        tracked = follower.classify(seen, *found, time=moment)
        if tracked.tracks is None:
            continue
        for track, a, b in zip(
            tracked.tracks.tolist(), own.label_indices, tracked.label_indices, strict=True
        ):
            by_track[track].frames.append(number)
            by_track[track].own.append(int(a))
            by_track[track].track.append(int(b))
    return list(by_track.values())


def changes(labels: list[int]) -> list[int]:
    """Returns where a sequence changes."""
    return [i for i in range(1, len(labels)) if labels[i] != labels[i - 1]]


def delays(faces: list[Labels]) -> list[int]:
    """Returns, for each lasting change of a face's own label, how much later its track changed."""
    found = []
    for face in faces:
        if len(face.own) < 2 * STEADY:
            continue
        steady = median_filter(np.array(face.own), STEADY, mode="nearest").tolist()
        for change in changes(steady):
            # From the first frame of the run of frames that became the lasting label.
            after = steady[change]
            begin = change
            while begin > 0 and face.own[begin - 1] == after:
                begin -= 1
            taken = [i for i in range(begin, len(face.track)) if face.track[i] == after]
            if taken:
                found.append(face.frames[taken[0]] - face.frames[begin])
    return found


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(exists=True))
def main(videos: tuple[str, ...]) -> None:
    """Counts label flips in VIDEOS with added motion blur, with and without tracking."""
    detector = load_detector(NetworkOptions())
    total = [0, 0, 0]
    late: list[int] = []
    print(f"{'':<28}{'faces':>7}{'flips':>7}{'/100':>7}{'tracked':>9}{'/100':>7}")
    for video in videos:
        source = open_source(video)
        frames, rate = [frame.image for frame in source], usable_rate(source.frame_rate)
        clean = label(frames, rate, detector)
        real = sum(
            len(changes(median_filter(np.array(face.own), STEADY, mode="nearest").tolist()))
            for face in clean
        )
        late += delays(clean) + delays(label(frames[::-1], rate, detector))
        faces = label(frames, rate, detector, blurred(frames))
        seen = sum(len(face.own) for face in faces)
        own = max(0, sum(len(changes(face.own)) for face in faces) - real)
        tracked = max(0, sum(len(changes(face.track)) for face in faces) - real)
        total = [total[0] + seen, total[1] + own, total[2] + tracked]
        _print(video.rsplit("/", 1)[-1], seen, own, tracked)
    _print("all", *total)
    if late:
        print(
            f"delay of {len(late)} real changes, forwards and backwards: "
            f"median {np.median(late):.0f}, longest {max(late)} frames"
        )


def _print(name: str, faces: int, own: int, tracked: int) -> None:
    print(
        f"{name:<28}{faces:>7}{own:>7}{100 * own / max(faces, 1):>7.2f}"
        f"{tracked:>9}{100 * tracked / max(faces, 1):>7.2f}"
    )


if __name__ == "__main__":
    main()
