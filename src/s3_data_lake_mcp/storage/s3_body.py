"""Reads ranges of one version of an object: checked, resumed where a body broke off, exact.

A broken body is fetched on behind its last whole piece; botocore tries again only before headers.
"""

from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from s3_data_lake_mcp.errors import LakeError, NotFoundError, ObjectChangedError
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter, deleted
from s3_data_lake_mcp.storage.s3_answers import (
    NO_ETAG,
    Answer,
    BadAnswerError,
    Span,
    bare_etag,
    object_head,
    object_info,
    require_span,
    span_of,
    unreadable,
)
from s3_data_lake_mcp.storage.s3_calls import Patience, S3Calls
from s3_data_lake_mcp.storage.s3_errors import status_of
from s3_data_lake_mcp.storage.s3_watch import watched

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from urllib3 import HTTPResponse

_PIECE_BYTES = 4 << 20
"""What is fetched again at most where a body breaks off, and what a copy is made of at most."""
_UNSATISFIABLE = 416


class _Pieces:
    """The bytes of a range as they arrive."""

    def __init__(self, start: int, stop: int) -> None:
        self.at = start
        self.stop = stop
        self._parts: list[bytes] = []

    def receive(self, body: "StreamingBody", meter: ScanMeter) -> None:
        """Take a body up to the range's end, in pieces as long as can be: each costs a copy.

        Raises:
            BadAnswerError: If the body breaks off.
        """
        try:
            raw: HTTPResponse
            with body as raw, watched(raw, meter):  # type: ignore[assignment] # urllib3's own response comes out
                while self.at < self.stop:
                    meter.check()
                    claimed = meter.claim_bytes(min(self.stop - self.at, _PIECE_BYTES))
                    piece = b""
                    try:
                        piece = raw.read(claimed)
                    finally:
                        meter.count_bytes(claimed, len(piece))
                    if not piece:
                        break
                    self._parts.append(piece)
                    self.at += len(piece)
        except (HTTPError, OSError) as exc:
            meter.check()
            raise BadAnswerError(f"the body broke off ({type(exc).__name__})") from exc
        if self.at < self.stop:
            raise BadAnswerError("the body broke off")

    def joined(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


class S3Ranges:
    """Ranged reads over the calls; safe for many threads."""

    def __init__(self, calls: S3Calls) -> None:
        self.calls = calls

    def open(
        self, ref: ObjectRef, length: int, meter: ScanMeter, *, tail: bool
    ) -> tuple[ObjectInfo, bytes]:
        """Return an object's identity and its first or last bytes, in one request.

        Where S3 has no such range, as of an empty object, a HEAD tells the identity.
        """
        patience = Patience(meter)
        while True:
            try:
                info, pieces = self._open(ref, length, patience, tail=tail)
            except BadAnswerError as exc:
                _try_again(ref, patience, exc)
                continue
            self._fill(info, pieces, patience)
            return info, pieces.joined()

    def _open(
        self, ref: ObjectRef, length: int, patience: Patience, *, tail: bool
    ) -> tuple[ObjectInfo, _Pieces]:
        # HTTP's last byte is inclusive.
        wanted = f"bytes=-{length}" if tail else f"bytes=0-{length - 1}"
        asked = self.calls.object_request("get_object", ref, Range=wanted)
        try:
            answer = self.calls.send(asked, patience)
        except LakeError as exc:
            if status_of(exc.__cause__) != _UNSATISFIABLE:
                raise
            head = self.calls.send(self.calls.object_request("head_object", ref), patience)
            info = object_head(ref, head).info
            return info, self._pieces(info.size_bytes, length, tail=tail)
        body = answer["Body"]
        try:
            span = span_of(answer)
            info = object_info(ref, answer, span.size)
            pieces = self._pieces(span.size, length, tail=tail)
            require_span(span, Span(start=pieces.at, stop=pieces.stop, size=span.size))
        except BadAnswerError:
            body.close()
            raise
        try:
            pieces.receive(body, patience.meter)
        except BadAnswerError as exc:
            _try_again(ref, patience, exc)
        return info, pieces

    def _pieces(self, size: int, length: int, *, tail: bool) -> _Pieces:
        start = max(0, size - length) if tail else 0
        stop = size if tail else min(length, size)
        return _Pieces(start, stop)

    def read(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return the bytes `[start, stop)` of the version that `info` identifies."""
        pieces = _Pieces(start, stop)
        self._fill(info, pieces, Patience(meter))
        return pieces.joined()

    def _fill(self, info: ObjectInfo, pieces: _Pieces, patience: Patience) -> None:
        while pieces.at < pieces.stop:
            try:
                self._continue(info, pieces, patience)
            except BadAnswerError as exc:
                _try_again(info.ref, patience, exc)

    def _continue(self, info: ObjectInfo, pieces: _Pieces, patience: Patience) -> None:
        wanted = Span(start=pieces.at, stop=pieces.stop, size=info.size_bytes)
        asked = self.calls.object_request(
            "get_object",
            info.ref,
            # HTTP's last byte is inclusive.
            Range=f"bytes={pieces.at}-{pieces.stop - 1}",
            IfMatch=f'"{info.etag}"',
        )
        try:
            answer = self.calls.send(asked, patience)
        except NotFoundError as exc:
            raise deleted(info.ref, "while it was being read") from exc
        body = answer["Body"]
        try:
            _require_version(answer, info)
            require_span(span_of(answer), wanted)
        except (BadAnswerError, ObjectChangedError):
            body.close()
            raise
        pieces.receive(body, patience.meter)


def _try_again(ref: ObjectRef, patience: Patience, exc: BadAnswerError) -> None:
    if not patience.again():
        patience.meter.check()
        raise unreadable(ref, exc) from exc


def _require_version(answer: Answer, info: ObjectInfo) -> None:
    etag = bare_etag(answer)
    if not etag:
        raise BadAnswerError(NO_ETAG)
    if etag != info.etag:
        message = f"{info.ref} changed while it was being read"
        raise ObjectChangedError(message, hint="Call again, without a cursor.")
