"""Schema drift: what differs between objects of a data set, and what does not."""

import json
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.profiling.datasets import DatasetGrouper
from s3_data_lake_mcp.profiling.drift import Drift, compare_schemas
from s3_data_lake_mcp.storage import ObjectHead, ObjectInfo, ObjectRef, ScanMeter
from support.listing import walk
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

_GLACIER = ObjectHead(
    info=ObjectInfo(ref=ObjectRef(bucket="", key=""), size_bytes=0, etag=""),
    storage_class="GLACIER",
)


def _compared(name: str, *bodies: bytes, **more: Any) -> tuple[Drift, ScanMeter]:
    store, meter, grouper = MemoryStore(), ScanMeter(), DatasetGrouper("lake")
    for at, body in enumerate(bodies):
        store.put("lake", f"t/part-{at:03d}.{name}", body, **more)
    for listed in walk(store, "lake", "", ScanMeter()):
        grouper.add(listed)
    (group,) = grouper.groups()
    (drift,) = compare_schemas(store, "lake", [(group, name)], meter)
    return drift, meter


def _json(*records: dict[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def _parquet(kind: pa.DataType) -> bytes:
    return parquet_bytes(pa.table({"a": pa.array(["x"]).cast(kind)}))


@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        ("csv", [b"a,b\n1,x\n", b"a,b\n2.5,y\n"]),
        ("csv", [b"a,b\n1,x\n", b"b,a\ny,2\n"]),
        ("csv", [b"a,b\n1,2026-01-01\n", b"a,b\n1,\n"]),
        ("csv", [b"a\n1\n", b"a\n"]),
        ("csv", [b"a\n2026-01-01T00:00:00.5\n", b"a\n2026-01-01T00:00:00.123456789\n"]),
        ("parquet", [_parquet(pa.string()), _parquet(pa.large_string())]),
        ("parquet", [_parquet(pa.string()), _parquet(pa.dictionary(pa.int32(), pa.string()))]),
        ("json", [_json({"a": 1}), _json({"a": 2.5})]),
        ("json", [_json({"a": 1}), _json({"a": None})]),
        ("json", [_json({"a": 1}), _json({"a": 10**25})]),
        ("json", [_json({"a": 1}), b"[]"]),
        ("json", [b"{}", _json({"a": 1})]),
    ],
)
def test_what_a_few_values_cannot_tell_is_no_drift(name: str, bodies: list[bytes]) -> None:
    """Whole and broken numbers, columns without values, another order or storage: no drift."""
    assert _compared(name, *bodies)[0] == Drift(compared=2)


@pytest.mark.parametrize(
    ("name", "bodies", "change"),
    [
        ("csv", [b"a\n1\n", b"a\nx\n"], "Column a is number in t/part-000.csv, string in"),
        ("csv", [b"a,b\n1,2\n", b"a\n1\n"], "Column b is in t/part-000.csv, but not in"),
        ("json", [_json({"a": 1}), _json({"a": 1, "b": 2})], "Column b is in t/part-001.json"),
        ("json", [_json({"a": 1}), _json({"a": {"x": 1}})], "Column a is number in"),
        ("csv", [b"a\n1\n", b"A\n1\n", b"a\n2\n"], "Column a is spelt A in t/part-001.csv"),
        ("parquet", [_parquet(pa.string()), _parquet(pa.binary())], "Column a is string in"),
    ],
)
def test_changes_are_named(name: str, bodies: list[bytes], change: str) -> None:
    """Columns that come, go or change what they are."""
    drift, _ = _compared(name, *bodies)
    assert len(drift.changes) == 1
    assert drift.changes[0].startswith(change)


def test_a_few_of_many_are_looked_at() -> None:
    """Objects from all over, the first and the last among them, whatever the others' number."""
    drift, meter = _compared("csv", *[b"a\n1\n"] * 59, b"a\nx\n")
    assert meter.requests == drift.compared == 12
    assert len(drift.changes) == 1


@pytest.mark.parametrize("odd", range(12))
def test_of_a_dozen_objects_any_may_be_the_odd_one(odd: int) -> None:
    """All of them are looked at; keys that say the same are counted."""
    bodies = [b"a,b\n1,2\n" if at == odd else b"a\n1\n" for at in range(12)]
    (change,) = _compared("csv", *bodies)[0].changes
    assert change.startswith(f"Column b is in t/part-{odd:03d}.csv, but not in t/part-0")
    assert change.endswith("or 9 more that were looked at")


def test_a_column_that_some_lack_may_change_its_type_too() -> None:
    """One kind of drift does not hide another."""
    (told,) = _compared("csv", b"a,b\n1,2\n", b"a\n1\n", b"a,b\n1,x\n")[0].changes
    lacks, _, kinds = told.partition("; it ")
    assert lacks == ("Column b is in t/part-000.csv and t/part-002.csv, but not in t/part-001.csv")
    assert kinds == "is number in t/part-000.csv, string in t/part-002.csv"


def test_names_that_one_object_tells_apart_by_case_stay_apart() -> None:
    """Two columns of an object are not one, whatever another one calls them."""
    told = _compared("json", _json({"a": 1, "A": 2}), _json({"a": 1}))[0].changes
    assert [change.partition(" in ")[0] for change in told] == ["Column A is"]


def test_many_changes_are_counted() -> None:
    """Of very many changes some are named."""
    wide = ",".join(f"c{i}" for i in range(40)).encode()
    drift, _ = _compared("csv", wide + b"\n" + b"1," * 39 + b"1\n", b"a\n1\n")
    assert drift.changes[-1] == "36 more columns differ"


def test_what_cannot_be_read_is_a_warning() -> None:
    """A broken object is named, and is no drift."""
    drift, _ = _compared("parquet", b"PAR1 torn", b"PAR1 torn too")
    assert drift.changes == ()
    assert all(text.startswith("Not compared: s3://lake/t/part-00") for text in drift.warnings)
    assert len(drift.warnings) == 2


def test_archived_and_empty_objects_are_not_looked_at() -> None:
    """What cannot be read costs no request."""
    drift, meter = _compared("csv", b"a\n1\n", b"a\nx\n", head=_GLACIER)
    assert (drift, meter.requests) == (Drift(), 0)
    assert _compared("csv", b"", b"")[1].requests == 0


@pytest.mark.parametrize(("name", "bodies"), [("csv", [b"a\n1\n"]), ("image", [b"GIF8", b"GIF9"])])
def test_what_has_nothing_to_compare_costs_nothing(name: str, bodies: list[bytes]) -> None:
    """A single object, and objects without columns."""
    assert _compared(name, *bodies)[1].requests == 0
