"""`maskdet detect` with a classifier that knows masks worn incorrectly, as with two labels."""

import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from command_line import Cli, assert_user_error
from maskdet.detect import plot
from maskdet.media.inputs.decoding import read_picture
from maskdet.summaries import Summary, TimeLine
from three_labels import LABELS, write_model

# Of what the tiny model says of the sample's face, and of any other.
INCORRECT, BARE = (0, 0, 9), (0, 9, 0)


def test_a_mask_worn_incorrectly_in_every_result(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """Records, figures, crops, the picture, the summary and the exit code speak of it."""
    model = write_model(tmp_path / "m", INCORRECT)
    done = maskdet(
        "detect", samples / "astronaut.jpg", "--model", model, "--json", "a.jsonl",
        "--csv", "a.csv", "--summary", "s.json", "--save-crops", "crops", "--plot", "p.png",
        "--output", "out.png", "--fail-on", "mask_worn_incorrectly",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "saw mask_worn_incorrectly 1 times" in done.stderr
    assert "Worn Incorrectly       1" in done.stdout
    (face,) = json.loads((tmp_path / "a.jsonl").read_text())["faces"]
    assert face["label"] == "mask_worn_incorrectly"
    assert list(face["probabilities"]) == list(LABELS)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert row["label"] == "mask_worn_incorrectly"
    (figures,) = json.loads((tmp_path / "s.json").read_text())["sources"]
    assert figures["faces"] == {"with_mask": 0, "without_mask": 0, "mask_worn_incorrectly": 1}
    assert figures["share_with_mask"] == 0
    assert [path.parent.name for path in (tmp_path / "crops").rglob("*.jpg")] == [
        "mask_worn_incorrectly"
    ]
    drawn = read_picture(tmp_path / "out.png").astype(int)
    assert (np.abs(drawn - (0, 120, 245)).sum(axis=2) == 0).sum() > 100
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_alerts_on_labels(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """By default bare faces and masks worn incorrectly; `--alert-on` names others."""
    program = tmp_path / "bell.py"
    program.write_text("import sys; open('told.jsonl', 'a').write(sys.stdin.read())")
    detect = ["detect", samples / "astronaut.jpg", "--no-output", "--quiet"]
    bell = ["--on-no-mask", f"{sys.executable} {program}"]
    model = ["--model", write_model(tmp_path / "m", INCORRECT)]
    assert maskdet(*detect, *model, *bell).returncode == 0
    assert maskdet(*detect, *model, *bell, "--alert-on", "without_mask").returncode == 0
    (told,) = (tmp_path / "told.jsonl").read_text().splitlines()
    assert json.loads(told)["label"] == "mask_worn_incorrectly"
    unknown = maskdet(*detect, *bell, "--alert-on", "chin")
    assert_user_error(unknown, "--alert-on chin: this model's labels are with_mask", code=2)
    idle = maskdet(*detect, "--alert-on", "without_mask")
    assert idle.returncode == 2
    assert "--alert-on needs --on-no-mask or --webhook" in idle.stderr
    others = ["--model", write_model(tmp_path / "others", BARE, ("yes", "no", "chin"))]
    refused = maskdet(*detect, *others, *bell)
    assert_user_error(refused, "needs the label without_mask", "--alert-on names others", code=2)
    assert maskdet(*detect, *others, *bell, "--alert-on", "no").returncode == 0
    assert json.loads((tmp_path / "told.jsonl").read_text().splitlines()[1])["label"] == "no"


def test_the_plot_has_a_line_of_its_own_for_the_third_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the share in a mask that of masks worn incorrectly; two labels are drawn as before."""
    figures: list[plot.Figure] = []

    def keep(figure: plot.Figure, path: Path, **_: object) -> None:
        figures.append(figure)
        path.touch()

    monkeypatch.setattr(plot.Figure, "savefig", keep)
    line = TimeLine(buckets={0: Counter(with_mask=3, mask_worn_incorrectly=1)})
    for labels in (LABELS, LABELS[:2]):
        summary = Summary("a.mp4", "video", is_moving=True, labels=labels, time_line=line)
        plot.plot_share(tmp_path / "p.png", [summary])
    drawn = [
        [segment[0][1] for lines in figure.axes[0].collections for segment in lines.get_segments()]
        for figure in figures
    ]
    assert drawn == [[75, 25], [75]]
