"""The promises of `Engine`: what a query answers, costs and refuses, on every store."""

import gzip
import json
import random
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    LimitExceededError,
    MalformedDataError,
    NotAllowedError,
    NotFoundError,
    NotReadOnlyError,
    ObjectChangedError,
    SqlError,
    UnknownColumnError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter
from support.engine import Desk
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes
from support.stores import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = "id,name,born,zip\n1,Anna,1990-01-05,01234\n2,Bob,,99999\n3,Cem,1985-03-01,00001\n"
ORDERS = '{"id":1,"total":5.5}\n{"id":1,"total":4.5}\n{"id":3,"total":1}\n'
HOURS = "range(100000000000000) t(a)"


@pytest.fixture
def desk() -> Desk:
    """Return an engine over a store with a few objects."""
    made = Desk()
    made.put("people.csv", PEOPLE)
    made.put("orders.jsonl", ORDERS)
    made.put("sizes.parquet", parquet_bytes(pa.table({"id": [1, 2, 3], "size": ["S", "M", "L"]})))
    return made


def long_csv(rows: int = 300_000, value: int = 1) -> bytes:
    """Return a CSV that is longer than what is fetched whole."""
    return b"n,text\n" + f"{value},{'x' * 40}\n".encode() * rows


def test_a_query_answers_on_every_store(shelf: Shelf) -> None:
    """The same query gives the same rows in memory and over S3's API."""
    shelf.put("people.csv", PEOPLE.encode())
    shelf.put("orders.jsonl", ORDERS.encode())
    desk = Desk(store=shelf.store, bucket=shelf.bucket)
    sql = (
        "SELECT name, sum(total) AS total FROM data "
        f"JOIN 's3://{shelf.bucket}/orders.jsonl' USING (id) GROUP BY ALL ORDER BY name"
    )
    assert desk.rows("people.csv", sql) == [
        {"name": "Anna", "total": 10.0},
        {"name": "Cem", "total": 1.0},
    ]


def test_a_prefix_is_one_table_on_every_store(shelf: Shelf) -> None:
    """A prefix and a glob are the union of their objects, partitions are columns."""
    for day in (1, 2, 3):
        body = parquet_bytes(pa.table({"n": [day, day]}))
        shelf.put(f"t/day=2026-01-0{day}/part-0.parquet", body)
    shelf.put("t/_SUCCESS", b"")
    desk = Desk(store=shelf.store, bucket=shelf.bucket)
    sql = "SELECT sum(n) AS n FROM data WHERE day > DATE '2026-01-01'"
    assert desk.value("t/", sql) == 10
    assert desk.value("t/*/*.parquet", sql) == 10


def test_data_is_a_table_of_any_format(desk: Desk) -> None:
    """Objects of three formats join in one statement."""
    sql = """
        SELECT name, size, sum(total) AS total FROM data
        JOIN 's3://lake/sizes.parquet' USING (id) LEFT JOIN 's3a://lake/orders.jsonl' o USING (id)
        GROUP BY ALL ORDER BY name
    """
    result = desk.run("people.csv", sql)
    assert result.table.to_pydict() == {
        "name": ["Anna", "Bob", "Cem"],
        "size": ["S", "M", "L"],
        "total": [10.0, None, 1.0],
    }
    assert [info.ref.key for info in result.sources] == [
        "people.csv",
        "sizes.parquet",
        "orders.jsonl",
    ]
    assert (result.sources_total, result.format) == (3, "csv")


def test_first_rows_are_the_answer_to_nothing(desk: Desk) -> None:
    """Without SQL and filter the rows come as they are, and their number is told."""
    result = desk.run("people.csv", max_rows=2)
    assert result.table.num_rows == 3
    assert result.sql == "SELECT * FROM data"
    assert result.table.schema.field("zip").type == pa.string()
    assert desk.run("people.csv", max_rows=3).total_rows == 3
    assert desk.run("sizes.parquet", max_rows=1).total_rows == 3


def test_pages_follow_each_other(desk: Desk) -> None:
    """Page after page, every row comes once and in the object's order."""
    desk.put("n.csv", "n\n" + "".join(f"{n}\n" for n in range(10_000)))
    seen: list[Any] = []
    identity = ""
    while len(seen) < 10_000:
        page = desk.run("n.csv", offset=len(seen), max_rows=999, identity=identity)
        identity = page.identity
        seen += page.table.column("n").to_pylist()[:999]
    assert seen == list(range(10_000))


def test_a_page_of_other_versions_is_refused(desk: Desk) -> None:
    """A cursor of a version that is gone is an error, never rows of another one."""
    identity = desk.run("people.csv", max_rows=1).identity
    desk.put("people.csv", PEOPLE.replace("Anna", "Anne"))
    with pytest.raises(ObjectChangedError):
        desk.run("people.csv", offset=1, max_rows=1, identity=identity)


@pytest.mark.parametrize("key", ["people.csv", "orders.jsonl", "sizes.parquet"])
def test_the_second_query_asks_only_for_the_version(desk: Desk, key: str) -> None:
    """What was read once is not read again while the ETag is the same."""
    first = desk.rows(key)
    assert desk.rows(key) == first
    assert (desk.meter.requests, desk.meter.bytes_read) == (1, 0)


def test_a_long_object_is_read_once(desk: Desk) -> None:
    """A scan costs about the object's bytes, and another one no more than its version."""
    body = long_csv()
    desk.put("long.csv", body)
    assert desk.value("long.csv", "SELECT sum(n) FROM data") == 300_000
    assert desk.meter.bytes_read == len(body)
    assert desk.value("long.csv", "SELECT count(text) FROM data") == 300_000
    assert (desk.meter.requests, desk.meter.bytes_read) == (1, 0)


def test_compressed_objects_are_not_fetched_again(desk: Desk) -> None:
    """What the engine cannot cache is cached for it."""
    noise = random.Random(5)  # noqa: S311 - not a secret
    rows = "".join(f"{noise.random()}\n" for _ in range(200_000))
    desk.put("noise.csv.gz", gzip.compress(f"n\n{rows}".encode()))
    sql = "SELECT count(n) FROM data"
    assert desk.value("noise.csv.gz", sql) == 200_000
    assert desk.value("noise.csv.gz", sql) == 200_000
    assert (desk.meter.requests, desk.meter.bytes_read) == (1, 0)


def test_a_cache_on_disk_serves_what_is_too_long_for_memory(tmp_path: Path) -> None:
    """Where a folder is configured, another worker finds there what one has read."""
    store = MemoryStore()
    settings = Settings(_env_file=None, cache_dir=str(tmp_path / "c"), cache_bytes="8MB")  # type: ignore[call-arg, arg-type] # pydantic-settings' own keyword; a size as text
    one, other = Desk(store=store, settings=settings), Desk(store=store, settings=settings)
    body = long_csv()
    one.put("long.csv", body)
    assert one.value("long.csv", "SELECT sum(n) FROM data") == 300_000
    assert other.value("long.csv", "SELECT sum(n) FROM data") == 300_000
    assert other.meter.bytes_read <= 2 << 20
    one.put("long.csv", long_csv(value=2))
    assert other.value("long.csv", "SELECT sum(n) FROM data") == 600_000


def test_a_cache_on_disk_serves_long_compressed_objects(tmp_path: Path) -> None:
    """What is decoded on the way is copied as it is; small objects are not worth a file."""
    store = MemoryStore()
    folder = tmp_path / "c"
    settings = Settings(_env_file=None, cache_dir=str(folder), cache_bytes="8MB")  # type: ignore[call-arg, arg-type] # pydantic-settings' own keyword; a size as text
    one, other = Desk(store=store, settings=settings), Desk(store=store, settings=settings)
    noise = secrets.token_bytes(9_000_000).hex()
    lines = "".join(f"1,{noise[at : at + 1000]}\n" for at in range(0, len(noise), 1000))
    one.put("small.csv.gz", gzip.compress(b"n,text\n1,x\n"))
    one.put("long.csv.gz", gzip.compress(f"n,text\n{lines}".encode(), 1))
    assert one.value("small.csv.gz", "SELECT sum(n) FROM data") == 1
    assert list(folder.glob("??/*")) == []
    assert one.value("long.csv.gz", "SELECT sum(n) FROM data") == 18_000
    assert other.value("long.csv.gz", "SELECT sum(n) FROM data") == 18_000
    assert other.meter.bytes_read <= 2 << 20


@pytest.mark.parametrize("rows", [10, 300_000])
def test_the_next_query_sees_the_next_version(desk: Desk, rows: int) -> None:
    """An object that was overwritten within the same second is never served from a cache."""
    for value in (1, 2, 3):
        desk.put("v.csv", long_csv(rows, value))
        assert desk.value("v.csv", "SELECT sum(n) FROM data") == rows * value
    for value in (1, 2, 3):
        desk.put("v.parquet", parquet_bytes(pa.table({"n": [value] * rows})))
        assert desk.value("v.parquet", "SELECT sum(n) FROM data") == rows * value


class Overwriting(MemoryStore):
    """Runs an action before its n-th range is handed out."""

    def __init__(self) -> None:
        super().__init__()
        self.after = -1
        self.action: Callable[[], object] = lambda: None

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return a range, after the action if it is time."""
        self.after -= 1
        if self.after == 0:
            self.action()
        return super().get_range(info, start, stop, meter)


@pytest.mark.parametrize("after", [1, 4, 8])
def test_an_object_that_changes_meanwhile_is_an_error(after: int) -> None:
    """An answer is of one version: a change under way is told, and never mixed in."""
    store = Overwriting()
    desk = Desk(store=store)
    desk.put("v.csv", long_csv(400_000, 1))
    store.after = after
    store.action = lambda: store.put("lake", "v.csv", long_csv(400_000, 2))
    with pytest.raises(ObjectChangedError):
        desk.run("v.csv", "SELECT sum(n) FROM data")
    assert desk.value("v.csv", "SELECT sum(n) FROM data") == 800_000


def test_a_deleted_object_is_an_error() -> None:
    """An object that vanishes under way ends the query with the store's own error."""
    store = Overwriting()
    desk = Desk(store=store)
    desk.put("v.csv", long_csv(400_000))
    store.after = 3
    store.action = lambda: store._objects.pop(("lake", "v.csv"))
    with pytest.raises(NotFoundError):
        desk.run("v.csv", "SELECT sum(n) FROM data")


def test_the_scan_budget_stops_a_query(desk: Desk) -> None:
    """No query reads more than it may, and the error names the budget."""
    desk.put("long.csv", long_csv())
    meter = ScanMeter(max_bytes=5_000_000)
    with pytest.raises(LimitExceededError, match="5,000,000"):
        desk.run("long.csv", "SELECT sum(n) FROM data", meter=meter)
    assert meter.bytes_read < 60_000_000


@pytest.mark.parametrize("key", ["big.csv", "big.jsonl", "big.json"])
def test_a_small_budget_is_enough_for_the_first_rows_and_a_plan(key: str) -> None:
    """What is read of the beginning, before it is known what a query needs, is within it."""
    desk = Desk()
    records = [{"id": i, "note": f"some words, {i * 7919 % 9973}"} for i in range(90_000)]
    texts = {
        "big.csv": "id,note\n" + "".join(f'{r["id"]},"{r["note"]}"\n' for r in records),
        "big.jsonl": "".join(json.dumps(record) + "\n" for record in records),
        "big.json": json.dumps(records),
    }
    desk.put(key, texts[key])
    budget = 600_000
    assert len(texts[key]) > 2 * budget
    planned = desk.run(key, "SELECT sum(id) FROM data", dry_run=True, meter=_within(budget))
    assert planned.plan is not None
    assert planned.plan["bytes_estimated"] == len(texts[key])
    first = desk.run(key, max_rows=3, meter=_within(budget)).table
    assert first["id"].to_pylist()[:3] == [0, 1, 2]
    with pytest.raises(LimitExceededError):
        desk.run(key, "SELECT sum(id) FROM data", meter=_within(budget))


def _within(budget: int) -> ScanMeter:
    return ScanMeter(max_bytes=budget)


def test_the_deadline_stops_a_query(desk: Desk) -> None:
    """A query that computes for hours is interrupted soon after its deadline."""
    meter = ScanMeter(timeout_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        desk.run("people.csv", f"SELECT count(*) FROM {HOURS}", meter=meter)
    assert time.monotonic() - began < 20
    assert desk.value("people.csv", "SELECT count(*) FROM data") == 3


def test_a_cancelled_query_stops(desk: Desk) -> None:
    """A caller that goes away stops the query."""
    meter = ScanMeter(timeout_seconds=30)
    threading.Timer(0.4, meter.cancel).start()
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        desk.run("people.csv", f"SELECT count(*) FROM {HOURS}", meter=meter)
    assert time.monotonic() - began < 20


def test_too_much_memory_is_refused() -> None:
    """A query over its memory ends with an error, and the next one runs."""
    settings = Settings(_env_file=None, memory_limit="300MB")  # type: ignore[call-arg, arg-type] # pydantic-settings' own keyword; a size as text
    desk = Desk(settings=settings)
    desk.put("people.csv", PEOPLE)
    with pytest.raises(LimitExceededError):
        desk.run("people.csv", "SELECT list(a ORDER BY a DESC) FROM range(60000000) t(a)")
    assert desk.value("people.csv", "SELECT count(*) FROM data") == 3


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("DELETE FROM data", NotReadOnlyError),
        ("SELECT * FROM read_text('/etc/hostname')", NotAllowedError),
        ("SELECT * FROM 's3://other/secret.csv'", NotFoundError),
        ("SELEC 1", SqlError),
        ("SELECT nam FROM data", UnknownColumnError),
        ("SELECT name + 1 FROM data WHERE name > 5", SqlError),
    ],
)
def test_what_is_wrong_has_its_code(desk: Desk, sql: str, error: type[Exception]) -> None:
    """Each kind of mistake is an error of its own."""
    with pytest.raises(error):
        desk.run("people.csv", sql)


def test_a_misspelt_column_comes_with_the_query_that_works(desk: Desk) -> None:
    """The error of a wrong column holds the repaired SQL, predicate or column."""
    with pytest.raises(UnknownColumnError) as caught:
        desk.run("people.csv", "SELECT nme FROM data")
    assert caught.value.repair == {"sql": "SELECT name FROM data"}
    with pytest.raises(UnknownColumnError) as caught:
        desk.run("sizes.parquet", where="sze = 'S'", format="parquet")
    assert caught.value.repair == {"where": "size = 'S'"}


@pytest.mark.parametrize("where", ["sum(id) > 1", "row_number() OVER (ORDER BY id) = 1"])
def test_a_predicate_is_told_no_other_clause(desk: Desk, where: str) -> None:
    """What HAVING and QUALIFY are for needs a whole query."""
    with pytest.raises(SqlError) as caught:
        desk.run("sizes.parquet", where=where, format="parquet")
    assert "query_csv_data takes whole queries" in caught.value.hint
    assert caught.value.repair is None


def test_a_predicate_reads_what_it_needs(desk: Desk) -> None:
    """`where` filters and counts, whatever comments stand in it."""
    result = desk.run("sizes.parquet", where="id > 1 -- more", columns=("size",), format="parquet")
    assert result.table.to_pydict() == {"size": ["M", "L"]}
    assert result.total_rows == 2
    parquet = result.details["parquet"]
    assert isinstance(parquet, dict)
    assert parquet["num_rows"] == 3


@pytest.mark.parametrize("key", ["people.csv", "orders.jsonl"])
def test_a_parquet_read_takes_parquet_only(desk: Desk, key: str) -> None:
    """A predicate of the Parquet tool on another format is refused with the tool that takes it."""
    with pytest.raises(UnsupportedFormatError) as caught:
        desk.run(key, where="id > 1", format="parquet")
    assert caught.value.repair_tool == "query_csv_data"


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("a.parquet", b"PAR1 and nothing more"),
        ("b.parquet", parquet_bytes(pa.table({"a": [1] * 1000}))[:-6]),
        ("c.json", b'[{"a": 1}, {"a":'),
        ("d.csv", b'a,b\n1,"x\n'),
        ("e.csv", b""),
    ],
)
def test_damaged_data_is_named(desk: Desk, key: str, body: bytes) -> None:
    """Data that cannot be read is `malformed_data`, and the message begins with its name."""
    desk.put(key, body)
    with pytest.raises(MalformedDataError, match=f"^s3://lake/{key}"):
        desk.run(key)


def test_progress_is_told() -> None:
    """A long scan tells the bytes that it has read and those that it has to read."""
    store = Overwriting()
    desk = Desk(store=store)
    desk.put("long.csv", long_csv())
    store.after, store.action = 3, lambda: time.sleep(0.6)
    told: list[tuple[int, int]] = []
    engine = DuckDbEngine(store, desk.settings)
    query = Query(bucket="lake", key="long.csv", sql="SELECT sum(n) FROM data", max_rows=10)
    engine.run(query, ScanMeter(), lambda done, total: told.append((done, total)))
    assert told
    assert all(0 <= done <= total == len(long_csv()) for done, total in told)


def test_an_open_table_answers_trusted_sql(desk: Desk) -> None:
    """Profiles ask the table `data` as often as they like."""
    with desk.engine.open_table("lake", "people.csv", ScanMeter()) as table:
        assert table.schema.names == ["id", "name", "born", "zip"]
        assert [info.ref.key for info in table.sources] == ["people.csv"]
        counted = table.execute("SELECT count(*) AS n FROM data WHERE id > ?", [1])
        assert counted.to_pydict() == {"n": [2]}
        assert table.execute("SELECT max(born) AS b FROM data").num_rows == 1
