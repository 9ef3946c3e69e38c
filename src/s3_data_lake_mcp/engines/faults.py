"""What an error of the engine says of the data, as an error of the contract."""

import re
from collections.abc import Sequence

import duckdb

from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.engines.inputs import Inputs
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.engines.tables import Table
from s3_data_lake_mcp.errors import LakeError, MalformedDataError, UnsupportedFormatError
from s3_data_lake_mcp.loaders.formats import READ_TOOLS
from s3_data_lake_mcp.loaders.parquet_open import HINTED_COLUMNS, needs_key

_AROUND = (("file = ", "\n"), ('"', '"'), ("'", "'"), ("stream: ", ""))
_ORIGINAL = re.compile(r"^Original Line:.*$", re.MULTILINE)
_DAMAGE = (
    *("Out of buffer", "corrupt", "Corrupt", "TProtocol", "ecompression", "Parquet", "parquet"),
    *("Invalid string encoding", "Snappy", "ZSTD", "page header", "Unsupported page"),
    *("GZIP block", "GZIP stream", "LZ4", "rotli", "o decompress", "don't know what type"),
)
"""What DuckDB says of damaged Parquet without naming the file."""

_UNLIKE = re.compile(r'(?s)failed to cast column "(.+?)" from type (.+?) to (.+?): : ')
_LINE = re.compile(r"(?:Line: |in line |line )(\d+)")
_REASONS = (
    ("nterminated quote", "a quote is never closed"),
    ("nvalid unicode", "it is not valid UTF-8"),
    ("invalid UTF-8", "it is not valid UTF-8"),
    ("Invalid string encoding", "it has text that is not valid UTF-8"),
    ("Expected Number of Columns", "a record has another number of fields"),
    ("aximum line size", "a record is longer than 16 MiB"),
    ("maximum_object_size", "a record is longer than 128 MiB"),
    ("recursion depth", "it nests too deeply"),
    ("Malformed JSON", "it is not valid JSON"),
)


_ENCRYPTED = "File is encrypted"
_WRITTEN = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}
_SPLIT = "BYTE_STREAM_SPLIT encoding is only supported"


def data_error(error: duckdb.Error, tables: Sequence[Table]) -> LakeError | None:
    """Return an error that names the object which cannot be read; None if it is the query's."""
    text = str(error)
    if _ENCRYPTED in text and (found := _needs_key(tables)) is not None:
        return found
    if _SPLIT in text and (split := _not_decoded(tables)) is not None:
        return split
    for table in tables:
        for path, member in table.members.items():
            # With what stands around it in the engine's messages: one key may begin another.
            if any(f"{mark}{path}{end}" in text for mark, end in _AROUND):
                return _malformed(str(member.info.ref), text)
    for table in tables:
        if table.place.format == "parquet" and any(sign in text for sign in _DAMAGE):
            return _malformed(table.place.uri, text)
    return None


def wrong_reader(inputs: Inputs, sql: str) -> MalformedDataError | None:
    """Return the error of a reader that fails since its object has another format, if one does."""
    for table in inputs.tables:
        if table.name not in inputs.in_readers:
            continue
        uri, found = literal(table.name), table.place.format
        # With options it may be meant so.
        call = re.search(rf"(?i)\b(\w+)\s*\(\s*\[?\s*{re.escape(uri)}\s*\]?\s*\)", sql)
        kind = next((kind for kind in READ_TOOLS if call and kind in call[1].lower()), found)
        if call is None or kind == found:
            continue
        fixed = f"{sql[: call.start()]}{uri}{sql[call.end() :]}"
        return MalformedDataError(
            f"{table.name} is not {_WRITTEN[kind]}: it looks like {found}",
            hint=f"Name it without {call[1]}, or read it with read_{found}.",
            repair={"sql": fixed},
        )
    return None


def _needs_key(tables: Sequence[Table]) -> LakeError | None:
    """Return the error of a query that reads encrypted columns; the engine names none."""
    read = [table for table in tables if isinstance(table, ParquetTable)]
    for table in read:
        if locked := table.locked:
            free = [name for name in table.columns if name not in locked]
            return needs_key(table.place.uri, locked, free)
    return needs_key(read[0].place.uri, [], []) if read else None


def _not_decoded(tables: Sequence[Table]) -> LakeError | None:
    """Return the error of a query that reads columns which the loader alone can decode."""
    for table in tables:
        if isinstance(table, ParquetTable) and (split := table.unreadable):
            free = [name for name in table.columns if name not in split]
            which = ", ".join(map(repr, split[:HINTED_COLUMNS]))
            others = f", others here: {', '.join(free[:HINTED_COLUMNS])}" if free else ""
            return UnsupportedFormatError(
                f"{table.place.uri} has bytes in BYTE_STREAM_SPLIT, which SQL cannot read: {which}",
                hint=f"read_parquet_from_s3 without where reads them{others}.",
                repair={"columns": free} if free else None,
            )
    return None


def _malformed(subject: str, text: str) -> MalformedDataError:
    if found := _UNLIKE.search(text):
        name, kind, other = (quoted(part, 80) for part in found.groups())
        message = f"{subject} has a column {name} of the type {kind}, other objects of {other}"
        return MalformedDataError(message, hint="Query the objects of each type on their own.")
    reason = next((said for mark, said in _REASONS if mark in text), "it is damaged")
    line = _LINE.search(_ORIGINAL.sub("", text))
    where = f" (line {line[1]})" if line and "JSON" in text else ""
    return MalformedDataError(
        f"{subject} cannot be read: {reason}{where}",
        hint="get_file_metadata tells more of the object.",
    )
