"""How labels and counts read, in pictures, plots and lines."""

from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL


def counted(number: int, noun: str) -> str:
    """Returns "1 face", "2 faces"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_WORDS = {MASK_LABEL: "Mask", NO_MASK_LABEL: "No Mask", INCORRECT_LABEL: "Worn Incorrectly"}


def duration(seconds: float) -> str:
    """Returns "40 s", "3 min", "1 h 20 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def label_text(label: str) -> str:
    """Returns how a label reads on a picture: "Mask", "No Mask", "Worn Incorrectly"; others' names.

    A class that is none of these three reads as its name in words.
    """
    return _WORDS.get(label) or label.replace("_", " ").replace("-", " ").title()
