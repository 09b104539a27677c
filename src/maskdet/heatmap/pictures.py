"""Explains and draws the frames of a run, each in its place and on the scale the run gives it."""

from dataclasses import replace

from maskdet.detections import Detections
from maskdet.heatmap.drawing.colours import palette
from maskdet.heatmap.drawing.compose import Composer, Explained
from maskdet.heatmap.drawing.layout import MAX_PANELS, VIDEO_PANELS, Layout, Seats
from maskdet.heatmap.drawing.panels import Brush
from maskdet.heatmap.drawing.words import sentences
from maskdet.heatmap.methods.loading import LoadedModel
from maskdet.heatmap.methods.views import DIFFERENCE, PREDICTED, shown_maps
from maskdet.heatmap.options import CLASSIC, RUN, HeatmapOptions
from maskdet.media.frames import UInt8Array
from maskdet.stream import Seen
from maskdet.vision.classifier import softmax
from maskdet.vision.evidence import faces_in_crops
from maskdet.wording import label_text


class Pictures:
    """Explains and draws frames, and remembers what must stay put from frame to frame.

    Args:
        options: what was asked for.
        model: the classifier with its maps.
        view: which map is shown.
    """

    def __init__(self, options: HeatmapOptions, model: LoadedModel, view: str) -> None:
        self._look = options.look
        self._temperature = model.temperature
        self._view = view
        look = options.look
        brush = Brush(palette(look.colormap, look.alpha), look.blur_kernel, look.morphology)
        self._composer = Composer(brush, margin=model.crop_margin, exact=model.exact)
        self._margin = model.crop_margin
        self._note = _note(options, model, view)
        self._settled: dict[int, tuple[Layout, Seats]] = {}
        self._largest = 0.0

    def explain(self, seen: Seen) -> tuple[Seen, Explained]:
        """Picks the maps of a frame, and its scale: its own, or the largest so far."""
        detections = _own_answer(seen.detections, self._temperature)
        shown = shown_maps(detections, self._view)
        scale = float(abs(shown.maps).max(initial=0.0))
        if self._look.normalise == RUN:
            self._largest = scale = max(self._largest, scale)
        height, width = seen.frame.image.shape[:2]
        places = faces_in_crops(detections.xyxy, margin=self._margin, width=width, height=height)
        words = sentences(detections, shown, self._view, places)
        return seen, Explained(detections, shown, scale, words)

    def draw(self, item: tuple[Seen, Explained]) -> tuple[Seen, Explained, UInt8Array]:
        """Draws a frame."""
        seen, found = item
        image = seen.frame.image
        if self._look.layout == CLASSIC:
            return seen, found, self._composer.draw_classic(image, found)
        layout, seats = self._places(seen, len(found.detections))
        return seen, found, self._composer.draw(image, found, layout, seats)

    def _places(self, seen: Seen, faces: int) -> tuple[Layout, Seats]:
        moving = seen.source.is_moving
        if moving and id(seen.source) in self._settled:
            return self._settled[id(seen.source)]
        places = VIDEO_PANELS if moving else min(max(faces, 1), MAX_PANELS)
        height, width = seen.frame.image.shape[:2]
        layout = Layout(width, height, places=places, size=self._look.size, note=self._note)
        settled = layout, Seats(places)
        if moving:
            self._settled[id(seen.source)] = settled
        return settled


def _own_answer(detections: Detections, temperature: float) -> Detections:
    """Returns detections that speak for their frame alone: a map explains no other frame."""
    if detections.decided is None:
        return detections
    probabilities = softmax(detections.logits / temperature)
    return replace(detections, decided=None, probabilities=probabilities)


def _note(options: HeatmapOptions, model: LoadedModel, view: str) -> str:
    """Returns the line that says what the colours mean."""
    unit = "logits" if model.exact else "units of the method"
    rival = "the other" if len(model.explainer.labels) == 2 else "the next best"
    what = {PREDICTED: "evidence for the label", DIFFERENCE: f"label against {rival}"}.get(
        view, f"evidence for {label_text(view)}"
    )
    return f"{options.maps.method}: {what}, in {unit}"
