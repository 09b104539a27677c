"""What the classifier does with masks worn wrongly, and where its evidence lies on them.

    python benchmarks/heatmap_incorrect.py --data ../shared/data --output sheet.png

Reads ``detection/three_class.json`` and cuts the faces marked ``mask_weared_incorrect`` out of the
photographs of ``detection/valid``, on which the classifier was not trained.
"""

import json
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.boxes import cut, expand_boxes
from maskdet.detections import MASK_LABEL, Detections
from maskdet.heatmap.drawing.colours import palette
from maskdet.heatmap.drawing.compose import Composer, Explained
from maskdet.heatmap.drawing.panels import BACKGROUND, Brush, PanelShape, draw_panel
from maskdet.heatmap.methods.views import DIFFERENCE, shown_maps
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.picture_files import write_picture
from maskdet.vision.classifier import MaskClassifier, find_card
from maskdet.vision.evidence import watched

WRONG = "mask_weared_incorrect"
SMALLEST = 24  # pixels, below which even a person often cannot tell
SIDE = 180  # pixels of a face on the sheet
COLUMNS = 3


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("incorrect.png"))
def main(data: Path, output: Path) -> None:
    """Classifies the faces and draws a sheet of them."""
    classifier = MaskClassifier(find_card(None), maps=True)
    margin, shape = classifier.crop_margin, PanelShape(SIDE, worded=False)
    brush = Brush(palette("coldwarm", 0.6))
    composer = Composer(brush, margin=margin, exact=True)
    panels, masked = [], 0
    for photograph in json.loads((data / "detection" / "three_class.json").read_text()):
        boxes = [one["bbox"] for one in photograph["objects"] if one["name"] == WRONG]
        boxes = [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST]
        if not photograph["image"].startswith("valid/") or not boxes:
            continue
        frame = read_picture(data / "detection" / photograph["image"])
        height, width = frame.shape[:2]
        xyxy = np.array(boxes, np.float32)
        probabilities, logits, cams = classifier.classify(frame, xyxy)
        scores = np.ones(len(xyxy), np.float32)
        faces = Detections(classifier.labels, xyxy, scores, probabilities, logits, cams)
        faces = watched(faces, 0.5, margin=margin, width=width, height=height)
        shown = shown_maps(faces, DIFFERENCE)
        for index, record in enumerate(faces.to_records()):
            print(
                f"{photograph['image']}: {record['label']} {record['confidence']:.3f}, "
                f"{record['evidence_outside']:.0%} of the evidence outside the face"
            )
            masked += record["label"] == MASK_LABEL
            scale = float(np.abs(shown.maps[index]).max())
            crop = cut(frame, expand_boxes(xyxy[[index]], margin)[0])
            panel = np.full((shape.height, shape.width, 3), BACKGROUND, np.uint8)
            draw_panel(
                panel,
                shape,
                np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8),
                shown.maps[index],
                scale,
                brush,
                composer.text(Explained(faces, shown, scale), index, ""),
            )
            panels.append(panel)
    print(f"{masked} of {len(panels)} masks worn wrongly are called {MASK_LABEL}")
    rows = -(-len(panels) // COLUMNS)
    sheet = np.full((rows * shape.height, COLUMNS * shape.width, 3), BACKGROUND, np.uint8)
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        top, left = row * shape.height, column * shape.width
        sheet[top : top + shape.height, left : left + shape.width] = panel
    write_picture(output, sheet)


if __name__ == "__main__":
    main()
