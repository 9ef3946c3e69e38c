"""What the bases of profiles have in common: types, figures and notices of the same rows."""

import json
import statistics
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from support.summaries import BUCKET, Summaries

_TYPES: dict[str, Any] = {
    "large_string": pa.array(["a", None, "b"], pa.large_string()),
    "string_view": pa.array(["a", None, "b"], pa.string_view()),
    "dictionary": pa.array(["x", "y", "x"]).dictionary_encode(),
    "uuid": pa.array([bytes(16), None, bytes(range(16))], pa.uuid()),
    "timestamp_ms": pa.array([1, None, 1000], pa.timestamp("ms")),
    "timestamp_zone": pa.array([-1, None, 10**15], pa.timestamp("us", "Europe/Zurich")),
    "timestamp_ns_zone": pa.array([1, None, 10**18 + 1], pa.timestamp("ns", "UTC")),
    "time": pa.array([1, None, 86_399_999], pa.time32("ms")),
    "half": pa.array([1.5, None, 2.5], pa.float16()),
    "map": pa.array([[("k", "v")], None, []], pa.map_(pa.large_string(), pa.large_string())),
    "list": pa.array([["a"], None, []], pa.large_list(pa.large_string())),
    "fixed": pa.array([b"abcd", None, b"efgh"], pa.binary(4)),
    "null": pa.nulls(3),
}


@pytest.fixture
def summaries() -> Summaries:
    """Return an empty store and its summaries."""
    return Summaries()


@pytest.mark.parametrize("kind", _TYPES)
def test_a_type_is_written_the_same_by_every_basis(summaries: Summaries, kind: str) -> None:
    """It is the one that the file names, as the metadata tool shows it."""
    summaries.put("x.parquet", pa.table({"x": _TYPES[kind]}))
    told = {b: summaries.columns("x.parquet", b)["x"] for b in ("exact", "footer", "sample")}
    assert len({column["type"] for column in told.values()}) == 1
    if kind != "null":
        assert told["exact"]["nulls"] == told["sample"]["nulls"] == _TYPES[kind].null_count


def test_nanoseconds_are_kept(summaries: Summaries) -> None:
    """With and without a zone, quantiles and ends have all their digits."""
    ticks = [10**18 + at for at in range(1, 6)]
    for zone in (None, "UTC"):
        summaries.put("x.parquet", pa.table({"x": pa.array(ticks, pa.timestamp("ns", zone))}))
        for basis in ("exact", "sample"):
            found = summaries.columns("x.parquet", basis)["x"]
            assert found["quantiles"]["p50"].startswith("2001-09-09T01:46:40.000000003")
            assert found["max"].startswith("2001-09-09T01:46:40.000000005")


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_the_mean_of_extremes(summaries: Summaries, basis: str) -> None:
    """Sums longer than a column's type overflow nowhere."""
    summaries.put("x.parquet", pa.table({"x": pa.array([2**63 - 1, -(2**63)], pa.int64())}))
    assert summaries.columns("x.parquet", basis)["x"]["mean"] == -0.5


@pytest.mark.parametrize("basis", ["exact", "sample"])
@pytest.mark.parametrize("many", [0, 25_000])
def test_figures_that_no_double_holds_are_null(summaries: Summaries, basis: str, many: int) -> None:
    """The largest double stands for missing values at times: it is no infinity."""
    numbers = [1.0, *range(many), sys.float_info.max, sys.float_info.max]
    summaries.put("x.parquet", pa.table({"x": pa.array(numbers, pa.float64())}))
    answer = summaries.of("x.parquet", basis)
    (found,) = answer["profile"]["columns"]
    assert found["stddev"] is None
    assert found["mean"] in (None, pytest.approx(statistics.mean(numbers)))
    assert "x: too large for mean or stddev, which are null" in " ".join(answer["notices"])


@pytest.mark.parametrize("basis", ["exact", "footer", "sample"])
def test_zero_has_no_sign(summaries: Summaries, basis: str) -> None:
    """The zeros are equal, and which of them a basis meets first is chance."""
    summaries.put("x.parquet", pa.table({"x": [-0.0, 0.0]}))
    found = summaries.columns("x.parquet", basis)["x"]
    assert json.dumps([found["min"], found["max"]]) == "[0.0, 0.0]"
    if basis != "footer":
        assert (found["distinct"], found["top"]) == (1, [{"value": 0.0, "count": 2}])


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_histograms_count_between_the_edges_that_they_show(
    summaries: Summaries, basis: str
) -> None:
    """Heights in whole centimetres, most of them on the edge of a bin."""
    heights = [1.21 + round(at / 100, 2) for at in range(101) for _ in range(at % 7)]
    summaries.put("x.parquet", pa.table({"x": [round(height, 2) for height in heights]}))
    found = summaries.columns("x.parquet", basis)["x"]
    last = found["histogram"][-1]["to"]
    for entry in found["histogram"]:
        low, high = entry["from"], entry["to"]
        within = [h for h in heights if low <= round(h, 2) and (round(h, 2) < high or high == last)]
        assert entry["count"] == len(within), entry


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_dates_in_json_are_dates(summaries: Summaries, basis: str) -> None:
    """JSON has no dates; SQL and samples read texts that are some alike."""
    days = [f"2026-01-0{at}" for at in (1, 2)]
    lines = [json.dumps({"d": day, "t": f"{day}T08:00:00Z", "l": [[1], []]}) for day in days]
    summaries.put("x.jsonl", "\n".join(lines).encode())
    found = summaries.columns("x.jsonl", basis)
    assert (found["d"]["type"], found["d"]["max"]) == ("date32[day]", "2026-01-02")
    assert found["t"]["type"] == "timestamp[us, tz=UTC]"
    assert found["l"]["type"] == "list<element: list<element: int64>>"
    ref = ObjectRef(bucket=BUCKET, key="x.jsonl")
    told = describe_object(summaries.store, ref, summaries.settings, ScanMeter())
    assert [column["type"] for column in told["columns"]] == [c["type"] for c in found.values()]


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_what_is_not_profiled_is_said(summaries: Summaries, basis: str) -> None:
    """Nested and binary columns have no figures but their nulls, and the answer says so."""
    summaries.put("x.parquet", pa.table({"id": [1, 2, 3], "m": _TYPES["map"]}))
    notices = summaries.of("x.parquet", basis)["notices"]
    assert any("m: only nulls are counted" in notice for notice in notices)


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_column_spelt_in_another_case_is_the_same_in_every_basis(
    summaries: Summaries, suffix: str
) -> None:
    """It is one to SQL, and so to samples and footers, under the first object's name."""
    bodies: dict[str, list[Any]] = {
        "csv": [b"id,n\n1,x\n", b"ID,n\n2,y\n"],
        "json": [b'{"id":1,"n":"x"}\n', b'{"ID":2,"n":"y"}\n'],
        "parquet": [pa.table({name: [at], "n": ["x"]}) for at, name in ((1, "id"), (2, "ID"))],
    }
    for at, body in enumerate(bodies[suffix]):
        summaries.put(f"t/p_{at}.{suffix}", body)
    for basis in ("exact", "sample", *(["footer"] if suffix == "parquet" else [])):
        told = summaries.columns("t/", basis)
        assert list(told) == ["id", "n"]
        assert [told["id"][part] for part in ("nulls", "min", "max")] == [0, 1, 2]


@pytest.mark.parametrize("basis", ["exact", "sample"])
@pytest.mark.parametrize("rows", [1, 40_000])
def test_rows_that_are_left_out_are_told(summaries: Summaries, basis: str, rows: int) -> None:
    """A profile of fewer rows than lines says which ones are missing or were filled."""
    summaries.put("x.csv", b"a,b\n1\n1,2,3\n" + b"1,2\n" * rows)
    told = summaries.of("x.csv", basis)
    assert told["profile"]["rows"] == rows + 1
    for part in ("too few fields", "too many fields", "left out", "line 2", "line 3"):
        assert part in str(told["notices"])


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_not_a_number_is_left_out_wherever_it_stands(summaries: Summaries, basis: str) -> None:
    """Statistics leave it out too, and the engine must not take it that there is none."""
    summaries.put("x.parquet", pa.table({"x": [1.0, 2.0, float("nan"), 2.0]}))
    answer = summaries.of("x.parquet", basis)
    (found,) = answer["profile"]["columns"]
    assert (found["min"], found["max"], found["distinct"]) == (1.0, 2.0, 2)
    assert [entry["value"] for entry in found["top"]] == [2.0, 1.0]
    assert "Columns: x: 1 NaN, left out of its figures." in answer["notices"]


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_decimals_whose_sum_has_more_digits_than_the_engine_adds(
    summaries: Summaries, basis: str
) -> None:
    """The profile is made all the same."""
    low = 9 * 10**37
    values = [Decimal(low + at) for at in range(21_000)]
    summaries.put("x.parquet", pa.table({"x": pa.array(values, pa.decimal128(38, 0))}))
    found = summaries.columns("x.parquet", basis)["x"]
    assert found["mean"] == pytest.approx(float(low), rel=1e-12)
    assert (found["min"], found["basis"]) == (str(low), basis)


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_the_deviation_of_integers_beyond_doubles(summaries: Summaries, basis: str) -> None:
    """Large integers that lie close together differ in digits that a double drops."""
    table = pa.table({"x": pa.array([2**63 + at for at in range(100)], pa.uint64())})
    summaries.put("x.parquet", table)
    found = summaries.columns("x.parquet", basis)["x"]
    assert found["stddev"] == pytest.approx(statistics.stdev(range(100)), rel=1e-12)


@pytest.mark.parametrize("basis", ["exact", "sample"])
@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us")])
def test_the_last_day_of_the_calendar_is_an_edge(
    summaries: Summaries, basis: str, kind: pa.DataType
) -> None:
    """Tables write 9999-12-31 for no end; no bin may end behind it, nor without an end."""
    days = [datetime(9999, 12, 31, tzinfo=UTC), *(datetime(2020, 1, d, tzinfo=UTC) for d in (1, 9))]
    plain = [day.replace(tzinfo=None) for day in days]
    summaries.put("x.parquet", pa.table({"x": pa.array(plain, pa.timestamp("us")).cast(kind)}))
    last = summaries.columns("x.parquet", basis)["x"]["histogram"][-1]
    assert last["to"].startswith("9999-12-31")
    assert last["count"] == 1


@pytest.mark.parametrize("basis", ["exact", "footer", "sample"])
def test_a_rare_null_is_a_share_too(summaries: Summaries, basis: str) -> None:
    """The share has the digits of the division, so that of one in very many is not 0."""
    summaries.put("x.parquet", pa.table({"x": [None, *range(6)]}))
    assert summaries.columns("x.parquet", basis)["x"]["null_fraction"] == 1 / 7


@pytest.mark.parametrize(("records", "told"), [(1_000, False), (190_000, True)])
def test_columns_that_there_may_be_besides_are_said(
    summaries: Summaries, records: int, *, told: bool
) -> None:
    """Of long JSON, the first records alone show which columns there are."""
    lines = [b'{"id": %d, "name": "a name of some length %d"}' % (at, at) for at in range(records)]
    summaries.put("x.jsonl", b"\n".join([*lines, b'{"id": 1, "late": 2}']))
    answer = summaries.of("x.jsonl", "exact")
    assert ("late" in {column["name"] for column in answer["profile"]["columns"]}) is not told
    assert any("may hold further keys" in notice for notice in answer["notices"]) is told


@pytest.mark.parametrize("basis", ["exact", "sample"])
@pytest.mark.parametrize("sets", [False, True], ids=["object", "set"])
def test_what_is_nested_among_texts_is_written_as_queries_have_it(
    summaries: Summaries, *, sets: bool, basis: str
) -> None:
    """A frequent value can be looked for as it is shown."""
    records = ['{"a": "t"}\n', '{"a": {"z": 1, "y": [2, "é"]}}\n', '{"a": [3, 4]}\n']
    for at, body in enumerate(records if sets else ["".join(records)]):
        summaries.put(f"x/{at}.jsonl", body.encode())
    shown = {top["value"] for top in summaries.columns("x/", basis)["a"]["top"]}
    assert shown == {"t", '{"z":1,"y":[2,"é"]}', "[3,4]"}
