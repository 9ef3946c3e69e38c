"""What has no room on a page is not fetched, and the page is the same as if it had been."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from s3_data_lake_mcp.loaders import LoadResult
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.json import JsonLoader, JsonRequest
from s3_data_lake_mcp.loaders.json_open import FIRST_BYTES
from s3_data_lake_mcp.loaders.page_size import PageSize
from s3_data_lake_mcp.pages import page_size, record_page, table_page
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.lazy import LazyStore, Pattern
from support.memory import MemoryStore

SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg] # pydantic-settings' own keyword
SIZE = page_size(SETTINGS)
MOST = 10_000
WIDE = 100
TEXT = b"x" * 5_000
CSV = LazyStore(
    "x.csv",
    Pattern(
        head=b"id,text,tag\n", record=lambda i: b"%09d,%b,x%09d\n" % (i, TEXT, i), count=100_000
    ),
)
LINES = LazyStore(
    "x.jsonl", Pattern(record=lambda i: b'{"id": %9d, "text": "%b"}\n' % (i, TEXT), count=100_000)
)
ARRAY = LazyStore(
    "x.json",
    Pattern(
        head=b"[0", record=lambda i: b',\n{"id": %9d, "t": "%b"}' % (i, TEXT), count=9999, tail=b"]"
    ),
)


def csv_rows(store: LazyStore, meter: ScanMeter, **asked: Any) -> LoadResult:
    """Read as many rows as may be asked for."""
    source = ObjectReader.open_head(store, store.ref, meter)
    return CsvLoader().load(source, CsvRequest(max_rows=MOST, page_size=SIZE, **asked))


def test_long_rows_that_have_no_room_are_not_fetched() -> None:
    """Of ten thousand rows of 5 KB, 50 MB, a page shows 31."""
    meter = ScanMeter()
    page = csv_rows(CSV, meter)
    assert page.full
    assert 31 < page.table.num_rows < 40
    assert meter.requests == 2
    assert meter.bytes_read < 300_000


def test_long_rows_behind_a_cursor() -> None:
    """A page far from the head takes a megabyte at most, however many rows are asked for."""
    place = {"at": 12 + 5_022 * 9_990, "row": 9_990}
    position = {**csv_rows(CSV, ScanMeter()).resume(30), **place}
    meter = ScanMeter()
    page = csv_rows(CSV, meter, position=position)
    assert page.table.column("id")[0].as_py() == "000009990"
    assert meter.requests <= 3
    assert meter.bytes_read < 1_300_000


def test_long_rows_behind_an_offset() -> None:
    """What is skipped is read, and a page's megabyte."""
    meter = ScanMeter()
    assert csv_rows(CSV, meter, offset=1_000).full
    assert meter.bytes_read < 1_000 * 5_022 * 1.1 + (2 << 20)


@pytest.mark.parametrize("store", [LINES, ARRAY], ids=["lines", "array"])
def test_long_records_that_have_no_room_are_not_fetched(store: LazyStore) -> None:
    """Of ten thousand records of 5 KB a page shows 31, which the first request has."""
    meter = ScanMeter()
    source = ObjectReader.open_head(store, store.ref, meter, length=FIRST_BYTES)
    page = JsonLoader().read(source, JsonRequest(max_records=MOST, page_size=SIZE))
    assert 31 < len(page.records) < 40
    assert page.total_records is None
    assert (meter.requests, meter.bytes_read) == (1, FIRST_BYTES)


def cell(chance: random.Random, kind: int) -> str:
    """Return a cell of one of some kinds, whose JSON may be shorter than it is, or longer."""
    number = chance.randrange(10**6)
    return (
        f"{number / 1000:.6f}",
        f"{number}",
        ("", "NULL", "N/A", f"{number}.50")[number % 4 if chance.random() < 0.5 else 3],
        "long " * (number % 900),
        f"2026-01-0{1 + number % 9}",
        '"a ""b"" é\n"',
        f"{number}00000",
    )[kind]


def delimited(seed: int) -> bytes:
    """Return text of some columns, with many or few of them."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    width = chance.choice([1, 2, 5, 40, 1_200])
    # The head of a wide one is a row or two, and what it has no value of may get any type.
    kinds = [chance.choice([0, 1, 4, 6] if width > WIDE else range(7)) for _ in range(width)]
    rows = [[f"column {i}" for i in range(len(kinds))]]
    rows += [[cell(chance, kind) for kind in kinds] for _ in range(20_000 // (width + 10))]
    return "".join(",".join(row) + "\n" for row in rows if any(row)).encode()


def listed(seed: int) -> bytes:
    """Return JSON Lines of some shapes."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    width = chance.choice([1, 5, 60])
    return b"".join(
        json.dumps({f"k{i}": cell(chance, chance.randrange(7)) for i in range(width)}).encode()
        + b" " * (seed % 40)
        + b"\n"
        for _ in range(20_000 // (width + 10))
    )


def opened(key: str, body: bytes) -> ObjectReader:
    """Return a reader of an object."""
    store = MemoryStore()
    return ObjectReader.open_head(store, store.put("lake", key, body), ScanMeter())


def filled(
    fill: Callable[..., dict[str, Any]],
    values: Any,
    most: int,
    loaded: Any,
    rest: Mapping[str, object],
) -> dict[str, Any]:
    """Return the answer of a job, but for what it cost."""
    source = {"uri": "s3://lake/k", "etag": "", "version_id": "", "size_bytes": 1}
    envelope = {"source": source, "notices": loaded.notices, "offset": 0, **rest}
    return fill(values, most, envelope, SETTINGS, lambda n: f"cursor {n:06d}", loaded.told)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("most", [2, MOST])
def test_a_page_of_rows_is_the_same(seed: int, most: int) -> None:
    """Rows, columns and cursor are those of a reading that knows no size."""
    body = delimited(seed)
    pages = []
    for size in (SIZE, None):
        loaded = CsvLoader().load(opened("k.csv", body), CsvRequest(max_rows=most, page_size=size))
        asked = loaded.table.num_rows - 1 if loaded.full else most
        pages.append(filled(table_page, loaded.table, asked, loaded, {"format": "csv"}))
    for page in pages:
        page.pop("notices")
    assert pages[0] == pages[1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [2, MOST])
def test_a_page_of_records_is_the_same(seed: int, most: int) -> None:
    """Records and cursor are those of a reading that knows no size."""
    body = listed(seed)
    pages = []
    request = JsonRequest(max_records=most)
    for size in (SIZE, None):
        loaded = JsonLoader().read(opened("k.jsonl", body), replace(request, page_size=size))
        rest: dict[str, object] = {"keys": [], "data": None, "truncated": False}
        pages.append(filled(record_page, loaded.records, most, loaded, rest))
    for page in pages:
        page.pop("notices")
    assert pages[0] == pages[1]


def test_one_column_is_shown_however_long_its_name() -> None:
    """A page has a column, if there is one."""
    size = PageSize(max_bytes=100, max_cell_chars=10)
    specs = [{"name": "x" * 500, "type": "string", "nullable": True}] * 2
    assert size.columns_that_fit(specs) == 1
    assert size.columns_that_fit([]) == 0
