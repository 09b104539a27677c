"""The Python examples of the documentation, read out of its pages: they run, and mypy passes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import maskdet as package
from command_line import ROOT, SAMPLES
from pages import Block, blocks, name_of, pages


def examples(page: Path) -> list[Block]:
    """Returns a page's blocks of Python, in order: a later one may use an earlier one's names."""
    return [block for block in blocks(page) if block.language == "python"]


PAGES = [page for page in pages() if page.is_file() and examples(page)]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block.run for block in examples(page))], ids=name_of
)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run one after another, beside what they name; but for those marked."""
    shutil.copy(SAMPLES / "astronaut.jpg", tmp_path / "photo.jpg")
    shutil.copy(SAMPLES / "astronaut_masked.jpg", tmp_path / "other.jpg")
    shutil.copy(SAMPLES / "astronaut.mp4", tmp_path / "clip.mp4")
    for label, picture in (("with_mask", "astronaut_masked"), ("without_mask", "astronaut")):
        (tmp_path / "dataset" / label).mkdir(parents=True)
        shutil.copy(SAMPLES / f"{picture}.jpg", tmp_path / "dataset" / label)
    record = {"faces": [{"track": 1, "label": "with_mask"}]}
    (tmp_path / "log.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "samples").symlink_to(SAMPLES)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    ran = [exec(block.text, names) for block in examples(page) if block.run]
    assert len(ran) > 0
    # What is said to be saved is.
    text = "".join(block.text for block in examples(page) if block.run)
    for name in ("out.jpg", "why.jpg", "annotated.jpg"):
        assert (tmp_path / name).is_file() == (f'save("{name}")' in text)


def test_examples_pass_mypy(tmp_path: Path) -> None:
    """All examples, those that are not run too, are typed as strictly as the package itself."""
    for page in PAGES:
        name = name_of(page).replace("/", "_").replace("-", "_").removesuffix(".md")
        text = "\n".join(block.text for block in examples(page))
        (tmp_path / f"page_{name}.py").write_text(text + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(Path(package.__file__).parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
