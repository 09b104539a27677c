"""Inputs of the kinds that once failed, made by the tests: variants of what lies in the cases."""

import io
import itertools
import shutil
import struct
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from command_line import SAMPLES
from damage import as_classifier, as_face_detector, with_bits_set, without_output
from heic import heic
from maskdet.assets import bundled
from train_pictures import flat_png, write_classes

BARE, MASKED = SAMPLES / "astronaut.jpg", SAMPLES / "astronaut_masked.jpg"
# Where the face is in both: left, top, right, bottom in pixels, and as YOLO has it.
BOX, SIDE = (182, 71, 271, 175), 512
YOLO_BOX = "0.4424 0.2403 0.1738 0.2031"


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _networks(room: Path) -> None:
    faces = (bundled("face_detector") / "ssd_faces_float16.tflite").read_bytes()
    mask = bundled("models/mask_detector.tflite").read_bytes()
    as_face_detector(room / "no_output", without_output(faces))
    as_face_detector(room / "half", faces[: len(faces) // 2])
    as_face_detector(room / "nothing", b"")
    as_face_detector(room / "not_numbers", with_bits_set(faces))
    as_face_detector(room / "other_kind", mask)
    as_classifier(room / "half_mask", mask[: len(mask) // 2])
    as_classifier(room / "other_mask", faces)
    _write(room / "text.tflite", "no network")


def _splits(room: Path) -> None:
    labels = ("WithMask", "WithoutMask")
    for folder, parts in (
        ("lower", ("train", "valid", "test")),
        ("upper", ("TRAIN", "VALIDATION", "TESTING")),
        ("sets", ("training_set", "test_set")),
        ("high/archive", ("Train", "Test")),
    ):
        for seed, part in enumerate(parts):
            write_classes(room / folder / part, 2, labels, seed)
    write_classes(room / "deep" / "with_mask" / "day 1", 2, ("a",))
    write_classes(room / "deep" / "without_mask" / "day 1", 2, ("a",))


def _export(folder: Path, second: str = f"1 {YOLO_BOX}", names: str | None = None) -> None:
    """Writes a YOLO export of two pictures, the second of them with labels of its own."""
    for name, picture, row in (("a", BARE, f"0 {YOLO_BOX}"), ("b", MASKED, second)):
        (folder / "train" / "images").mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, folder / "train" / "images" / f"{name}.jpg")
        _write(folder / "train" / "labels" / f"{name}.txt", row + "\n")
    _write(folder / "data.yaml", names or "nc: 2\nnames: ['without_mask', 'with_mask']\n")


def _class_names(room: Path) -> None:
    for folder, names in (
        ("quoted", "names: {'1': with_mask, '0': without_mask}\n"),
        ("anchor", "all: &n [without_mask, with_mask]\nnames: *n\n"),
        ("windows", "\ufeffnames:\r\n- without_mask\r\n- with_mask # worn\r\n"),
        ("json", '{"names": {"1": "with_mask", "0": "without_mask"}}'),
        ("far", "names: {0: without_mask, 1: with_mask, 80: hat}\n"),
    ):
        _export(room / folder, names=names)
    _export(room / "broken", names="names: [without_mask, with_mask\n")


def _rows(room: Path) -> None:
    left, top, right, bottom = (edge / SIDE for edge in BOX)
    middle = (left + right) / 2
    house = (left, bottom, left, 0.2, middle, top, right, 0.2, right, bottom)
    _export(room / "house", "1 " + " ".join(map(str, house)))
    _export(room / "closed", f"1 {left} {top} {right} {top} {right} {bottom} {left} {top}")
    _export(room / "points", f"1.0 {YOLO_BOX} " + " ".join(["0.4 0.2 2"] * 5))
    _export(room / "tabs", "\t".join(["", "1", *YOLO_BOX.split(), " \r"]))
    _export(room / "exponents", f"1e0 {' '.join(f'{float(x):e}' for x in YOLO_BOX.split())}")
    _export(room / "words", f"1 {YOLO_BOX}\nmask here")
    _export(room / "nothing", "")


def _voc(path: Path, named: str, size: tuple[int, int], box: tuple[int, ...] | None) -> None:
    inside = ""
    if box is not None:
        edges = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        drawn = "".join(f"<{name}>{edge}</{name}>" for name, edge in edges)
        inside = f"<object><name>without_mask</name><bndbox>{drawn}</bndbox></object>"
    width, height = size
    stated = f"<size><width>{width}</width><height>{height}</height></size>"
    _write(path, f"<annotation><filename>{named}</filename>{stated}{inside}</annotation>")


def _turned(room: Path) -> None:
    upright = Image.open(BARE).crop((0, 0, SIDE, 400))
    # How a picture stored with this orientation lies, and where the face is in it.
    lying = {
        3: (Image.Transpose.ROTATE_180, lambda x, y: (SIDE - x, 400 - y)),
        6: (Image.Transpose.ROTATE_90, lambda x, y: (y, SIDE - x)),
        8: (Image.Transpose.ROTATE_270, lambda x, y: (400 - y, x)),
    }
    for orientation, (turn, moved) in lying.items():
        stored = upright.transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("raw", "upright"):
            images = room / f"{kind}_{orientation}" / "images"
            images.mkdir(parents=True)
            stored.save(images / "p.jpg", exif=exif, quality=90)
            corners = np.array([moved(BOX[0], BOX[1]), moved(BOX[2], BOX[3])])
            raw = (*corners.min(0).tolist(), *corners.max(0).tolist())
            size, box = (stored.size, raw) if kind == "raw" else (upright.size, BOX)
            _voc(images.parent / "voc" / "p.xml", "p.jpg", size, box)
    _voc(room / "raw_6" / "other" / "p.xml", "p.jpg", (640, 360), BOX)


def _renamed(room: Path) -> None:
    sizes = {"1": (SIDE, SIDE), "2": (600, 400), "3": (320, 240)}
    for name, inside in (("1", "IMG_3.jpg"), ("2", "1.jpg"), ("3", "2.jpg")):
        picture = cv2.imread(str(BARE))
        if name != "1":
            picture = cv2.resize(cv2.imread(str(SAMPLES / "coffee.jpg")), sizes[name])
        (room / "img").mkdir(exist_ok=True)
        cv2.imwrite(str(room / "img" / f"{name}.jpg"), picture)
        _voc(room / "voc" / f"{name}.xml", inside, sizes[name], BOX if name == "1" else None)
        # Those of another set: nothing says whose the boxes are.
        _voc(room / "others" / f"{name}.xml", inside, (333, 1000), BOX)


def _suffixes(room: Path) -> None:
    bare = Image.open(BARE)
    for number, name in enumerate(
        ("jp2", "webp", "AVIF", "bmp", "tiff", "pgm", "gif", "JPE", "mpo")
    ):
        form = {"jp2": "JPEG2000", "pgm": "PPM", "JPE": "JPEG", "mpo": "JPEG"}.get(
            name, name.upper()
        )
        picture = bare.convert("L") if name == "pgm" else bare
        picture.save(room / f"{number}.{name}", form)
    picture_rgb = np.asarray(bare)
    (room / "phone.heic").write_bytes(heic(picture_rgb, 256))
    (room / "share.jpg").write_bytes(heic(picture_rgb, 256))
    shutil.copy(BARE, room / "no ending")
    for suffix, form, codec in (("M2TS", "mpegts", "mpeg2video"), ("vob", "vob", "mpeg2video")):
        _video(room / f"clip.{suffix}", form, codec, 6)
    (room / "raw.cr2").write_bytes(b"II*\0\x10\0\0\0CR\2\0" + bytes(100))
    (room / "notes.docx").write_bytes(b"PK\3\4" + bytes(40))


def _video(path: Path, form: str, codec: str, count: int) -> None:
    picture_rgb = np.asarray(Image.open(BARE))
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_rgb, format="rgb24")))
        container.mux(stream.encode())


def _without_container(room: Path) -> None:
    jpeg, small = BARE.read_bytes(), io.BytesIO()
    Image.open(MASKED).save(small, "JPEG", quality=70)
    (room / "a.mjpg").write_bytes((jpeg + small.getvalue()) * 3)
    (room / "cut.mjpeg").write_bytes(jpeg * 3 + jpeg[:5000])
    _video(room / "a.h264", "h264", "libx264", 7)
    _video(room / "a.265", "hevc", "libx265", 5)


def _tails(room: Path) -> None:
    jpeg = BARE.read_bytes()
    film = (SAMPLES / "astronaut.mp4").read_bytes()
    for name, data in (
        ("zeros", jpeg + bytes(4096)),
        ("film", jpeg + film),
        ("two", jpeg + MASKED.read_bytes()),
        ("text", jpeg + b"\r\n-- sent by a phone\r\n"),
        ("no_end", jpeg[:-2]),
        ("half_end", jpeg[:-1]),
    ):
        (room / f"{name}.jpg").write_bytes(data)
    (room / "cut").mkdir()
    (room / "cut" / "half.jpg").write_bytes(jpeg[: len(jpeg) // 2])


def _text(room: Path) -> None:
    shutil.copy(BARE, room / "é a.jpg")
    shutil.copy(MASKED, room / "b.jpg")
    lines = "é a.jpg\r\n\r\nb.jpg\r\n"
    for encoding in ("utf-8-sig", "utf-16-le", "utf-16-be", "cp1252", "utf-16"):
        (room / f"{encoding}.txt").write_bytes(lines.encode(encoding))
        idle = "epochs = 0\r\nfine_tune = 0 # é\r\n"
        (room / f"{encoding}.toml").write_bytes(idle.encode(encoding))
    table = "file,group,left,top,right,bottom\nwith_mask/é.jpg,g,182,71,271,175\n"
    for name, text, encoding in (
        ("tabs", table.replace(",", "\t"), "utf-16"),
        ("semicolons", table.replace(",", ";").replace("182", "182,0"), "cp1252"),
        ("backslashes", table.replace("/", "\\"), "utf-8-sig"),
    ):
        for label, picture in (("with_mask", MASKED), ("without_mask", BARE)):
            (room / name / label).mkdir(parents=True)
            shutil.copy(picture, room / name / label / "é.jpg")
        (room / name / "faces.csv").write_bytes(text.replace("\n", "\r\n").encode(encoding))


def _huge(room: Path) -> None:
    width, height = 40_000, 30_000
    (room / "a.png").write_bytes(flat_png(16_000, 16_000))
    (room / "a.ppm").write_bytes(f"P6 {width} {height} 255\n".encode() + bytes(1000))
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    (room / "a.bmp").write_bytes(b"BM" + struct.pack("<IHHI", 5000, 0, 0, 54) + head + bytes(1000))
    jpeg = bytearray(BARE.read_bytes())
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", height, width)
    (room / "a.jpg").write_bytes(jpeg)
    for label, name in itertools.product(("with_mask", "without_mask"), ("0", "1")):
        (room / "classes" / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(BARE, room / "classes" / label / f"{name}.jpg")
    shutil.copy(room / "a.png", room / "classes" / "with_mask")


_MAKERS = {
    "corrupt_network": _networks,
    "split_folders": _splits,
    "yolo_class_names": _class_names,
    "yolo_rows": _rows,
    "exif_voc": _turned,
    "stale_voc_names": _renamed,
    "skipped_suffixes": _suffixes,
    "raw.mjpeg": _without_container,
    "jpeg_tails": _tails,
    "windows_text": _text,
    "huge.png": _huge,
}


def make_inputs(folder: Path) -> None:
    """Makes all of them, a folder a kind, named as the kind is in the cases."""
    for name, make in _MAKERS.items():
        (folder / name).mkdir(parents=True)
        make(folder / name)
