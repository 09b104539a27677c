"""Which precision runs unless the user says: by the processor's instructions, or by the clock."""

import json
import os
import shutil
from pathlib import Path

import pytest

from maskdet.cards.card import CardFile
from maskdet.processor import Processor
from maskdet.vision import precision
from maskdet.vision.faces.loading import face_detector_folder, load_face_detector
from maskdet.vision.precision import AUTO, fastest

FACES = face_detector_folder(None)
NAMES = {"float16": "ssd_faces_float16.tflite", "int8": "ssd_faces.tflite"}
FILES = {kind: CardFile(name, kind.rjust(64, "0"), None) for kind, name in NAMES.items()}
UNKNOWN = Processor("a processor", "x86_64", 2, ())


def path_of(kind: str) -> Path:
    """Finds one of the bundled face networks."""
    return FACES / NAMES[kind]


def refuse(kind: str) -> Path:
    """Stands for a file that need not be looked at."""
    raise AssertionError(f"{kind} was run")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and a process that has timed nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(precision, "_timed_before", {})
    return tmp_path / "maskdet" / "fastest"


@pytest.mark.parametrize(("flag", "chosen"), [("avx512_vnni", "int8"), ("avx2", "float16")])
def test_instructions_decide(flag: str, chosen: str) -> None:
    """8-bit dot products make 8 bits fastest; without them the card's default runs, untimed."""
    here = Processor("a processor", "x86_64", 2, (flag,))
    assert fastest("float16", FILES, refuse, 320, here) == chosen


def test_what_is_not_interchangeable_stays() -> None:
    """A card that lets no other file stand in for its default keeps it, whatever is fastest."""
    here = Processor("a processor", "x86_64", 2, ("avx512_vnni",))
    assert fastest("float16", {"float16": FILES["float16"]}, refuse, 320, here) == "float16"


def test_unknown_processor_is_timed_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where instructions are not told, the files are run; the answer holds in later processes."""
    first = fastest("float16", FILES, path_of, 64, UNKNOWN)
    assert first in FILES
    (kept,) = cache.iterdir()
    assert kept.read_text().strip() == first
    kept.write_text("int8\n" if first == "float16" else "float16\n")
    monkeypatch.setattr(precision, "_timed_before", {})
    assert fastest("float16", FILES, refuse, 64, UNKNOWN) != first


def test_cache_of_nonsense_or_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A garbled answer is timed anew; without a cache one process asks the clock once."""
    fastest("float16", FILES, path_of, 64, UNKNOWN)
    (kept,) = cache.iterdir()
    kept.write_bytes(b"\xff\xfe")
    monkeypatch.setattr(precision, "_timed_before", {})
    assert fastest("float16", FILES, path_of, 64, UNKNOWN) in FILES
    blocked = cache.parent.parent / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(blocked))
    monkeypatch.setattr(precision, "_timed_before", {})
    found = fastest("float16", FILES, path_of, 64, UNKNOWN)
    assert fastest("float16", FILES, refuse, 64, UNKNOWN) == found


def test_a_card_that_allows_it_follows_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a card that calls its files interchangeable gives another than its default."""
    folder = tmp_path / "faces"
    shutil.copytree(FACES, folder, ignore=shutil.ignore_patterns("original", "*.npz", "*.md"))
    here = Processor("a processor", "x86_64", 2, ("avx_vnni",))
    monkeypatch.setattr(precision, "processor", lambda: here)
    assert load_face_detector(folder, precision=AUTO, face_size=64).precision == "int8"
    card = json.loads((folder / "ssd_faces.json").read_text())
    assert set(card.pop("interchangeable")) == {"int8", "float16"}
    (folder / "ssd_faces.json").write_text(json.dumps(card))
    assert load_face_detector(folder, precision=AUTO, face_size=64).precision == "float16"


def test_named_file_is_run_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that the user names runs, whatever would be faster."""
    here = Processor("a processor", "x86_64", 2, ("avx_vnni",))
    monkeypatch.setattr(precision, "processor", lambda: here)
    detector = load_face_detector(FACES / NAMES["float16"], precision=AUTO, face_size=64)
    assert detector.precision == "float16"
