"""Third-party delimited files: the rows, columns and values that independent engines agree on."""

import json
from pathlib import Path

import pytest

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.memory import MemoryStore
from s3_data_lake_mcp.storage.reader import ObjectReader

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.json"
_UTF16 = "UTF-16 and gaps in UTF-8 are read here, with the encoding told"
_NUL = "NUL bytes are refused: the text may be binary"
_HEADER = "the engines took a first row of data for the header, or a year-like one for data"
EXCEPTIONS = {
    "csv/dk__data__csv__afl__null_padding__19.csv": "fuzzed bytes that read as Windows-1252",
    "csv/dk__data__csv__encodings__utf16.csv": _UTF16,
    "csv/dk__data__csv__encodings__utf16.csv.gz": _UTF16,
    "csv/dk__data__csv__rejects__multiple_errors__invalid_utf_more.csv": _UTF16,
    "csv/dk__data__csv__test__invalid_utf.csv": _UTF16,
    "csv/dk__data__csv__null_terminator.csv": _NUL,
    "csv/dk__data__csv__nullterm.csv": _NUL,
    "csv/dk__data__csv__small_bad.csv": _HEADER,
    "csv/dk__data__csv__test__force_not_null.csv": _HEADER,
    "csv/dk__data__csv__test__force_not_null_inull.csv": _HEADER,
    "csv/dk__data__csv__test__force_quote.csv": _HEADER,
    "csv/dk__data__csv__validator__single_column.csv": _HEADER,
}
FILES = (
    [
        entry
        for entry in json.loads(MANIFEST.read_text())["files"]
        if entry["file"] not in EXCEPTIONS
        and (entry["file"].startswith("csv/") or entry["file"].endswith((".csv", ".tsv")))
    ]
    if MANIFEST.exists()
    else []
)


def _read(name: str) -> tuple[int, int, list[str]]:
    store = MemoryStore()
    ref = store.put("b", name, (CORPORA / name).read_bytes())
    rows = 0
    position = None
    notices: list[str] = []
    while True:
        source = ObjectReader.open_head(store, ref, ScanMeter())
        result = CsvLoader().load(source, CsvRequest(max_rows=5_000, position=position))
        notices += result.notices
        taken = min(5_000, result.table.num_rows)
        rows += taken
        if result.table.num_rows <= taken:
            return rows, result.table.num_columns, notices
        position = result.resume(taken)


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["file"])
def test_corpus_file(entry: dict[str, object]) -> None:
    """A file comes out in its agreed shape, or is refused by a LakeError."""
    expect = str(entry["expect"])
    if expect.startswith("must be refused"):
        with pytest.raises(LakeError):
            _read(str(entry["file"]))
        return
    if expect == "read":
        rows, cols, _ = _read(str(entry["file"]))
        assert (rows, cols) == (entry["rows"], entry["cols"])
        return
    try:
        _read(str(entry["file"]))
    except LakeError:
        return
