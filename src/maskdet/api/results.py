"""What was seen in a picture: its faces, to loop over, to draw, to make a table of."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from maskdet import extras
from maskdet.api import checking
from maskdet.api.afterwards import Afterwards
from maskdet.api.face import Face
from maskdet.api.notebook import table_of
from maskdet.api.pictures import Picture, encoded
from maskdet.boxes import cut, expand_boxes
from maskdet.detections import UNCERTAIN_LABEL, Detections, FloatArray
from maskdet.heatmap.drawing.colours import DEFAULT_COLOUR_MAP
from maskdet.heatmap.methods.explainers import CAM
from maskdet.heatmap.options import PANELS
from maskdet.media.blurring import blur_faces
from maskdet.media.drawing import draw_detections
from maskdet.media.frames import Frame, UInt8Array
from maskdet.media.records import CSV_COLUMNS, record_of, rows_of
from maskdet.wording import counted, label_text

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    import supervision as sv

# Of the tables.
_REAL_COLUMNS = ("time", "left", "top", "right", "bottom", "face_score", "confidence")


class Faces(Sequence[Face]):
    """The faces of one picture or frame, best first; none is an empty sequence.

    At the end of a notebook's cell it shows the annotated picture and a table. Can be pickled, but
    for what needs the networks: heat maps and blurring.

    Attributes:
        source: what the records call the picture: its path or address, the camera, ``array``.
        frame: number of the frame in its source, from 0.
        time: seconds since the source's first frame; 0 for pictures.
        wall_time: when a camera or stream gave it, with the zone; else ``None``.
        image: (H, W, 3) uint8 BGR, nothing drawn on it. An array that was given is kept and not
            copied: change a copy of it.

    Examples:
        >>> import maskdet
        >>> faces = maskdet.load()("samples/astronaut.jpg")
        >>> print(faces)
        1 face: 1 No Mask
        >>> [face.label for face in faces]
        ['without_mask']
        >>> faces.annotate().save("out.jpg").name
        'out.jpg'
    """

    source: str
    frame: int
    time: float
    wall_time: "datetime | None"
    image: UInt8Array

    def __init__(
        self,
        frame: Frame,
        detections: Detections,
        *,
        margin: float,
        afterwards: Afterwards | None,
    ) -> None:
        self.source = frame.source
        self.frame = frame.index
        self.time = frame.time
        self.wall_time = frame.wall_time
        self.image = frame.image
        self._frame = frame
        self._found = detections
        self._margin = margin
        self._networks = afterwards

    def __getstate__(self) -> dict[str, Any]:
        # Networks stay where they are.
        return {**vars(self), "_networks": None}

    @property
    def labels(self) -> list[str]:
        """N labels, one a face."""
        return self._found.predicted_labels

    @property
    def boxes(self) -> FloatArray:
        """(N, 4) float32: left, top, right, bottom in pixels of the picture; a copy."""
        return self._found.xyxy.copy()

    @property
    def confidences(self) -> FloatArray:
        """(N,) float32, the probability of each face's label; a copy."""
        return self._found.confidences

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Face: ...

    @overload
    def __getitem__(self, index: slice) -> list[Face]: ...

    def __getitem__(self, index: int | slice) -> Face | list[Face]:
        if isinstance(index, slice):
            return [self._face(number) for number in range(*index.indices(len(self)))]
        # Raises for what is no number, or has no face.
        return self._face(range(len(self))[index])

    def __iter__(self) -> Iterator[Face]:
        return map(self._face, range(len(self)))

    def _face(self, index: int) -> Face:
        found = self._found
        left, top, right, bottom = map(float, found.xyxy[index])
        names_and_shares = zip(found.labels, found.probabilities[index], strict=True)
        return Face(
            found.predicted_labels[index],
            float(found.confidences[index]),
            (left, top, right, bottom),
            float(found.face_scores[index]),
            {name: float(share) for name, share in names_and_shares},
            None if found.tracks is None else int(found.tracks[index]),
            cut(self.image, expand_boxes(found.xyxy[[index]], self._margin)[0]),
        )

    def __str__(self) -> str:
        counts = Counter(self.labels)
        order = [label for label in (*self._found.labels, UNCERTAIN_LABEL) if counts[label]]
        parts = ", ".join(f"{counts[label]} {label_text(label)}" for label in order)
        return f"{counted(len(self), 'face')}: {parts}" if parts else "no faces"

    def __repr__(self) -> str:
        return f"<Faces of {self.source}: {self}>"

    def annotate(self, *, blur: bool = False) -> Picture:
        """Draws every face's box and label on a copy of the picture, as ``maskdet detect`` does.

        Args:
            blur: whether faces are made unrecognisable, as by ``--blur-faces``: with a wide margin,
                and with what is too doubtful to be labelled, which is looked for once more. Each
                frame is taken by itself; in video the command also blurs over gaps.

        Raises:
            TypeError: `blur` is no truth value.
            ValueError: the detector is closed, or was another process's.
        """
        image = self.image.copy()
        if checking.flag("blur", blur):
            expected = self._found.lost
            hidden = [self._found.xyxy, self._afterwards().hiding(self.image)]
            blur_faces(image, np.concatenate(hidden if expected is None else [*hidden, expected]))
        return Picture(draw_detections(image, self._found))

    def _afterwards(self) -> Afterwards:
        """Returns what the detector can do with these faces.

        Raises:
            ValueError: they come from another process, or from a file.
        """
        if self._networks is None:
            raise ValueError(
                "these faces have been pickled and have no detector any more; give their image to "
                "one for heat maps and blurring"
            )
        return self._networks

    def heatmap(
        self,
        *,
        method: str = CAM,
        view: str | None = None,
        layer: str | None = None,
        resolution: int | None = None,
        smooth: bool = False,
        colormap: str = DEFAULT_COLOUR_MAP,
        alpha: float = 0.6,
        layout: str = PANELS,
        size: int | None = None,
    ) -> Picture:
        """Draws where in each face the answer came from, as ``maskdet heatmap`` does.

        Args:
            method: how maps are computed: ``cam`` is exact; ``gradcam``, ``gradcam++``,
                ``hirescam``, ``layercam`` and ``scorecam`` need TensorFlow.
            view: whose evidence is shown: ``predicted``, ``difference`` or a label; ``None`` for
                the difference of the label and the next best. The command's ``--class``.
            layer: Keras layer whose output is mapped; ``None`` for the last map.
            resolution: side of the crops that are fed to the network, 64 to 1024 pixels, a multiple
                of 32; ``None`` for the model's own. 448 gives a map twice as fine.
            smooth: whether to average over mirror images and scales.
            colormap: ``coldwarm``, ``rdbu``, ``puor``, or one of OpenCV's such as ``jet``.
            alpha: greatest weight of the colours over the face, 0 to 1.
            layout: ``panels``, or ``classic``: two squares side by side.
            size: side of a face in a panel, 48 to 1024 pixels; ``None`` to fit.

        Returns:
            The picture with maps on its faces and a panel for each beside it.

        Raises:
            ModelError: the model gives no such maps.
            MissingExtraError: the method needs TensorFlow, which is not installed.
            TypeError: an argument is of another kind.
            ValueError: an argument is out of range, or the detector is closed, or was another
                process's.
        """
        # Imported when asked for: who only detects needs none of it.
        from maskdet.api import explaining

        options = explaining.options(
            self.source,
            self._found.labels,
            method=method,
            view=view,
            layer=layer,
            resolution=resolution,
            smooth=smooth,
            colormap=colormap,
            alpha=alpha,
            layout=layout,
            size=size,
        )
        model = self._afterwards().explaining(options.maps)
        return Picture(explaining.draw_heatmap(self._frame, self._found, model, options))

    def to_dict(self) -> dict[str, Any]:
        """Returns the picture's record: what ``maskdet detect --json`` writes as one line."""
        return record_of(self._frame, self._found)

    def to_records(self) -> list[dict[str, Any]]:
        """Returns one JSON-ready record a face: the ``faces`` of ``maskdet detect --json``."""
        return self._found.to_records()

    def to_pandas(self) -> "pd.DataFrame":
        """Returns a pandas table, a row a face, with the columns of ``maskdet detect --csv``.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = extras.optional("pandas", "to_pandas()")
        table: pd.DataFrame = pandas.DataFrame(rows_of(self.to_dict()), columns=CSV_COLUMNS)
        # The same in each table, that of no faces too, else several of them make one of objects.
        reals = dict.fromkeys(_REAL_COLUMNS, "float64")
        return table.astype({**reals, "frame": "int64", "track": "Int64"})

    def to_supervision(self) -> "sv.Detections":
        """Returns the faces as ``supervision.Detections``.

        ``class_id`` counts the model's labels; ``data["class_name"]`` has each face's own, which
        may be ``uncertain``.

        Raises:
            MissingExtraError: supervision is not installed.
        """
        supervision = extras.optional("supervision", "to_supervision()")
        found = self._found
        detections: sv.Detections = supervision.Detections(
            xyxy=found.xyxy.copy(),
            confidence=found.confidences,
            class_id=found.label_indices.astype(int),
            tracker_id=None if found.tracks is None else found.tracks.astype(int),
            data={"class_name": np.array(self.labels, dtype=str)},
        )
        return detections

    def _repr_png_(self) -> bytes:
        return encoded(self.annotate().bgr, ".png")

    def _repr_html_(self) -> str:
        return table_of(self)
