"""Cursors: where a page ended, carried by the client so that any instance can go on.

A cursor is `base64url(digest + zlib(JSON))`. It is untrusted input: the digest only finds damage,
and every policy is checked again when it is used.
"""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from s3_data_lake_mcp.errors import InvalidArgumentError

_DIGEST_BYTES = 6
_LONGEST = 65_536
_LONGEST_DECODED = 131_072
_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """State of a paged call.

    Args:
        tool: The tool that made it.
        bucket: Bucket of the first call.
        key: Key, prefix or glob of the first call.
        arguments: The other arguments of the first call that were not defaults, page size left out.
        identity: What pins the bytes: ETag, size, version, as the page's job wrote it.
        position: Where the next page starts, as the loader or lister wrote it.
    """

    tool: str
    bucket: str = ""
    key: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    position: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> str:
        """Return the cursor's text."""
        state = [self.tool, self.bucket, self.key, self.arguments, self.identity, self.position]
        plain = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
        body = zlib.compress(plain.encode("utf-8", "surrogatepass"), 9)
        return _written(_digest(body) + body)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()


def misfit(what: str) -> InvalidArgumentError:
    """Return the error for a cursor, undamaged, that no page of this ends with."""
    return InvalidArgumentError(f"cursor does not fit {what}", hint="Begin again without a cursor.")


def count_in(position: Mapping[str, object], name: str, what: str) -> int:
    """Return a count out of a position, which is untrusted.

    Raises:
        InvalidArgumentError: If it is missing or not a count.
    """
    value = position.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST:
        raise misfit(what)
    return value


def decode(text: str) -> Cursor:
    """Return the state that a cursor carries.

    Raises:
        InvalidArgumentError: If the text is no undamaged cursor.
    """
    message = "cursor is damaged or was not made by this server"
    hint = "Copy next_cursor whole, or leave cursor empty to start at the first page."
    if len(text) > _LONGEST or not text.isascii():
        raise InvalidArgumentError(message, hint=hint)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        # Some bits of the last character say nothing: only the text as it was written is whole.
        if digest != _digest(body) or text != _written(raw):
            raise InvalidArgumentError(message, hint=hint)
        decoder = zlib.decompressobj()
        plain = decoder.decompress(body, _LONGEST_DECODED)
        state = json.loads(plain.decode("utf-8", "surrogatepass"))
    except (binascii.Error, zlib.error, ValueError, RecursionError) as exc:
        raise InvalidArgumentError(message, hint=hint) from exc
    match state:
        case [str(tool), str(bucket), str(key), dict(arguments), dict(identity), dict(position)]:
            return Cursor(
                tool=tool,
                bucket=bucket,
                key=key,
                arguments=arguments,
                identity=identity,
                position=position,
            )
        case _:
            raise InvalidArgumentError(message, hint=hint)
