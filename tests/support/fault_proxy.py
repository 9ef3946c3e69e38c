"""A proxy in front of an S3 API that misbehaves on demand and remembers what was asked.

    with FaultProxy(upstream) as proxy:
        proxy.inject("truncate", times=1, method="GET")

Bound to loopback; a thread per connection; connections are kept alive, as S3's are.
"""

import http.client
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

type Kind = Literal[
    "answer",
    "reset",
    "reset_mid",
    "truncate",
    "short_length",
    "long_length",
    "trickle",
    "latency",
    "stall",
    "wrong_range",
    "shifted_range",
    "etag_change",
    "no_etag",
    "html",
    "chunked_cut",
    "chunked",
]

_NOT_FORWARDED = {"connection", "host", "accept-encoding", "transfer-encoding", "content-length"}
_NOT_RETURNED = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "date",
    "server",
}
_BAD_PAGE = b"<html><body>Sign in to the network</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    fault: str

    @property
    def access_key(self) -> str:
        """The access key that the request was signed with."""
        found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", self.headers.get("authorization", ""))
        return found[1] if found else ""

    @property
    def region(self) -> str:
        """The region that the request was signed for."""
        found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", self.headers.get("authorization", ""))
        return found[2] if found else ""


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong, how often, and for which requests.

    Attributes:
        kind: The fault.
        times: How many requests it hits; None: all.
        skip: How many matching requests pass first.
        method: The method it hits; empty: any.
        path: A pattern of the path it hits.
        query: A pattern of the query it hits.
        access_key: The access key it hits; empty: any.
        region: The signing region it hits; empty: any.
        status: Status of an `answer`.
        code: S3 error code of an `answer`; empty: no body.
        text: Message of an `answer`.
        extra: More XML of an `answer`.
        headers: More headers of an `answer`.
        page: The whole body of an `answer`, in place of an error.
        after: Bytes of the body that still come; None: half of them.
        seconds: How long it waits (`latency`, `stall`), or between pieces (`trickle`).
    """

    kind: Kind
    times: int | None = None
    skip: int = 0
    method: str = ""
    path: str = ""
    query: str = ""
    access_key: str = ""
    region: str = ""
    status: int = 500
    code: str = ""
    text: str = "We encountered an internal error."
    extra: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    after: int | None = None
    seconds: float = 0.05

    def hits(self, seen: Seen) -> bool:
        """Whether this request is hit; counts it if it matches."""
        wanted = (
            (self.method, seen.method),
            (self.access_key, seen.access_key),
            (self.region, seen.region),
        )
        if any(want and want != got for want, got in wanted):
            return False
        patterns = ((self.path, seen.path), (self.query, seen.query))
        if any(pattern and not re.search(pattern, text) for pattern, text in patterns):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class FaultProxy:
    """The proxy: `endpoint` is its URL, `seen` what was asked of it.

    Args:
        upstream: URL of the S3 API behind it.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.seen: list[Seen] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.proxy = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def inject(self, kind: Kind, **details: object) -> None:
        """Add a fault; the first one that hits a request is taken."""
        with self._lock:
            self._faults.append(Fault(kind=kind, **details))  # type: ignore[arg-type] # as Fault

    def clear(self) -> None:
        """Behave again, and forget what was asked."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()

    def pick(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Fault | None:
        """Return the fault for a request, and remember the request."""
        parts = urlsplit(target)
        lower = {name.lower(): value for name, value in headers.items()}
        seen = Seen(
            method=method, path=parts.path, query=parts.query, headers=lower, body=body, fault=""
        )
        with self._lock:
            fault = next((fault for fault in self._faults if fault.hits(seen)), None)
            self.seen.append(replace(seen, fault=fault.kind if fault else ""))
        return fault

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    proxy: FaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients that go away are what is tested."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own signature
        """Keep quiet."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        fault = self.server.proxy.pick(self.command, self.path, dict(self.headers), body)
        if fault is None:
            fault = Fault(kind="latency", seconds=0)
        if fault.kind == "reset":
            self._reset()
        elif fault.kind == "answer":
            self._answer(fault)
        else:
            self._forward(body, fault)

    do_GET = do_HEAD = do_POST = _serve  # noqa: N815 - http.server looks for these names

    def _reset(self) -> None:
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def _answer(self, fault: Fault) -> None:
        xml = (
            f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{fault.code}</Code>'
            f"<Message>{fault.text}</Message>{fault.extra}<RequestId>4442587FB7D0A2F9</RequestId>"
            "</Error>"
        )
        page = fault.page or (xml if fault.code else "")
        body = page.encode() if self.command != "HEAD" else b""
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, body: bytes, fault: Fault) -> None:
        if fault.kind == "latency":
            time.sleep(fault.seconds)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_FORWARDED}
        headers["Host"] = self.headers.get("Host", "")
        if fault.kind == "wrong_range":
            headers = {k: v for k, v in headers.items() if k.lower() != "range"}
        upstream = http.client.HTTPConnection(*self.server.proxy.upstream, timeout=30)
        try:
            upstream.request(self.command, self.path, body=body or None, headers=headers)
            answer = upstream.getresponse()
            data = answer.read()
        finally:
            upstream.close()
        length = len(data)
        if self.command == "HEAD":
            length = int(answer.getheader("Content-Length") or 0)
        after = length // 2 if fault.after is None else fault.after
        if fault.kind == "html":
            data, length = _BAD_PAGE, len(_BAD_PAGE)
        elif fault.kind == "short_length":
            data, length = data[:after], after
        elif fault.kind == "long_length":
            length += 1000
        self._send_head(answer, length, fault)
        if self.command != "HEAD":
            self._send_body(data, after, fault)

    def _send_head(self, answer: http.client.HTTPResponse, length: int, fault: Fault) -> None:
        self.send_response(200 if fault.kind == "html" else answer.status)
        for name, value in answer.getheaders():
            if name.lower() in _NOT_RETURNED:
                continue
            if name.lower() == "etag" and fault.kind in {"no_etag", "html"}:
                continue
            if name.lower() == "content-range" and fault.kind == "html":
                continue
            self.send_header(name, _altered(name.lower(), value, fault))
        if fault.kind.startswith("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
        elif answer.status not in {204, 304}:
            self.send_header("Content-Length", str(length))
        if fault.kind in {"truncate", "long_length", "chunked_cut"}:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def _send_body(self, data: bytes, after: int, fault: Fault) -> None:
        if fault.kind == "trickle":
            for at in range(0, len(data), 16):
                self.wfile.write(data[at : at + 16])
                self.wfile.flush()
                time.sleep(fault.seconds)
            return
        if fault.kind.startswith("chunked"):
            self.wfile.write(b"%x\r\n%b\r\n" % (after, data[:after]))
            if fault.kind == "chunked":
                rest = data[after:]
                self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))
            return
        if fault.kind not in {"reset_mid", "truncate", "stall"}:
            self.wfile.write(data)
            return
        self.wfile.write(data[:after])
        self.wfile.flush()
        if fault.kind == "stall":
            time.sleep(fault.seconds)
            self.close_connection = True
        elif fault.kind == "reset_mid":
            time.sleep(0.05)  # what was sent shall arrive before the reset
            self._reset()


def _altered(name: str, value: str, fault: Fault) -> str:
    if name == "etag" and fault.kind == "etag_change":
        return f'"{uuid.uuid4().hex}"'
    if name == "content-range" and fault.kind == "shifted_range":
        return re.sub(r"(\d+)-(\d+)", lambda m: f"{int(m[1]) + 1}-{int(m[2]) + 1}", value, count=1)
    return value
