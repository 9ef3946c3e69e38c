"""Limits that a worker process puts on itself before it touches foreign bytes."""

import ctypes
import os
import resource
import signal
import sys

from s3_data_lake_mcp.settings import Settings

_ADDRESS_SLACK_BYTES = 3 << 30
"""Address space that libraries reserve without using: measured 2.3 GB for two engine threads."""

_PR_SET_PDEATHSIG = 1


def confine(settings: Settings) -> None:
    """Bound the address space, forbid files and core dumps, and let go of the protocol's pipes.

    Only where a cache on disk is configured, files may be written, none longer than all of it.

    The memory limit proper is kept by the server, which watches the resident size; the address
    space limit makes one huge allocation fail cleanly inside the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    space = settings.memory_limit + _ADDRESS_SLACK_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    longest_file = settings.cache_disk_bytes if settings.cache_dir else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest_file, longest_file))
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)
