"""The pool of workers: places, deadlines, memory, replacement."""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

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
from s3_data_lake_mcp.workers.process import Worker
from s3_data_lake_mcp.workers.serving import out_of_memory

type Progress = Callable[[int, int], None]

_LOGGER = logging.getLogger(__name__)
_GRACE_SECONDS = 0.6
_TICK_SECONDS = 0.05
_WARM_SECONDS = 30.0
_RECYCLE_RSS_BYTES = 900 << 20
_WAITING_PER_WORKER = 64
_NEARLY = 2
"""Share of the memory limit, as one part in so many, from which memory explains an abort, and which
a worker must have left for a next job."""
_KILLED = frozenset({-signal.SIGKILL, 255})
"""Exit codes of a worker that was killed: the second one if what starts workers was, too."""
_GONE = (EOFError, OSError, ValueError)
"""What the pipe raises when its worker has died, or has sent what is no message."""
_PAGE_JOBS = frozenset({"ping", "read_csv", "read_json", "read_parquet", "metadata"})
"""Jobs that read a page: they have places of their own, so that scans never hold them up."""


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
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._waiting = 0
        self._closed = False

    def warm(self) -> None:
        """Start one worker ahead of the first call; returns when it has its libraries loaded."""
        self.run("ping", {}, ScanMeter(timeout_seconds=_WARM_SECONDS))

    def _take(self, place: str) -> Worker:
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
            worker = Worker(self._settings)
        worker.place = place
        with self._lock:
            if not self._closed:
                self._busy.add(worker)
                return worker
        worker.kill()
        raise _closing()

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            wanted = not self._closed and len(self._idle) < self._settings.workers
            # What a job took and its C library cannot give back, the next one has not: it would
            # end for want of a thread.
            roomy = worker.spare_bytes() * _NEARLY >= self._settings.memory_limit
            if wanted and roomy and worker.rss_bytes() < _RECYCLE_RSS_BYTES:
                self._idle.append(worker)
                return
        worker.kill()

    def _replace(self) -> None:
        """Put a fresh worker where one was killed, behind the caller's back."""

        def start() -> None:
            with contextlib.suppress(LakeError):
                self._give_back(Worker(self._settings))

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
        late = self._enter(lane, meter)
        try:
            result = self._work(job, arguments, meter, progress)
            if isinstance(result, LakeError):
                raise result
        except DeadlineExceededError as exc:
            # The worker knows only what was left when it began.
            raise (waited(meter) if late else meter.overdue()) from exc
        finally:
            lane.release()
            self._replace()
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
        except _GONE as exc:
            raise self._died(worker, job, 0) from exc
        finally:
            if answered:
                self._give_back(worker)
            else:
                self._end(worker)
        return result

    def _died(self, worker: Worker, job: str, used_bytes: int) -> LakeError:
        if self._closed:
            return _closing()
        return _crash(job, worker.kill(), used_bytes, self._settings)

    def _end(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.kill()

    def _enter(self, lane: threading.BoundedSemaphore, meter: ScanMeter) -> bool:
        """Wait for a place; return whether nearly all of the call's time went by meanwhile."""
        limit = self._settings.workers * _WAITING_PER_WORKER
        with self._lock:
            if self._waiting >= limit:
                reason = f"{limit} calls are waiting"
                raise _busy(reason)
            self._waiting += 1
        queued = False
        try:
            while not lane.acquire(timeout=_TICK_SECONDS):
                queued = True
                meter.check()
        except DeadlineExceededError as exc:
            raise waited(meter) from exc
        finally:
            with self._lock:
                self._waiting -= 1
        return queued and meter.spare_seconds() < 0

    def _await(
        self, worker: Worker, job: str, meter: ScanMeter, progress: Progress | None
    ) -> dict[str, Any] | LakeError:
        told, used_bytes = False, 0
        while True:
            try:
                message = worker.receive() if worker.connection.poll(_TICK_SECONDS) else None
            except _GONE as exc:
                raise self._died(worker, job, used_bytes) from exc
            match message:
                case ["progress", int(done), int(total)]:
                    if progress:
                        progress(done, total)
                case ["ok", dict(result)]:
                    return result
                case ["error", dict(fields)]:
                    return error_from(**fields)
            # A process that has just ended uses nothing.
            used_bytes = worker.rss_bytes() or used_bytes
            if used_bytes > self._settings.memory_limit:
                raise out_of_memory(self._settings)
            if meter.cancelled and not told:
                worker.connection.send(("cancel",))
                told = True
                meter.deadline = min(meter.deadline, time.monotonic())
            if time.monotonic() > meter.deadline + _GRACE_SECONDS:
                _LOGGER.warning("worker killed at the deadline", extra={"job": job})
                raise meter.overdue()

    def close(self) -> None:
        """End all workers, running calls with them."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.process.kill()
        for worker in idle:
            worker.kill()


def _busy(reason: str) -> LimitExceededError:
    """Return the error of a call for which there is no place."""
    hint = "Call again in a few seconds, with fewer calls at once."
    return LimitExceededError(f"The server is busy: {reason}", hint=hint)


def waited(meter: ScanMeter) -> LimitExceededError:
    """Return the error of a call whose time went by before it had a place."""
    return _busy(f"the call waited {meter.timeout_seconds:g} s for its turn")


def _closing() -> StoreUnavailableError:
    return StoreUnavailableError("The server is closing", hint="Call again when it is up.")


def _crash(job: str, exit_code: int, used_bytes: int, settings: Settings) -> LakeError:
    """Name what a dead worker's exit code means.

    A library ends its process by SIGABRT where memory fails it, and where its own checks do: the
    memory that was used last tells them apart.
    """
    facts = {"job": job, "exit_code": exit_code, "used_bytes": used_bytes}
    _LOGGER.warning("worker died", extra=facts)
    starved = used_bytes * _NEARLY > settings.memory_limit
    if exit_code in _KILLED:
        message = "The system killed the worker of the call, as it does where memory runs out"
        return LimitExceededError(
            message, hint="Call again; if it goes on, ask for fewer columns or rows."
        )
    if exit_code == -signal.SIGABRT and starved:
        return out_of_memory(settings)
    if exit_code < 0 and job == "query":
        message = "The query, or the data for it, crashed the engine, which was contained"
        hint = (
            "Write the query in smaller steps. If SELECT * FROM data crashes too, it is the data."
        )
        return MalformedDataError(message, hint=hint)
    if exit_code < 0:
        message = "The data crashed its reader, which was contained"
        return MalformedDataError(
            message, hint="The object is corrupt, or made to crash readers; nothing was read."
        )
    return InternalError("The worker ended without an answer")
