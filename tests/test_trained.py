"""What a card remembers of trained pictures: enough to know them again, however they are stored."""

import cv2
import numpy as np
import pytest

from maskdet.cards.trained import KEY, known_among, pack, trained_hashes
from maskdet.duplicates import hash_picture, stack_hashes
from train_pictures import made_up_face


def test_trained_pictures_are_known_again() -> None:
    """Two of five, one mirrored and one smaller and compressed; others are not."""
    random = np.random.default_rng(0)
    faces = [made_up_face(random, "with_mask") for _ in range(5)]
    seen = stack_hashes([hash_picture(face) for face in faces[:3]])
    earlier = stack_hashes([hash_picture(made_up_face(random, "bare"))])
    card = {"training": {KEY: pack(seen, earlier, seen)}}
    _, jpeg = cv2.imencode(".jpg", cv2.resize(faces[1], (48, 48)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    now = [faces[3], cv2.flip(faces[0], 1), cv2.imdecode(jpeg, cv2.IMREAD_COLOR), faces[4]]
    trained = trained_hashes(card)
    assert len(trained) == 4
    found = known_among(stack_hashes([hash_picture(face) for face in now]), trained)
    assert found.tolist() == [1, 2]


@pytest.mark.parametrize("training", [None, [], {}, {KEY: 3}, {KEY: "%"}, {KEY: "QUJD"}])
def test_cards_that_say_nothing(training: object) -> None:
    """Earlier cards and garbled ones know no picture."""
    assert len(trained_hashes({"training": training})) == 0
