"""Faces as a notebook shows them: the picture, and a table below it."""

import html
from typing import TYPE_CHECKING

from maskdet.api.pictures import html_image
from maskdet.wording import counted, label_text

if TYPE_CHECKING:
    from maskdet.api.results import Faces

# A table of a crowd ends after so many faces.
_MOST_ROWS = 20


def table_of(faces: "Faces") -> str:
    """Returns the annotated picture and a table of its faces as HTML that needs no file."""
    rows = "".join(
        f"<tr><td>{number}</td><td>{html.escape(label_text(face.label))}</td>"
        f"<td>{face.confidence:.2%}</td><td>{face.face_score:.2%}</td>"
        f"<td>{', '.join(f'{side:.0f}' for side in face.box)}</td></tr>"
        for number, face in enumerate(faces[:_MOST_ROWS])
    )
    heads = ("face", "label", "confidence", "face score", "box")
    head = "".join(f"<th>{name}</th>" for name in heads)
    more = len(faces) - _MOST_ROWS
    end = f"<p>and {counted(more, 'more face')}</p>" if more > 0 else ""
    table = f"<table><tr>{head}</tr>{rows}</table>{end}" if rows else ""
    title = html.escape(f"{faces.source}: {faces}")
    return f"{html_image(faces.annotate().bgr)}<p>{title}</p>{table}"
