"""JSON that the engine cannot read as it is, as JSON Lines of what the JSON loader understands."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from s3_data_lake_mcp.engines.streams import in_utf8
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.fence import scrub
from s3_data_lake_mcp.loaders.compression import decoded_blocks
from s3_data_lake_mcp.loaders.json_open import open_start
from s3_data_lake_mcp.loaders.json_scan import BadLines, check_depth
from s3_data_lake_mcp.storage.reader import ObjectReader

_MOST_LEVELS = 120
"""The engine reads 128; a deeper value is read as the text of it."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
"""Not to ASCII: an escaped lone surrogate is not JSON to the engine."""

_NUL = "\\u0000"
VALUE = "value"
"""The column of values that are no objects."""


def transcoded(
    source: ObjectReader, compression: str, encoding: str, max_decoded_bytes: int
) -> Iterator[bytes]:
    """Return the text, decompressed and in UTF-8."""
    blocks = decoded_blocks(source, compression, max_decoded_bytes=max_decoded_bytes)
    return in_utf8(blocks, encoding, source.ref, "Write it as UTF-8.")


def cleaned(
    source: ObjectReader,
    max_decoded_bytes: int,
    names: Mapping[str, str],
    bad: list[BadLines],
    said: set[str],
) -> Iterator[str]:
    """Yield one line for each record.

    Values that are no objects become objects with the key `value`. Numbers of more digits than a
    double holds become strings, and what is not Unicode is replaced.

    `bad` is given the count of lines that are not JSON, `said` what there is to say of the
    records.
    """
    scan = open_start(source, max_decoded_bytes)
    bad.append(scan.bad)
    for item in scan.items:
        yield record_line(item.value, names, said)


def record_line(value: object, names: Mapping[str, str], said: set[str]) -> str:
    """Return a record as a line of JSON, its keys renamed; `said` is given what else changed."""
    record = value if isinstance(value, dict) else {VALUE: value}
    if names:
        record = {names.get(key, key): inner for key, inner in record.items()}
    line = _ENCODER.encode(record)
    if _NUL in line and has_nul_key(record):
        record = _without_nul_keys(record)
        line = _ENCODER.encode(record)
        said.add("Keys that hold a NUL character are shown with U+2400 in its place.")
    if line.count("[") + line.count("{") > _MOST_LEVELS:
        deep = {key: _ENCODER.encode(inner) for key, inner in record.items() if not _is_flat(inner)}
        line = _ENCODER.encode(record | deep) if deep else line
    shown = scrub(line)
    if shown != line:
        said.add("Characters that are not valid Unicode are shown as U+FFFD.")
    return shown + "\n"


def has_nul_key(value: object) -> bool:
    """Whether a key holds a NUL character, at which the engine would cut it."""
    if isinstance(value, dict):
        return any("\0" in key for key in value) or any(map(has_nul_key, value.values()))
    return isinstance(value, list) and any(map(has_nul_key, value))


def _without_nul_keys(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {nameable(key): _without_nul_keys(inner) for key, inner in value.items()}
    return [_without_nul_keys(inner) for inner in value] if isinstance(value, list) else value


def nameable(key: str) -> str:
    """Return a key as a name that the engine can have."""
    return scrub(key).replace("\0", "\u2400")


def _is_flat(value: object) -> bool:
    try:
        check_depth(value, _MOST_LEVELS, "")
    except LimitExceededError:
        return False
    return True
