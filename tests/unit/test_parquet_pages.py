"""Parquet pages of small row groups, many columns and long rows: what has no room is not read."""

from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.loaders.parquet_open import open_footer
from s3_data_lake_mcp.pages import page_size, table_page
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage.reader import TAIL_BYTES
from support.parquet_files import Loaded, dice, loaded, opened, parquet_bytes

SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg] # pydantic-settings' own keyword
SIZE = page_size(SETTINGS)
MOST = 10_000


def answer(page: Loaded, max_rows: int) -> dict[str, Any]:
    """Return what a job makes of a page, but for what it cost."""
    found = page.result
    envelope = {"source": {"uri": "s3://b/k"}, "notices": found.notices}
    most = found.table.num_rows - 1 if found.full else max_rows
    return table_page(found.table, most, envelope, SETTINGS, lambda n: f"cursor {n:06d}")


def details(page: Loaded) -> Any:
    """Return the part of Parquet's own."""
    return page.result.details["parquet"]


@pytest.fixture(scope="module")
def tiny() -> bytes:
    """Return two thousand row groups of ten rows."""
    table = pa.table({"id": range(20_000), "text": [f"value {i}" for i in range(20_000)]})
    return parquet_bytes(table, row_group_size=10)


@pytest.fixture(scope="module")
def wide() -> bytes:
    """Return 2,000 columns, of which a page has room for 400 or so."""
    base: Any = pa.array([dice(2).random() for _ in range(2_000)])
    return parquet_bytes(pa.table({f"column {i:04d}": base for i in range(2_000)}))


@pytest.fixture(scope="module")
def long() -> bytes:
    """Return rows of 5 KB in row groups of 1,000."""
    chance = dice(3)
    texts = ["".join(chance.choices("abcdefgh", k=5_000)) for _ in range(100)]
    table = pa.table({"id": range(4_000), "text": [f"{i} {texts[i % 100]}" for i in range(4_000)]})
    return parquet_bytes(
        table,
        row_group_size=1_000,
        compression="none",
        use_dictionary=False,
        write_batch_size=32,
    )


def test_small_row_groups_come_together(tiny: bytes) -> None:
    """A page of eleven row groups takes no more requests than one of one."""
    page = loaded(tiny, page_size=SIZE)
    assert page.columns["id"] == list(range(101))
    assert details(page)["row_groups_read"] == 11
    assert page.meter.requests <= 3


@pytest.mark.parametrize("size", [SIZE, None])
def test_a_long_page_of_small_row_groups(tiny: bytes, size: Any) -> None:
    """A thousand row groups are no thousand round trips."""
    page = loaded(tiny, MOST, page_size=size)
    assert page.meter.requests <= 6
    count = page.result.table.num_rows
    assert page.columns["id"] == list(range(count))
    assert page.result.full == (size is not None)
    assert details(page)["row_groups_read"] == -(-count // 10)


def test_columns_far_apart_come_side_by_side(long: bytes) -> None:
    """Of a narrow column of large row groups, what lies between is not fetched."""
    page = loaded(long, MOST, columns=("id",))
    assert page.columns["id"] == list(range(4_000))
    assert page.meter.bytes_read < 4 * 10_000 + 2 * TAIL_BYTES


def test_columns_without_room_are_not_fetched(wide: bytes) -> None:
    """Only those that a page shows are read; the answer is that of all of them."""
    page, whole = loaded(wide, 5, page_size=SIZE), loaded(wide, 5)
    found = answer(page, 5)
    assert found == answer(whole, 5)
    shown = len(found["columns"])
    assert 300 < shown < 500
    assert found["notices"] == [
        f"Only the first {shown} of 2,000 columns fit; name others in columns."
    ]
    row_group = open_footer(opened(wide)).metadata.row_group(0)
    size = sum(row_group.column(i).total_compressed_size for i in range(shown))
    footer = whole.meter.bytes_read - sum(
        row_group.column(i).total_compressed_size for i in range(2_000)
    )
    assert page.meter.bytes_read <= size + footer + TAIL_BYTES


def test_long_rows_without_room_are_not_fetched(long: bytes) -> None:
    """Of 20 MB a page shows 31 rows; the answer is that of a reading of all."""
    page = loaded(long, MOST, page_size=SIZE)
    assert page.result.full
    assert page.meter.bytes_read < 3_000_000
    found = answer(page, MOST)
    assert found == answer(loaded(long, MOST), MOST)
    assert found["truncated_by"] == "max_bytes"
    assert 30 <= found["returned_rows"] <= 32


@pytest.mark.parametrize("offset", [0, 990, 3_990])
def test_pages_join(long: bytes, offset: int) -> None:
    """A page that is full goes on behind its last row, in the next row group too."""
    page = loaded(long, MOST, page_size=SIZE, offset=offset)
    kept = answer(page, MOST)["returned_rows"]
    position = page.result.resume(kept)
    after = loaded(long, MOST, page_size=SIZE, position=position)
    assert after.columns["id"][:1] == list(range(4_000))[offset + kept :][:1]


def test_legacy_timestamps_of_a_full_page() -> None:
    """Times that are read once more, for their reach, are those of the rows of the page."""
    days: Any = pa.array(range(-400_000, 200_000, 10), pa.int32()).cast(pa.date32())
    times = days.cast(pa.timestamp("us"))
    text = ["x" * 900] * len(times)
    body = parquet_bytes(
        pa.table({"at": times, "text": text}),
        use_deprecated_int96_timestamps=True,
        row_group_size=100,
    )
    found = answer(loaded(body, MOST, page_size=SIZE), MOST)
    assert found["returned_rows"] < 100
    assert found == answer(loaded(body, MOST), MOST)
