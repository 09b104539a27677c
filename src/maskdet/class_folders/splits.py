"""The parts a data set is divided into, and the names that folders of them go by."""

import re

TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validate": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
_ENDINGS = re.compile(r"[-_ ]*(dataset|data|set|images)$")  # "training_set", "test-images"


def split_of(name: str) -> str | None:
    """Returns which of `SPLITS` a folder's name means, ``None`` for none; capitals do not count."""
    return _NAMES.get(_ENDINGS.sub("", name.strip().casefold()))
