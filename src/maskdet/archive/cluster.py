"""Ray: started on this machine for a run, or found where the user says that a cluster is."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maskdet.errors import OptionError, UnreachableError
from maskdet.vision.lanes import cores_here, memory_free

# A worker with both networks at all sizes and two decoded frames of 4K. Bytes.
WORKER_MEMORY = 700 << 20
# Only words of a line are passed about; Ray would take a third of the machine's memory.
_OBJECT_STORE = 100 << 20
# How long a cluster may take to answer, and to say that it is well. Seconds.
_CONNECT, _HEALTH = 5.0, 13.0
AUTO = "auto"


@contextmanager
def ray_started(
    address: str | None, workers: int | None, log: Callable[[str], None], *, dashboard: bool
) -> Iterator[int]:
    """Starts Ray, or joins a cluster, and leaves it at the end.

    Args:
        address: of the cluster's head, as `answering` gives it; ``None`` for this machine alone.
        workers: how many are wanted; ``None`` for one a core.
        log: told where Ray's page is.
        dashboard: whether there is to be one.

    Yields:
        How many workers there are to be.

    Raises:
        UnreachableError: the cluster cannot be joined.
    """
    prepare()
    import ray

    if ray.is_initialized():
        yield workers or int(ray.cluster_resources().get("CPU", 1))
        return
    # What concerns the user is said in lines of ours; all else is in Ray's log files.
    quiet = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if address is None:
        count = workers or workers_here()
        try:
            context = ray.init(
                # Its own: not one that RAY_ADDRESS names, or that a killed run has left behind.
                address="local",
                num_cpus=count,
                include_dashboard=dashboard,
                object_store_memory=_OBJECT_STORE,
                **quiet,
            )
        except Exception as error:
            # A machine so busy that Ray's own parts wait for one another in vain: Ray says it by a
            # bare exception.
            if type(error) is not Exception:
                raise
            raise UnreachableError(
                "Ray did not start on this machine within half a minute; is it busy? Try once more "
                "with --resume"
            ) from None
    else:
        try:
            context = ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UnreachableError(f"{address}: Ray cannot be joined ({reason})") from None
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        if context.dashboard_url:
            log(f"Ray's page: http://{context.dashboard_url}")
        yield count
    finally:
        ray.shutdown()


def prepare() -> None:
    """Says what Ray reads of its environment when it is imported."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Or it says of each machine without an accelerator what will change in a later version.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # On a machine that others use, too, Ray's own parts take longer to start than it thinks.
    os.environ.setdefault("RAY_agent_register_timeout_ms", "120000")
    os.environ.setdefault("RAY_worker_register_timeout_seconds", "300")


def workers_here() -> int:
    """Returns how many workers this machine has cores and memory for."""
    cores, room = cores_here(), memory_free()
    return max(1, cores if room is None else min(cores, room // WORKER_MEMORY))


def answering(address: str) -> str:
    """Makes sure that there is a cluster; Ray itself would wait for minutes.

    Args:
        address: of its head, or ``auto`` for the one that this machine belongs to.

    Returns:
        The address of its head.

    Raises:
        UnreachableError: nobody answers there, or no Ray.
        OptionError: it is no address.
    """
    prepare()
    if address == AUTO:
        from ray._private.services import canonicalize_bootstrap_address

        try:
            found = canonicalize_bootstrap_address(AUTO)
        except ConnectionError:
            found = None
        if found is None:
            raise UnreachableError(
                "auto: no Ray cluster runs on this machine; leave out --address, or name the head "
                "of one (host:6379)"
            )
        address = found
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise OptionError(f"--address {address}: is not auto and no host:port of a cluster's head")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreachableError(f"{address}: nobody answers ({reason})") from None
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        well = subprocess.run(command, capture_output=True, timeout=_HEALTH, check=False)
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{address}: what answers there is no Ray cluster") from None
    if well.returncode:
        lines = well.stderr.decode(errors="replace").splitlines() or ["no reason given"]
        words = next((line for line in reversed(lines) if "ersion" in line), "not Ray, or not well")
        raise UnreachableError(f"{address}: the cluster cannot be joined ({words.strip()[:200]})")
    return address
