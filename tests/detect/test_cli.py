"""The options of `maskdet detect`, as a user gives them."""

import contextlib
import csv
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from command_line import FRAMES, SAMPLES, Cli, assert_user_error
from maskdet.assets import bundled
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.video import VideoSource
from maskdet.media.recording.writer import VideoWriter
from webhook_server import running_webhook


def test_pictures_on_standard_input(samples: Path, tmp_path: Path) -> None:
    """`cat a.jpg b.jpg | maskdet detect --source -` sees both."""
    data = b"".join((samples / f"{name}.jpg").read_bytes() for name in ("astronaut", "coffee"))
    done = subprocess.run(
        [sys.executable, "-m", "maskdet", "detect", "--source", "-", "--json"],
        input=data, capture_output=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(record["faces"]) for record in records] == [1, 0]
    assert sorted(path.name for path in (tmp_path / "runs/detect/1").iterdir()) == [
        "picture-0.jpg",
        "picture-1.jpg",
    ]
    nothing = subprocess.run(
        [sys.executable, "-m", "maskdet", "detect", "--source", "-"],
        input="no picture", capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert_user_error(nothing, "standard input: has no pictures")


def test_several_sources_lists_and_patterns(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A list in a text file, a pattern, and a file twice."""
    (tmp_path / "list.txt").write_text(
        f"# what to look at\n{samples / 'astronaut.jpg'}\n{samples / 'astronaut.mp4'}\n"
    )
    done = maskdet(
        "detect", "--source", tmp_path / "list.txt", "--source", f"{samples}/*_masked.jpg",
        "--max-frames", 2, "--json", "all.jsonl",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [Path(record["source"]).name for record in records] == [
        "astronaut.jpg",
        "astronaut.mp4",
        "astronaut.mp4",
        "astronaut_masked.jpg",
    ]
    picture = samples / "astronaut.jpg"
    assert_user_error(
        maskdet("detect", "--source", picture, "--source", picture), "is named 2 times"
    )
    assert_user_error(maskdet("detect", "--source", f"{samples}/*.xyz"), "matches nothing")


def test_recursive_keeps_the_folders(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Pictures below folders are found when asked for, and written below the same folders."""
    for folder in ("in/a", "in/b"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(samples / "coffee.jpg", tmp_path / folder)
    assert_user_error(maskdet("detect", "--source", "in"), "--recursive")
    done = maskdet("detect", "--source", "in", "--recursive", "--output", "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "a" / "coffee.jpg").is_file()
    assert (tmp_path / "out" / "b" / "coffee.jpg").is_file()


def test_archive_of_videos(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A folder's videos are written below the same folders; a bad one does not end the run."""
    for name in ("in/a.mp4", "in/a.mov", "in/gate/a.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / "astronaut.mp4", tmp_path / name)
    shutil.copy(samples / "coffee.jpg", tmp_path / "in")
    (tmp_path / "in" / "b.mp4").write_text("no video" * 100)
    done = maskdet(
        "detect", "--source", "in", "--recursive", "--output", "out", "--max-frames", 2,
        "--json", "all.jsonl",
    )  # fmt: skip
    assert_user_error(done, "in/b.mp4: is not a picture or video")
    assert "in/gate/a.mp4: video, 2 frames" in done.stdout
    files = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*"))
    assert files == ["a-2.mp4", "a.mp4", "coffee.jpg", "gate/a.mp4"]
    records = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [record["source"] for record in records] == [
        "in/coffee.jpg",
        *(name for name in ("in/a.mov", "in/a.mp4", "in/gate/a.mp4") for _ in range(2)),
    ]


def test_every_output_of_a_video(maskdet: Cli, tmp_path: Path) -> None:
    """CSV, crops, summary and plot of one run agree with one another."""
    done = maskdet(
        "detect", "--source", SAMPLES / "astronaut.mp4", "--csv",
        "--save-crops", "crops", "--summary", "s.json", "--plot", "p.png", "--no-output",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len({row["frame"] for row in rows}) == 48
    (source,) = json.loads((tmp_path / "s.json").read_text())["sources"]
    assert source["frames"] == 48
    assert {label: count for label, count in source["people"].items() if count} == {"with_mask": 1}
    labels = [row["label"] for row in rows]
    assert source["faces"] == {label: labels.count(label) for label in source["faces"]}
    assert sum(sum(bucket["faces"].values()) for bucket in source["over_time"]) == len(rows)
    crops = list((tmp_path / "crops").rglob("*.jpg"))
    assert {path.parent.name for path in crops} == {"with_mask", "without_mask"}
    assert 2 <= len(crops) <= 4
    assert read_picture(tmp_path / "p.png").shape[1] > 800
    again = maskdet("detect", "--source", SAMPLES / "coffee.jpg", "--summary", "s.json")
    assert_user_error(again, "s.json", "--overwrite")


def test_contact_sheet_and_blur(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """The sheet holds every picture; with --blur-faces nobody on it can be recognised."""
    done = maskdet("detect", "--source", f"{samples}/*.jpg", "--grid", "sheet.jpg", "--blur-faces")
    assert done.returncode == 0, done.stderr
    assert read_picture(tmp_path / "sheet.jpg").shape == (240, 3 * 320, 3)
    face = (slice(75, 165), slice(190, 260))
    written = read_picture(tmp_path / "runs/detect/1/astronaut.jpg")[face]
    original = read_picture(samples / "astronaut.jpg")[face]
    sharpness = [cv2.Laplacian(picture, cv2.CV_64F).var() for picture in (written, original)]
    assert sharpness[0] < sharpness[1] / 5
    both = maskdet("detect", "--source", "a.jpg", "--blur-faces", "--save-crops", "crops")
    assert both.returncode == 2


def test_blurring_changes_no_record(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """What is blurred beyond the labelled faces is in no record, and every frame is written."""
    for sample in ("astronaut.mp4", "astronaut_masked.jpg"):
        said = [
            maskdet(
                "detect", "--source", samples / sample, "--json", "--max-frames", 10,
                "--output", tmp_path / f"{name}{Path(sample).suffix}", *option,
            ).stdout
            for name, option in (("plain", ()), ("blurred", ("--blur-faces",)))
        ]  # fmt: skip
        assert said[0] == said[1]
        assert said[0].count("\n") == (10 if sample.endswith("mp4") else 1)
    with av.open(tmp_path / "blurred.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_faces_too_doubtful_to_be_labelled_are_blurred(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """Above a confidence nobody reaches, or too low for --min-face: no box, and no face left."""
    original = read_picture(samples / "astronaut.jpg")
    face = (slice(75, 165), slice(190, 260))
    sharp = cv2.Laplacian(original[face], cv2.CV_64F).var()
    for option in (("--confidence", 1.0), ("--min-face", 400)):
        done = maskdet(
            "detect", "--source", samples / "astronaut.jpg", "--json", "--blur-faces",
            "--output", "out.png", "--overwrite", *option,
        )  # fmt: skip
        assert json.loads(done.stdout)["faces"] == []
        written = read_picture(tmp_path / "out.png")
        assert cv2.Laplacian(written[face], cv2.CV_64F).var() < sharp / 5


@pytest.mark.parametrize(
    ("option", "name"), [("--plot", "p.xyz"), ("--grid", "sheet"), ("--grid", "sheet.gif")]
)
def test_formats_that_cannot_be_written(
    maskdet: Cli, samples: Path, tmp_path: Path, option: str, name: str
) -> None:
    """They are refused before the first frame; nothing is left."""
    done = maskdet("detect", "--source", samples / "coffee.jpg", option, name)
    assert_user_error(done, f"{name}: end the name in one of", ".png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--json", "--csv", "-"), "--json and --csv both go to standard output"),
        (("--json", "--summary", "-"), "--json and --summary both go to standard output"),
        (("--csv", "a", "--summary", "./a"), "--csv and --summary both go to a"),
        (("--output", "a.png", "--grid", "a.png"), "both go to a.png"),
    ],
)
def test_outputs_in_one_place(maskdet: Cli, words: tuple[str, ...], said: str) -> None:
    """Two results cannot go to one file, or both to standard output."""
    done = maskdet("detect", "--source", "a.jpg", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_summary_on_standard_output(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """For other programs: nothing else stands there."""
    done = maskdet("detect", "--source", samples / "coffee.jpg", "--no-output", "--summary", "-")
    assert json.loads(done.stdout)["sources"][0]["frames"] == 1
    assert "1 picture, 0 faces" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_read_is_never_replaced(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Not even with --overwrite: there would be no second run."""
    for name in ("astronaut.mp4", "coffee.jpg"):
        shutil.copy(samples / name, tmp_path)
        run = ("detect", "--source", name, "--max-frames", 1, "--overwrite", "--output")
        assert_user_error(maskdet(*run, name), f"{name}: is what is read")
        assert_user_error(maskdet(*run, "."), "is what is read")
        assert (tmp_path / name).read_bytes() == (samples / name).read_bytes()


def test_pictures_that_are_read_are_never_replaced(
    maskdet: Cli, samples: Path, tmp_path: Path
) -> None:
    """Pictures of a folder or a pattern, by any of the options that write a file."""
    (tmp_path / "in").mkdir()
    original = (samples / "coffee.jpg").read_bytes()
    picture = tmp_path / "in" / "coffee.jpg"
    picture.write_bytes(original)
    said = "coffee.jpg: is what is read"
    for source in ("in", "in/*.jpg"):
        assert_user_error(
            maskdet("detect", "--source", source, "--output", "in", "--overwrite"), said
        )
    for option in ("--plot", "--grid"):
        done = maskdet("detect", "--source", "in", "--no-output", "--overwrite", option, picture)
        assert_user_error(done, said)
    for option in ("--json", "--csv", "--summary"):
        done = maskdet("detect", "--source", "in", "--no-output", "--overwrite", option, picture)
        assert done.returncode == 2
    assert picture.read_bytes() == original


def test_names_that_are_not_utf8(samples: Path, tmp_path: Path) -> None:
    """Pictures and videos of an old disk: every file that names them is written."""
    for sample, name in (("coffee.jpg", b"caf\xe9.jpg"), ("astronaut.mp4", b"film\xe9.mp4")):
        try:
            shutil.copy(samples / sample, os.fsencode(tmp_path) + b"/" + name)
        except OSError:
            pytest.skip("this file system has no such names")
        done = subprocess.run(
            [sys.executable, "-m", "maskdet", "detect", "--source", name, "--max-frames", "2",
             "--json", "--csv", "a.csv", "--summary", "s.json", "--plot", "p.png",
             "--grid", "g.png", "--output", "out", "--save-crops", "crops", "--verbose",
             "--overwrite"],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said = name.decode("latin-1").replace("\xe9", "\\udce9")
        assert f"{said}: " in done.stderr
        assert f'"{said}"' in done.stdout
        assert json.loads(done.stdout.splitlines()[0])["source"] == os.fsdecode(name)
        assert f'"{said}"' in (tmp_path / "s.json").read_text()
    assert "film\\udce9.mp4," in (tmp_path / "a.csv").read_text()


def test_fail_on(maskdet: Cli, samples: Path) -> None:
    """Exit code 3 when a face of the label was seen, 0 when not, 2 for a label nobody knows."""
    run = ("detect", "--source", samples / "astronaut.jpg", "--no-output", "--fail-on")
    seen = maskdet(*run, "without_mask")
    assert seen.returncode == 3
    assert "saw without_mask 1 times" in seen.stderr
    assert maskdet(*run, "with_mask").returncode == 0
    labels = "labels are with_mask, without_mask"
    for label in ("masked", ""):
        done = maskdet(*run, label)
        assert_user_error(done, f"--fail-on {label}: ", labels, code=2)
    assert_user_error(maskdet(*run, "uncertain"), "needs --min-confidence", code=2)
    assert maskdet(*run, "uncertain", "--min-confidence", 1.0).returncode == 3


def test_uncertain_faces(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Below --min-confidence a face is boxed in yellow and counted as neither."""
    done = maskdet(
        "detect", "--source", samples / "astronaut.jpg", "--min-confidence", 1.0, "--json",
        "--output", "out.png",
    )  # fmt: skip
    (face,) = json.loads(done.stdout)["faces"]
    assert face["label"] == "uncertain"
    assert "Uncertain" in done.stderr
    left, top = (round(side) for side in face["box"][:2])
    blue, green, red = (int(c) for c in read_picture(tmp_path / "out.png")[top + 40, left])
    assert blue < 60
    assert green > 150
    assert red > 150


def test_frames_can_be_scaled_and_brightened(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """--width and --gamma change what is seen and written; boxes are in its pixels."""
    done = maskdet(
        "detect", "--source", samples / "astronaut.jpg", "--width", 256, "--gamma", 2.0, "--json",
        "--output", "out.png",
    )  # fmt: skip
    record = json.loads(done.stdout)
    assert (record["width"], record["height"]) == (256, 256)
    (face,) = record["faces"]
    assert np.abs(np.array(face["box"]) - (88, 30, 138, 90)).max() < 12
    small = cv2.resize(read_picture(samples / "astronaut.jpg"), (256, 256))
    assert read_picture(tmp_path / "out.png").mean() > small.mean() + 20


def test_other_ways_to_find_faces(maskdet: Cli, samples: Path) -> None:
    """A larger input, tiles, a smallest face, another margin: still one face."""
    run = ("detect", "--source", samples / "astronaut.jpg", "--no-output", "--json")
    for options in (("--face-size", 400), ("--tiles", "2x2"), ("--crop-margin", 0.1)):
        (face,) = json.loads(maskdet(*run, *options).stdout)["faces"]
        assert face["label"] == "without_mask"
    assert json.loads(maskdet(*run, "--min-face", 300).stdout)["faces"] == []
    assert maskdet(*run, "--tiles", "many").returncode == 2


def test_yunet_from_a_file(maskdet: Cli, samples: Path, shared_data: Path, tmp_path: Path) -> None:
    """The second detector finds the same face; without its file and a network it says so."""
    run = ("detect", "--source", samples / "astronaut.jpg", "--no-output", "--json")
    yunet = ("--face-detector", "yunet")
    found = maskdet(*run, *yunet, "--face", shared_data / "weights")
    assert found.stderr.count("\n") == found.stderr.count("\n", found.stderr.find("astronaut"))
    (face,) = json.loads(found.stdout)["faces"]
    assert face["label"] == "without_mask"
    (tmp_path / "empty").mkdir()
    assert_user_error(maskdet(*run, *yunet, "--face", tmp_path / "empty"), "holds 0 .onnx files")


def test_alert_command(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A face that stays without a mask runs the command, once."""
    program = f"{sys.executable} -c \"import sys; open('alert','a').write(sys.stdin.read()+'|')\""
    video = samples / "astronaut.mp4"
    run = ("detect", "--source", video, "--no-output", "--alert-after", 0.2, "--on-no-mask")
    done = maskdet(*run, program)
    assert done.returncode == 0, done.stderr
    (alert,) = (tmp_path / "alert").read_text().split("|")[:-1]
    assert json.loads(alert)["face"]["label"] == "without_mask"
    assert maskdet(*run, program, "--no-track").returncode == 2


def test_alerts_for_pictures(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A snapshot camera's folder: one alert for each picture that shows a bare face, at once."""
    program = f"{sys.executable} -c \"import sys; open('told','a').write(sys.stdin.read()+'|')\""
    done = maskdet(
        "detect", "--source", f"{samples}/*.jpg", "--no-output", "--on-no-mask", program,
        "--alert-after", 5,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "pictures have no time" in done.stderr
    (alert,) = (json.loads(one) for one in (tmp_path / "told").read_text().split("|")[:-1])
    assert Path(alert["source"]).name == "astronaut.jpg"
    assert alert["faces"] == [alert["face"]]


def test_alerts_that_do_not_arrive(maskdet: Cli, samples: Path) -> None:
    """A 403 is no success of the run: one line says which alert was lost, even to a script."""
    with running_webhook() as webhook:
        run = ("detect", "--source", samples / "astronaut.jpg", "--no-output", "--webhook")
        webhook.script = [503, 403]
        done = maskdet(*run, webhook.url)
        assert done.returncode == 1
        assert "answered 503 Service Unavailable; tried again in" in done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("maskdet: ")]
        assert "1 of 1 alert not delivered" in line
        webhook.script = [404]
        both = maskdet(*run, webhook.url, "--fail-on", "without_mask")
        assert both.returncode == 3
        assert "1 of 1 alert not delivered" in both.stderr
        webhook.script = [503]
        assert maskdet(*run, webhook.url).returncode == 0
        assert len(webhook.received) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--alert-after", 1), "--alert-after needs --on-no-mask or --webhook"),
        (("--alert-cooldown", 10), "--alert-cooldown needs --on-no-mask or --webhook"),
        (("--alert-repeat", 60), "--alert-repeat needs --on-no-mask or --webhook"),
        (("--no-output", "--blur-faces"), "--blur-faces needs something to blur"),
        (("--explain-threshold", 0.5), "--explain-threshold needs --json"),
    ],
)
def test_options_that_would_do_nothing(maskdet: Cli, words: tuple[object, ...], said: str) -> None:
    """Whoever gives them expects something else."""
    done = maskdet("detect", "--source", "a.mp4", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_a_model_cannot_tell(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A model with labels of its own never says "without_mask": nobody would ever be told."""
    for path in bundled("models").glob("mask_detector[._]*[jt]*"):
        shutil.copy(path, tmp_path)
    (card,) = tmp_path.glob("*.json")
    card.write_text(card.read_text().replace('"without_mask"', '"nose_out"'))
    run = ("detect", "--source", samples / "astronaut.jpg", "--no-output", "--model", card)
    for option in (("--on-no-mask", "true"), ("--webhook", "http://127.0.0.1:9/")):
        said = f"{option[0]} needs the label without_mask: this model's are with_mask, nose_out"
        assert_user_error(maskdet(*run, *option), said, code=2)
    card.write_text(card.read_text().replace('"with_mask"', '"masked"'))
    assert_user_error(maskdet(*run, "--plot", "p.png"), "needs the label with_mask", code=2)
    assert not (tmp_path / "p.png").exists()


def test_plots_and_sheets_of_what_there_is(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Pictures have a plot, picture by picture; that a video has no sheet is said."""
    done = maskdet("detect", "--source", f"{samples}/*.jpg", "--no-output", "--plot", "p.svg")
    assert done.returncode == 0, done.stderr
    assert "<!-- picture -->" in (tmp_path / "p.svg").read_text()
    sheet = maskdet(
        "detect", "--source", samples / "astronaut.mp4", "--max-frames", 1, "--no-output",
        "--grid", "sheet.jpg",
    )  # fmt: skip
    assert sheet.returncode == 0
    assert "sheet.jpg: a sheet of pictures: none is written" in sheet.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["p.svg"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--webhook", "http://two words/", "is not an address"),
        ("--webhook", "http://host/two words", "is not an address"),
        ("--webhook", "http://a..b/", "is not an address"),
        ("--webhook", "not-an-address", "is not an address"),
        ("--webhook", "file:///etc/passwd", "is not an address"),
        ("--webhook", "http://[", "is not an address"),
        ("--webhook", "http://me:secret@host:port/", "http://host:port/ is not an address"),
        ("--webhook", "http://host:70000/", "is not an address"),
        ("--on-no-mask", "ring 'the bell", "No closing quotation"),
        ("--on-no-mask", " ", "Names no command"),
        ("--on-no-mask", "/nowhere/ring", "no command /nowhere/ring"),
    ],
)
def test_alerts_that_could_never_be_delivered(
    maskdet: Cli, option: str, value: str, words: str
) -> None:
    """They are refused at the start, not found missing in the night."""
    done = maskdet("detect", "--source", "a.mp4", option, value)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_quiet_and_verbose(maskdet: Cli, samples: Path) -> None:
    """Nothing at all, or a line a frame."""
    run = ("detect", "--source", samples / "astronaut.mp4", "--no-output", "--max-frames", 3)
    quiet = maskdet(*run, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    loud = maskdet(*run, "--verbose")
    assert loud.stderr.count("frame ") == 3
    assert f"video, {FRAMES} frames, 24 frames a second, 480x360" in loud.stderr


def test_on_a_terminal(samples: Path, tmp_path: Path) -> None:
    """A bar shows how far a file is, unless a line a frame does; messages stand on their own."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal, which Windows lacks")

    def errors_of(*options: str) -> str:
        terminal, inner = pty.openpty()
        done = subprocess.Popen(
            [sys.executable, "-m", "maskdet", "detect", "--source", samples / "astronaut.mp4",
             "--max-frames", "3", "--no-output", *options],
            stdout=subprocess.DEVNULL, stderr=inner, cwd=tmp_path,
        )  # fmt: skip
        os.close(inner)
        text = b""
        # Linux reports the other end's closing as an error.
        with contextlib.suppress(OSError):
            while data := os.read(terminal, 4096):
                text += data
        os.close(terminal)
        assert done.wait(timeout=30) == 0
        return text.decode()

    assert "3/3" in errors_of()
    loud = errors_of("--verbose")
    assert "/3" not in loud
    lines = [line.removeprefix("\r\x1b[K") for line in loud.split("\n") if line.strip()]
    assert len(lines) == 4
    assert all(line.startswith(str(samples)) for line in lines)


def test_a_lost_terminal(tmp_path: Path, noise: NDArray[np.uint8]) -> None:
    """A closed window and a shell that says so once more: the run ends with its files whole."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal, which Windows lacks")
    with VideoWriter(tmp_path / "long.avi", 10) as video:
        for _ in range(4000):
            video.write(noise)
    terminal, inner = pty.openpty()
    # The first terminal that the leader of a session opens is the one whose loss it is told of.
    program = (
        f"import os, runpy, sys; os.open({os.ttyname(inner)!r}, os.O_RDWR); "
        "sys.argv[0] = 'maskdet'; runpy.run_module('maskdet', run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "detect", "--source", "long.avi", "--output", "out.mp4",
         "--summary", "s.json"],
        stdin=inner, stdout=inner, stderr=inner, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    try:
        text = b""
        while b"/4000" not in text or b" 0/4000" in text[-80:]:
            text += os.read(terminal, 4096)
        os.close(terminal)
        for _ in range(3):
            time.sleep(0.02)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
    (source,) = json.loads((tmp_path / "s.json").read_text())["sources"]
    assert 0 < source["frames"] < 4000
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) == source["frames"]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["long.avi", "out.mp4", "s.json"]


def test_full_disk(samples: Path, tmp_path: Path) -> None:
    """The run stops with one line; the video so far plays."""
    done = subprocess.run(
        [sys.executable, "-m", "maskdet", "detect", "--source", samples / "astronaut.mp4",
         "--output", "out.mp4"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )  # fmt: skip
    assert_user_error(done, "out.mp4", "holds what was written so far")
    assert len(list(VideoSource(str(tmp_path / "out.mp4")))) > 0


def test_full_disk_for_records(maskdet: Cli, samples: Path) -> None:
    """Records that cannot be written end the run with one line."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, a device of Linux")
    done = maskdet(
        "detect", "--source", samples / "coffee.jpg", "--no-output", "--json", "/dev/full",
        "--overwrite",
    )  # fmt: skip
    assert_user_error(done, "records cannot be written")


def test_a_reader_that_goes_away(samples: Path, tmp_path: Path) -> None:
    """`maskdet detect --json | head -1` ends without a traceback."""
    command = (
        f"{sys.executable} -m maskdet detect --source {samples}/astronaut.mp4 --no-output --json"
    )
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert json.loads(done.stdout)["frame"] == 0
    assert "Traceback" not in done.stderr


@pytest.mark.server
def test_window(display: str, samples: Path, tmp_path: Path) -> None:
    """A real window shows the annotated picture; s saves it, q closes the window."""
    if shutil.which("xdotool") is None:
        pytest.skip("needs xdotool, which presses keys")
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "maskdet", "detect", "--source", samples / "astronaut.jpg",
         "--show", "--output", "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip

    def xdotool(*words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], capture_output=True, text=True, check=False, env=environment
        )
        return done.stdout.strip()

    def press(key: str) -> None:
        # Looked for each time, and all of them: the first of this name only tries whether there can
        # be one.
        for window in xdotool("search", "--onlyvisible", "--name", "maskdet").splitlines():
            xdotool("windowfocus", window)
            xdotool("key", key)
        time.sleep(0.2)

    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "out" / "frame.jpg").exists():
            assert time.monotonic() < deadline
            press("s")
        while process.poll() is None:
            assert time.monotonic() < deadline + 20
            press("q")
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "1 picture, 1 face" in output
    assert "saved out/frame.jpg" in errors
    shown = read_picture(tmp_path / "out" / "frame.jpg")
    assert shown.shape == (512, 512, 3)
