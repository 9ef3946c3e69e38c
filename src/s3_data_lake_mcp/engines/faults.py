"""What an error of the engine says of the data, as an error of the contract."""

import re
from collections.abc import Iterable

import duckdb

from s3_data_lake_mcp.engines.places import Place
from s3_data_lake_mcp.errors import LakeError, MalformedDataError

_PATH = re.compile(r"(?:s3|lake)://[^\s\"']+")
_ORIGINAL = re.compile(r"^Original Line:.*$", re.MULTILINE)
_LINE = re.compile(r"(?:Line: |in line |line )(\d+)")
_REASONS = (
    ("nterminated quote", "a quote is never closed"),
    ("nvalid unicode", "it is not valid UTF-8"),
    ("invalid UTF-8", "it is not valid UTF-8"),
    ("Expected Number of Columns", "a record has another number of fields"),
    ("aximum line size", "a record is longer than 16 MiB"),
    ("maximum_object_size", "a record is longer than 128 MiB"),
    ("recursion depth", "it nests too deeply"),
    ("Malformed JSON", "it is not valid JSON"),
)


def data_error(error: duckdb.Error, places: Iterable[Place]) -> LakeError | None:
    """Return an error that names the object which cannot be read; None if it is the query's."""
    text = str(error)
    if not isinstance(error, duckdb.InvalidInputException | duckdb.IOException | duckdb.Error):
        return None
    paths = {found.rstrip(".,;:)") for found in _PATH.findall(text)}
    for place in places:
        for member in place.members:
            if paths & {member.path, str(member.info.ref)}:
                return _malformed(str(member.info.ref), text)
    return None


def _malformed(subject: str, text: str) -> MalformedDataError:
    reason = next((said for mark, said in _REASONS if mark in text), "it is damaged")
    line = _LINE.search(_ORIGINAL.sub("", text))
    where = f" (line {line[1]})" if line and "JSON" in text else ""
    return MalformedDataError(
        f"{subject} cannot be read: {reason}{where}",
        hint="get_file_metadata tells more of the object.",
    )
