"""What may follow the class number in a line of YOLO labels: a box, with points, or a polygon.

    class cx cy w h                          a box, in shares of the picture's size
    class cx cy w h confidence (track)       as a detector writes it
    class cx cy w h x y x y …                with landmarks (each perhaps with a third number)
    class x y x y x y …                      a polygon, or a box that is turned, by its corners

The last two look alike where a line has an even number of values; what all the lines have in common
tells them apart.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

Corners = tuple[float, float, float, float]

_FIVE_LANDMARKS = 4 + 2 * 5  # values of a face with eyes, nose and corners of the mouth

# Values beyond these shares are none: numbers of tracks, marks of visibility, -1 for a missing one.
_LEAST, _MOST = -0.05, 1.05
_BEYOND_BOX = 0.2  # of a box's size that a landmark may lie outside it
_LEAST_SPREAD = 0.15  # of a box's size that several landmarks take up, this way or that
_BEYOND_POINTS = 1.0  # of a polygon's extent that one corner may lie beyond all others

# Drawn at random, 3 polygons in 1,000 look like a box with points (of triangles 1 in 8), of 4,000
# boxes with points none like a polygon: so few votes for polygons outweigh many against.
_FEW = 0.1


@dataclass(frozen=True)
class Row:
    """A line of labels.

    Attributes:
        number: of the line, from 1.
        text: the line.
        kind: class number; ``None`` where the line cannot be read.
        values: what follows, four or more numbers.
    """

    number: int
    text: str
    kind: int | None = None
    values: tuple[float, ...] = ()

    def corners(self, *, polygons: bool) -> Corners:
        """Returns left, top, right and bottom of the box, or of that around the polygon.

        Args:
            polygons: whether lines that may be polygons are.
        """
        if polygons and _may_be_polygon(self.values):
            across, down = self.values[0::2], self.values[1::2]
            return min(across), min(down), max(across), max(down)
        cx, cy, width, height = self.values[:4]
        return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def parse_rows(text: str) -> list[Row]:
    """Reads the lines of a label file, empty ones passed over."""
    lines = enumerate(text.split("\n"), 1)
    return [_parse(number, line) for number, line in lines if line.strip()]


def are_polygons(rows: Iterable[Row]) -> bool:
    """Tells whether the lines of a data set that may be polygons are, and not boxes with points.

    Args:
        rows: of all its files.
    """
    candidates = [row.values for row in rows if _may_be_polygon(row.values)]
    votes = Counter(map(_vote, candidates))
    if votes[1] or votes[-1]:
        return votes[1] > _FEW * votes[-1]
    return any(len(values) != _FIVE_LANDMARKS for values in candidates)


def _parse(number: int, line: str) -> Row:
    try:
        # Numbers come as 0.0 or 1.000e+00 where a program has kept all columns in one table.
        kind, *values = map(float, line.split())
    except ValueError:
        return Row(number, line)
    if len(values) < 4 or not kind.is_integer():
        return Row(number, line)
    return Row(number, line, int(kind), tuple(values))


def _may_be_polygon(values: tuple[float, ...]) -> bool:
    return len(values) >= 6 and len(values) % 2 == 0


def _vote(values: tuple[float, ...]) -> int:
    """Returns 1 where values look like a polygon, -1 like a box with more, 0 like either."""
    if not all(_LEAST <= value <= _MOST for value in values):
        return -1
    centre, size, *others = zip(values[0::2], values[1::2], strict=True)
    near, inside, spread = True, True, 0.0
    for axis in (0, 1):
        along = [point[axis] for point in others]
        # As a corner of a polygon the second point lies beside the others; as a size, anywhere.
        least, most = min(centre[axis], *along), max(centre[axis], *along)
        room = _BEYOND_POINTS * (most - least)
        near = near and least - room <= size[axis] <= most + room
        # Of a box: whether it lies in the picture, the points in it, and not all in one place.
        half = size[axis] / 2
        reach = (0.5 + _BEYOND_BOX) * size[axis]
        inside = inside and centre[axis] - half >= _LEAST and centre[axis] + half <= _MOST
        inside = inside and all(abs(value - centre[axis]) <= reach for value in along)
        spread = max(spread, (max(along) - min(along)) / max(size[axis], 1e-9))
    fits_box = inside and (len(others) == 1 or spread >= _LEAST_SPREAD)
    return int(near) - int(fits_box)
