"""What a query is sure to read is asked for at once; what it may not read is not asked for."""

import random
import threading

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import prefetch, running
from s3_data_lake_mcp.engines.opening import HEAD_BYTES
from s3_data_lake_mcp.errors import UnknownColumnError
from s3_data_lake_mcp.jobs.registry import run
from s3_data_lake_mcp.jobs.workplace import Workplace
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter, readahead
from s3_data_lake_mcp.storage.readahead import (
    BLOCK_BYTES,
    BUFFER_BYTES,
    HELD_BYTES,
    ReadAhead,
)
from support.engine import Desk
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes
from support.summaries import Summaries

ROW = b"7," + b"x" * 98 + b"\n"
LONG = b"n,text\n" + ROW * 1_300_000
SUM = "SELECT sum(n) AS n FROM data"
LINE = b'{"n": 7, "text": "' + b"x" * 82 + b'"}\n'


class Noting(MemoryStore):
    """A store that notes the ranges that it is asked for, in their order, and by which threads."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[tuple[int, int]] = []
        self.threads: set[str] = set()
        self.asked = threading.Semaphore(0)
        self._lock = threading.Lock()

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Note a range, and return it."""
        with self._lock:
            self.ranges.append((start, stop))
            self.threads.add(threading.current_thread().name.partition("_")[0])
        self.asked.release()
        return super().get_range(info, start, stop, meter)


def desk_with(key: str, body: bytes, cache_bytes: str = "8MB") -> tuple[Desk, Noting]:
    """Return an engine over one object, and its store."""
    store = Noting()
    settings = Settings(_env_file=None, cache_bytes=cache_bytes)  # type: ignore[call-arg, arg-type] # pydantic-settings' own keyword; a size as text
    desk = Desk(store=store, settings=settings)
    desk.put(key, body)
    return desk, store


def wide(rows: int) -> bytes:
    """Return a Parquet object of 3 row groups with three columns that do not compress."""
    numbers = [(i * 2_654_435_761) % (1 << 61) for i in range(rows)]
    table = pa.table({"a": numbers, "b": numbers[::-1], "c": [n ^ 0x5555 for n in numbers]})
    return stored(table)


def stored(table: pa.Table, groups: int = 3) -> bytes:
    """Return a table as a Parquet object of some row groups, as long as its numbers."""
    rows = table.num_rows // groups
    return parquet_bytes(table, compression="none", use_dictionary=False, row_group_size=rows)


@pytest.mark.parametrize(
    ("sql", "max_rows"),
    [
        ("SELECT * FROM data LIMIT 10", 100),
        ("SELECT a, b::VARCHAR AS b, 1 AS d FROM data LIMIT 3", 100),
        ("SELECT * FROM data", 20),
        ("", 20),
    ],
)
def test_no_row_groups_are_read_ahead_of_the_first_few_rows(sql: str, max_rows: int) -> None:
    """Of an object of many row groups, the first tells them all; the next query reads all again."""
    numbers = [n * 2_654_435_761 % (1 << 61) for n in range(600_000)]
    body = stored(pa.table({"a": numbers, "b": numbers[::-1], "c": numbers}), groups=12)
    desk, store = desk_with("t.parquet", body)
    found = desk.rows("t.parquet", sql, max_rows=max_rows)
    assert [row["a"] for row in found] == numbers[: len(found)]
    assert sum(stop - start for start, stop in store.ranges) <= len(body) // 6
    assert desk.value("t.parquet", "SELECT count(*) FROM (FROM data LIMIT 5)") == 5


@pytest.mark.parametrize(
    ("sql", "is_brief"),
    [
        ("SELECT * FROM data LIMIT 10", True),
        ("FROM data LIMIT 10", True),
        ("SELECT * FROM data", True),
        ("SELECT * FROM data WHERE n = 7 LIMIT 10", False),
        ("SELECT * REPLACE (n + 1 AS n) FROM data LIMIT 10", False),
        ("SELECT count(*) AS n FROM data LIMIT 10", False),
    ],
)
def test_the_first_rows_of_long_text_are_read_as_its_first_page_is(
    sql: str, *, is_brief: bool
) -> None:
    """The engine itself would take 32 MiB of it before the first row."""
    desk, _ = desk_with("a.csv", LONG[: 8 << 20])
    found = desk.run("a.csv", sql, max_rows=10)
    assert (desk.meter.bytes_read <= HEAD_BYTES) == is_brief
    if is_brief:
        assert found.table.slice(0, 10) == desk.run("a.csv", max_rows=10).table.slice(0, 10)


def test_first_rows_have_the_types_of_all_rows() -> None:
    """A column without a value in the beginning has the type of its later values, as before."""
    blank = LONG[:7] + ROW.replace(b"7,", b",") * 80_000 + LONG[7 : 1 << 20]
    desk, _ = desk_with("a.csv", blank)
    limited = desk.run("a.csv", "SELECT * FROM data LIMIT 10").table
    assert limited.schema == desk.run("a.csv", "SELECT * FROM data WHERE n = 7").table.schema


def test_each_byte_of_a_small_parquet_object_is_fetched_once() -> None:
    """Looking at its columns costs the footer alone, and running the query the rest."""
    body = wide(100_000)
    desk, store = desk_with("small.parquet", body)
    assert desk.rows("small.parquet", "SELECT count(a) + count(c) AS n FROM data") == [
        {"n": 200_000}
    ]
    assert desk.meter.bytes_read <= len(body)
    assert len(store.ranges) <= 4


def test_of_a_small_parquet_object_no_more_is_fetched_than_a_few_parts() -> None:
    """One of three columns is fetched by its chunks, and the object is not."""
    body = wide(100_000)
    desk, store = desk_with("small.parquet", body)
    desk.rows("small.parquet", "SELECT sum(b % 7) AS b FROM data")
    assert sum(stop - start for start, stop in store.ranges) < len(body) * 0.4
    assert len(store.ranges) <= 3


def test_column_chunks_are_asked_for_before_the_engine_comes_to_them() -> None:
    """What the plan shows is on its way at once, and the engine's threads find all of it there."""
    body = wide(600_000)
    desk, store = desk_with("long.parquet", body)
    desk.rows("long.parquet", "SELECT sum(a % 7) AS a FROM data")
    assert sum(stop - start for start, stop in store.ranges) < len(body) * 0.35
    assert store.threads == {"s3-ahead"}


def test_a_few_row_groups_here_and_there_are_asked_for_at_once() -> None:
    """Those that statistics leave, of few bytes: one behind the other, each is a round trip."""
    numbers = list(range(600_000))
    body = stored(pa.table({"a": numbers, "b": numbers[::-1], "c": numbers}), groups=30)
    desk, store = desk_with("long.parquet", body)
    found = desk.rows("long.parquet", "SELECT a FROM data WHERE a IN (5, 99999, 300000, 550000)")
    assert sorted(row["a"] for row in found) == [5, 99_999, 300_000, 550_000]
    assert store.threads == {"s3-ahead"}
    assert len(store.ranges) == 4
    assert sum(stop - start for start, stop in store.ranges) < len(body) * 0.06


def test_column_chunks_that_the_engine_has_are_not_fetched_again() -> None:
    """A query in other words costs the question whether the object is still the same."""
    desk, store = desk_with("small.parquet", wide(100_000), "64MB")
    for sql in ("SELECT a, c FROM data WHERE a = 0", "SELECT sum(a) + sum(b) AS n FROM data"):
        desk.rows("small.parquet", sql)
    store.ranges.clear()
    assert desk.rows("small.parquet", "SELECT b FROM data WHERE a = 2654435761")
    desk.rows("small.parquet", "SELECT max(a) AS a FROM data")
    assert store.ranges == []


@pytest.mark.parametrize(("condition", "share"), [("", 0.7), ("WHERE c = 796330728300001", 0.55)])
def test_of_more_than_may_be_held_what_a_filter_may_spare_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, condition: str, share: float
) -> None:
    """Once the engine has found nothing in some row groups, it reads one column of the others."""
    for module in (prefetch, readahead):
        monkeypatch.setattr(module, "HELD_BYTES", 8 << 20)
    numbers = [i * 2_654_435_761 % (1 << 62) // 4 * 4 for i in range(600_000)]
    random.Random(5).shuffle(numbers)  # noqa: S311 - test data
    table = pa.table({"a": numbers, "b": numbers, "c": numbers[::-1]})
    body = stored(table, groups=30)
    desk, store = desk_with("long.parquet", body)
    desk.rows("long.parquet", f"SELECT sum(a % 7) + sum(c % 7) AS n FROM data {condition}")
    assert sum(stop - start for start, stop in store.ranges) < len(body) * share
    assert len(store.ranges) == len(set(store.ranges))


def test_the_count_of_a_parquet_object_costs_its_footer() -> None:
    """What the footer tells is not looked up in the data."""
    desk, store = desk_with("small.parquet", wide(100_000))
    assert desk.rows("small.parquet", "SELECT count(*) AS n FROM data") == [{"n": 100_000}]
    assert store.ranges == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(n) AS n FROM (SELECT * FROM data LIMIT 10)",
        "SELECT n FROM data LIMIT 10",
        "SELECT n FROM data WHERE n = 7 LIMIT 1",
    ],
)
def test_who_wants_a_few_rows_reads_what_the_engine_needs(sql: str) -> None:
    """Two threads take a buffer each before a row is parsed; about one more is on its way."""
    desk, store = desk_with("long.csv", LONG)
    desk.rows("long.csv", sql)
    assert max(stop for _, stop in store.ranges) <= 3.5 * BUFFER_BYTES


@pytest.mark.parametrize(("eager", "length"), [(False, BUFFER_BYTES), (True, HELD_BYTES)])
def test_a_long_text_is_read_ahead_as_far_as_it_is_needed(*, eager: bool, length: int) -> None:
    """The first read asks for all that the engine needs, or for all that may be held."""
    asked: list[int] = []
    done = threading.Semaphore(0)

    def fetch(_start: int, stop: int) -> bytes:
        asked.append(stop)
        done.release()
        return bytes(BLOCK_BYTES)

    ReadAhead(fetch, 1 << 30, eager=eager).read(0, 100)
    for _ in range(length // BLOCK_BYTES):
        assert done.acquire(timeout=10)
    assert max(asked) == length


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(n) AS n FROM data",
        "SELECT text, count(*) AS n FROM data GROUP BY ALL ORDER BY n LIMIT 1",
    ],
)
def test_who_aggregates_reads_all_once(sql: str) -> None:
    """Each byte is asked for once, from the beginning as fast as memory allows."""
    desk, _ = desk_with("long.csv", LONG)
    desk.rows("long.csv", sql)
    assert desk.meter.bytes_read == len(LONG)


SHORT = {
    "short.csv": b"n,text\n" + ROW * 30_000,
    "longer.csv": b"n,text\n" + ROW * 150_000,
    "short.jsonl": LINE * 30_000,
    "longer.jsonl": LINE * 150_000,
}


@pytest.mark.parametrize("key", ["short.csv", "longer.csv"])
def test_a_short_text_is_on_its_way_before_the_query_is_planned(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Planning and fetching take as long as the longer of them; each byte comes once."""
    desk, store = desk_with(key, SHORT[key])
    begun: list[bool] = []
    monkeypatch.setattr(
        running, "prefetch", lambda *_: begun.append(store.asked.acquire(timeout=9))
    )
    assert desk.value(key, SUM) == 7 * SHORT[key].count(ROW)
    assert begun == [True]
    assert desk.meter.bytes_read == len(SHORT[key])


@pytest.mark.parametrize("key", SHORT)
def test_a_short_text_that_the_engine_has_is_not_fetched_again(key: str) -> None:
    """A query in other words costs the question whether the text is still the same."""
    desk, store = desk_with(key, SHORT[key], "64MB")
    desk.value(key, SUM)
    store.ranges.clear()
    desk.value(key, f"{SUM} WHERE n > 0")
    assert store.ranges == []
    assert desk.meter.requests == 1


def test_short_texts_that_were_profiled_are_not_fetched_for_a_query() -> None:
    """What the engine has read for another tool is there for a query, too."""
    desk, store = desk_with("short.csv", SHORT["short.csv"], "64MB")
    summaries = Summaries(store=store)
    desk.engine = summaries.engine
    assert summaries.of("short.csv", "exact")["profile"]["rows_basis"] == "exact"
    store.ranges.clear()
    assert desk.value("short.csv", "SELECT count(*) AS n FROM data") == 30_000
    assert store.ranges == []


@pytest.mark.parametrize(
    ("sql", "options"),
    [("DESCRIBE data", {}), ("EXPLAIN SELECT n FROM data", {}), (SUM, {"dry_run": True})],
)
def test_who_reads_no_row_fetches_none(sql: str, options: dict[str, bool]) -> None:
    """What a query costs and what it would return is told by the head."""
    desk, store = desk_with("short.csv", SHORT["short.csv"])
    desk.run("short.csv", sql, **options)
    assert store.ranges == []


def test_what_the_sql_reads_by_itself_is_fetched_once() -> None:
    """A reader in the SQL has its own way to the bytes."""
    desk, _ = desk_with("short.csv", SHORT["short.csv"])
    assert desk.value("", "SELECT count(*) AS n FROM read_csv('s3://lake/short.csv')") == 30_000
    assert desk.meter.bytes_read <= len(SHORT["short.csv"])


def test_a_wrong_name_in_a_query_of_a_long_text_costs_its_head() -> None:
    """The call that would work is tried by planning it; running it is for who asked."""
    desk, store = desk_with("long.csv", LONG)
    place = Workplace(settings=desk.settings, store=store, engine=desk.engine)
    asked = {"bucket": "lake", "key": "long.csv", "sql": "SELECT sum(nn) AS n FROM data"}
    given = {"max_rows": 10, "columns": [], "dry_run": False, "filter_column": ""}
    page = {"tool": "query_csv_data", "arguments": {}, "identity": {}, "position": {}}
    with pytest.raises(UnknownColumnError) as caught:
        run("query", place, {**asked, **given, "paging": page}, ScanMeter(), lambda *_: None)
    assert caught.value.repair == {"sql": SUM}
    assert store.ranges == []


def test_a_wrong_name_far_behind_the_beginning_of_a_long_text_costs_its_head() -> None:
    """Rows that are passed over say nothing of a name."""
    desk, store = desk_with("long.csv", LONG)
    place = Workplace(settings=desk.settings, store=store, engine=desk.engine)
    asked = {"bucket": "lake", "key": "long.csv", "columns": ["nn"], "offset": 1_000_000}
    given = {"max_rows": 10, "delimiter": "", "encoding": "", "has_header": "auto"}
    page = {"tool": "read_csv_from_s3", "arguments": {}, "identity": {}, "position": {}}
    with pytest.raises(UnknownColumnError) as caught:
        run("read_csv", place, {**asked, **given, "paging": page}, ScanMeter(), lambda *_: None)
    assert caught.value.repair == {"columns": ["n"]}
    assert store.ranges == []
