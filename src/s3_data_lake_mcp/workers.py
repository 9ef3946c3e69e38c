"""Warm, killable worker processes: whatever parses foreign bytes or foreign SQL runs in one.

`WorkerPool.run` carries a job's name and plain arguments into a worker and its plain result out,
with progress in between. A worker that outlives the deadline, outgrows its memory or crashes is
killed and replaced, and the caller gets a named error. Nothing else in the code knows that there
are two kinds of process.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    InternalError,
    LakeError,
    LimitExceededError,
    MalformedDataError,
    StoreUnavailableError,
    error_from,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

type Progress = Callable[[int, int], None]

_LOGGER = logging.getLogger(__name__)
_GRACE_SECONDS = 0.6
_TICK_SECONDS = 0.05
_REPORT_SECONDS = 0.2
_WARM_SECONDS = 30.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_RECYCLE_RSS_BYTES = 900 << 20
_WAITING_PER_WORKER = 16
_PAGE_JOBS = frozenset({"ping", "read_csv", "read_json", "read_parquet", "metadata"})
"""Jobs that read a page: they have places of their own, so that scans never hold them up."""


class _Worker:
    """One worker process and the pipe to it."""

    def __init__(self, context: ForkServerContext, settings: Settings) -> None:
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=serve,
            args=(theirs, settings, dict(os.environ)),
            name="s3-data-lake-worker",
            daemon=True,
        )
        self.process.start()
        theirs.close()
        self.place = ""

    def rss_bytes(self) -> int:
        """Resident memory of the process; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        except OSError:
            return 0
        return int(fields[1]) * _PAGE_BYTES

    def kill(self) -> int:
        """End the process at once and return its exit code; again is harmless."""
        self.process.kill()
        self.process.join()
        self.connection.close()
        return self.process.exitcode or 0


class WorkerPool:
    """A bounded number of warm workers.

    Args:
        settings: `workers` bounds how many calls run side by side; each may use `memory_limit`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lanes = {
            lane: threading.BoundedSemaphore(settings.workers) for lane in ("page", "scan")
        }
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._waiting = 0
        self._closed = False
        self._context: ForkServerContext | None = None

    def _fork_context(self) -> ForkServerContext:
        with self._lock:
            if self._context is None:
                # glibc reserves 64 MiB of address space for each arena; workers have a limit.
                os.environ.setdefault("MALLOC_ARENA_MAX", "2")
                self._context = multiprocessing.get_context("forkserver")
                self._context.set_forkserver_preload(["s3_data_lake_mcp.jobs.registry"])
            return self._context

    def warm(self) -> None:
        """Start one worker ahead of the first call; returns when it has its libraries loaded."""
        self.run("ping", {}, ScanMeter(timeout_seconds=_WARM_SECONDS))

    def _take(self, place: str) -> _Worker:
        """Return a worker, an idle one that knows the place if there is one: its cache is warm."""
        with self._lock:
            # Stable: among equals the one used last, whose caches are the warmest, stays last.
            self._idle.sort(key=lambda worker: worker.place == place)
            while self._idle:
                worker = self._idle.pop()
                if worker.process.is_alive():
                    break
                worker.kill()
            else:
                worker = None
        if worker is None:
            worker = _Worker(self._fork_context(), self._settings)
        worker.place = place
        with self._lock:
            if not self._closed:
                self._busy.add(worker)
                return worker
        worker.kill()
        raise _closing()

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if not self._closed and worker.rss_bytes() < _RECYCLE_RSS_BYTES:
                self._idle.append(worker)
                return
        worker.kill()

    def _replace(self) -> None:
        """Put a fresh worker where one was killed, behind the caller's back."""

        def start() -> None:
            with contextlib.suppress(OSError, EOFError):
                self._give_back(_Worker(self._fork_context(), self._settings))

        with self._lock:
            enough = bool(self._idle) or self._closed
        if not enough:
            threading.Thread(target=start, name="worker-replacement", daemon=True).start()

    def run(
        self,
        job: str,
        arguments: Mapping[str, Any],
        meter: ScanMeter,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Run a job in a worker and return its result.

        Args:
            job: Name of one of `jobs.registry.JOBS`.
            arguments: Its arguments, plain values only.
            meter: Deadline and cancellation of the call.
            progress: Told of bytes read and bytes to read, as the job reports them.

        Raises:
            LakeError: What the job raised; `LimitExceededError` if the server is busy or the job
                outgrew its memory; `DeadlineExceededError`; `MalformedDataError` if it crashed.
        """
        lane = self._lanes["page" if job in _PAGE_JOBS else "scan"]
        self._enter(lane, meter)
        try:
            result = self._work(job, arguments, meter, progress)
        finally:
            lane.release()
            self._replace()
        if isinstance(result, LakeError):
            raise result
        return result

    def _work(
        self,
        job: str,
        arguments: Mapping[str, Any],
        meter: ScanMeter,
        progress: Progress | None,
    ) -> dict[str, Any] | LakeError:
        worker = self._take(f"{arguments.get('bucket', '')}/{arguments.get('key', '')}")
        answered = False
        try:
            worker.connection.send(("job", job, dict(arguments), meter.remaining_seconds))
            result = self._await(worker, job, meter, progress)
            answered = True
        except (EOFError, OSError) as exc:
            if self._closed:
                raise _closing() from exc
            raise _crash(job, worker.kill(), self._settings) from exc
        finally:
            if answered:
                self._give_back(worker)
            else:
                self._end(worker)
        return result

    def _end(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.kill()

    def _enter(self, lane: threading.BoundedSemaphore, meter: ScanMeter) -> None:
        limit = self._settings.workers * _WAITING_PER_WORKER
        with self._lock:
            if self._waiting >= limit:
                message = f"The server is busy: {limit} calls are waiting"
                raise LimitExceededError(message, hint="Call again in a few seconds.")
            self._waiting += 1
        try:
            while not lane.acquire(timeout=_TICK_SECONDS):
                meter.check()
        finally:
            with self._lock:
                self._waiting -= 1

    def _await(
        self, worker: _Worker, job: str, meter: ScanMeter, progress: Progress | None
    ) -> dict[str, Any] | LakeError:
        told = False
        while True:
            if worker.connection.poll(_TICK_SECONDS):
                match worker.connection.recv():
                    case ("progress", int(done), int(total)):
                        if progress:
                            progress(done, total)
                    case ("ok", dict(result)):
                        return result
                    case ("error", dict(fields)):
                        return error_from(**fields)
                continue
            if worker.rss_bytes() > self._settings.memory_limit:
                raise _out_of_memory(self._settings)
            if meter.cancelled and not told:
                worker.connection.send(("cancel",))
                told = True
                meter.deadline = min(meter.deadline, time.monotonic())
            if time.monotonic() > meter.deadline + _GRACE_SECONDS:
                _LOGGER.warning("worker killed at the deadline", extra={"job": job})
                message = f"The call took longer than {meter.timeout_seconds:g} s"
                raise DeadlineExceededError(
                    message, hint="Ask for less: fewer columns, a narrower prefix or predicate."
                )

    def close(self) -> None:
        """End all workers, running calls with them."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.process.kill()
        for worker in idle:
            worker.kill()


def _closing() -> StoreUnavailableError:
    return StoreUnavailableError("The server is closing", hint="Call again when it is up.")


def _out_of_memory(settings: Settings) -> LimitExceededError:
    message = f"The call needed more than {settings.memory_limit:,} bytes of memory"
    return LimitExceededError(
        message, hint="Ask for fewer columns or rows, or a narrower predicate."
    )


def _crash(job: str, exit_code: int, settings: Settings) -> LakeError:
    """Name what a dead worker's exit code means."""
    _LOGGER.warning("worker died", extra={"job": job, "exit_code": exit_code})
    if exit_code in (-signal.SIGKILL, -signal.SIGABRT):
        return _out_of_memory(settings)
    if exit_code < 0:
        message = "The data crashed its reader, which was contained"
        return MalformedDataError(
            message, hint="The object is corrupt, or made to crash readers; nothing was read."
        )
    return InternalError("The worker ended without an answer")


def serve(connection: Connection, settings: Settings, environment: dict[str, str]) -> None:
    """Run jobs until the server closes the pipe: the main function of a worker process.

    Args:
        connection: The worker's end of the pipe.
        settings: The server's settings.
        environment: The server's environment now; the process that forked this one was started
            with an older one.
    """
    os.environ.clear()
    os.environ.update(environment)
    # Parsers load in workers only.
    from s3_data_lake_mcp import confine  # noqa: PLC0415
    from s3_data_lake_mcp.jobs import registry, workplace  # noqa: PLC0415

    confine.confine(settings)
    desk = _Desk(connection)
    place = workplace.build_workplace(settings)
    while True:
        name, arguments, timeout_seconds = desk.next_job()
        meter = ScanMeter(timeout_seconds=timeout_seconds, max_bytes=settings.max_scan_bytes)
        desk.meter = meter
        try:
            desk.answer("ok", registry.run(name, place, arguments, meter, desk.report))
        except LakeError as exc:
            desk.answer("error", _fields(exc))
        except MemoryError:
            desk.answer("error", _fields(_out_of_memory(settings)))


def _fields(exc: LakeError) -> dict[str, object]:
    return {
        "code": exc.code,
        "message": str(exc),
        "hint": exc.hint,
        "repair": exc.repair,
        "repair_tool": exc.repair_tool,
    }


class _Desk:
    """The worker's end of the pipe: a thread listens, so that a cancellation reaches a busy job."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._jobs: SimpleQueue[tuple[str, dict[str, Any], float]] = SimpleQueue()
        self._reported = 0.0
        self.meter: ScanMeter | None = None
        threading.Thread(target=self._listen, name="worker-desk", daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)
            if message[0] == "cancel":
                if self.meter is not None:
                    self.meter.cancel()
                continue
            self._jobs.put((message[1], message[2], message[3]))

    def next_job(self) -> tuple[str, dict[str, Any], float]:
        """Return the next job, waiting for it."""
        return self._jobs.get()

    def answer(self, kind: str, body: object) -> None:
        """Send the job's result or error."""
        with self._sending:
            self._connection.send((kind, body))

    def report(self, done: int, total: int) -> None:
        """Tell the server how far the job is, five times a second at most."""
        now = time.monotonic()
        if now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        with self._sending:
            self._connection.send(("progress", done, total))
