"""The heat map of one picture, made by what `maskdet heatmap` is made of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maskdet.api import checking
from maskdet.detections import Detections
from maskdet.heatmap.drawing.colours import COLOUR_MAPS
from maskdet.heatmap.methods.explainers import METHODS, MapOptions
from maskdet.heatmap.methods.loading import LoadedModel
from maskdet.heatmap.methods.views import DIFFERENCE, PREDICTED, resolve_view
from maskdet.heatmap.options import CLASSIC, PANELS, HeatmapOptions, LookOptions
from maskdet.heatmap.pictures import Pictures
from maskdet.media.frames import Frame, UInt8Array
from maskdet.media.inputs.pictures import PictureSource
from maskdet.stream import Seen

# What the network shrinks its input by. Pixels.
_STEP = 32


def options(
    source: str,
    labels: Sequence[str],
    *,
    method: Any,
    view: Any,
    layer: str | None,
    resolution: Any,
    smooth: Any,
    colormap: Any,
    alpha: Any,
    layout: Any,
    size: Any,
) -> HeatmapOptions:
    """Returns how maps are computed and drawn; the names are those of `Faces.heatmap`.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: it is out of range.
    """
    if resolution is not None and checking.number("resolution", resolution) % _STEP:
        raise ValueError(f"resolution: expected a multiple of {_STEP}, got {resolution}")
    if view is not None:
        checking.choice("view", view, (PREDICTED, DIFFERENCE, *labels))
    maps = MapOptions(
        checking.choice("method", method, METHODS),
        layer,
        resolution,
        smooth=checking.flag("smooth", smooth),
    )
    look = LookOptions(
        view=view,
        colormap=checking.choice("colormap", colormap, COLOUR_MAPS),
        alpha=checking.number("alpha", alpha),
        size=None if size is None else checking.number("size", size),
        layout=checking.choice("layout", layout, (PANELS, CLASSIC)),
    )
    return HeatmapOptions((source,), maps=maps, look=look)


def draw_heatmap(
    frame: Frame, detections: Detections, model: LoadedModel, options: HeatmapOptions
) -> UInt8Array:
    """Draws a frame with heat maps on its faces and beside it.

    Args:
        frame: the frame, which is left as it is.
        detections: its faces.
        model: the classifier with its maps.
        options: how maps are computed and drawn.

    Returns:
        (H', W', 3) uint8 BGR, larger than the frame.
    """
    # A map explains the answer for its frame alone, not what was decided over a track.
    explained = Detections(
        detections.labels,
        detections.xyxy,
        detections.face_scores,
        detections.probabilities,
        detections.logits,
    )
    if len(detections):
        answers = model.classifier().classify(frame.image, detections.xyxy)
        probabilities, logits, cams = answers
        explained = replace(explained, probabilities=probabilities, logits=logits, cams=cams)
    pictures = Pictures(options, model, resolve_view(options.look.view, detections.labels))
    still = PictureSource([], frame.source, "picture")
    own = replace(frame, image=frame.image.copy())
    return pictures.draw(pictures.explain(Seen(still, own, explained)))[2]
