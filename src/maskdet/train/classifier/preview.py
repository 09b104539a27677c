"""A sheet of augmented pictures, to see what training sees."""

from pathlib import Path

import cv2
import numpy as np

from maskdet.errors import OutputError
from maskdet.media.files import replacing
from maskdet.train.classifier.augmentation import AUGMENTATIONS
from maskdet.train.classifier.feed import Feed
from maskdet.train.classifier.options import TrainOptions

ROWS, COLUMNS, TILE = 8, 10, 112


def write_sheet(feed: Feed, options: TrainOptions, path: Path) -> None:
    """Writes rows of one picture each: first as the runtime sees it, then views of it.

    Args:
        feed: the pictures.
        options: of the run: augmentation, input size, seed.
        path: of the picture to write, in the format that its ending names.

    Raises:
        OutputError: the sheet cannot be written.
    """
    how = AUGMENTATIONS[options.augmentation]
    chosen = np.random.default_rng(options.seed).permutation(len(feed))[:ROWS]
    rows = []
    for index in chosen:
        views = [feed.plain(index, size=options.input_size)]
        views += [
            feed.view(index, size=options.input_size, epoch=epoch, how=how)
            for epoch in range(COLUMNS - 1)
        ]
        rows.append(np.hstack([cv2.resize(view, (TILE, TILE)) for view in views]))
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    try:
        _, data = cv2.imencode(path.suffix.lower(), sheet)
    except cv2.error:
        raise OutputError(f"{path}: is no name of a picture; {path.stem}.png is") from None
    with replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())
