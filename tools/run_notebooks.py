"""Runs the notebooks of `notebooks/` from start to end and stores them with what they show.

    python tools/run_notebooks.py [NAME ...]

Pictures are stored as JPEG where that is smaller, and once where a page of HTML holds them, too: a
notebook is read in a browser, and every change of it is kept for ever.
"""

import argparse
import base64
import sys
from pathlib import Path
from typing import Any

import cv2
import nbformat
import numpy as np
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
# Seconds a cell may take.
PATIENCE = 300
# Of a stored picture; drawings are smaller as PNG, photographs as JPEG.
QUALITY = 85


def executed(path: Path, folder: Path) -> Any:
    """Returns a notebook with what its cells show.

    Args:
        path: of the notebook, which is left as it is.
        folder: where it runs; the samples have to be beside this folder.

    Raises:
        CellExecutionError: a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=PATIENCE, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    return client.execute()


def slimmed(notebook: Any) -> Any:
    """Returns a notebook whose pictures are stored small, and without what only machines tell."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                data.pop("image/png", None)
            elif "image/png" in data:
                photograph = as_jpeg(data["image/png"])
                if len(photograph) < len(data["image/png"]):
                    del data["image/png"]
                    data["image/jpeg"] = photograph
    notebook.metadata.pop("language_info", None)
    return notebook


def as_jpeg(png: str) -> str:
    """Returns a picture, base64 of a PNG, as base64 of a JPEG."""
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_COLOR)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return base64.b64encode(data.tobytes()).decode()


def main() -> None:
    """Runs and stores."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as quickstart; else all")
    names = set(parser.parse_args().names)
    paths = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not names or path.stem in names]
    if not paths:
        sys.exit(f"no such notebook in {NOTEBOOKS}")
    for path in paths:
        nbformat.write(slimmed(executed(path, NOTEBOOKS)), path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
