"""Breaks chosen lines one after another, and tells whether the tests notice.

    .venv/bin/python tools/mutate.py                 all of them
    .venv/bin/python tools/mutate.py tracking sinks  those whose file or name has one of these words

Each line below is broken in a copy of the project, never in place: a sign, a bound, a colour order,
a call that is dropped. The tests named beside it run until one fails. What no test notices is a gap
in the tests; the exit code is then 1.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src") / "maskdet"
LIMIT = 900.0
"""Seconds the tests of one broken line may take; a hang is noticed, too."""


@dataclass(frozen=True)
class Break:
    """A line to break.

    Attributes:
        file: below the package.
        right: text that occurs in it once.
        wrong: what takes its place.
        tests: where a test should fail, below ``tests``.
    """

    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


BREAKS: tuple[Break, ...] = (
    # vision: colour order, bounds, signs.
    Break(
        "vision/preprocessing.py",
        "cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)",
        "resized",
        ("vision/test_preprocessing.py", "test_cli.py"),
    ),
    Break(
        "vision/preprocessing.py",
        "cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR",
        "cv2.INTER_LINEAR",
        ("vision/test_preprocessing.py",),
    ),
    Break(
        "vision/matching.py",
        "envelope = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]",
        "envelope = precisions",
        ("vision/test_matching.py", "evaluate"),
    ),
    Break(
        "vision/faces/heads.py",
        ">= 2 * size",
        ">= size",
        ("vision/faces",),
    ),
    Break(
        "vision/faces/tiles.py",
        "max(width, height) > WIDEST * min(width, height)",
        "width > WIDEST * height",
        ("vision/faces",),
    ),
    Break(
        "vision/veil.py",
        "start + share * (end - start)",
        "start",
        ("vision/test_veil.py", "detect/test_veiling.py"),
    ),
    # media: calls that are dropped, ends that are not reached.
    Break(
        "media/stages.py",
        "maxsize=max(ahead, together - 2)",
        "maxsize=ahead + together",
        ("media/test_stages.py",),
    ),
    Break(
        "media/stages.py",
        "shutdown(cancel_futures=stopped.is_set())",
        "shutdown(cancel_futures=True)",
        ("media/test_stages.py",),
    ),
    Break(
        "vision/faces/looks.py",
        "(not calm or (cheap and not apart))",
        "(cheap and not apart)",
        ("vision/faces/test_following.py",),
    ),
    Break(
        "vision/faces/following.py",
        "return steady, scores",
        "return xyxy, scores",
        ("vision/faces/test_following.py",),
    ),
    Break(
        "media/recording/partial.py",
        "        while left:\n",
        "        if left:\n",
        ("media",),
    ),
    Break(
        "media/recording/timing.py",
        "self._position = max(wanted,",
        "self._position = min(wanted,",
        ("media",),
    ),
    Break(
        "media/record_files.py",
        "if path.is_file() and not (overwrite or append):",
        "if path.is_file() and not (overwrite and append):",
        ("detect/test_run.py", "detect/test_lasting.py", "detect/test_cli.py"),
    ),
    Break(
        "boxes.py", "np.floor(box[1])", "np.ceil(box[1])", ("test_detections.py", "vision", "media")
    ),
    # detect and what it stands on.
    Break(
        "summaries.py",
        "if person.sightings >= MIN_SIGHTINGS:",
        "if person.sightings > MIN_SIGHTINGS:",
        ("detect/test_run.py", "detect/test_cli.py"),
    ),
    Break(
        "alerts/watch.py",
        "        if self.pace.has_gap:\n            self.people.clear()\n",
        "",
        ("alerts",),
    ),
    Break(
        "detect/crops.py",
        "expand_boxes(faces.xyxy, self._margin)",
        "faces.xyxy",
        ("detect/test_run.py",),
    ),
    # train: signs and shares of the loss, the scale of the input, who may be trained.
    Break(
        "train/faces/loss.py",
        "NEGATIVES_A_FACE * positives",
        "positives",
        ("train/faces/test_loss.py",),
    ),
    Break(
        "train/faces/loss.py",
        "tf.nn.softplus(-difference)",
        "tf.nn.softplus(difference)",
        ("train/faces/test_loss.py",),
    ),
    Break(
        "train/classifier/feed.py",
        "tf.cast(views, tf.float32) / 127.5 - 1.0",
        "tf.cast(views, tf.float32) / 255.0",
        ("train/classifier/test_augmentation.py", "train/classifier/test_run.py"),
    ),
    Break(
        "train/split.py",
        "        missing[part] -= counts[group]\n",
        "",
        ("train/test_split.py",),
    ),
    Break(
        "train/classifier/trainer.py",
        "            freeze_trunk(self.networks)\n",
        "            pass\n",
        ("train/classifier/test_run.py",),
    ),
    Break(
        "train/journal.py",
        "if loss < progress.best_loss:",
        "if loss > progress.best_loss:",
        ("train/classifier/test_run.py",),
    ),
    # evaluate: what counts, and by how much.
    Break(
        "evaluate/judging.py",
        "void = covers & (matches < 0)",
        "void = covers",
        ("evaluate",),
    ),
    Break(
        "evaluate/videos.py",
        "100 * self.flips / frames",
        "self.flips / frames",
        ("evaluate",),
    ),
    Break(
        "metrics.py",
        "right[labels == label].mean()",
        "right.mean()",
        ("test_metrics.py", "evaluate"),
    ),
)


def copy_project(folder: Path) -> None:
    """Copies what the tests need: all that is tracked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, target)


def noticed(folder: Path, broken: Break) -> tuple[bool, str]:
    """Breaks a line in the copy, runs its tests, and mends it again.

    Returns:
        Whether a test failed, and the first that did.

    Raises:
        ValueError: the line to break is not in its file exactly once.
    """
    path = folder / PACKAGE / broken.file
    text = path.read_text(encoding="utf-8")
    if text.count(broken.right) != 1:
        raise ValueError(f"{broken.file}: {broken.right!r} occurs {text.count(broken.right)} times")
    path.write_text(text.replace(broken.right, broken.wrong), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--no-header",
             *(f"tests/{name}" for name in broken.tests)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False, timeout=LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True, "the tests hang"
    finally:
        path.write_text(text, encoding="utf-8")
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode == 1, failed[0][:110] if failed else done.stdout[-200:].strip()


def main() -> None:
    """Breaks the lines asked for, one after another, and says what came of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("words", nargs="*", help="break only lines of files with these words")
    words = parser.parse_args().words
    chosen = [
        broken for broken in BREAKS if not words or any(word in broken.file for word in words)
    ]
    gaps = 0
    with tempfile.TemporaryDirectory(prefix="maskdet-mutate-") as name:
        copy_project(Path(name))
        for broken in chosen:
            start = time.monotonic()
            found, by = noticed(Path(name), broken)
            gaps += not found
            verdict = "noticed " if found else "NOT SEEN"
            seconds = time.monotonic() - start
            line = f"{broken.right.strip()} -> {broken.wrong.strip() or 'nothing'}"
            print(f"{verdict} {seconds:4.0f} s  {broken.file}: {line}\n    {by}", flush=True)
    print(f"{len(chosen) - gaps} of {len(chosen)} noticed")
    sys.exit(1 if gaps else 0)


if __name__ == "__main__":
    main()
