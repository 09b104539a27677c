"""Networks run by LiteRT: how many are made, and that side by side they say the same."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from maskdet.assets import bundled
from maskdet.vision import runtime
from maskdet.vision.runtime import Network


class CountedLane(runtime._Lane):  # noqa: SLF001 - what is counted is how many are made
    """An interpreter that waits, once, for the one beside it."""

    made = 0
    meeting: Barrier | None = None

    def __init__(self, *arguments: object) -> None:
        """Counts."""
        type(self).made += 1
        super().__init__(*arguments)  # type: ignore[arg-type]

    def __call__(self, sample: np.ndarray) -> runtime.Outputs:
        """Runs, with company if that is asked for."""
        if self.meeting is not None:
            self.meeting.wait(timeout=30)
        return super().__call__(sample)


def test_interpreters_are_made_when_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three runs one after another share one; two at a time have one each, with the same answer."""
    monkeypatch.setattr(runtime, "_Lane", CountedLane)
    CountedLane.made = 0
    path = bundled("face_detector") / "ssd_faces.tflite"
    network = Network(path, input_shape=(1, 96, 96, 3), lanes=2)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    alone = [network.run(pictures[:1]) for _ in range(3)][-1]
    assert CountedLane.made == 1
    monkeypatch.setattr(CountedLane, "meeting", Barrier(2))
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(network.run, (pictures[:1], pictures[:1])))
    assert CountedLane.made == 2
    for outputs in together:
        assert all(np.array_equal(outputs[name], alone[name]) for name in alone)
    monkeypatch.setattr(CountedLane, "meeting", None)
    assert len(network.run(pictures)["loc_0"]) == 2
    assert CountedLane.made == 2
