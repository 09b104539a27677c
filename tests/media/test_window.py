"""When there is a window, and what is said where there can be none."""

from pathlib import Path

import cv2
import pytest

from maskdet.media import window


def test_the_headless_wheel_has_no_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told apart from a missing display, which another OpenCV would not mend."""
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")
    lines: list[str] = []
    with window.open_window(lambda _: Path("x.png"), lines.append) as opened:
        assert opened is None
    assert len(lines) == 1
    assert "headless" in lines[0]
