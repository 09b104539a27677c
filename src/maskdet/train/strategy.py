"""Training on several devices or machines, as far as the installed Keras supports it."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from maskdet.errors import MaskdetError
from maskdet.train.quiet import no_native_output

# Tried with TensorFlow 2.21 and Keras 3.15, two processes on loopback: `fit` ends in "Attempt to
# convert a value (PerReplica: ...) with an unsupported type". Known as keras-team/keras#20585.
_LAST_WITHOUT_MULTIWORKER = 3


@contextmanager
def chosen_strategy(name: str) -> Iterator[None]:
    """Enters the scope of a distribution strategy.

    Args:
        name: one of `maskdet.train.classifier.options.STRATEGIES`.

    Raises:
        MaskdetError: the installed Keras cannot train with it.
    """
    if name == "multiworker":
        check_multiworker(keras.__version__)
    scope: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
    if name == "mirrored":
        with no_native_output():
            scope = tf.distribute.MirroredStrategy().scope()
    elif name == "multiworker":
        scope = tf.distribute.MultiWorkerMirroredStrategy().scope()
    with scope:
        yield


def check_multiworker(keras_version: str) -> None:
    """Refuses several machines where Keras cannot.

    Raises:
        MaskdetError: with what to do instead.
    """
    if int(keras_version.split(".")[0]) <= _LAST_WITHOUT_MULTIWORKER:
        raise MaskdetError(
            f"--strategy multiworker: Keras {keras_version} cannot train on several machines "
            "(keras-team/keras issue 20585); --strategy mirrored uses all GPUs of one"
        )
