"""What a side costs while it works: processor time and memory of all its processes.

Linux only: `/proc` tells both without slowing anything down. A process's peak is the kernel's own
high-water mark, which is reset before each run, so no peak is too short to be seen; pages that
processes share are counted once.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TICK_SECONDS: Final = 0.05
_CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")
_RESET_PEAK: Final = "5"  # see proc(5), clear_refs


def _tree(root: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield root
    with suppress(OSError):
        for task in Path(f"/proc/{root}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _kilobytes(path: str, name: str) -> int:
    with suppress(OSError):
        for line in Path(path).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0


def _cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / _CLOCK_TICKS


@dataclass(slots=True)
class Meter:
    """Measures a tree of processes from `start` to `stop`.

    Args:
        root: Process id of the side.
        harness: Whether the root itself only drives what is measured, and does not count.
    """

    root: int
    harness: bool = False
    peak_bytes: int = 0
    cpu_seconds: float = 0.0
    _shared: dict[int, int] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def _pids(self) -> list[int]:
        pids = list(_tree(self.root))
        return pids[1:] if self.harness else pids

    def start(self) -> None:
        """Begin a run."""
        self.peak_bytes = 0
        pids = self._pids()
        for pid in pids:
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
            self._shared[pid] = _shared_kilobytes(pid)
        self.cpu_seconds = sum(map(_cpu_seconds, pids))
        self._ended.clear()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the run; `peak_bytes` and `cpu_seconds` then hold its cost."""
        self._ended.set()
        if self._thread:
            self._thread.join()
        pids = self._pids()
        for pid in pids:
            self._shared[pid] = _shared_kilobytes(pid)
        self._look()
        self.cpu_seconds = max(0.0, sum(map(_cpu_seconds, pids)) - self.cpu_seconds)

    def _watch(self) -> None:
        # Only for processes that end before the run does.
        while not self._ended.wait(_TICK_SECONDS):
            self._look()

    def _look(self) -> None:
        kilobytes = 0
        for pid in self._pids():
            if pid not in self._shared:
                self._shared[pid] = _shared_kilobytes(pid)
            kilobytes += max(0, _kilobytes(f"/proc/{pid}/status", "VmHWM:") - self._shared[pid])
        self.peak_bytes = max(self.peak_bytes, kilobytes * 1024)


def _shared_kilobytes(pid: int) -> int:
    """Return what a process's resident memory counts that belongs to others too."""
    rollup = f"/proc/{pid}/smaps_rollup"
    return max(0, _kilobytes(rollup, "Rss:") - _kilobytes(rollup, "Pss:"))
