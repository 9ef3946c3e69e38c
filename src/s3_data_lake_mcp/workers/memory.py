"""The memory that a process holds, and what of it a worker gives back."""

import math
import os
import resource
from pathlib import Path

_KEPT_BYTES = 96 << 20
"""What a next job finds mapped and cleared: that is a tenth of the time of a page of Parquet."""


def resident_bytes(process: int | None) -> int:
    """Return the resident memory of a process; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * resource.getpagesize()


def spare_address_bytes(process: int | None) -> float:
    """Return how much address space a process may still take; infinity if nothing bounds it."""
    try:
        most, _ = resource.prlimit(process or 0, resource.RLIMIT_AS)
        taken = int(Path(f"/proc/{process}/statm").read_text().split()[0])
    except (AttributeError, OSError):
        return math.inf
    if most == resource.RLIM_INFINITY:
        return math.inf
    return most - taken * resource.getpagesize()


class Reserve:
    """What a worker has freed and its C library holds: some for the next job, not all of it."""

    def __init__(self) -> None:
        self._least = resident_bytes(os.getpid())

    def settle(self) -> None:
        """Give memory back if the process has grown by much since it last did."""
        import ctypes  # noqa: PLC0415 - the server, which only reads sizes, starts without it

        if 0 < resident_bytes(os.getpid()) <= self._least + _KEPT_BYTES:
            return
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        self._least = resident_bytes(os.getpid())
