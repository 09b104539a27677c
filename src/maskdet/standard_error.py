"""Standard error is everybody's: what native code prints there is kept out, log lines are kept.

Silencing it sends all that the process writes there nowhere, whichever thread writes. So whoever
writes a line holds `writing`.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

writing = threading.RLock()
"""Held while a line is written, and while standard error is silent; signals may come meanwhile."""


@contextmanager
def silent_standard_error() -> Iterator[None]:
    """Sends what native code prints on standard error nowhere.

    LiteRT announces its CPU kernels there once a process, and TensorFlow its own, with no way to
    ask them not to; what goes wrong they raise. Log lines of other threads wait until it is over.
    """
    with writing:
        sys.stderr.flush()
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
