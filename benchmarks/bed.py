"""The S3 that all sides read from: a directory behind latency and bandwidth, exactly counted.

Run as a process of its own, `python benchmarks/bed.py --root DIR --profile s3`; it prints its
endpoint on one line. Every folder of DIR is a bucket; the first page of a bucket's listing reads
the folder, which must not change afterwards. Signatures are ignored, writes are refused.

A key may be read under as many names as wanted: `run-7/a.csv` is `a.csv` with an ETag of its own,
so that no cache of any side can have seen it. A bucket named `denied-…` refuses access.

Latency is slept before the first byte of an answer; what the stand-in itself needs to make the
answer is part of it. The kernel paces each connection (`SO_MAX_PACING_RATE`), and `sendfile` moves
the bytes, so the stand-in takes little of the processor that the sides are measured on.

Never counted or delayed: `GET /__stats`, `POST /__reset`, `POST /__profile?latency_ms=&rate_mb=`.
"""

import argparse
import asyncio
import contextlib
import json
import re
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Final

from bed_http import Answer, Request, parse, to_wire
from bed_listing import Buckets, Entry, error_xml

PROFILES: Final = {"s3": (25.0, 90.0), "loopback": (0.0, 0.0)}
"""Milliseconds to the first byte and megabytes (10^6) per second and connection; 0 is unlimited."""

_PACING: Final = 47  # SO_MAX_PACING_RATE, which the socket module of Python 3.12 does not name
_UNPACED: Final = 2**64 - 1
_SEND_BUFFER: Final = 256 << 10  # bounds what an aborted answer is counted too much
_HEAD_END: Final = b"\r\n\r\n"
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(slots=True)
class Stats:
    """What was asked and sent since the last reset."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes_out: int = 0
    connections: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    aborted: int = 0

    def to_json(self) -> bytes:
        """Return the figures as JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields | {"total": self.requests.total()}).encode()


class Bed:
    """The stand-in's state: its directory, its profile and its counts."""

    def __init__(self, root: Path, latency_ms: float, rate_mb: float) -> None:
        self._root = root
        self._buckets = Buckets(root)
        self._latency = latency_ms / 1000
        self._rate = int(rate_mb * 1e6)
        self._stats = Stats()

    def answer(self, request: Request) -> Answer:
        """Work out the answer to a request."""
        if request.method not in {"GET", "HEAD"}:
            return _failure(405, "MethodNotAllowed")
        if not request.bucket:
            return _xml(self._buckets.list_buckets(request.query))
        if not (self._root / request.bucket).is_dir():
            return _failure(404, "NoSuchBucket")
        if request.bucket.startswith("denied-"):
            return _failure(403, "AccessDenied")
        return self._object(request) if request.key else self._bucket(request)

    def _bucket(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(status=200, headers={"x-amz-bucket-region": "us-east-1"})
        if "list-type" in request.query:
            return _xml(self._buckets.list_objects(request.bucket, request.query))
        if "location" in request.query:
            return _xml("<LocationConstraint/>")
        if "versioning" in request.query:
            return _xml("<VersioningConfiguration/>")
        return _failure(501, "NotImplemented")

    def _object(self, request: Request) -> Answer:
        if "tagging" in request.query:
            return _xml("<Tagging><TagSet/></Tagging>")
        if request.query.keys() & {"attributes", "acl", "retention", "legal-hold", "torrent"}:
            return _failure(501, "NotImplemented")
        entry = self._buckets.entry(request.bucket, request.key)
        if entry is None:
            return _failure(404, "NoSuchKey")
        match, none_match = (
            request.headers.get(name, "").strip().strip('"')
            for name in ("if-match", "if-none-match")
        )
        if match and match not in {"*", entry.etag}:
            return _failure(412, "PreconditionFailed")
        headers = {
            "ETag": f'"{entry.etag}"',
            "Last-Modified": formatdate(entry.modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if none_match in {"*", entry.etag}:
            return Answer(status=304, headers=headers)
        return _contents(entry, headers, request.headers.get("range", ""))

    async def serve(self, connection: socket.socket) -> None:
        """Answer the requests of one connection until it closes."""
        self._stats.connections += 1
        connection.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        with connection:
            try:
                await self._serve(connection)
            except ConnectionError:
                self._stats.aborted += 1

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        pending = b""
        while True:
            while _HEAD_END not in pending:
                received = await loop.sock_recv(connection, 64 << 10)
                if not received:
                    return
                pending += received
            arrived = time.monotonic()
            head, _, pending = pending.partition(_HEAD_END)
            target, request = parse(head.decode("latin-1"))
            if target.startswith("/__"):
                await loop.sock_sendall(connection, to_wire(self._control(target, request), ""))
                continue
            stats = self._stats
            stats.requests[request.kind] += 1
            stats.in_flight += 1
            stats.peak_in_flight = max(stats.peak_in_flight, stats.in_flight)
            try:
                answer = self.answer(request)
                stats.statuses[answer.status] += 1
                await asyncio.sleep(arrived + self._latency - time.monotonic())
                await self._send(connection, answer, request.method)
            finally:
                stats.in_flight -= 1

    async def _send(self, connection: socket.socket, answer: Answer, method: str) -> None:
        loop = asyncio.get_running_loop()
        pace = struct.pack("=Q", self._rate or _UNPACED)
        connection.setsockopt(socket.SOL_SOCKET, _PACING, pace)
        await loop.sock_sendall(connection, to_wire(answer, method))
        if method == "HEAD":
            return
        self._stats.bytes_out += len(answer.body)
        if answer.file is None or answer.stop == answer.start:
            return
        with answer.file.open("rb", buffering=0) as file:
            file.seek(answer.start)
            try:
                await loop.sock_sendfile(connection, file, answer.start, answer.stop - answer.start)
            finally:
                # asyncio leaves the file behind the last byte that the kernel took.
                self._stats.bytes_out += file.tell() - answer.start

    def _control(self, target: str, request: Request) -> Answer:
        if target.startswith("/__reset"):
            self._stats = Stats(in_flight=self._stats.in_flight)
        elif target.startswith("/__profile"):
            self._latency = float(request.query["latency_ms"]) / 1000
            self._rate = int(float(request.query["rate_mb"]) * 1e6)
        return Answer(status=200, body=self._stats.to_json())


def _contents(entry: Entry, headers: Mapping[str, str], wanted: str) -> Answer:
    """Answer with the whole object or a range; what is no single range is ignored, as S3 does."""
    size = entry.size
    found = _RANGE.fullmatch(wanted)
    if found is None or found[0] == "bytes=-" or (found[1] and found[2] and _reversed(found)):
        return Answer(status=200, headers=headers, file=entry.path, stop=size)
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
    if start >= size:
        refusal = _failure(416, "InvalidRange")
        return Answer(
            status=416,
            headers={**refusal.headers, "Content-Range": f"bytes */{size}"},
            body=refusal.body,
        )
    ranged = {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"}
    return Answer(status=206, headers=ranged, file=entry.path, start=start, stop=stop)


def _reversed(found: re.Match[str]) -> bool:
    return int(found[1]) > int(found[2])


def _xml(body: str) -> Answer:
    return Answer(status=200, headers={"Content-Type": "application/xml"}, body=body.encode())


def _failure(status: int, code: str) -> Answer:
    headers = {"Content-Type": "application/xml"}
    return Answer(status=status, headers=headers, body=error_xml(code).encode())


async def _listen(bed: Bed, port: int) -> None:
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    tasks: set[asyncio.Task[None]] = set()
    while True:
        connection, _ = await loop.sock_accept(listener)
        task = loop.create_task(bed.serve(connection))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def main() -> None:
    """Serve a directory until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="loopback")
    parser.add_argument("--port", type=int, default=0, help="port to bind; 0: a free one")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("bandwidth is paced by the Linux kernel; other systems are not supported")
    bed = Bed(options.root.resolve(), *PROFILES[options.profile])
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_listen(bed, options.port))


if __name__ == "__main__":
    main()
