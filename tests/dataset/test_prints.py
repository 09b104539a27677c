"""What is printed on cloth masks."""

import numpy as np
import pytest

from maskdet.dataset.prints import flowers, mouth


@pytest.mark.parametrize("draw", [flowers, mouth])
def test_colour_where_there_is_print(draw) -> None:  # type: ignore[no-untyped-def]
    """Shares of colour, only where the print says it is; other seeds draw other things."""
    colour, where = draw(256, np.random.default_rng(1))
    assert colour.shape == (256, 256, 3)
    assert where.shape == (256, 256)
    assert 0.005 < where.mean() < 0.6
    assert set(np.unique(where)) == {0.0, 1.0}
    assert colour.min() >= 0
    assert colour.max() <= 1
    assert not colour[where == 0].any()
    assert not np.array_equal(colour, draw(256, np.random.default_rng(2))[0])


def test_a_printed_mouth_is_in_the_middle() -> None:
    """It lies where the mouth of the face would be."""
    _, where = mouth(256, np.random.default_rng(3))
    rows, columns = np.nonzero(where)
    assert abs(columns.mean() - 128) < 3
    assert 100 < rows.mean() < 160
