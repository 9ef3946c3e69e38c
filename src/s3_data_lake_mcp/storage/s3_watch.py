"""Ends bodies that are still arriving when their call is over."""

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from s3_data_lake_mcp.storage import ScanMeter

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

_TICK_SECONDS = 0.1
_QUIET_TICKS = 20


class _Watch:
    """Looks at all bodies that are being read, from one thread, which sleeps while there is none.

    A body is read in long pieces, since each costs time of the interpreter that its readers share.
    So nobody else sees the deadline, or a cancellation, while a server trickles. It goes to sleep
    late: to be woken by each of many short bodies would cost them more than its looks do.
    """

    def __init__(self) -> None:
        self._bodies: dict[int, tuple[HTTPResponse, ScanMeter]] = {}
        self._any = threading.Condition()
        self._sleeps = False
        threading.Thread(target=self._run, name="s3-watch", daemon=True).start()

    @contextlib.contextmanager
    def over(self, body: "HTTPResponse", meter: ScanMeter) -> Iterator[None]:
        """Watch over a body: once its call must stop, its next bytes are its end."""
        with self._any:
            self._bodies[id(body)] = body, meter
            if self._sleeps:
                self._any.notify()
        try:
            yield
        finally:
            with self._any:
                del self._bodies[id(body)]

    def _run(self) -> None:
        quiet = 0
        while True:
            with self._any:
                for body, meter in self._bodies.values():
                    if meter.over:
                        # A body that has just ended has no connection any more.
                        with contextlib.suppress(OSError, RuntimeError, ValueError):
                            body.shutdown()
                quiet = 0 if self._bodies or self._sleeps else quiet + 1
                self._sleeps = quiet > _QUIET_TICKS
                self._any.wait(None if self._sleeps else _TICK_SECONDS)


_started: list[_Watch] = []


def watched(body: "HTTPResponse", meter: ScanMeter) -> contextlib.AbstractContextManager[None]:
    """Return a context in which a body ends when its call is over."""
    # The thread starts with the first body: none outlives a fork.
    if not _started:
        _started.append(_Watch())
    return _started[0].over(body, meter)
