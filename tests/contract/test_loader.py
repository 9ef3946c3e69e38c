"""What every loader promises, held to each of them: `Loader` in `loaders/__init__.py`."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    LakeError,
    LimitExceededError,
    MalformedDataError,
    ObjectChangedError,
    UnknownColumnError,
)
from s3_data_lake_mcp.loaders import Loader, LoadRequest, LoadResult, Position
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import TAIL_BYTES, ObjectReader
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

type Rows = Sequence[tuple[int, str, float]]

NAMES = ["number", "text", "half"]
ROWS: Rows = [(i, f"text {i}", i / 2 + 0.25) for i in range(700)]


def _csv(rows: Rows) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([NAMES, *rows])
    return text.getvalue().encode()


def _array(rows: Rows) -> bytes:
    return json.dumps([dict(zip(NAMES, row, strict=True)) for row in rows]).encode()


def _lines(rows: Rows) -> bytes:
    return b"\n".join(json.dumps(dict(zip(NAMES, r, strict=True))).encode() for r in rows)


def _parquet(rows: Rows) -> bytes:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return parquet_bytes(pa.table(dict(zip(NAMES, columns, strict=True))), row_group_size=150)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One loader, and how its objects are written and opened."""

    name: str
    loader: Loader[Any]
    key: str
    write: Callable[[Rows], bytes]
    head_requests: int
    head_bytes: int

    def open(self, store: MemoryStore, ref: ObjectRef, meter: ScanMeter) -> ObjectReader:
        """Open an object as the read tools do."""
        if self.name == "parquet":
            return ObjectReader.open_tail(store, ref, meter)
        return ObjectReader.open_head(store, ref, meter)

    def load(self, source: ObjectReader, max_rows: int, **fields: Any) -> LoadResult:
        """Load a page."""
        kind = CsvRequest if self.name == "csv" else LoadRequest
        return self.loader.load(source, kind(max_rows=max_rows, **fields))

    def read(self, body: bytes, max_rows: int, **fields: Any) -> LoadResult:
        """Load a page of these bytes."""
        store = MemoryStore()
        ref = store.put("b", self.key, body)
        return self.load(self.open(store, ref, ScanMeter()), max_rows, **fields)


CASES = [
    Case(
        name="csv", loader=CsvLoader(), key="x.csv", write=_csv, head_requests=2, head_bytes=600_000
    ),
    Case(
        name="json",
        loader=JsonLoader(),
        key="x.json",
        write=_array,
        head_requests=2,
        head_bytes=600_000,
    ),
    Case(
        name="json",
        loader=JsonLoader(),
        key="x.jsonl",
        write=_lines,
        head_requests=2,
        head_bytes=600_000,
    ),
    Case(
        name="parquet",
        loader=ParquetLoader(),
        key="x.parquet",
        write=_parquet,
        head_requests=6,
        head_bytes=1_000_000,
    ),
]


@pytest.fixture(params=CASES, ids=lambda case: case.key)
def case(request: pytest.FixtureRequest) -> Case:
    """Return each loader in turn."""
    found: Case = request.param
    return found


def rows_of(result: LoadResult) -> list[tuple[Any, ...]]:
    """Return the rows of a page."""
    return list(zip(*result.table.to_pydict().values(), strict=True))


def test_a_page_has_one_row_more(case: Case) -> None:
    """The row behind the page is there to prove that there is more."""
    result = case.read(case.write(ROWS), 100)
    assert result.table.column_names == NAMES
    assert rows_of(result) == ROWS[:101]
    assert result.offset == 0


@pytest.mark.parametrize("size", [699, 700, 701, 5_000])
def test_the_whole_of_it(case: Case, size: int) -> None:
    """A page that reaches the end has no row more, and then the total is known."""
    result = case.read(case.write(ROWS), size)
    assert rows_of(result) == ROWS
    assert result.total_rows in (None, 700)
    assert result.total_rows == 700 or size < 700


@pytest.mark.parametrize("size", [1, 64, 150, 333])
def test_pages_join_to_the_whole(case: Case, size: int) -> None:
    """Going on behind any page gives each row once, in order."""
    rows = ROWS[: 40 if size == 1 else 700]
    body = case.write(rows)
    found: list[tuple[Any, ...]] = []
    position: Position | None = None
    while True:
        result = case.read(body, size, position=position)
        assert result.offset == len(found)
        found += rows_of(result)[:size]
        if result.table.num_rows <= size:
            break
        position = json.loads(json.dumps(dict(result.resume(size))))
    assert found == rows


@pytest.mark.parametrize("count", [1, 149, 150, 151, 200])
def test_resuming_behind_any_row(case: Case, count: int) -> None:
    """A page may be cut anywhere, and goes on right there."""
    body = case.write(ROWS)
    first = case.read(body, 200)
    result = case.read(body, 5, position=first.resume(count))
    assert rows_of(result) == ROWS[count : count + 6]
    assert result.offset == count


def test_the_position_wins_over_the_offset(case: Case) -> None:
    """A cursor's place is not counted from the offset again."""
    body = case.write(ROWS)
    position = case.read(body, 10).resume(10)
    assert rows_of(case.read(body, 5, offset=3, position=position)) == ROWS[10:16]


@pytest.mark.parametrize("offset", [1, 150, 299, 699, 700, 900])
def test_offsets(case: Case, offset: int) -> None:
    """An offset counts rows from 0, and may lie behind the last."""
    result = case.read(case.write(ROWS), 5, offset=offset)
    assert rows_of(result) == ROWS[offset : offset + 6]
    assert result.offset == offset or not result.table.num_rows


def test_a_projection_keeps_its_order(case: Case) -> None:
    """Columns come in the order asked for."""
    result = case.read(case.write(ROWS), 3, columns=("half", "number"))
    assert result.table.column_names == ["half", "number"]
    assert rows_of(result) == [(row[2], row[0]) for row in ROWS[:4]]


def test_an_unknown_column_gets_the_nearest(case: Case) -> None:
    """The error names the column, and the hint those that are like it."""
    with pytest.raises(UnknownColumnError) as caught:
        case.read(case.write(ROWS), 3, columns=("numbr",))
    assert "numbr" in str(caught.value)
    assert "number" in caught.value.hint


def test_an_empty_object_is_malformed(case: Case) -> None:
    """No bytes are no table."""
    with pytest.raises(MalformedDataError, match=f"^s3://b/{case.key}"):
        case.read(b"", 3)


@pytest.mark.parametrize("noise", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, b"\0" * 500])
def test_other_bytes_are_refused(case: Case, noise: bytes) -> None:
    """What is not of the format ends in an error that names the object."""
    with pytest.raises(LakeError, match=f"^s3://b/{case.key}"):
        case.read(noise, 3)


def test_a_torn_object_is_not_short_in_silence(case: Case) -> None:
    """Half of an object is an error, or its whole rows with what is missing told."""
    body = case.write(ROWS)
    try:
        result = case.read(body[: len(body) // 2], 5_000)
    except MalformedDataError as exc:
        assert str(exc).startswith("s3://b/")  # noqa: PT017 - either answer is right
        return
    found = rows_of(result)
    assert case.name in ("csv", "json")
    assert found[:-1] == ROWS[: len(found) - 1]
    assert found[-1] == ROWS[len(found) - 1] or result.told(len(found)) or case.name == "csv"


def test_a_changed_object_is_noticed(case: Case) -> None:
    """A reader pinned to one version never mixes in another."""
    store = MemoryStore()
    big = [(i, f"text {i}" * 40, i / 2) for i in range(9_000)]
    ref = store.put("b", case.key, case.write(big))
    source = case.open(store, ref, ScanMeter())
    store.put("b", case.key, case.write(big[::-1]))
    with pytest.raises(ObjectChangedError):
        case.load(source, 8_000)


def test_a_head_is_cheap(case: Case) -> None:
    """The first rows of a long object cost few requests and bytes; so does the next page."""
    store = MemoryStore()
    big = [(i, f"{i * 7919 % 100_003} text " * 9, i / 2) for i in range(40_000)]
    ref = store.put("b", case.key, case.write(big))
    meter = ScanMeter()
    first = case.load(case.open(store, ref, meter), 100)
    assert rows_of(first) == big[:101]
    assert meter.requests <= case.head_requests
    assert meter.bytes_read <= case.head_bytes
    again = ScanMeter()
    source = case.open(store, ref, again)
    assert rows_of(case.load(source, 100, position=first.resume(100))) == big[100:201]
    assert again.requests <= case.head_requests
    assert again.bytes_read <= case.head_bytes


def test_the_scan_budget_holds(case: Case) -> None:
    """No loader reads more bytes than the call may."""
    store = MemoryStore()
    big = [(i, f"{i * 7919 % 100_003} text " * 9, i / 2) for i in range(9_000)]
    ref = store.put("b", case.key, case.write(big))
    source = case.open(store, ref, ScanMeter(max_bytes=TAIL_BYTES + 1_000))
    with pytest.raises(LimitExceededError, match="budget"):
        case.load(source, 8_999)


def test_a_cancelled_call_ends(case: Case) -> None:
    """A caller that has gone away is not read for."""
    store = MemoryStore()
    big = [(i, f"{i * 7919 % 100_003} text " * 9, i / 2) for i in range(9_000)]
    ref = store.put("b", case.key, case.write(big))
    meter = ScanMeter()
    source = case.open(store, ref, meter)
    meter.cancel()
    with pytest.raises(DeadlineExceededError):
        case.load(source, 8_999)
