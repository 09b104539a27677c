"""Runs an exported network (TFLite) on LiteRT: load, batch, threads.

LiteRT's fast kernels want fixed shapes, and a batch of N costs N times one sample. So a `Network`
holds interpreters whose shapes are set once, for one sample each, and runs a batch sample by
sample, spread over its interpreters; `invoke` releases the GIL, so they do run side by side.
"""

import functools
import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from maskdet.errors import ModelError
from maskdet.standard_error import silent_standard_error
from maskdet.vision import trust

Outputs = dict[str, NDArray[Any]]

_PIXELS = (np.uint8, np.float32)


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Makes what LiteRT says against a network an error of the user's file.

    Raises:
        ModelError: LiteRT cannot load or run the network.
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise ModelError(f"{path}: is not a model LiteRT can run ({reason})") from None


class _Lane:
    """One interpreter with its tensors' indices looked up."""

    def __init__(self, path: Path, input_shape: Sequence[int] | None, threads: int) -> None:
        # By its path the file is mapped into memory, which the lanes then share.
        self.interpreter = Interpreter(model_path=str(path), num_threads=threads)
        inputs = self.interpreter.get_input_details()
        if len(inputs) != 1 or len(inputs[0]["shape"]) != 4:
            raise ValueError(f"it takes {len(inputs)} inputs, not one picture")
        details = inputs[0]
        if input_shape is not None and tuple(details["shape"]) != tuple(input_shape):
            self.interpreter.resize_tensor_input(details["index"], list(input_shape), strict=False)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        outputs = self.interpreter.get_signature_runner().get_output_details()
        if self.input["dtype"] not in _PIXELS or any(
            detail["dtype"] is not np.float32 for detail in outputs.values()
        ):
            raise ValueError("it does not turn pixels, uint8 or float32, into float32")
        self.outputs = {name: detail["index"] for name, detail in outputs.items()}

    def __call__(self, sample: NDArray[Any]) -> Outputs:
        # Cast on its way into the tensor: a float32 copy of a large frame takes 10 MB, and as long
        # as a fifth of the network. No view of the tensor may be left when the network runs.
        self.interpreter.tensor(self.input["index"])()[0] = sample
        self.interpreter.invoke()
        found = {name: self.interpreter.get_tensor(i) for name, i in self.outputs.items()}
        with np.errstate(over="ignore", invalid="ignore"):
            for name, output in found.items():
                if output.ndim < 2 or len(output) != 1:
                    raise ValueError(f"its output {name} is of shape {output.shape}")
                # What is no number makes the sum none either, in half the time; numbers whose sum
                # is too large for float32 are no fault.
                total = np.add.reduce(output, axis=None)
                if not (math.isfinite(total) or np.isfinite(output).all()):
                    raise ValueError(f"its output {name} is not a number everywhere")
        return found


class Network:
    """A TFLite network with one picture input and named outputs.

    Attributes:
        input_shape: (1, H, W, C).
        input_dtype: what the network takes; `run` casts to it.
        output_names: the keys of what `run` returns.

    Args:
        path: the ``.tflite`` file.
        input_shape: (1, H, W, C) to run at another size than the file's own.
        threads: CPU threads an interpreter uses for one sample.
        lanes: how many samples are worked on at a time at most. The second and further interpreters
            are made when they are first wanted: each holds tens of megabytes.
        trusted: whether this program has just made the file itself. Any other that does not come
            with maskdet is first tried out; see `maskdet.vision.trust`.

    Raises:
        ModelError: the file is missing, damaged, or not a network with one picture as its input and
            float32 outputs.
    """

    def __init__(
        self,
        path: Path,
        *,
        input_shape: Sequence[int] | None = None,
        threads: int = 1,
        lanes: int = 1,
        trusted: bool = False,
    ) -> None:
        if not path.is_file():
            raise ModelError(f"{path}: no such file")
        if not trusted:
            shape = "own" if input_shape is None else "x".join(map(str, input_shape))
            trust.check([path], ["tflite", shape])
        self._path = path
        with refused(path), silent_standard_error():
            first = _Lane(path, input_shape, threads)
        self._make = functools.partial(_Lane, path, input_shape, threads)
        self._free: SimpleQueue[_Lane] = SimpleQueue()
        self._free.put(first)
        self._unmade = lanes - 1
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(lanes) if lanes > 1 else None
        details = first.input
        self.input_shape: tuple[int, ...] = tuple(int(side) for side in details["shape"])
        self.input_dtype: np.dtype[Any] = np.dtype(details["dtype"])
        self.output_names = frozenset(first.outputs)

    def run(self, batch: NDArray[Any]) -> Outputs:
        """Runs N samples. May be called from several threads at a time.

        Args:
            batch: (N, H, W, C), pixels 0..255 as a rule; cast to the type the network takes.

        Returns:
            One array an output, (N, ...), in float32.

        Raises:
            ModelError: the network fails, or answers with what is no number.
            ValueError: the batch is empty or of another shape than the network's input.
        """
        if len(batch) == 0 or batch.shape[1:] != self.input_shape[1:]:
            raise ValueError(f"expected (N >= 1, *{self.input_shape[1:]}), got {batch.shape}")
        if len(batch) == 1:
            return self._run_one(batch[0])
        if self._pool is None:
            results = [self._run_one(sample) for sample in batch]
        else:
            results = list(self._pool.map(self._run_one, batch))
        return {
            name: np.concatenate([result[name] for result in results]) for name in self.output_names
        }

    def _run_one(self, sample: NDArray[Any]) -> Outputs:
        with refused(self._path):
            lane = self._take()
            try:
                return lane(sample)
            finally:
                self._free.put(lane)

    def _take(self) -> _Lane:
        """Returns a free interpreter: one that is there, a new one, or the next to become free."""
        try:
            return self._free.get_nowait()
        except Empty:
            with self._lock:
                make = self._unmade > 0
                self._unmade -= make
            return self._make() if make else self._free.get()
