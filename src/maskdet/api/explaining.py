"""The heat map of one picture, made by what `maskdet heatmap` is made of."""

from dataclasses import replace

from maskdet.detections import Detections
from maskdet.heatmap.methods.loading import LoadedModel
from maskdet.heatmap.methods.views import resolve_view
from maskdet.heatmap.options import HeatmapOptions
from maskdet.heatmap.pictures import Pictures
from maskdet.media.frames import Frame, UInt8Array
from maskdet.media.inputs.pictures import PictureSource
from maskdet.stream import Seen


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
