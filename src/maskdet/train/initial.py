"""The first weights of a run: fresh, from ImageNet, or from an existing model."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from maskdet.errors import ModelError
from maskdet.train.legacy import read_model
from maskdet.train.model import HEAD_LAYERS, Networks, build, copy_layers
from maskdet.train.options import TrainOptions


def initial_networks(
    options: TrainOptions, labels: Sequence[str], say: Callable[[str], None]
) -> Networks:
    """Builds the networks of a run.

    Args:
        options: of the run.
        labels: the class names in index order.
        say: takes one line of log.

    Raises:
        ModelError: weights or a model that are not there or do not fit.
    """
    if options.from_model is None:
        return build(options, len(labels))
    found = read_model(options.from_model)
    if found.architecture != options.architecture:
        raise ModelError(
            f"--from {options.from_model}: is a {found.architecture}, "
            f"this run trains a {options.architecture}"
        )
    networks = build(replace(options, weights="none"), len(labels))
    names = [layer.name for layer in networks.whole.layers if layer.weights]
    heads = [model.get_layer(HEAD_LAYERS[0]).units for model in (found.model, networks.whole)]
    if found.labels == tuple(labels) and heads[0] == heads[1]:
        say(f"goes on from {options.from_model.name}, head included")
    else:
        say(f"goes on from {options.from_model.name} with a new head: its labels or width differ")
        names = [name for name in names if name not in HEAD_LAYERS]
    copy_layers(found.model, networks.whole, names)
    return replace(networks, pretrained=networks.trunk is not None)
