"""What the light commands import, in a fresh process."""

import shutil
import subprocess
import sys
from pathlib import Path


def test_light_commands_never_load_tensorflow(tmp_path: Path, samples: Path) -> None:
    """Real runs of the light commands leave TensorFlow and Keras unloaded."""
    for label, picture in (("with_mask", "astronaut_masked"), ("without_mask", "astronaut")):
        folder = tmp_path / "faces" / label
        folder.mkdir(parents=True)
        shutil.copy(samples / f"{picture}.jpg", folder)
    picture, video = str(samples / "astronaut.jpg"), str(samples / "astronaut.mp4")
    commands = [
        ["--help"],
        ["detect", "--source", picture, "--no-output"],
        ["heatmap", "--source", picture, "--output", "out.jpg"],
        ["dataset", "check", "faces"],
        ["evaluate", "--dataset", "faces"],
        ["evaluate", "--video", video, "--label", "without_mask"],
    ]
    program = (
        "import sys\n"
        "from maskdet.cli import main\n"
        f"for words in {commands!r}:\n"
        "    sys.argv = ['maskdet', *words]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        heavy = {'tensorflow', 'keras'} & set(sys.modules)\n"
        "        print('ENDED', end.code or 0, sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    ended = [line for line in done.stdout.splitlines() if line.startswith("ENDED")]
    assert ended == ["ENDED 0 []"] * len(commands), done.stderr
