"""The stand-in's requests and answers, and how they look on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_REASONS: Final = {
    200: "OK",
    206: "Partial Content",
    304: "Not Modified",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    416: "Range Not Satisfiable",
    501: "Not Implemented",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: `kind` is the name of the S3 operation, for the count."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The S3 operation."""
        if not self.bucket:
            return "ListBuckets"
        if self.key:
            return {"GET": "GetObject", "HEAD": "HeadObject"}.get(self.method, "Other")
        if self.method == "HEAD":
            return "HeadBucket"
        return "ListObjectsV2" if "list-type" in self.query else "Other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: its body is text, or the bytes [start, stop) of a file."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    stop: int = 0


def parse(head: str) -> tuple[str, Request]:
    """Return the path and the request of a request's head."""
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    url = urlsplit(target)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    fields = (line.partition(":") for line in lines)
    query = parse_qs(url.query, keep_blank_values=True)
    request = Request(
        method=method,
        bucket=bucket,
        key=key,
        query={name: values[0] for name, values in query.items()},
        headers={name.strip().lower(): value.strip() for name, _, value in fields},
    )
    return url.path, request


def to_wire(answer: Answer, method: str) -> bytes:
    """Return the head of an answer, and its body if that is text."""
    length = answer.stop - answer.start if answer.file else len(answer.body)
    lines = [f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}"]
    lines.extend(f"{name}: {value}" for name, value in answer.headers.items())
    lines.extend((f"Content-Length: {length}", "x-amz-request-id: BED", "Server: bed", "", ""))
    head = "\r\n".join(lines).encode("latin-1")
    return head if method == "HEAD" else head + answer.body
