"""Values that DuckDB hands out as opaque bytes, because Arrow has no type for them.

The layouts are DuckDB's own: `types/hugeint.hpp`, `types/bignum.hpp`, `types/bit.hpp` and
`types/datetime.hpp` of its sources.
"""

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

from s3_data_lake_mcp.wire.instants import time_text
from s3_data_lake_mcp.wire.values import integer

_BIGNUM_HEADER_BYTES = 3
_OFFSET_BITS = 24
_MAX_OFFSET_SECONDS = 16 * 60 * 60 - 1
_time_of_day = time_text("us")


def duckdb_value(vendor: str, name: str) -> Callable[[bytes], Any] | None:
    """Return what reads the bytes of an opaque type, None if it is not one of DuckDB's."""
    return _READERS.get(name) if vendor == "DuckDB" else None


def _bignum(data: bytes) -> int | str:
    """Read sign and size, then the magnitude, big end first; all bits are flipped if negative."""
    negative = data[0] < 0x80  # noqa: PLR2004 - the sign bit
    body = data[_BIGNUM_HEADER_BYTES:]
    magnitude = int.from_bytes(bytes(b ^ 0xFF for b in body) if negative else body)
    return integer(-magnitude if negative else magnitude)


def _bits(data: bytes) -> str:
    """Read how many leading bits are padding, then the bits."""
    return "".join(f"{byte:08b}" for byte in data[1:])[data[0] :]


def _time_with_offset(data: bytes) -> str:
    """Read microseconds in the upper 40 bits; the lower ones count down from the largest offset."""
    microseconds, stored = divmod(int.from_bytes(data, "little"), 1 << _OFFSET_BITS)
    offset = timezone(timedelta(seconds=_MAX_OFFSET_SECONDS - stored)).tzname(None)
    return _time_of_day(microseconds) + (offset.removeprefix("UTC") or "+00:00")


_READERS: dict[str, Callable[[bytes], Any]] = {
    "hugeint": lambda data: integer(int.from_bytes(data, "little", signed=True)),
    "uhugeint": lambda data: integer(int.from_bytes(data, "little")),
    "bignum": _bignum,
    "bit": _bits,
    "time_tz": _time_with_offset,
}
