"""One worker process, seen from the server."""

import contextlib
import json
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from multiprocessing import util
from multiprocessing.context import ForkServerContext
from types import ModuleType
from typing import TYPE_CHECKING

from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.workers.memory import resident_bytes, spare_address_bytes
from s3_data_lake_mcp.workers.serving import serve

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

PRELOADED = (
    "s3_data_lake_mcp.jobs.registry",
    "s3_data_lake_mcp.storage.s3_body",
    "s3_data_lake_mcp.aws.sdk",
)
"""Modules that are loaded once for all workers; they load what a worker needs for its first job."""

_KEPT_BLOCK_BYTES = 32 << 20
_KEPT_BYTES = 1 << 30
_STARTING = threading.Lock()
_PAUSES = (0.0, 0.0, 0.1, 0.5)
"""Seconds before each attempt to start a worker."""


@contextlib.contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep a new process from importing the caller's main module once more.

    `multiprocessing.spawn.get_preparation_data` arranges that, which runs a script without an
    `if __name__ == "__main__"` a second time, and costs what its imports cost.
    """
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _without_instrumentation(path: str) -> str:
    """Return a PYTHONPATH without what `opentelemetry-instrument` leaves there for child processes.

    Each would load it, 100 MB and a second, and fork exporters that have threads.
    """
    return os.pathsep.join(
        part for part in path.split(os.pathsep) if not part.endswith("/auto_instrumentation")
    )


@cache
def _fork_context() -> ForkServerContext:
    """Return the context whose server has loaded, once, what all workers need."""
    # Of further arenas, glibc unmaps at once what is free: the buffers of a scan, again and again.
    # Each also reserves 64 MiB of address space, and workers have a limit.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # Blocks of downloads come from memory that is there already: to map and clear each anew costs
    # a quarter of a scan's time. `Reserve` returns what is much of it.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(_KEPT_BLOCK_BYTES))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(_KEPT_BYTES))
    os.environ["PYTHONPATH"] = _without_instrumentation(os.environ.get("PYTHONPATH", ""))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED])
    return context


def remove_socket() -> None:
    """Remove the socket that workers are started by, where no exit function is going to.

    None starts afterwards.
    """
    shutil.rmtree(util.get_temp_dir(), ignore_errors=True)


class Worker:
    """One worker process and the pipe to it.

    `place` is the bucket and key of its last job: what its caches hold.

    Raises:
        LimitExceededError: If the machine cannot start one.
    """

    def __init__(self, settings: Settings) -> None:
        failure: Exception | None = None
        for pause in _PAUSES:
            time.sleep(pause)
            try:
                self._start(settings)
                break
            except (OSError, EOFError) as exc:
                # What forks workers has ended: that is seen when it is gone with all its threads.
                failure = exc
        else:
            message = "The machine cannot start another worker process"
            raise LimitExceededError(message, hint="Call again in a few seconds.") from failure
        self.place = ""

    def _start(self, settings: Settings) -> None:
        context = _fork_context()
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=serve,
            args=(theirs, settings, dict(os.environ)),
            name="s3-data-lake-worker",
            daemon=True,
        )
        try:
            with _hidden_main():
                self.process.start()
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()

    def receive(self) -> object:
        """Return the worker's next message.

        It is JSON, perhaps with bytes behind it: a worker that foreign bytes took over must not
        choose what the server unpickles.

        Raises:
            EOFError: If the worker has died.
            ValueError: If it is no message.
        """
        message = json.loads(self.connection.recv_bytes())
        match message:
            case [_, {"binary": str(name)} as body]:
                body[name] = self.connection.recv_bytes()
        return message

    def rss_bytes(self) -> int:
        """Resident memory of the process; 0 where the system does not tell."""
        return resident_bytes(self.process.pid)

    def spare_bytes(self) -> float:
        """Address space that is left to the process; infinity where the system does not tell."""
        return spare_address_bytes(self.process.pid)

    def kill(self) -> int:
        """End the process at once and return its exit code; again is harmless."""
        self.process.kill()
        self.process.join()
        self.connection.close()
        return self.process.exitcode or 0
