"""The notebooks: they run from start to end, and what is stored in them is what they show."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from command_line import ROOT, SAMPLES
from run_notebooks import NOTEBOOKS, executed, slimmed
from site_notebooks import notebook_page

NAMES = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.training] * ("train" in path.stem))
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
]
# Of a stored notebook. Bytes.
LARGEST = 600_000
NUMBER = re.compile(r"\d[\d.]*")


def shown(notebook: Any) -> list[list[str]]:
    """Returns what each cell has shown: kinds of pictures, and words without numbers."""
    cells = []
    for cell in notebook.cells:
        outputs = []
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
            data = output.get("data", {})
            outputs += [kind for kind in data if kind.startswith("image/")]
            if output.output_type == "stream":
                outputs.append(NUMBER.sub("#", "".join(output.text)))
        cells.append(outputs)
    return cells


@pytest.mark.parametrize("path", NAMES)
def test_a_notebook_runs_and_shows_what_is_stored(path: Path, tmp_path: Path) -> None:
    """Every cell ends well, and shows the words and kinds of pictures that are stored."""
    # Stored anew by: python tools/run_notebooks.py
    (tmp_path / "samples").symlink_to(SAMPLES)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    stored = nbformat.read(path, as_version=4)
    assert shown(slimmed(executed(path, folder))) == shown(stored)


@pytest.mark.parametrize("path", [parameter.values[0] for parameter in NAMES], ids=lambda p: p.stem)
def test_a_notebook_is_stored_whole_and_small(path: Path) -> None:
    """All cells have been run in order, nothing is of the machine; it is a page, too."""
    assert path.stat().st_size < LARGEST
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    text = path.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert "Warning" not in text
    page, pictures = notebook_page(path)
    assert page.startswith("# ")
    assert all(f"]({name})" in page for name in pictures)
    assert pictures
