"""Imports TensorFlow without its start-up chatter.

Its C++ side prints to the standard error's file descriptor before any log level is read, so that
descriptor is pointed elsewhere while it loads. Later messages follow the levels set here.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_native_output() -> Iterator[None]:
    """Sends what native code writes to standard output and error to nowhere."""
    kept = [os.dup(descriptor) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        yield
    finally:
        for descriptor, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)


@contextmanager
def same_log_handlers() -> Iterator[None]:
    """Leaves the root logger as it was: what TensorFlow says first has it print all warnings."""
    before = logging.root.handlers[:]
    try:
        yield
    finally:
        logging.root.handlers[:] = before


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras, saying nothing but errors from then on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with no_native_output():
        import keras  # noqa: F401 - loading it is the point
        import tensorflow as tf
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="keras|tensorflow")
