"""The first weights of a run: fresh, from ImageNet, or from an existing model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from maskdet import assets
from maskdet.cards.trained import trained_hashes
from maskdet.duplicates import stack_hashes
from maskdet.errors import ModelError
from maskdet.train.classifier.backbones import width_of
from maskdet.train.classifier.legacy import read_model
from maskdet.train.classifier.model import HEAD_LAYERS, build, check_layer, copy_layers
from maskdet.train.classifier.options import PLAIN, TrainOptions
from maskdet.train.classifier.start import Initial


def initial_networks(
    options: TrainOptions, labels: Sequence[str], say: Callable[[str], None]
) -> Initial:
    """Builds the networks of a run.

    Args:
        options: of the run.
        labels: the class names in index order.
        say: takes one line of log.

    Raises:
        ModelError: weights or a model that are not there or do not fit, or no layer of the name
            from which to fine-tune.
    """
    if options.from_model is not None:
        initial = _adapted(options, options.from_model, labels, say)
    else:
        initial = Initial(build(options, len(labels)), stack_hashes([]))
        wanted = options.weights == "imagenet" and options.architecture not in PLAIN
        if wanted and not initial.networks.pretrained:
            width = f" of width {options.alpha:g}" if options.alpha != 1 else ""
            say(
                f"starts from random weights: none of {options.architecture}{width} come with "
                "maskdet; --weights FILE takes Keras's own file without top"
            )
    if initial.networks.pretrained and options.fine_tune:
        check_layer(initial.networks, options.fine_tune_start)
    return initial


def _adapted(
    options: TrainOptions, path: Path, labels: Sequence[str], say: Callable[[str], None]
) -> Initial:
    found = read_model(path)
    if found.architecture != options.architecture:
        raise ModelError(
            f"--from {path}: is a {found.architecture}, this run trains a {options.architecture}"
        )
    networks = build(replace(options, weights="none"), len(labels))
    if found.alpha not in (options.alpha, width_of(networks.whole)):
        raise ModelError(
            f"--from {path}: is a {found.architecture} of width {found.alpha:g}: --alpha "
            f"{found.alpha:g} trains on it"
        )
    names = [layer.name for layer in networks.whole.layers if layer.weights]
    heads = [model.get_layer(HEAD_LAYERS[0]).units for model in (found.model, networks.whole)]
    whole = found.labels == tuple(labels) and heads[0] == heads[1]
    if whole:
        say(f"goes on from {path.name}, head included")
    else:
        say(f"goes on from {path.name} with a new head: its labels or width differ")
        names = [name for name in names if name not in HEAD_LAYERS]
    copy_layers(found.model, networks.whole, names)
    networks = replace(networks, pretrained=networks.trunk is not None)
    card = path.with_suffix(".json")
    trained = trained_hashes(assets.read_card(card) if card.is_file() else {})
    return Initial(networks, trained, whole, path.name)
