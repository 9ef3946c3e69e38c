"""Objects without a byte among those of a prefix: markers, and parts that were never written."""

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.profiling.datasets import DatasetGrouper
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.keys import glob_prefix
from support.memory import MemoryStore

_PACKED_END = gzip.compress(b"\n", mtime=0)


def _part() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"v": [1]}), sink)
    return sink.getvalue()


def test_an_empty_part_is_left_out_by_name_and_a_marker_is_not_told(settings: Settings) -> None:
    """A part without a byte may be a write that failed."""
    store = MemoryStore()
    for key in ("a/_SUCCESS", "a/", "a/part-1.parquet", "a/.part-2.parquet"):
        store.put("lake", key, b"")
    store.put("lake", "a/part-0.parquet", _part())
    query = Query(bucket="lake", key="a/", max_rows=9, sql="SELECT * FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter(), lambda _d, _t: None)
    assert result.table.to_pylist() == [{"v": 1}]
    [notice] = result.notices
    assert notice == "1 object is empty and left out: a/part-1.parquet."


def test_an_answer_that_is_remembered_tells_what_is_left_out_now(settings: Settings) -> None:
    """The rows are of the same versions, but there are more objects than there were."""
    store = MemoryStore()
    store.put("lake", "a/1.csv", b"x\n1\n")
    engine = DuckDbEngine(store, settings)
    query = Query(bucket="lake", key="a/", max_rows=9, sql="SELECT sum(x) AS s FROM data")
    assert engine.run(query, ScanMeter()).notices == []
    store.put("lake", "a/2.csv", b"")
    store.put("lake", "a/3.json", b"{}")
    left_out, empty = engine.run(query, ScanMeter()).notices
    assert left_out.endswith("1 other was left out: a/3.json.")
    assert empty == "1 object is empty and left out: a/2.csv."


def test_folders_that_a_glob_names_hide_nothing(settings: Settings) -> None:
    """As those of a prefix do not; others are passed over."""
    store = MemoryStore()
    for key in ("_raw/1/x.csv", "_raw/2/x.csv", "_raw/_tmp/x.csv"):
        store.put("lake", key, b"x\n1\n")
    for key in ("_raw/", "_raw/*/x.csv", "_raw/**"):
        query = Query(bucket="lake", key=key, max_rows=9, sql="SELECT sum(x) AS s FROM data")
        result = DuckDbEngine(store, settings).run(query, ScanMeter())
        assert result.table.to_pylist() == [{"s": 2}]


@pytest.mark.parametrize(
    ("key", "total", "told"),
    [
        ("in/", 3, "2 objects are hidden and left out: in/.old.csv, in/_new.csv."),
        ("in/_*.csv", 8, ""),
        ("in/.[a-z]*.csv", 4, ""),
        ("in/*.csv", 1, "2 objects are hidden and left out: in/.old.csv, in/_new.csv."),
        ("in/a.*", 1, ""),
    ],
)
def test_what_is_hidden_is_told_unless_it_was_named(
    settings: Settings, key: str, total: int, told: str
) -> None:
    """Names with `.` or `_` hide data, but a key is no path: `..` is a name like any other."""
    store = MemoryStore()
    names = {"in/a.csv": 1, "in/../b.csv": 2, "in/.old.csv": 4, "in/_new.csv": 8, "in/_x.txt": 9}
    for name, value in names.items():
        store.put("lake", name, f"x\n{value}\n".encode())
    query = Query(bucket="lake", key=key, max_rows=9, sql="SELECT sum(x) AS s FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [{"s": total}]
    assert result.notices == ([told] if told else [])
    named = glob_prefix(key)
    grouper = DatasetGrouper("lake", within=named)
    hidden = [name for name in names if name.startswith(named) and grouper.is_hidden(name)]
    assert bool(hidden) is bool(told)


@pytest.mark.parametrize("key", ["in/", "in/**"])
def test_data_that_is_named_as_a_folder_is_told(settings: Settings, key: str) -> None:
    """It may be a marker with text in it, or rows that nobody would miss; an empty one is none."""
    store = MemoryStore()
    for name, body in {"in/a.csv": b"x\n1\n", "in/b/": b"x\n2\n", "in/c/": b""}.items():
        store.put("lake", name, body)
    query = Query(bucket="lake", key=key, max_rows=9, sql="SELECT sum(x) AS s FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [{"s": 1}]
    assert result.notices == ["1 object is named as a folder and left out: in/b/."]


def test_data_below_an_object_that_is_named_as_a_folder_is_told(settings: Settings) -> None:
    """The object wins; that more is below it was to be seen in no answer."""
    store = MemoryStore()
    for name, body in {"mix/": b"x\n1\n", "mix/a.csv": b"x\n2\n"}.items():
        store.put("lake", name, body)
    query = Query(bucket="lake", key="mix/", max_rows=9, sql="SELECT sum(x) AS s FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [{"s": 1}]
    (notice,) = result.notices
    assert notice.startswith("s3://lake/mix/ is itself an object; what is below it was not looked")
    assert notice.endswith("such as mix/a.csv: mix/** names that.")


@pytest.mark.parametrize(
    ("name", "body", "notices"),
    [
        ("a.csv", b"\n", ["1 object is empty and left out: in/a.csv."]),
        ("c.csv", b"\r\n", ["1 object is empty and left out: in/c.csv."]),
        ("c.csv.gz", _PACKED_END, ["1 object is empty and left out: in/c.csv.gz."]),
        ("a.jsonl", b"\n", []),
        ("c.jsonl.gz", _PACKED_END, []),
    ],
)
def test_the_end_of_a_line_is_a_part_without_rows(
    settings: Settings, name: str, body: bytes, notices: list[str]
) -> None:
    """As pandas writes a frame that has none."""
    store = MemoryStore()
    full = b"x\n1\n" if "csv" in name else b'{"x": 1}\n'
    for key, data in (("in/b" + name[1:].removesuffix(".gz"), full), (f"in/{name}", body)):
        store.put("lake", key, data)
    query = Query(bucket="lake", key="in/", max_rows=9, sql="SELECT * FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [{"x": 1}]
    assert result.notices == notices


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("_delta_log/0.json", "a Delta Lake"),
        (".hoodie/0.json", "a Hudi"),
        ("metadata/v1.metadata.json", "an Iceberg"),
    ],
)
@pytest.mark.parametrize("root", ["", "t/"])
def test_a_query_of_a_table_says_that_all_its_objects_are_read(
    settings: Settings, root: str, log: str, kind: str
) -> None:
    """Those that its log no longer counts are among them."""
    store = MemoryStore()
    for name in ("data/1.csv", "data/2.csv"):
        store.put("lake", root + name, b"x\n1\n")
    store.put("lake", root + log, b'{"x": 1}')
    query = Query(bucket="lake", key=root, max_rows=9, sql="SELECT sum(x) AS s FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [{"s": 2}]
    assert result.notices[-1].startswith(f"s3://lake/{root} is {kind} table: ")
    below = Query(bucket="lake", key=f"{root}{log.partition('/')[0]}/", max_rows=9)
    assert "table: " not in str(DuckDbEngine(store, settings).run(below, ScanMeter()).notices)
