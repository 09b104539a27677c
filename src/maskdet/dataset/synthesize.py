"""`maskdet dataset synthesize`: masked pictures made from bare faces."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from maskdet.annotations import find_pictures, overlooked
from maskdet.assets import bundled
from maskdet.boxes import UInt8Array, clip_boxes
from maskdet.class_folders.faces_file import Box, FaceRow, write_faces
from maskdet.dataset.fabric import KINDS, draw_fabric, picture_fabric
from maskdet.dataset.folders import FreeNames, check_free, new_folder, safe_name, write_problems
from maskdet.dataset.head import Pose, fit_pose, landmarks_from_box
from maskdet.dataset.render import put_on
from maskdet.dataset.wrong_places import wrong_place
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.duplicates import HashRow, group_duplicates, hash_picture, stack_hashes
from maskdet.errors import DatasetError, ModelError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.picture_files import write_picture
from maskdet.vision.faces.loading import load_face_detector
from maskdet.vision.faces.yunet import YunetFaceDetector, yunet_file

FROM_BOX = "landmarks guessed from the face's box"

# Beyond these the model of the head does not fit what is seen: a profile, a grimace, no face.
MOST_YAW = 62.0  # degrees
MOST_ERROR = 0.22  # of the distance between the eyes
SMALLEST = 24  # pixels of a face's height; below, a mask is a smear
_CONFIDENCE = 0.7
# Of the longer side, added around a picture for YuNet: of 150 faces cut out tightly it found 122 as
# they are, all of them with this border, and its points moved from the cheeks into the eyes.
_BORDER = 0.3

Find = Callable[[UInt8Array], tuple[FloatArray, FloatArray]]
"""A picture's faces: (N, 4) boxes and (N, 5, 2) landmarks."""


@dataclass(frozen=True)
class SynthesizeOptions:
    """What to make.

    Attributes:
        faces: folder of pictures of bare faces, in folders of their own or not.
        output: data-set folder to write, which must not hold anything yet.
        kinds: masks to draw, some of `KINDS`.
        mask: PNG of one's own mask, with transparency, instead.
        incorrect: whether to make pictures of masks worn wrongly, too, as a third class.
        per_face: masked pictures to make of each picture.
        landmarks: YuNet's file or its folder; ``None`` for the user's cache or a download.
        seed: chooses masks.
    """

    faces: Path
    output: Path
    kinds: tuple[str, ...] = KINDS
    mask: Path | None = None
    incorrect: bool = False
    per_face: int = 1
    landmarks: Path | None = None
    seed: int = 1


@dataclass(frozen=True)
class Synthesized:
    """What was made.

    Attributes:
        counts: pictures by class.
        skipped: one line for each picture nothing was made of; also in `problems.txt`.
        overlooked: a line on files that are not called a picture, if there are any.
        guessed: whether landmarks were guessed from boxes, and why; empty if they were found.
    """

    counts: Counter[str]
    skipped: tuple[str, ...]
    overlooked: tuple[str, ...]
    guessed: str


def synthesize(options: SynthesizeOptions, *, show: Callable[[float, str], None]) -> Synthesized:
    """Writes the bare pictures and masked copies as class folders.

    ``faces.csv`` puts a picture, all made from it and all that nearly match it into one group,
    which `maskdet train` keeps on one side of its split.

    Args:
        options: what to make.
        show: takes the fraction that is done and a short text.

    Raises:
        DatasetError: there are no pictures, or no face in any of them.
        SourceError: the picture of a mask cannot be used.
        OutputError: the folder cannot be written; nothing of it is left then.
    """
    check_free(options.output)
    paths, others = find_pictures(options.faces), overlooked(options.faces)
    own = None if options.mask is None else _read_mask(options.mask)
    find, guessed = _finder(options.landmarks)
    random = np.random.default_rng(options.seed)
    free = FreeNames()
    made: list[list[FaceRow]] = []
    hashes: list[HashRow] = []
    skipped: list[str] = []
    with new_folder(options.output) as folder:
        for done, path in enumerate(paths, 1):
            show(done / len(paths), "putting masks on")
            source = path.relative_to(options.faces).as_posix()
            try:
                image = read_picture(path)
            except SourceError as error:
                skipped.append(str(error))
                continue
            boxes, landmarks = find(image)
            poses = [fit_pose(points) for points in landmarks]
            reason = _unfit(boxes, poses)
            if reason:
                skipped.append(f"{source}: {reason}")
                continue
            note = FROM_BOX if guessed else ""
            # Saved in the same way, so that a model cannot tell the two by that.
            file = free.take(f"{NO_MASK_LABEL}/{safe_name(source)}-bare.jpg")
            bare = FaceRow(file, "", _largest(boxes), source)
            write_picture(folder / bare.file, image)
            drawn = [
                _draw(folder, bare, image, poses, (turn, wrong, note), options, own, random)
                for wrong in ((False, True) if options.incorrect else (False,))
                for turn in range(options.per_face)
            ]
            made.append([bare, *drawn])
            hashes.append(hash_picture(image))
        if not made:
            raise DatasetError(f"{options.faces}: no face a mask could be put on ({skipped[-1]})")
        groups, _ = group_duplicates(stack_hashes(hashes), [None] * len(hashes))
        rows = [
            replace(row, group=f"face-{group}")
            for group, of in zip(groups, made, strict=True)
            for row in of
        ]
        write_faces(folder, rows)
        write_problems(folder, [*others, *skipped])
    counts = Counter(Path(row.file).parent.as_posix() for row in rows)
    return Synthesized(counts, tuple(skipped), tuple(others), guessed)


def _draw(
    folder: Path,
    bare: FaceRow,
    image: UInt8Array,
    poses: list[Pose],
    variant: tuple[int, bool, str],
    options: SynthesizeOptions,
    own: FloatArray | None,
    random: np.random.Generator,
) -> FaceRow:
    """Writes one picture in which every face wears a mask."""
    turn, wrong, note = variant
    place = wrong_place(poses, (image.shape[1], image.shape[0]), random) if wrong else "worn"
    kind = "own" if own is not None else str(random.choice(options.kinds))
    masked = image
    for pose in poses:
        fabric = draw_fabric(kind, place, random) if own is None else picture_fabric(own, place)
        masked = put_on(masked, pose, fabric)
    label = INCORRECT_LABEL if wrong else MASK_LABEL
    file = f"{label}/{Path(bare.file).name.removesuffix('-bare.jpg')}-{turn}-{kind}.jpg"
    write_picture(folder / file, masked)
    return replace(bare, file=file, note="; ".join(filter(None, (f"{kind} {place}", note))))


def _read_mask(path: Path) -> FloatArray:
    """Reads a picture of a mask, cut to what is not transparent: (H, W, 4) float32 in [0, 1]."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except cv2.error as error:
        raise SourceError(f"{path}: cannot be decoded ({error.err})") from None
    if picture is None:
        raise SourceError(f"{path}: is not a picture, or is damaged")
    if picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
        raise SourceError(f"{path}: has no transparency: a mask is a PNG cut out around its edge")
    solid = picture[..., 3] > 127
    if not solid.any():
        raise SourceError(f"{path}: is transparent all over")
    across, down = np.flatnonzero(solid.any(axis=0)), np.flatnonzero(solid.any(axis=1))
    part = picture[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    return cast("FloatArray", part.astype(np.float32) / np.float32(255))


def _finder(given: Path | None) -> tuple[Find, str]:
    """Returns what finds faces and landmarks, and why it must guess, if it must."""
    try:
        yunet = YunetFaceDetector(yunet_file(given), confidence=_CONFIDENCE)
    except ModelError as error:
        if given is not None:
            raise
        detector = load_face_detector(bundled("face_detector"))

        def guess(image: UInt8Array) -> tuple[FloatArray, FloatArray]:
            boxes, _ = detector.detect(image)
            points = [landmarks_from_box(box) for box in boxes]
            return boxes, np.array(points, np.float32).reshape(-1, 5, 2)

        return guess, str(error)

    def find(image: UInt8Array) -> tuple[FloatArray, FloatArray]:
        height, width = image.shape[:2]
        border = round(_BORDER * max(height, width))
        framed = np.pad(image, ((border, border), (border, border), (0, 0)), mode="edge")
        boxes, _, points = yunet.detect_landmarks(framed)
        return clip_boxes(boxes - border, width, height), points - border

    return find, ""


def _unfit(boxes: FloatArray, poses: list[Pose]) -> str:
    """Returns why no masks can be put on the faces of a picture, empty if they can."""
    if not poses:
        return "no face found"
    if any(abs(pose.yaw) > MOST_YAW or pose.error > MOST_ERROR for pose in poses):
        return "a face is turned too far away"
    if (boxes[:, 3] - boxes[:, 1]).min() < SMALLEST:
        return f"a face is lower than {SMALLEST} pixels"
    return ""


def _largest(boxes: FloatArray) -> Box:
    sizes = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    left, top, right, bottom = (float(side) for side in boxes[int(sizes.argmax())])
    return left, top, right, bottom
