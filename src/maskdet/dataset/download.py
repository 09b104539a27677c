"""Downloads a file, going on where an earlier attempt stopped; what is not verified is not kept."""

import http
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from maskdet.assets import sha256
from maskdet.errors import DatasetError

_CHUNK = 1 << 16
_MEGABYTE = 1e6


def download(
    url: str,
    target: Path,
    *,
    expected: str | None,
    largest: int,
    show: Callable[[float, str], None],
    timeout: float = 30.0,
) -> None:
    """Downloads a file, from where an earlier attempt left off.

    Args:
        url: http, https or file address.
        target: the whole file; the unfinished one lies beside it as ``NAME.part``.
        expected: sha256 of the file, where it is known.
        largest: bytes beyond which it is refused.
        show: takes the fraction that is done and a short text.
        timeout: seconds the server may be silent.

    Raises:
        DatasetError: there is no connection, it breaks off, the disk is full, or the file is not
            the expected one. What came so far is kept for the next attempt, save a wrong file.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, largest, show, timeout)
    except urllib.error.HTTPError as error:
        raise DatasetError(f"{url}: the server says {error.code} {_line(error.reason)}") from None
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
        ValueError,  # no address at all, or one with letters that do not belong there
    ) as error:
        reason = getattr(error, "reason", None) or error
        got = part.stat().st_size / _MEGABYTE if part.is_file() else 0
        kept = f" after {got:.1f} MB: run the same again to go on from there" if got else ""
        raise DatasetError(f"{url}: cannot be downloaded ({_line(reason)}){kept}") from None
    except OSError as error:
        raise DatasetError(f"{part}: cannot be written ({error.strerror})") from None
    if expected is not None and sha256(part) != expected:
        part.unlink()
        raise DatasetError(f"{url}: is not the expected file (its sha256 differs): not kept")
    part.replace(target)


def _line(reason: object) -> str:
    """Returns what a server or a library said, which may be several lines, as one."""
    return " ".join(str(reason).split())


def _receive(
    url: str, part: Path, largest: int, show: Callable[[float, str], None], timeout: float
) -> None:
    done = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        starts = answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
    except urllib.error.HTTPError as error:
        # 416: the part that is there is all there is, or not of this file.
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not done:
            raise
        resumed, starts = True, False
    if resumed and not starts:
        part.unlink(missing_ok=True)
        if not done:
            raise ConnectionError("the server sends a part of the file where all was asked for")
        _receive(url, part, largest, show, timeout)
        return
    with answer:
        if not resumed:
            done = 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        with part.open("ab" if done else "wb") as stream:
            while chunk := answer.read(_CHUNK):
                done += len(chunk)
                if done > largest or (total or 0) > largest:
                    raise DatasetError(
                        f"{url}: is larger than {largest / _MEGABYTE:.0f} MB: refused"
                    )
                stream.write(chunk)
                share = done / total if total else 0.0
                show(share, f"{done / _MEGABYTE:.1f} MB")
    # http.client ends quietly when a connection closes early and read() was given a size.
    if total is not None and done < total:
        raise ConnectionError(f"broke off at {done / _MEGABYTE:.1f} of {total / _MEGABYTE:.1f} MB")
