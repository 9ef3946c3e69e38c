"""Delimited text: what was written is read, and paging or counting never shifts a row."""

import csv
import io
from itertools import islice

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders import LoadResult, Position, csv_records
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.csv_records import Dialect, Record, RecordReader
from s3_data_lake_mcp.loaders.csv_skip import RowCounter
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
CELLS = st.text(st.sampled_from("ab,;\t'\"é\n\r x"), max_size=5)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12)
)
RAW = st.lists(
    st.sampled_from(["a", "b", ",", ",", '"', '"', '""', "\n", "\n", "\r\n", "\r", " ", "é"]),
    max_size=40,
).map("".join)


def load(body: bytes, request: CsvRequest) -> LoadResult:
    """Read one page of a body."""
    store = MemoryStore()
    return CsvLoader().load(
        ObjectReader.open_head(store, store.put("b", "k.csv", body), ScanMeter()), request
    )


def written(rows: list[list[str]], encoding: str, **form: object) -> bytes:
    """Write a table as the standard library does, under a header."""
    text = io.StringIO()
    out = csv.writer(text, **form)  # type: ignore[arg-type] # the writer's own keywords
    out.writerow([f"column {i}" for i in range(len(rows[0]))])
    out.writerows(rows)
    return text.getvalue().encode(encoding)


def cells(result: LoadResult, count: int | None = None) -> list[list[object]]:
    """Return the rows as lists."""
    columns = [column.to_pylist() for column in result.table.columns]
    return [list(row) for row in islice(zip(*columns, strict=True), count)]


def dialect(escape: str = "") -> Dialect:
    """Return the dialect of comma-separated text."""
    return Dialect(
        delimiter=",",
        quote='"',
        escape=escape,
        encoding="utf-8",
        has_header=True,
        compression="",
        newline="\n",
    )


def parsed(body: bytes, *, at: int = 0, line: int = 1) -> tuple[list[Record], bool]:
    """Return the records of a text up to what cannot be read, and whether that was all of it."""
    records: list[Record] = []
    try:
        records.extend(RecordReader(iter([body]), dialect(), at=at, line=line, subject="x"))
    except MalformedDataError:
        return records, False
    return records, True


@settings(deadline=None)
@example([["\t"], ["\t"]], "utf-8", "\t", "\n", csv.QUOTE_ALL)
@given(
    TABLES,
    ENCODINGS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_every_cell_comes_back(
    rows: list[list[str]], encoding: str, delimiter: str, newline: str, quoting: int
) -> None:
    """A table that the standard library wrote is read cell for cell, its form detected."""
    body = written(rows, encoding, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    known = delimiter if len(rows[0]) == 1 else ""
    result = load(body, CsvRequest(max_rows=100, delimiter=known, has_header="true"))
    assert cells(result) == rows
    assert result.total_rows == len(rows)
    told = [*result.notices, *map(str, result.told(100))]
    assert all("Windows-1252" in notice for notice in told)


@settings(deadline=None)
@given(TABLES)
def test_empty_fields_are_null_unless_quoted(rows: list[list[str]]) -> None:
    """A field without quotes and text is null, and nothing else is."""
    # Where each line has fields in it, ' is taken for the quote.
    assume(any(not any(cell.startswith("'") for cell in row) for row in rows))
    body = written(rows, "utf-8", quoting=csv.QUOTE_MINIMAL)
    result = load(body, CsvRequest(max_rows=100, delimiter=",", has_header="true"))
    lone = len(rows[0]) == 1  # a lone empty field is written with quotes
    assert cells(result) == [[cell or (cell if lone else None) for cell in row] for row in rows]


@settings(deadline=None)
@given(TABLES, ENCODINGS, st.integers(1, 5), st.booleans())
def test_pages_join_to_one_read(
    rows: list[list[str]],
    encoding: str,
    size: int,
    quoted: bool,  # noqa: FBT001 - drawn
) -> None:
    """Pages of any size, each resumed behind the one before, are the rows of one read."""
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    body = written(rows, encoding, quoting=quoting)
    whole = cells(load(body, CsvRequest(max_rows=100, delimiter=",", has_header="true")))
    found: list[list[object]] = []
    position: Position | None = None
    while True:
        asked = CsvRequest(max_rows=size, delimiter=",", has_header="true", position=position)
        page = load(body, asked)
        assert page.offset == len(found)
        found += cells(page, size)
        if page.table.num_rows <= size:
            break
        position = page.resume(size)
    assert found == whole


@settings(deadline=None)
@given(TABLES, ENCODINGS, st.integers(0, 14))
def test_offset_equals_reading_on(rows: list[list[str]], encoding: str, cut: int) -> None:
    """Skipping n rows gives what is behind them, and the exact total."""
    body = written(rows, encoding, quoting=csv.QUOTE_ALL)
    asked = CsvRequest(max_rows=100, offset=cut, delimiter=",", has_header="true")
    result = load(body, asked)
    assert cells(result) == rows[cut:]
    assert result.total_rows == len(rows)


@given(RAW, st.integers(1, 4))
def test_counting_equals_parsing(text: str, width: int) -> None:
    """Rows counted at once are those that the parser finds, whatever the text; or none are."""
    body = text.encode()
    counted = RowCounter(b",", b'"', b"", width).count(body)
    if not counted.size_bytes:
        return
    records, complete = parsed(body[: counted.size_bytes])
    assert complete
    assert counted.rows == sum(len(r.fields) <= width for r in records)
    rest, _ = parsed(body[counted.size_bytes :], at=counted.size_bytes, line=1 + counted.lines)
    assert [*records, *rest] == parsed(body)[0]


@settings(deadline=None)
@given(st.lists(RAW, min_size=1, max_size=6), st.integers(1, 4), st.integers(0, 30))
def test_skipping_equals_reading(parts: list[str], width: int, rows: int) -> None:
    """Skipping stops where reading as many rows stops, however the text is cut into blocks."""
    blocks = [part.encode() for part in parts if part]
    records, complete = parsed(b"".join(blocks))
    kept = [r for r in records if len(r.fields) <= width]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "PIECE_BYTES", 16)
        reader = RecordReader(iter(blocks), dialect(), at=0, line=1, subject="x")
        try:
            skipped = reader.skip(rows, width)
        except MalformedDataError:
            assert not complete
            assert len(kept) < rows
            return
    assert skipped == min(rows, len(kept))
    if complete:
        assert [r for r in reader if len(r.fields) <= width] == kept[rows:]
