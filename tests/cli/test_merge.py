"""`--merge`: two answers of a model that gives three, in every command that takes it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskdet as package
from command_line import Cli, assert_user_error
from maskdet.media.inputs.decoding import read_picture
from three_labels import LABELS, write_model

MERGE = "mask_worn_incorrectly=without_mask"


def test_detect_merges_probabilities(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Not labels: what three made a mask of, two call none."""
    model = write_model(tmp_path / "m", (1.0, 0.0, 0.3))
    detect = ["detect", samples / "astronaut.jpg", "--model", model, "--no-output", "--quiet"]
    (three,), (two,) = (
        json.loads(maskdet(*detect, "--json", *more).stdout)["faces"]
        for more in ([], ["--merge", MERGE])
    )
    assert list(two["probabilities"]) == ["with_mask", "without_mask"]
    assert two["probabilities"]["without_mask"] == pytest.approx(
        three["probabilities"]["without_mask"] + three["probabilities"]["mask_worn_incorrectly"],
        abs=2e-4,
    )
    assert two["label"] == "without_mask" != three["label"]
    for words, said in (
        (["--merge", "chin=without_mask"], "this model's labels are"),
        (["--merge", MERGE, "--fail-on", LABELS[2]], "this model's labels are"),
    ):
        assert_user_error(maskdet(*detect, *words), said, code=2)
    assert "is not LABEL=LABEL" in maskdet(*detect, "--merge", "chin").stderr


def test_heat_maps_of_a_merged_label_add_up(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """The stored maps and logits are the merged ones, with the probabilities of detect."""
    model = write_model(tmp_path / "m", (3.0, 0.0, 0.5), temperature=1.7)
    common = [samples / "astronaut.jpg", "--model", model, "--merge", MERGE]
    assert maskdet("heatmap", *common, "--raw", "maps.npz").returncode == 0
    (face,) = json.loads(maskdet("detect", *common, "--no-output", "--json").stdout)["faces"]
    with np.load(tmp_path / "maps.npz") as stored:
        assert stored["labels"].tolist() == ["with_mask", "without_mask"]
        assert stored["maps"].shape[-1] == stored["logits"].shape[-1] == 2
        found = dict(zip(stored["labels"].tolist(), stored["probabilities"][0], strict=True))
    assert found == pytest.approx(face["probabilities"], abs=1e-3)


def test_evaluations_merge_the_classes_of_the_data(maskdet: Cli, tmp_path: Path) -> None:
    """Faces of the third class count as of the label it is merged into."""
    colours = {"with_mask": (255, 0, 0), "without_mask": (0, 0, 255), LABELS[2]: (0, 255, 0)}
    for label, colour in colours.items():
        (tmp_path / "faces" / label).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / label / "a.png"), np.full((40, 40, 3), colour))
    model = write_model(tmp_path / "m", (0, 0, 0))
    done = maskdet("evaluate", "--dataset", "faces", "--model", model, "--output", "report")
    assert done.returncode == 0, done.stderr
    assert "Of 3 pictures 3 are labelled right" in done.stdout
    with_merge = maskdet(
        *("evaluate", "--dataset", "faces", "--model", model, "--merge", MERGE),
        *("--output", "merged"),
    )
    assert "Of 3 pictures 3 are labelled right" in with_merge.stdout
    report = json.loads((tmp_path / "merged/report.json").read_text())
    assert report["about"]["options"] == f"merge {MERGE}"
    assert "mask_worn_incorrectly_recall" not in report["figures"]


def test_python_merges_too(tmp_path: Path, samples: Path) -> None:
    """`maskdet.load(merge=...)` gives two labels; without it a third can be told."""
    card = write_model(tmp_path / "m", (0, 0, 9))
    picture = read_picture(samples / "astronaut.jpg")
    assert str(package.load(card)(picture)) == "1 face: 1 Worn Incorrectly"
    merged = package.load(card, merge={"mask_worn_incorrectly": "without_mask"})
    assert merged.labels == ("with_mask", "without_mask")
    faces = merged(picture)
    assert str(faces) == "1 face: 1 No Mask"
    assert faces.heatmap().bgr.shape[1] > picture.shape[1]
    with pytest.raises(TypeError, match="dictionary of label to label"):
        package.load(card, merge=["mask_worn_incorrectly"])  # type: ignore[arg-type]
    with pytest.raises(package.OptionError, match="this model's labels are"):
        package.load(merge={"chin": "without_mask"})
