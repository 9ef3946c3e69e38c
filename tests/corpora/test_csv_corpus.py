"""Third-party delimited files: the rows, columns and values that independent engines agree on."""

import csv
import io
import json
import re
from functools import cache
from pathlib import Path

import pytest

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest, Dialect
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.json"
EXCEPTIONS = {
    "csv/dk__data__csv__encodings__utf16.csv": "UTF-16 is read here; the engines want UTF-8",
    "csv/dk__data__csv__encodings__utf16.csv.gz": "as above",
}
NULLS = frozenset({"", "NA", "N/A", "NULL", "null", "None"})
FILES = {
    str(entry["file"]): entry
    for entry in (json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else [])
    if entry["file"].startswith("csv/") or entry["file"].endswith((".csv", ".tsv"))
}
READ = [name for name, entry in FILES.items() if entry["expect"].startswith("read")]
REFUSED = [name for name, entry in FILES.items() if entry["expect"].startswith("must be refused")]
DOUBTFUL = [name for name, entry in FILES.items() if entry["expect"].startswith("no silent loss")]


class Whole:
    """A file read page by page."""

    def __init__(self, name: str, page_rows: int) -> None:
        store = MemoryStore()
        ref = store.put("corpus", name, (CORPORA / name).read_bytes())
        self.source = ObjectReader.open_head(store, ref, ScanMeter())
        self.rows: list[list[object]] = []
        self.notices: list[str] = []
        position = None
        while True:
            asked = CsvRequest(max_rows=page_rows, position=position)
            page = CsvLoader().load(self.source, asked)
            taken = min(page_rows, page.table.num_rows)
            self.notices += [*page.notices, *map(str, page.told(taken))]
            self.rows += wire.json_rows(page.table.slice(0, taken), wire.Clipper(100_000))
            self.names = page.table.column_names
            self.dialect = Dialect(**page.details["dialect"])  # type: ignore[arg-type] # its JSON
            if page.table.num_rows <= taken:
                break
            position = page.resume(taken)
        self.total = page.total_rows

    def column(self, name: str) -> int:
        """Return the index of a column by the name that pandas gives it."""
        if unnamed := re.fullmatch(r"Unnamed: (\d+)", name):
            return int(unnamed[1])
        header = self.header()
        if name in header:
            return header.index(name)
        stem, _, number = name.rpartition(".")
        return [i for i, cell in enumerate(header) if cell == stem][int(number)]

    def header(self) -> list[str]:
        """Return the first row as the standard library reads it."""
        head = self.source.read_range(0, 1 << 16)
        compression = detect_compression(head)
        blocks = decoded_blocks(self.source, compression, max_decoded_bytes=1 << 30)
        text = b"".join(blocks).decode(self.dialect.encoding).removeprefix("\ufeff")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.dialect.delimiter)
        return next(row for row in reader if row)


@cache
def whole(name: str, page_rows: int = 5_000) -> Whole:
    """Read a file."""
    return Whole(name, page_rows)


def is_same(found: object, text: str) -> bool:
    """Whether a value of an answer is what a file has as text."""
    if found is None:
        return text in NULLS
    if isinstance(found, bool):
        return str(found).lower() == text.lower()
    if isinstance(found, int | float):
        return float(found) == float(text)
    return found == text or str(found).replace("+00:00", "Z") == text.replace(" ", "T")


@pytest.mark.parametrize("name", READ)
def test_agreed_files_are_read(name: str) -> None:
    """Rows, columns and values are those that the engines agree on."""
    entry, found = FILES[name], whole(name)
    assert (len(found.rows), len(found.names)) == (entry["rows"], entry["cols"])
    assert found.total == entry["rows"]
    for row, column, text in entry.get("values") or ():
        value = found.rows[row][found.column(column)]
        assert is_same(value, text), (row, column, text, value)


@pytest.mark.parametrize("name", READ)
def test_pages_join_to_the_whole(name: str) -> None:
    """Small pages give the same texts as large ones, whatever types they have."""
    large = whole(name)
    if len(large.rows) > 3_000:
        pytest.skip("as many pages would take long")
    small = Whole(name, 37)
    assert small.names == large.names
    assert small.total == large.total
    for some, others in zip(small.rows, large.rows, strict=True):
        for value, other in zip(some, others, strict=True):
            assert value == other or is_same(value, str(other)) or is_same(other, str(value))


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(name: str) -> None:
    """What no engine reads is refused with its name and a hint."""
    if name in EXCEPTIONS:
        assert whole(name).dialect.encoding == "utf-16-le"
        return
    with pytest.raises(LakeError) as caught:
        whole(name)
    assert str(caught.value).startswith(f"s3://corpus/{name} ")
    assert caught.value.hint


@pytest.mark.parametrize("name", DOUBTFUL)
def test_nothing_is_lost_in_silence(name: str) -> None:
    """Where engines disagree, a file is refused by name, or fewer rows than any found are told."""
    try:
        found = whole(name)
    except LakeError as exc:
        message = str(exc)
    else:
        message = ""
    if message:
        assert message.startswith(f"s3://corpus/{name} ")
        return
    shapes = [shape for shape in FILES[name]["engines"].values() if isinstance(shape, list)]
    fewest = min((rows for rows, _ in shapes), default=0)
    assert len(found.rows) >= fewest or found.notices
