"""Films for `benchmarks/archive.py`: a short video over and over, nothing coded anew."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import av


def loop(video: Path, path: Path, *, seconds: float, frames: int | None = None) -> Path:
    """Writes a film that shows a video again and again; its key frames stay where they were.

    Args:
        video: what is shown; its sound is left out.
        path: of the film.
        seconds: at least how long it is to be; the video is not broken off within a round.
        frames: so many packets, whatever `seconds` says: a film as short as wanted.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    packets = _packets(video)
    with av.open(str(video)) as source, av.open(str(path), "w") as film:
        stream = source.streams.video[0]
        assert stream.time_base is not None
        copy = film.add_stream_from_template(stream)
        step = min(end[0] - begin[0] for begin, end in itertools.pairwise(packets))
        moments = sorted(pts for _, pts, *_ in packets)
        length = moments[-1] - moments[0] + step
        shift = written = 0
        while shift * stream.time_base < seconds or frames is not None:
            for dts, pts, is_key, data in packets:
                if written == frames:
                    return path
                packet = av.Packet(data)
                packet.stream, packet.time_base = copy, stream.time_base
                packet.dts, packet.pts, packet.duration = dts + shift, pts + shift, step
                packet.is_keyframe = is_key
                film.mux(packet)
                written += 1
            shift += length
    return path


def enlarge(video: Path, path: Path, width: int, height: int) -> Path:
    """Writes a video with larger frames, coded anew as cameras of that size do."""
    with av.open(str(video)) as source, av.open(str(path), "w") as film:
        rate = source.streams.video[0].average_rate
        stream = film.add_stream("libx264", rate=rate, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = 50
        for frame in source.decode(video=0):
            large = frame.reformat(width, height, "yuv420p")
            large.pts = None
            film.mux(stream.encode(large))
        film.mux(stream.encode())
    return path


def _packets(video: Path) -> list[tuple[int, int, bool, bytes]]:
    """Reads the moments of decoding and of showing, whether it is a key frame, and the data."""
    with av.open(str(video)) as source:
        return [
            (packet.dts, packet.pts, packet.is_keyframe, bytes(packet))
            for packet in source.demux(source.streams.video[0])
            if packet.size and packet.dts is not None and packet.pts is not None
        ]


def copies(videos: Sequence[Path], folder: Path, count: int) -> Path:
    """Writes so many copies of videos, in turn, into a folder of its own."""
    films = folder / "films"
    films.mkdir()
    for number in range(count):
        video = videos[number % len(videos)]
        (films / f"{number:05d}{video.suffix}").write_bytes(video.read_bytes())
    return films
