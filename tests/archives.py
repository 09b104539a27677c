"""Made-up zip archives, as code hosts make them."""

import io
import zipfile


def made_zip(*more: tuple[str | zipfile.ZipInfo, bytes], comment: bytes = b"") -> bytes:
    """Returns an archive as a code host makes them: everything below one top folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.comment = comment
        archive.writestr("set-abc/", b"")
        archive.writestr("set-abc/README.md", b"text")
        for number in range(3):
            archive.writestr(f"set-abc/data/with/{number}.jpg", bytes([number]) * 50_000)
        archive.writestr("set-abc/data/without/0.jpg", b"x")
        archive.writestr("set-abc/data/without/notes.txt", b"x")
        for name, data in more:
            archive.writestr(name, data)
    return stream.getvalue()
