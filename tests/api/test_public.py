"""What is public: listed once, loaded lazily, and changed on purpose only."""

import doctest
import importlib
import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import maskdet as package
from command_line import SAMPLES

SIGNATURES = Path(__file__).with_name("signatures.txt")
MODULES = ("detector", "evaluating", "face", "loading", "pictures", "results", "training")


def shape_of(value: Callable[..., object]) -> str:
    """Returns names, kinds and defaults of arguments; mypy holds their types."""
    signature = inspect.signature(value)
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def described() -> list[str]:
    """Returns a line for each public name and each public member of a class."""
    lines = []
    for name in package.__all__:
        value = getattr(package, name)
        if not inspect.isclass(value):
            lines.append(f"{name}{shape_of(value) if callable(value) else ''}")
            continue
        lines.append(f"class {name}({', '.join(base.__name__ for base in value.__bases__)})")
        members = {**dict.fromkeys(inspect.get_annotations(value)), **vars(value)}
        lines += [
            f"    {member}{shape_of(what) if callable(what) else ''}"
            for member, what in sorted(members.items())
            if member == "__call__" or not member.startswith("_")
        ]
    return lines


def test_the_public_names_are_those_that_were_decided() -> None:
    """A change of what is public, or of its arguments, is a change of the stored list."""
    # Written anew by: python tests/api/test_public.py
    assert described() == SIGNATURES.read_text(encoding="utf-8").splitlines()


def test_importing_loads_nothing_heavy() -> None:
    """`import maskdet` loads neither numpy nor OpenCV nor LiteRT, and lists its names anyway."""
    program = (
        "import sys, maskdet\n"
        "assert 'load' in dir(maskdet) and not hasattr(maskdet, 'nothing')\n"
        "print(sorted({'numpy', 'cv2', 'ai_edge_litert', 'click'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_functions_are_not_hidden_by_folders(name: str) -> None:
    """`maskdet.train` is the function, whatever was imported of the folder before or after."""
    importlib.import_module(f"maskdet.{name}")
    assert inspect.isfunction(getattr(package, name))
    assert importlib.import_module(f"maskdet.{name}.__init__")
    assert inspect.isfunction(getattr(package, name))


def test_every_public_name_says_what_it_is() -> None:
    """Functions, classes and their members have docstrings; all but errors have an example."""
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, str):
            continue
        assert value.__doc__, name
        if inspect.isclass(value) and issubclass(value, Exception):
            continue
        assert ">>> import maskdet" in value.__doc__, name
        for member, what in vars(value).items():
            if not member.startswith("_"):
                assert inspect.getdoc(what), member


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example gives what it says, beside the samples and a small class folder."""
    for label, picture in (("with_mask", "astronaut_masked"), ("without_mask", "astronaut")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        shutil.copy(SAMPLES / f"{picture}.jpg", tmp_path / "faces" / label)
    (tmp_path / "samples").symlink_to(SAMPLES)
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"maskdet.api.{name}")
    found = doctest.testmod(module, extraglobs={}, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0
    assert found.failed == 0


if __name__ == "__main__":
    SIGNATURES.write_text("\n".join(described()) + "\n", encoding="utf-8")
