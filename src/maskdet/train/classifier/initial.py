"""The first weights of a run: fresh, from ImageNet, or from an existing model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from maskdet.errors import ModelError
from maskdet.train.classifier.legacy import read_model
from maskdet.train.classifier.model import HEAD_LAYERS, Networks, build, check_layer, copy_layers
from maskdet.train.classifier.options import TrainOptions


def initial_networks(
    options: TrainOptions, labels: Sequence[str], say: Callable[[str], None]
) -> Networks:
    """Builds the networks of a run.

    Args:
        options: of the run.
        labels: the class names in index order.
        say: takes one line of log.

    Raises:
        ModelError: weights or a model that are not there or do not fit, or no layer of the name
            from which to fine-tune.
    """
    if options.from_model is None:
        networks = build(options, len(labels))
    else:
        networks = _adapted(options, options.from_model, labels, say)
    if networks.pretrained and options.fine_tune:
        check_layer(networks, options.fine_tune_from)
    return networks


def _adapted(
    options: TrainOptions, path: Path, labels: Sequence[str], say: Callable[[str], None]
) -> Networks:
    found = read_model(path)
    if found.architecture != options.architecture:
        raise ModelError(
            f"--from {path}: is a {found.architecture}, this run trains a {options.architecture}"
        )
    networks = build(replace(options, weights="none"), len(labels))
    names = [layer.name for layer in networks.whole.layers if layer.weights]
    heads = [model.get_layer(HEAD_LAYERS[0]).units for model in (found.model, networks.whole)]
    if found.labels == tuple(labels) and heads[0] == heads[1]:
        say(f"goes on from {path.name}, head included")
    else:
        say(f"goes on from {path.name} with a new head: its labels or width differ")
        names = [name for name in names if name not in HEAD_LAYERS]
    copy_layers(found.model, networks.whole, names)
    return replace(networks, pretrained=networks.trunk is not None)
