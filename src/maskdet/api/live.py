"""What a notebook shows while a model is trained: how far it is, and the curves so far."""

import html
import importlib
import io
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from maskdet.train.journal import Passed, Show

# A notebook is asked to draw no more often. Seconds.
_BETWEEN = 0.2


def in_notebook() -> bool:
    """Tells whether this runs in the kernel of a notebook, which can show more than text."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def showing(progress: Show | None) -> Iterator[tuple[Show, Passed]]:
    """Gives what a run tells its progress, and the figures of its passes.

    Args:
        progress: the user's own, which takes the place of what a notebook would show.
    """
    if progress is not None or not in_notebook():
        yield progress or (lambda _, __: None), lambda _: None
        return
    live = _Live()
    try:
        yield live.show, live.plot
    finally:
        live.end()


class _Live:
    """A bar and a plot below a notebook's cell, renewed in their place."""

    def __init__(self) -> None:
        self._display = importlib.import_module("IPython.display")
        empty = self._display.HTML("")
        self._bar, self._curves = (
            self._display.display(empty, display_id=True) for _ in ("bar", "curves")
        )
        self._next = 0.0

    def show(self, share: float, text: str) -> None:
        """Shows the share of a step that is done, 0 to 1, and what the step is."""
        now = time.monotonic()
        if now < self._next and share < 1:
            return
        self._next = now + _BETWEEN
        self._bar.update(
            self._display.HTML(f"<progress value='{share:.3f}'></progress> {html.escape(text)}")
        )

    def plot(self, history: Sequence[dict[str, Any]]) -> None:
        """Draws loss and accuracy of the passes so far."""
        # Matplotlib takes a while, which who trains nothing need not wait.
        from maskdet.train.plots import plot_history

        picture = io.BytesIO()
        plot_history(picture, history)
        self._curves.update(self._display.Image(picture.getvalue(), format="png"))

    def end(self) -> None:
        """Takes the bar away; the last curves stay."""
        self._bar.update(self._display.HTML(""))
