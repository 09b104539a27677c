"""An installation without an extra, or a library of the system: one line says what helps."""

import sys
from pathlib import Path

import pytest

from command_line import Cli, assert_user_error
from maskdet import extras
from maskdet.errors import MissingExtraError
from maskdet.extras import opencv_trouble

# What Python finds in place of a library that is not installed.
WITHOUT_TENSORFLOW = "import sys; sys.modules['tensorflow'] = sys.modules['h5py'] = None\n"
WITHOUT_LIBRARY = "raise ImportError('libGL.so.1: cannot open shared object file: No such file')\n"


@pytest.fixture
def without_tensorflow(tmp_path: Path) -> dict[str, str]:
    """An environment whose processes find neither TensorFlow nor h5py."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT_TENSORFLOW)
    return {"PYTHONPATH": f"{folder}{':'.join(['', *filter(None, sys.path)])}"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--dataset", "faces"],
        ["train-faces", "--images", "faces", "--annotations", "faces"],
        ["heatmap", "--source", "SAMPLES/astronaut.jpg", "--method", "gradcam"],
        ["detect", "--source", "SAMPLES/astronaut.jpg", "--model", "old.h5"],
    ],
    ids=["train", "train-faces", "a gradient method", "a model of others"],
)
def test_what_needs_an_extra_names_it(
    maskdet: Cli,
    samples: Path,
    tmp_path: Path,
    without_tensorflow: dict[str, str],
    arguments: list[str],
) -> None:
    """Training, gradient maps and models of others say what to install; --help works."""
    (tmp_path / "faces").mkdir()
    (tmp_path / "old.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    words = [word.replace("SAMPLES", str(samples)) for word in arguments]
    assert_user_error(
        maskdet(*words, **without_tensorflow), "TensorFlow", "pip install 'maskdet[train]'"
    )
    assert maskdet(arguments[0], "--help", **without_tensorflow).returncode == 0


def test_require_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of an extra's missing libraries are named; a complete extra is silent."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert extras.missing("train") == ("TensorFlow", "h5py")
    with pytest.raises(MissingExtraError, match="this needs TensorFlow and h5py"):
        extras.require("train", "this")


def test_a_system_library_that_is_missing_is_one_line(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """OpenCV on a slim server: the line names the system's package, and the headless wheel."""
    folder = tmp_path / "site" / "cv2"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(WITHOUT_LIBRARY)
    path = f"{folder.parent}{':'.join(['', *filter(None, sys.path)])}"
    done = maskdet("detect", "--source", samples / "astronaut.jpg", PYTHONPATH=path)
    assert_user_error(done, "libGL.so.1", "apt-get install libgl1", "opencv-python-headless")
    assert maskdet("--help", PYTHONPATH=path).returncode == 0


def test_other_import_errors_are_bugs() -> None:
    """Only OpenCV's absence, or a library of the system's, is the user's to mend."""
    assert opencv_trouble(ImportError("cannot import name 'x' from 'y'")) is None
    assert opencv_trouble(ModuleNotFoundError("No module named 'z'", name="z")) is None
    line = opencv_trouble(ModuleNotFoundError("No module named 'cv2'", name="cv2"))
    assert line is not None
    assert "is not installed" in line
    other = opencv_trouble(ImportError("libfoo.so.7: cannot open shared object file: No such file"))
    assert other is not None
    assert "the package with libfoo.so.7" in other


def test_an_archive_without_its_extra(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """`maskdet archive` names what is missing in a line, and explains itself all the same."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import sys\nfor name in ('ray', 'pyarrow', 'fsspec', 'duckdb'): sys.modules[name] = None\n"
    )
    path = {"PYTHONPATH": f"{folder}{':'.join(['', *filter(None, sys.path)])}"}
    done = maskdet("archive", samples / "astronaut.mp4", "--output", "study", **path)
    assert_user_error(done, "Ray", "pip install 'maskdet[archive]'")
    assert maskdet("archive", "--help", **path).returncode == 0
