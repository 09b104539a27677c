"""Which photographs are kept apart to measure: whole groups, in an order nobody chooses."""

import random

import numpy as np

from classifier_faces import kept_apart, read_corrections
from keep_apart import WANTED, choose


def test_whole_groups_up_to_the_number() -> None:
    """A group is taken or left as a whole, whatever the order of the photographs."""
    groups = np.array([0, 0, 0, 1, 2, 2, 3, 4, 4, 4, 4, 4])
    names = [f"p{number:02d}" for number in range(len(groups))]
    chosen = choose(names, groups, 6)
    assert len(chosen) <= 6
    for group in range(5):
        of_group = {name for name, number in zip(names, groups, strict=True) if number == group}
        assert len(of_group & set(chosen)) in {0, len(of_group)}
    mixed = random.Random(3).sample(range(len(names)), len(names))
    assert choose([names[i] for i in mixed], groups[mixed], 6) == chosen


def test_the_list_and_the_corrections_do_not_meet() -> None:
    """As many names as were wanted, and no label of theirs was looked at and changed."""
    apart = kept_apart()
    assert len(apart) == WANTED
    corrected = {file.rsplit("/", 1)[-1].split(".")[0] for file, _ in read_corrections()}
    assert corrected
    assert not corrected & apart
