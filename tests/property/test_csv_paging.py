"""Delimited text: what was written is read, and paging or counting never shifts a row."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.loaders import LoadResult, Position
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.memory import MemoryStore
from s3_data_lake_mcp.storage.reader import ObjectReader

_CELL = st.text(st.sampled_from('ab,;"é\n x'), max_size=5).map(lambda text: "t" + text)
_ROWS = st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=12)


def _load(body: bytes, offset: int, position: Position | None, rows: int) -> LoadResult:
    store = MemoryStore()
    source = ObjectReader.open_head(store, store.put("b", "k.csv", body), ScanMeter())
    request = CsvRequest(
        max_rows=rows, offset=offset, position=position, delimiter=",", has_header="true"
    )
    return CsvLoader().load(source, request)


def _cells(result: LoadResult) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in result.table.to_pylist()]


@settings(max_examples=60, deadline=None)
@given(_ROWS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), st.integers(0, 11))
def test_pages_and_offsets_agree_with_one_read(
    rows: list[tuple[str, str]], encoding: str, cut: int
) -> None:
    """Resuming behind row n, or skipping n rows, gives the rows of one whole read."""
    text = io.StringIO()
    csv.writer(text).writerows([("left", "right"), *rows])
    body = text.getvalue().encode(encoding)
    whole = _load(body, 0, None, 100)
    assert _cells(whole) == rows
    assert whole.total_rows == len(rows)
    assert _cells(_load(body, cut, None, 100)) == rows[cut:]
    if 0 < cut <= len(rows):
        assert _cells(_load(body, 0, whole.resume(cut), 100)) == rows[cut:]
