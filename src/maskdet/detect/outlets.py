"""What is written beside the watching: where it fails, cameras are watched on."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maskdet.errors import OutputError
from maskdet.wording import counted


class Outlets:
    """Lets a run that watches something live outlast a disk that is full.

    Args:
        lasting: whether it is such a run; any other ends with the first thing that cannot be
            written, as it can be begun again.
        log: told, once each, what cannot be written.
    """

    def __init__(self, log: Callable[[str], None], *, lasting: bool) -> None:
        self._lasting = lasting
        self._log = log
        self._lost: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Writes something of one frame, or takes note that it could not be written.

        Args:
            what: what is written, the same for every frame.

        Raises:
            OutputError: it cannot be written, and nothing live is watched.
        """
        try:
            yield
        except OutputError as error:
            if not self._lasting:
                raise
            if what not in self._lost:
                self._reasons[what] = str(error)
                self._log(f"{error}; watching goes on")
            self._lost[what] += 1

    @property
    def failures(self) -> list[str]:
        """One line for each thing of which something is missing."""
        return [
            f"{self._reasons[what]}; {counted(number, 'frame')} missing"
            for what, number in self._lost.items()
        ]
