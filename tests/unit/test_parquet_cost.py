"""What a Parquet page costs: few requests, side by side, and few bytes."""

from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.loaders.parquet_open import open_footer
from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter
from s3_data_lake_mcp.storage.reader import TAIL_BYTES, ObjectReader
from support.memory import MemoryStore
from support.parquet_files import dice, loaded, opened, parquet_bytes

COLUMNS = 24
ROWS = 120_000


class WatchedStore(MemoryStore):
    """A store that remembers its ranges."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[tuple[int, int]] = []

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return a range and remember it."""
        self.ranges.append((start, stop))
        return super().get_range(info, start, stop, meter)


@pytest.fixture(scope="module")
def wide() -> bytes:
    """Return two row groups of many columns, of about 1 MB a column chunk."""
    chance = dice(1)
    base: Any = pa.array([chance.random() for _ in range(ROWS)])
    columns: dict[str, Any] = {f"c{i}": base for i in range(COLUMNS)}
    return parquet_bytes(pa.table(columns), row_group_size=ROWS // 2, use_dictionary=False)


def needed(body: bytes, group: int, columns: int) -> int:
    """Return the size of the first columns' chunks in a row group."""
    row_group = open_footer(opened(body)).metadata.row_group(group)
    return sum(row_group.column(i).total_compressed_size for i in range(columns))


def test_a_small_object_comes_with_its_footer() -> None:
    """One request reads all of it."""
    page = loaded(parquet_bytes(pa.table({"a": list(range(1_000))})), 999)
    assert page.meter.requests == 1


@pytest.mark.parametrize("offset", [0, ROWS // 2, ROWS - 200])
def test_all_columns_of_a_page(wide: bytes, offset: int) -> None:
    """A page of all columns takes six requests and no more than its row group's chunks."""
    page = loaded(wide, 100, offset=offset)
    assert page.result.table.num_rows == 101
    assert page.meter.requests <= 6
    assert page.meter.bytes_read <= needed(wide, 0, COLUMNS) + TAIL_BYTES


@pytest.mark.parametrize("columns", [1, 2, 3, 5])
def test_some_columns_of_a_page(wide: bytes, columns: int) -> None:
    """A projection fetches what its columns need: here less than their chunks."""
    names = tuple(f"c{i * 4}" for i in range(columns))
    page = loaded(wide, 100, columns=names)
    assert page.meter.requests <= 1 + columns
    assert page.meter.bytes_read <= needed(wide, 0, columns) + TAIL_BYTES


def test_the_requests_of_a_wave_are_about_equal(wide: bytes) -> None:
    """They come side by side, so the longest one decides how long it takes."""
    store = WatchedStore()
    ref = store.put("b", "k", wide)
    source = ObjectReader.open_tail(store, ref, ScanMeter())
    ParquetLoader().load(source, LoadRequest(max_rows=100))
    sizes = [stop - start for start, stop in store.ranges]
    assert len(sizes) <= 5
    assert max(sizes) < 1.05 * sum(sizes) / len(sizes)


def test_the_beginning_of_a_huge_row_group() -> None:
    """Of long column chunks only the first pages are fetched."""
    chance = dice(2)
    table = pa.table({"t": [chance.randbytes(40).hex() for _ in range(200_000)]})
    body = parquet_bytes(table, use_dictionary=False, compression="none")
    page = loaded(body, 100)
    assert len(body) > 16 << 20
    assert page.meter.requests <= 3
    assert page.meter.bytes_read < 2_500_000


def test_a_page_over_two_row_groups(wide: bytes) -> None:
    """Both are read, each in its own wave."""
    page = loaded(wide, 100, offset=ROWS // 2 - 50, columns=("c0", "c1"))
    assert page.result.table.num_rows == 101
    assert page.result.details["parquet"]["row_groups_read"] == 2  # type: ignore[index] # plain JSON
    assert page.meter.requests <= 5


def test_a_long_footer_costs_one_request_more() -> None:
    """A footer that the tail does not hold is fetched whole."""
    columns: dict[str, Any] = {f"column_{i:04d}": [i] for i in range(1_500)}
    body = parquet_bytes(pa.table(columns))
    assert len(body) > TAIL_BYTES
    page = loaded(body, 5, columns=("column_0007",))
    assert page.columns == {"column_0007": [7]}
    assert page.meter.requests <= 3


def test_pages_that_are_longer_than_expected() -> None:
    """Writers with huge pages cost a second wave, not a request a column."""
    chance = dice(3)
    base: Any = pa.array([chance.random() for _ in range(1_600_000)])
    columns: dict[str, Any] = dict.fromkeys(("a", "b", "c"), base)
    body = parquet_bytes(
        pa.table(columns),
        use_dictionary=False,
        compression="none",
        data_page_size=1 << 30,
        max_rows_per_page=1 << 30,
    )
    page = loaded(body, 100)
    assert page.result.table.num_rows == 101
    assert page.meter.bytes_read <= len(body) + TAIL_BYTES
    assert page.meter.requests <= 24
