"""The usual face-mask detector, to compare with: one thread, OpenCV's Caffe SSD, `model.predict`.

    pip install --target opencv4 --no-deps opencv-python==4.14.0.94
    PYTHONPATH=opencv4 python benchmarks/reference.py VIDEO --caffe DIR --output out.avi

Prints a JSON object a frame, as `maskdet detect --json` does, after the frame was annotated and
written. OpenCV 5 has no Caffe importer, hence OpenCV 4. `DIR` holds deploy.prototxt and the
.caffemodel; `tools/build_assets.py` says where they come from.
"""

import json
from pathlib import Path

import click
import cv2
import imutils
import numpy as np
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.models import load_model

ROOT = Path(__file__).resolve().parents[1]
LABELS = ("Mask", "No Mask")


@click.command()
@click.argument("video", type=click.Path(exists=True))
@click.option("--caffe", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--model", default=str(ROOT / "models" / "mask_detector.keras"))
@click.option("--confidence", default=0.5)
@click.option("--output", required=True, help="XVID video to write.")
def main(video: str, caffe: Path, model: str, confidence: float, output: str) -> None:
    """Runs the usual script over a video."""
    face_net = cv2.dnn.readNet(
        str(next(caffe.glob("*.caffemodel"))), str(caffe / "deploy.prototxt")
    )
    mask_net = load_model(model, compile=False)
    capture = cv2.VideoCapture(video)
    writer = None
    number = 0
    while True:
        read, frame = capture.read()
        if not read:
            break
        height, width = frame.shape[:2]
        blob = cv2.dnn.blobFromImage(frame, 1.0, (300, 300), (104.0, 177.0, 123.0))
        face_net.setInput(blob)
        detections = face_net.forward()
        faces, boxes = [], []
        for index in range(detections.shape[2]):
            if detections[0, 0, index, 2] <= confidence:
                continue
            box = detections[0, 0, index, 3:7] * np.array([width, height, width, height])
            left, top, right, bottom = np.clip(
                box, 0, [width - 1, height - 1, width - 1, height - 1]
            ).astype(int)
            face = frame[top:bottom, left:right]
            if face.size == 0:
                continue
            face = cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2RGB), (224, 224))
            faces.append(preprocess_input(face.astype(np.float32)))
            boxes.append((left, top, right, bottom))
        predictions = mask_net.predict(np.array(faces), batch_size=32, verbose=0) if faces else []
        for (left, top, right, bottom), probabilities in zip(boxes, predictions, strict=True):
            kind = int(np.argmax(probabilities))
            colour = (0, 255, 0) if kind == 0 else (0, 0, 255)
            text = f"{LABELS[kind]}: {probabilities[kind] * 100:.2f}%"
            cv2.putText(frame, text, (left, top - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 2)
            cv2.rectangle(frame, (left, top), (right, bottom), colour, 2)
        if writer is None:
            rate = capture.get(cv2.CAP_PROP_FPS) or 25
            codec = cv2.VideoWriter.fourcc(*"XVID")
            writer = cv2.VideoWriter(output, codec, rate, (width, height))
        writer.write(imutils.resize(frame, width=width))
        record = {"frame": number, "faces": [{"box": [int(v) for v in box]} for box in boxes]}
        print(json.dumps(record), flush=True)
        number += 1
    capture.release()
    if writer is not None:
        writer.release()


if __name__ == "__main__":
    main()
