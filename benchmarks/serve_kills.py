"""Kills `maskdet serve` at random moments, and counts what is lost or doubled.

    python benchmarks/serve_kills.py --kills 50

A film of people is two cameras; a webhook takes the alerts, and refuses one in ten at first. The
service is begun again after each kill, as systemd does; after the last one it runs until its queue
is empty. Then the database must be whole, each event of it must have been delivered, and each
recording must play. Fifty kills take five minutes on a quiet machine. Exit code 1 where something
was lost.
"""

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "astronaut.mp4"
SITE = """
folder = "data"
[server]
port = 0
[notifications]
webhook = "http://127.0.0.1:{port}/"
[[cameras]]
name = "one"
source = "{film}"
frame_rate = 3
[cameras.alerts]
after = 0
[cameras.recording]
mode = "always"
length = 5
[[cameras]]
name = "two"
source = "{film}"
frame_rate = 3
[cameras.alerts]
after = 0
[cameras.recording]
mode = "events"
before = 1
after = 2
"""


def main() -> None:
    """Kills, begins again, and counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--longest", type=float, default=5.0, help="seconds before a kill")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, receiving(refused=0.1) as (port, got):
        folder = Path(name)
        (folder / "site.toml").write_text(SITE.format(port=port, film=SAMPLE))
        ran = refused_to_start = 0
        for number in range(options.kills):
            process = begin(folder)
            # One in five is killed while it starts.
            if chance.random() > 0.2:
                wait_until_serving(folder, process)
            time.sleep(chance.uniform(0, options.longest))
            if process.poll() is None:
                ran += 1
            else:
                refused_to_start += 1
                print((folder / "said").read_text(), file=sys.stderr)
            process.kill()
            process.wait()
            print(f"\r{number + 1} of {options.kills}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        process = begin(folder)
        wait_until_serving(folder, process)
        until = time.monotonic() + 120
        while waiting(folder) and time.monotonic() < until:
            time.sleep(0.5)
        process.terminate()
        code = process.wait(30)
        result = {
            "kills": options.kills,
            "ran_when_killed": ran,
            "did_not_start_again": refused_to_start,
            "last_exit": code,
            **verdict(folder, got),
            "minutes": round((time.monotonic() - started) / 60, 1),
        }
    for what, found in result.items():
        print(f"{what:32} {found}")
    lost = ("did_not_start_again", "last_exit", "alerts_lost", "videos_that_do_not_play")
    sys.exit(result["database"] != "ok" or any(result[what] for what in lost))


def wait_until_serving(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Waits until a service that was begun says that it serves, up to a minute."""
    until = time.monotonic() + 60
    while process.poll() is None and b"serving " not in (folder / "said").read_bytes():
        if time.monotonic() > until:
            print("does not say that it serves:", (folder / "said").read_text()[:200])
            return
        time.sleep(0.02)


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """Starts the service."""
    words = [sys.executable, "-m", "maskdet", "serve", "site.toml"]
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(words, cwd=folder, stdout=said, stderr=said)


class receiving:  # noqa: N801 - a context, used as a function
    """Takes alerts; gives the port and a count by id.

    Args:
        refused: share of the posts that are answered with an error, and not counted.
    """

    def __init__(self, refused: float) -> None:
        self._refused = refused
        self._chance = random.Random(0)

    def __enter__(self) -> tuple[int, Counter[str]]:
        got: Counter[str] = Counter()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer._chance.random() < outer._refused:
                    self.send_response(503)
                else:
                    got[record["id"]] += 1
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server.server_port, got

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


def waiting(folder: Path) -> int:
    """Returns how many deliveries wait."""
    path = folder / "data" / "maskdet.sqlite3"
    with sqlite3.connect(path) as database:
        number: int = database.execute("SELECT COUNT(*) FROM deliveries").fetchone()[0]
        return number


def verdict(folder: Path, got: Counter[str]) -> dict[str, object]:
    """Returns what was lost, doubled or damaged."""
    data = folder / "data"
    with sqlite3.connect(data / "maskdet.sqlite3") as database:
        whole = database.execute("PRAGMA integrity_check").fetchone()[0]
        events = {row[0] for row in database.execute("SELECT id FROM events WHERE kind = 'alert'")}
        files = [row[0] for row in database.execute("SELECT file FROM videos")]
        pictures = [row[0] for row in database.execute("SELECT snapshot FROM events") if row[0]]
        frames = database.execute(
            "SELECT SUM(faces) FROM counts WHERE span = 60 AND label = ''"
        ).fetchone()[0]
    broken = [file for file in files if not plays(data / file)]
    return {
        "database": whole,
        "frames_counted": frames,
        "alerts": len(events),
        "alerts_lost": len(events - got.keys()),
        "alerts_delivered_twice": sum(number > 1 for number in got.values()),
        "alerts_delivered_without_event": len(got.keys() - events),
        "videos": len(files),
        "videos_that_do_not_play": len(broken),
        "pictures_missing": sum(not (data / picture).is_file() for picture in pictures),
    }


def plays(path: Path) -> bool:
    """Tells whether a video can be decoded."""
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0)) > 0
    except (av.FFmpegError, OSError):
        return False


if __name__ == "__main__":
    main()
