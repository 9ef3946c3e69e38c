"""The main loop of a worker process: jobs in, answers out, over one pipe."""

import gc
import json
import os
import threading
import time
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from s3_data_lake_mcp import observability
from s3_data_lake_mcp.errors import LakeError, LimitExceededError, NotFoundError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.workers.memory import Reserve

_REPORT_SECONDS = 0.2


def out_of_memory(settings: Settings) -> LimitExceededError:
    """Return the error of a call that needed more memory than it may use."""
    message = f"The call needed more than {settings.memory_limit:,} bytes of memory"
    return LimitExceededError(
        message,
        hint="Ask for fewer columns or rows, a narrower predicate, or raise "
        "S3_DATA_LAKE_MEMORY_LIMIT.",
    )


def serve(connection: Connection, settings: Settings, environment: dict[str, str]) -> None:
    """Run jobs until the server closes the pipe: the main function of a worker process.

    The environment is the server's now: the process that forked this one has an older one.
    """
    os.environ.clear()
    os.environ.update(environment)
    observability.configure(settings.log_level)
    # Parsers load in workers only.
    from s3_data_lake_mcp import confine, frames  # noqa: PLC0415
    from s3_data_lake_mcp.jobs import registry, workplace  # noqa: PLC0415

    confine.confine(settings)
    frames.defer_pandas()
    desk = _Desk(connection)
    place = workplace.build_workplace(settings)
    reserve = Reserve()
    # What is loaded by now stays: to look through it for garbage would hold up a job now and then.
    gc.freeze()
    while True:
        name, arguments, timeout_seconds = desk.next_job()
        meter = ScanMeter(timeout_seconds=timeout_seconds, max_bytes=settings.max_scan_bytes)
        desk.meter = meter
        try:
            desk.answer("ok", registry.run(name, place, arguments, meter, desk.report))
        except LakeError as exc:
            desk.answer("error", _fields(exc))
        except MemoryError:
            desk.answer("error", _fields(out_of_memory(settings)))
        reserve.settle()


def _fields(exc: LakeError) -> dict[str, object]:
    missing = {"bucket": exc.bucket, "key": exc.key} if isinstance(exc, NotFoundError) else {}
    return {
        **missing,
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

    def answer(self, kind: str, body: dict[str, Any]) -> None:
        """Send the job's result or error; a part of it that is bytes goes behind the rest."""
        blobs = {name: value for name, value in body.items() if isinstance(value, bytes)}
        plain = {name: value for name, value in body.items() if name not in blobs}
        for name in blobs:
            plain["binary"] = name
        with self._sending:
            self._send([kind, plain])
            for blob in blobs.values():
                self._connection.send_bytes(blob)

    def _send(self, message: list[object]) -> None:
        self._connection.send_bytes(json.dumps(message).encode())

    def report(self, done: int, total: int) -> None:
        """Tell the server how far the job is, five times a second at most."""
        now = time.monotonic()
        if now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        with self._sending:
            self._send(["progress", done, total])
