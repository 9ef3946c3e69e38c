"""How a side is talked to: one JSON request a line in, one JSON reply a line out.

A request is `{"op": …, "bucket": …, "key": …, …}`; `jobs.py` lists the operations. The clock runs
around the operation alone: until the answer stands in plain Python values, and not while it is
written out. Standard library only, and nothing of the product.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

type Request = Mapping[str, Any]
type Operation = Callable[[Request], Any]


class NotSupportedError(Exception):
    """The side has no way to do this; its reader is told why."""


def endpoint() -> str:
    """Return the stand-in's address."""
    return os.environ["AWS_ENDPOINT_URL_S3"]


def _claim_stdout() -> TextIO:
    """Keep standard output for replies, whatever libraries print."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


class Desk:
    """The side's end of the pipe."""

    def __init__(self, versions: Mapping[str, str]) -> None:
        self._out = _claim_stdout()
        self._write({"ready": True, "versions": dict(versions)})

    def requests(self) -> Iterator[Request]:
        """Yield requests until the runner closes the pipe."""
        for line in sys.stdin:
            yield json.loads(line)

    def reply(self, seconds: float, answer: object) -> None:
        """Send an answer and the time that it took."""
        self._write({"seconds": seconds, "answer": answer})

    def refuse(self, error: Exception) -> None:
        """Say why there is no answer."""
        kind = "unsupported" if isinstance(error, NotSupportedError) else "error"
        self._write({kind: f"{type(error).__name__}: {error}"[:400]})

    def _write(self, fields: Mapping[str, object]) -> None:
        self._out.write(json.dumps(fields, default=str) + "\n")
        self._out.flush()


def serve(operations: Mapping[str, Operation], versions: Mapping[str, str]) -> None:
    """Answer requests with synchronous operations; `together` runs several side by side."""
    desk = Desk(versions)

    def perform(request: Request) -> object:
        operation = operations.get(request["op"])
        if operation is None:
            message = f"no {request['op']}"
            raise NotSupportedError(message)
        return operation(request)

    for request in desk.requests():
        began = time.perf_counter()
        try:
            if request["op"] == "together":
                answer: object = _together(perform, request["requests"])
            else:
                answer = perform(request)
        except Exception as error:  # noqa: BLE001 - whatever a side fails with is its result
            desk.refuse(error)
        else:
            desk.reply(time.perf_counter() - began, answer)


def _together(perform: Operation, requests: list[Request]) -> list[object]:
    answers: list[object] = [None] * len(requests)
    failures: list[Exception] = []

    def one(number: int) -> None:
        try:
            answers[number] = perform(requests[number])
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers
