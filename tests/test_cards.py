"""Model cards of others: every entry, wrong in every way, is one line that names it."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maskdet.assets import bundled, sha256
from maskdet.cards.card import Card, card_naming
from maskdet.cards.fields import shown
from maskdet.errors import ModelError
from maskdet.vision.card import read_classifier_card
from maskdet.vision.classifier import MaskClassifier, find_card
from maskdet.vision.faces.card import read_face_card
from maskdet.vision.faces.loading import (
    face_detector_folder,
    input_sizes,
    load_face_detector,
)
from maskdet.vision.faces.loading import find_card as find_face_card
from maskdet.vision.foreign import find_or_convert_card

CLASSIFIER = bundled("models/mask_detector.json")
FACES = bundled("face_detector/ssd_faces.json")

_DEEP: Any = 1
for _ in range(20):
    _DEEP = {"a": [_DEEP]}

WRONG: list[Any] = [
    *(None, True, False, 0, -1, 0.5, 3.7, 10**9, 10**400, 1e308),
    *(float("inf"), float("-inf"), float("nan")),
    *("", " ", ".", "..", "a/b", "a\\b", "../../x", "a\nb", "a\0b", "\ud800", "x" * 400, "5"),
    *([], [None], [1], [1, 2], ["a"], ["a", "a"], ["a/b", "c"], ["", "c"], [[]], [[1, 2]]),
    *({}, {"a": 1}, {"name": 1, "sha256": 2}, {"name": "../x", "sha256": "0" * 64}, _DEEP),
]

# What detection does not look at may be anything.
UNUSED = {"name", "architecture", "training", "metrics", "measured", "versions"}


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields where a card has entries, of each list the first two."""
    yield at
    if isinstance(node, dict):
        for key in node:
            if at or key not in UNUSED:
                yield from places(node[key], (*at, key))
    elif isinstance(node, list):
        for number in range(min(2, len(node))):
            yield from places(node[number], (*at, number))


def replaced(card: Any, at: tuple[Any, ...], value: Any) -> Any:
    """Returns a copy of a card with one entry replaced, without it where the value is missing."""
    if not at:
        return value
    changed = copy.deepcopy(card)
    node = changed
    for key in at[:-1]:
        node = node[key]
    node[at[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("original", "read"), [(CLASSIFIER, read_classifier_card), (FACES, read_face_card)]
)
def test_every_entry_wrong_in_every_way(
    tmp_path: Path, original: Path, read: Callable[[Path], Card]
) -> None:
    """It is read, or it is one printable line that names the card and, below its top, the entry."""
    card = json.loads(original.read_text(encoding="utf-8"))
    path = tmp_path / "card.json"
    tried = 0
    for at in places(card):
        for value in WRONG:
            path.write_text(json.dumps(replaced(card, at, value)))
            tried += 1
            try:
                read(path)
            except ModelError as error:
                message = str(error)
                assert message.startswith(f"{path}: ")
                assert message.isprintable()
                assert len(message) < len(str(path)) + 200
                assert not at or at[0] in message, (at, message)
    assert tried > 500


@pytest.mark.parametrize(
    ("original", "read"), [(CLASSIFIER, read_classifier_card), (FACES, read_face_card)]
)
def test_every_entry_missing(tmp_path: Path, original: Path, read: Callable[[Path], Card]) -> None:
    """Without what it must have, a card says what that is."""
    card = json.loads(original.read_text(encoding="utf-8"))
    path = tmp_path / "card.json"
    needed = 0
    for key in set(card) - UNUSED:
        path.write_text(json.dumps({name: card[name] for name in card if name != key}))
        if key not in ("interchangeable", "temperature", "box_voting"):
            needed += 1
            with pytest.raises(ModelError, match=rf"has no {key}|it has no {key}"):
                read(path)
        else:
            read(path)
    assert needed >= 4


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (("labels",), [None, "b"], "labels is a list, expected a list of 2 to 1000 names"),
        (("labels",), ["a/b", "c"], "names without /"),
        (("labels",), ["a", "a"], "labels has 'a' twice"),
        (("labels",), ["only"], "a list of 2 to"),
        (("input", "size"), 1e400, "input.size is inf, expected a whole number from 8 to 2048"),
        (("input", "size"), 99999999, "input.size is 99999999"),
        (("input", "colour"), "BGR", "input.colour is 'BGR', expected 'RGB'"),
        (("temperature",), 0, "temperature is 0, expected a number from 0.01 to 100"),
        (("crop_margin",), "0.25", "crop_margin is '0.25', expected a number from -0.4 to 2"),
        (("files", "tflite", "name"), "../x", "files.tflite.name is '../x'"),
        (("files", "tflite", "sha256"), "abc", "files.tflite.sha256 is 'abc', expected 64 hex"),
        (("format",), True, "format is true, expected 1"),
    ],
)
def test_what_is_said(tmp_path: Path, at: tuple[str, ...], value: Any, words: str) -> None:
    """The file, the entry, what it is and what it should be."""
    card = json.loads(CLASSIFIER.read_text(encoding="utf-8"))
    path = tmp_path / "card.json"
    path.write_text(json.dumps(replaced(card, at, value)))
    with pytest.raises(ModelError) as caught:
        read_classifier_card(path)
    assert f"{path}: {words}" in str(caught.value) or words in str(caught.value)


def test_long_entries_are_cut_short() -> None:
    """A wrong entry of a megabyte is not repeated."""
    assert len(shown("x" * 1_000_000)) < 50
    assert shown({}) == "an object without entries"
    assert shown("a\nb\ud800").isprintable()


def test_strange_names_of_files_are_said_on_one_line(tmp_path: Path) -> None:
    """Which keys `files` has is the stranger's to choose."""
    card = json.loads(CLASSIFIER.read_text(encoding="utf-8"))
    path = tmp_path / "card.json"
    for key in ("a\nb", "\ud800", "x" * 10_000):
        path.write_text(json.dumps({**card, "files": {key: 1}}))
        with pytest.raises(ModelError) as caught:
            read_classifier_card(path)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < len(str(path)) + 200


def test_cards_of_another_kind() -> None:
    """Each says which kind was wanted."""
    with pytest.raises(ModelError, match="not the card of a classifier"):
        MaskClassifier(FACES)
    with pytest.raises(ModelError, match="not the card of a face detector"):
        load_face_detector(CLASSIFIER)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the bundled classifier's networks under other names, and other JSON."""
    card = json.loads(CLASSIFIER.read_text(encoding="utf-8"))
    del card["files"]["keras"]
    for key, entry in card["files"].items():
        source = CLASSIFIER.with_name(entry["name"])
        entry["name"] = f"door{'_half' if key == 'tflite_float16' else ''}.tflite"
        (tmp_path / entry["name"]).write_bytes(source.read_bytes())
    (tmp_path / "door.json").write_text(json.dumps(card))
    (tmp_path / "aaa.json").write_text("[1, 2]")
    (tmp_path / "zzz.json").write_text("{")
    return tmp_path


def test_the_network_that_is_named_is_run(model: Path) -> None:
    """By its name, or renamed by its content; the card's own name stands for the model."""
    half = model / "door_half.tflite"
    assert find_card(half) == model / "door.json"
    assert MaskClassifier(find_card(half), named=half).path == half
    assert MaskClassifier(find_card(half), named=half, precision="float16").path == half
    other = half.rename(model / "from a friend.TFLITE")
    assert MaskClassifier(find_card(other), named=other).path == other
    whole = model / "door.tflite"
    assert MaskClassifier(find_card(whole), named=whole).path == whole
    other.rename(half)
    assert MaskClassifier(find_card(whole), named=whole, precision="float16").path == half


def test_a_keras_file_stands_for_what_answers_as_it_does(model: Path) -> None:
    """The float32 network where the card has one; else what is run is said."""
    keras = model / "door.keras"
    keras.write_bytes(b"for training")
    lines: list[str] = []
    card = find_or_convert_card(keras, lines.append)
    assert MaskClassifier(card, named=keras).path == model / "door.tflite"
    assert lines == [f"{keras}: is for training; door.tflite (int8), made from it, is run"]
    content = json.loads((model / "door.json").read_text())
    entry = {**content["files"]["tflite"], "name": "door_float32.tflite", "precision": "float32"}
    content["files"]["tflite_float32"] = entry
    (model / "door.json").write_text(json.dumps(content))
    whole = model / "door_float32.tflite"
    whole.write_bytes((model / "door.tflite").read_bytes())
    card = find_or_convert_card(keras, lines.append)
    assert len(lines) == 1
    assert MaskClassifier(card, named=keras).path == whole
    assert MaskClassifier(card, precision="float32").path == whole
    assert MaskClassifier(find_card(whole), named=whole).path == whole


def test_networks_that_contradict_are_refused(model: Path) -> None:
    """A float16 file with --precision int8, and a file that no card knows."""
    half = model / "door_half.tflite"
    with pytest.raises(ModelError, match="is not what --precision asks for"):
        MaskClassifier(find_card(half), named=half, precision="int8")
    (model / "door.tflite").write_bytes(b"another")
    with pytest.raises(ModelError, match=r"does not match door\.json"):
        MaskClassifier(find_card(model / "door.tflite"), named=model / "door.tflite")
    alone = model / "alone.tflite"
    alone.write_bytes(b"unknown")
    with pytest.raises(ModelError, match=r"no model card .* names it"):
        find_card(alone)
    (model / "alone.json").write_text((model / "door.json").read_text())
    with pytest.raises(ModelError, match=r"is none of the files that alone\.json names"):
        MaskClassifier(find_card(alone), named=alone)


def test_a_face_detector_is_named_by_any_of_its_files(tmp_path: Path) -> None:
    """Its card, and either network, which is then the one that is run."""
    folder = FACES.parent
    for name in ("ssd_faces.json", "ssd_faces.tflite", "ssd_faces_float16.tflite"):
        place = face_detector_folder(folder / name)
        assert find_face_card(place) == FACES
        assert input_sizes(place) == input_sizes(folder)
        load_face_detector(place, face_size=96)
    assert read_face_card(FACES).named_file(folder / "ssd_faces.tflite", None).name == (
        "ssd_faces.tflite"
    )
    with pytest.raises(ModelError, match="is not what --precision asks for"):
        load_face_detector(folder / "ssd_faces_float16.tflite", precision="int8")
    stray = tmp_path / "stray.tflite"
    stray.write_bytes(b"?")
    with pytest.raises(ModelError, match=r"no card .* names it"):
        load_face_detector(face_detector_folder(stray))
    onnx = tmp_path / "x.onnx"
    onnx.touch()
    with pytest.raises(ModelError, match="--face-detector yunet runs it"):
        face_detector_folder(onnx)


def test_two_detectors_in_a_folder_are_told_apart(tmp_path: Path) -> None:
    """Where the folder alone says nothing, a card or a network does."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.tflite").write_bytes(name.encode())
        entry = {"name": f"{name}.tflite", "sha256": sha256(tmp_path / f"{name}.tflite")}
        (tmp_path / f"{name}_card.json").write_text(json.dumps({"files": {"int8": entry}}))
    assert find_face_card(tmp_path) is None
    assert card_naming(tmp_path / "two.tflite") == tmp_path / "two_card.json"
    assert find_face_card(tmp_path / "one_card.json") == tmp_path / "one_card.json"
