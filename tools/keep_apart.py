"""Chooses the photographs that measure the third answer, and never teach or choose anything.

    python tools/keep_apart.py --data ../shared/data

Photographs of ``detection/three_class`` that show the same thing, people or scene form a group:
near-duplicates, and those whose features (the ImageNet backbone's, of the whole photograph) point
nearly the same way, since one person often appears in several pictures of one sitting; some were
seen by eye. Groups are taken in the order of a hash of their first name, so that the choice is
fixed and owes nothing to what the photographs show, until there are 250. Writes their names to
`benchmarks/kept_apart.txt`.
"""

import hashlib
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from maskdet.detections import FloatArray
from maskdet.duplicates import near_pairs, stack_hashes
from maskdet.media.inputs.decoding import read_picture

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "benchmarks" / "kept_apart.txt"
PREFIX = "ilc_"  # the web photographs; the others are few and hold next to no third class
WANTED = 250
# Cosine of features, less their mean. Looked at: above it lie the pictures of one person in one
# room, and plain portraits that merely look alike, which lose nothing by staying together.
ALIKE = 0.57
SIDE, BATCH = 224, 32
# One person in several photographs that features tell apart, as seen by eye.
SAME_PERSON = """
    0048 0078 0156 0203 0276 0345 0510 0551 0668 0790 0803 0839 0920 1061 1147 1150 1191 1219 1364
    0048 1499
    0243 0267 0373 0434 0677 1425
    0167 0288 0938 0960
    0509 0904 0949 1029
    0209 0553 1493
    0161 0420 1495
    0099 0157
    0005 0566
    0212 0568
    0275 1381
    0287 1287
    0633 1262
    0957 1162
    1024 1176
    0631 1284
    0465 1227
    0771 1366
    0023 0069
    0308 0331
"""


def features(paths: list[Path]) -> FloatArray:
    """Returns the (N, 1280) pooled backbone features of photographs, centred, of length 1."""
    import keras

    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(SIDE, SIDE, 3), pooling="avg"
    )
    backbone.load_weights(ROOT / "models" / "mobilenet_v2_imagenet.weights.h5")
    rows = []
    for start in range(0, len(paths), BATCH):
        batch = [
            cv2.resize(read_picture(path), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            for path in paths[start : start + BATCH]
        ]
        pixels = np.stack(batch)[..., ::-1].astype(np.float32) / 127.5 - 1
        rows.append(backbone.predict_on_batch(pixels))
    found = np.concatenate(rows)
    found -= found.mean(axis=0)
    result: FloatArray = found / np.linalg.norm(found, axis=1, keepdims=True)
    return result


def group(paths: list[Path]) -> NDArray[np.intp]:
    """Returns (N,) group numbers of photographs."""
    from maskdet.train.data import hash_files

    hashed, _ = hash_files(paths)
    hashes = stack_hashes([hashed[path] for path in paths])
    pairs = near_pairs(hashes, hashes)
    rows = features(paths)
    alike = rows @ rows.T > ALIKE
    alike[pairs.first, pairs.second] = True
    index = {path.stem: number for number, path in enumerate(paths)}
    for line in SAME_PERSON.strip().splitlines():
        person = [index[f"{PREFIX}{number}"] for number in line.split()]
        alike[person[0], person] = True
    _, found = connected_components(csr_matrix(alike), directed=False)
    groups: NDArray[np.intp] = found.astype(np.intp)
    return groups


def choose(names: list[str], groups: NDArray[np.intp], wanted: int) -> list[str]:
    """Takes whole groups in the order of a hash until there are `wanted` names."""
    members: dict[int, list[str]] = {}
    for name, number in zip(names, groups.tolist(), strict=True):
        members.setdefault(number, []).append(name)

    def rank(of: list[str]) -> str:
        return hashlib.sha256(min(of).encode()).hexdigest()

    chosen: list[str] = []
    for of in sorted(members.values(), key=rank):
        if len(chosen) + len(of) <= wanted:
            chosen += of
    return sorted(chosen)


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
def main(data: Path) -> None:
    """Chooses and writes."""
    paths = sorted((data / "detection" / "three_class" / "images").glob(f"{PREFIX}*"))
    chosen = choose([path.stem for path in paths], group(paths), WANTED)
    TARGET.write_text("".join(f"{name}\n" for name in chosen), encoding="utf-8")
    click.echo(f"{len(chosen)} of {len(paths)} photographs kept apart: {TARGET}", err=True)


if __name__ == "__main__":
    main()
