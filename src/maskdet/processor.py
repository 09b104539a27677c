"""The processor: its name, its cores, and the vector extensions that decide a precision's speed."""

import functools
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
# Words of /proc/cpuinfo worth telling: those that LiteRT's and OpenCV's kernels ask for.
_LINUX_FLAGS = (
    # x86
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_fp16", "avx512_bf16",
    "avx_vnni", "avx512_vnni", "amx_int8", "amx_bf16",
    # Arm
    "neon", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip
_MAC_FLAGS = {
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.neon": "neon",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
}
# These multiply and add 8-bit numbers in one step.
_DOT_PRODUCTS = frozenset({"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"})


@dataclass(frozen=True)
class Processor:
    """What computes here.

    Attributes:
        name: as the processor calls itself.
        architecture: such as ``x86_64`` or ``aarch64``.
        cores: that this process may use.
        extensions: vector extensions, by the names Linux gives them; empty where not known.
    """

    name: str
    architecture: str
    cores: int
    extensions: tuple[str, ...]

    @property
    def dot_products(self) -> bool | None:
        """Whether 8-bit numbers are multiplied and added in one step; ``None`` if not known."""
        if not self.extensions:
            return None
        return bool(_DOT_PRODUCTS & set(self.extensions))


@functools.cache
def processor() -> Processor:
    """Asks the operating system what the processor is."""
    if _CPUINFO.is_file():
        name, extensions = _from_cpuinfo(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
    elif platform.system() == "Darwin":
        name, extensions = _from_sysctl()
    else:
        name, extensions = platform.processor(), ()
    return Processor(name or "unknown", platform.machine(), _usable_cores(), extensions)


def _usable_cores() -> int:
    """Counts the cores left to this process, which containers and taskset limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _from_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    """Reads name and extensions out of Linux's list of processors, of x86 or of Arm."""
    entries: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, entry = line.partition(":")
        if colon:
            entries.setdefault(key.strip().lower(), entry.strip())
    # Arm calls its flags features; a Raspberry Pi names its board, not its processor.
    flags = (entries.get("flags") or entries.get("features") or "").split()
    name = entries.get("model name") or entries.get("model") or entries.get("hardware") or ""
    return name, tuple(flag for flag in _LINUX_FLAGS if flag in flags)


def _from_sysctl() -> tuple[str, tuple[str, ...]]:
    """Asks macOS."""

    def ask(key: str) -> str:
        done = subprocess.run(["sysctl", "-n", key], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    extensions = tuple(name for key, name in _MAC_FLAGS.items() if ask(key) == "1")
    return ask("machdep.cpu.brand_string"), extensions
