"""Finding bundled files, and checking that a file is the one its card names."""

import json
from pathlib import Path

import pytest

from maskdet.assets import bundled, card_file, read_card, sha256
from maskdet.errors import ModelError


def test_bundled_files_are_found() -> None:
    """Models, face detector and presets come with the package."""
    for relative in ("models", "face_detector", "configs"):
        assert bundled(relative).is_dir()
    with pytest.raises(ModelError, match="install it again"):
        bundled("models/none.tflite")


def test_sha256_of_a_known_text(tmp_path: Path) -> None:
    """The digest of "abc" is the one of FIPS 180-2, appendix B.1."""
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


@pytest.mark.parametrize(
    ("text", "words"), [(None, "no such"), ("{", "is not JSON"), ("[1]", "not a JSON object")]
)
def test_bad_cards(tmp_path: Path, text: str | None, words: str) -> None:
    """A card that is missing or no JSON object is said to be that."""
    if text is not None:
        (tmp_path / "card.json").write_text(text)
    with pytest.raises(ModelError, match=words):
        read_card(tmp_path / "card.json")


def test_card_file_is_checked(tmp_path: Path) -> None:
    """The named file must be there and have the card's hash."""
    card_path, model = tmp_path / "m.json", tmp_path / "m.tflite"
    model.write_bytes(b"abc")
    card = {"files": {"tflite": {"name": "m.tflite", "sha256": sha256(model)}}}
    card_path.write_text(json.dumps(card))
    assert card_file(card_path, card, "tflite") == model
    with pytest.raises(ModelError, match="names no 'keras' file"):
        card_file(card_path, card, "keras")
    model.write_bytes(b"ab")
    with pytest.raises(ModelError, match=r"does not match m\.json"):
        card_file(card_path, card, "tflite")
    model.unlink()
    with pytest.raises(ModelError, match="no such file"):
        card_file(card_path, card, "tflite")
