"""Samples: whole records from all over objects, few requests, and plans that they allow."""

import gzip
import io
import json
import uuid
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ByteSize

from s3_data_lake_mcp.errors import MalformedDataError, UnsupportedFormatError
from s3_data_lake_mcp.profiling import sample_rows
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn
from s3_data_lake_mcp.profiling.plans import plans_of
from s3_data_lake_mcp.profiling.sample import Sample, Sampler
from s3_data_lake_mcp.profiling.sample_figures import figures_of, repeated_rows, shape_of
from s3_data_lake_mcp.profiling.sample_ranges import (
    RANGE_BYTES,
    TextLayout,
    spread_ranges,
    whole_records,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes
from support.summaries import Summaries


def _drawn(
    *bodies: bytes, name: str = "csv", key: str = "t/p={}/x.csv", seed: str = "s"
) -> tuple[Sample, ScanMeter]:
    store, meter = MemoryStore(), ScanMeter()
    refs = [store.put("lake", key.format(at), body) for at, body in enumerate(bodies)]
    return Sampler(store=store, meter=meter, max_decoded_bytes=1 << 30).draw(
        refs, name, seed
    ), meter


def _lines(count: int, *, quoted: bool = False) -> bytes:
    text = '"say ""hi"",\nplease"' if quoted else "plain text"
    rows = (f"{i},{i % 7},{text},{i / 8}\n" for i in range(count))
    return ("id,group,text,share\n" + "".join(rows)).encode()


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_sample_of_text_holds_rows_of_the_object(quoted: bool, encoding: str) -> None:  # noqa: FBT001
    """Every sampled row is one of the object's, whole, none twice, from its first to its last."""
    count = 150_000
    body = _lines(count, quoted=quoted).decode().encode(encoding)
    sample, meter = _drawn(body, key="x.csv")
    ids: Any = sample.table.column("id").to_pylist()
    assert len(ids) == len(set(ids)) > 2_000
    assert (min(ids), max(ids)) == (0, count - 1)
    assert ids == sorted(ids)
    text = 'say "hi",\nplease' if quoted else "plain text"
    assert set(sample.table.column("text").to_pylist()) == {text}
    assert sample.table.column("share").to_pylist() == [i / 8 for i in ids]
    assert meter.requests <= 10
    assert not sample.whole


def test_a_small_object_is_its_own_sample() -> None:
    """Text that is small anyway is read whole, and that is known."""
    sample, _ = _drawn(_lines(50))
    assert (sample.table.num_rows, sample.whole, sample.total_rows) == (50, True, 50)


def test_json_lines_and_arrays() -> None:
    """JSON Lines are sampled all over, arrays from their beginning, and it is said which."""
    records = [{"id": i, "text": "x" * 20} for i in range(80_000)]
    lines, _ = _drawn("\n".join(map(json.dumps, records)).encode(), name="json", key="x.jsonl")
    assert lines.table.column("id").to_pylist()[-1] == 79_999
    array, meter = _drawn(json.dumps(records).encode(), name="json", key="x.json")
    ids = array.table.column("id").to_pylist()
    assert ids == list(range(len(ids)))
    assert "beginning" in array.where
    assert array.total_rows is None
    assert meter.requests <= 12


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_lines_are_sampled_in_their_encoding(encoding: str) -> None:
    """Ranges are cut where lines end, in code units: each record is one of the object's."""
    lines = "".join(
        json.dumps({"id": i, "text": "\u010a\u0a0d" * 4}, ensure_ascii=False) + "\n"
        for i in range(70_000)
    )
    sample, _ = _drawn(lines.encode(encoding), name="json", key="x.jsonl")
    ids: Any = sample.table.column("id").to_pylist()
    assert sample.where == "9 ranges of the object"
    assert len(ids) == len(set(ids)) == sum(sample.parts)
    assert {0, 69_999} < set(ids) <= set(range(70_000))


def test_compressed_text_is_sampled_from_its_beginning() -> None:
    """What cannot be entered in the middle is not pretended to be random."""
    sample, _ = _drawn(gzip.compress(_lines(200_000), 1), key="x.csv.gz")
    ids = sample.table.column("id").to_pylist()
    assert ids == list(range(len(ids)))
    assert "beginning" in sample.where
    assert (sample.whole, sample.total_rows) == (False, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_compressed_text_is_cut_between_records(encoding: str) -> None:
    """No line's end inside of quotes, and no half of a code unit."""
    text = _lines(100_000, quoted=True).decode()
    for more in range(0, 30, 6):
        body = ("i" * more + text).encode(encoding)
        sample, _ = _drawn(gzip.compress(body, 1), key="x.csv.gz")
        assert set(sample.table.column("text").to_pylist()) == {'say "hi",\nplease'}
        assert not sample.whole


def test_parquet_is_sampled_by_row_groups() -> None:
    """Row groups are chosen at random, the same ones for the same version."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(100_000))}), sink, row_group_size=5_000)
    sample, _ = _drawn(sink.getvalue(), name="parquet", key="x.parquet")
    again, _ = _drawn(sink.getvalue(), name="parquet", key="x.parquet")
    other, _ = _drawn(sink.getvalue(), name="parquet", key="x.parquet", seed="other")
    assert sample.table == again.table
    assert sample.table != other.table
    assert (sample.table.num_rows, sample.total_rows) == (20_000, 100_000)


def test_identifiers_and_views_are_sampled_too() -> None:
    """Types that Arrow cannot compare as they are cost no profile."""
    cells = [uuid.UUID(int=at % 2) for at in range(3)]
    identifiers = pa.array([cell.bytes for cell in cells], pa.uuid())
    views = pa.array(["a", "b", "a"], pa.string_view())
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": identifiers, "text": views}), sink)
    sample, _ = _drawn(sink.getvalue(), name="parquet", key="x.parquet")
    assert repeated_rows(sample.table) == 1
    fields = enumerate(sample.table.schema)
    columns = [ProfiledColumn(name=f.name, type=f.type, position=at) for at, f in fields]
    identifier, text = figures_of(sample.table, columns)
    assert (identifier.low, identifier.distinct) == (str(cells[0]), 2)
    assert (text.high, text.distinct) == ("b", 2)


def test_many_objects_share_a_sample() -> None:
    """First, last and some between, with their partition values, types put together."""
    bodies = [f"n\n{i}\n".encode() for i in range(20)] + [b"n\noops\n"]
    sample, meter = _drawn(*bodies)
    assert sample.table.column("p").to_pylist()[0] == 0
    assert sample.table.column("n").to_pylist()[-1] == "oops"
    assert sample.table.num_rows == 8
    assert meter.requests == 8


def test_columns_without_values_say_nothing_of_those_in_other_objects() -> None:
    """A part of delimited text may lack what others have, and theirs is the type."""
    sample, _ = _drawn(b"a,b,c\n1,,\n", b"a,b,c\n,2.5,\n", b"a,b,c\n")
    assert sample.table.schema.types[:3] == [pa.int64(), pa.float64(), pa.string()]
    assert sample.table.to_pylist()[1] == {"a": None, "b": 2.5, "c": None, "p": 1}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9007199254740993", "0.5"),
        ("0001-01-01 00:00:00", "2026-01-01 00:00:00.123456789"),
    ],
)
def test_values_that_no_type_holds_together_are_text(one: str, other: str) -> None:
    """Each object has a type for its own, and that of both would lose digits."""
    sample, _ = _drawn(f"n\n{one}\n".encode(), f"n\n{other}\n".encode())
    assert str(sample.table.column("n")[0])[:10] == one[:10]
    assert sample.table.schema.field("n").type == pa.string()


def test_an_object_that_cannot_be_read_is_named() -> None:
    """One broken object of many is left out with a notice; if all are, it is an error."""
    sample, _ = _drawn(b"n\n1\n", b"", b"n\n2\n")
    assert sample.table.num_rows == 2
    assert any("t/p=1/x.csv" in notice for notice in sample.notices)
    with pytest.raises(MalformedDataError):
        _drawn(b"", b"")
    with pytest.raises(UnsupportedFormatError):
        _drawn(b"x", name="orc")


@given(
    size=st.integers(RANGE_BYTES * 9, RANGE_BYTES * 900),
    start=st.integers(0, 1_000),
    seed=st.text(max_size=5),
    count=st.integers(2, 12),
)
def test_ranges_are_apart_and_inside(size: int, start: int, seed: str, count: int) -> None:
    """Ranges are in order, don't overlap, end with the object, and depend on the seed alone."""
    found = spread_ranges(size, start, seed, count=count, length=RANGE_BYTES)
    assert found == spread_ranges(size, start, seed, count=count, length=RANGE_BYTES)
    assert found[0][0] >= start
    assert found[-1][1] == size
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    assert all(0 < stop - begin <= RANGE_BYTES for begin, stop in found)


_field = st.text(st.sampled_from('ab,"\n é'), max_size=6)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.lists(_field, min_size=3, max_size=3), min_size=1, max_size=40),
    cut=st.integers(0, 400),
)
def test_records_out_of_the_middle_are_records(rows: list[list[str]], cut: int) -> None:
    """Cut anywhere, what is kept is a run of whole records of the text, or nothing."""
    written = [",".join('"' + f.replace('"', '""') + '"' for f in row) + "\n" for row in rows]
    body = "".join(written).encode()
    layout = TextLayout(start=0, delimiter=",", quote='"', width=3)
    kept = whole_records(body[: len(body) - cut // 7], layout, first=True, last=False)
    starts = {0}
    for line in written:
        starts.add(max(starts) + len(line.encode()))
    assert not kept or len(kept) in starts
    assert body.startswith(kept)


def _columns(table: pa.Table) -> list[ProfiledColumn]:
    return [
        ProfiledColumn(name=f.name, type=f.type, position=at) for at, f in enumerate(table.schema)
    ]


def test_plans_count_what_is_few_everywhere() -> None:
    """Values are all counted where parts of a sample share them; sorted columns are not."""
    rows = 8_000
    table = pa.table(
        {
            "few": [i % 5 for i in range(rows)],
            "key": list(range(rows)),
            "sorted": [i // 1_000 for i in range(rows)],
            "skewed": [0 if i % 3 else i for i in range(rows)],
        }
    )
    sample = Sample(table=table, parts=(1_000,) * 8, where="")
    plans = plans_of(sample, _columns(table), sample.size_bytes)
    assert [plans[at].count_all for at in range(4)] == [True, False, False, False]
    assert plans[3].candidates == (0,)
    assert plans[1].bins is not None


def test_plans_count_what_a_sample_shows_no_value_of() -> None:
    """There are few, and of another type there are as many as of the sample's."""
    shown: dict[str, tuple[pa.Array[Any], pa.DataType]] = {
        "null": (pa.nulls(80), pa.int64()),
        "text": (pa.nulls(80, pa.string()), pa.float64()),
        "whole": (pa.array(range(80)), pa.string()),
        "few": (pa.array([i % 5 for i in range(80)]), pa.string()),
        "list": (pa.array([[i] for i in range(80)]), pa.string()),
    }
    rows = pa.table({name: values for name, (values, _) in shown.items()})
    sample = Sample(table=rows, parts=(10,) * 8, where="", size_bytes=80)
    kinds = [(name, kind) for name, (_, kind) in shown.items()]
    table = pa.schema([*kinds, ("absent", pa.date32())]).empty_table()
    plans = plans_of(sample, _columns(table), 80)
    assert [plans[at].count_all for at in range(6)] == [True, True, False, True, False, True]


def test_without_a_sampled_record_an_exact_profile_takes_a_second_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Records longer than the ranges of a sample tell nothing to plan by."""
    monkeypatch.setattr("s3_data_lake_mcp.profiling.profile._SMALL_BYTES", 0)
    summaries = Summaries()
    rows = [f"{n},{chr(97 + n) * 300_000}" for n in range(20)]
    summaries.put("a.csv", "\n".join(["n,t", *rows, ""]).encode())
    found = summaries.of("a.csv", "exact")
    n, t = found["profile"]["columns"]
    assert sum(bin_["count"] for bin_ in n["histogram"]) == n["distinct"] == t["distinct"] == 20
    assert not any(notice.startswith("Estimates") for notice in found["notices"])


def test_plans_take_a_share_of_many_values_alone() -> None:
    """Quantiles are of all values but where a column seems to have very many, nulls not counted."""
    table = pa.table({"key": range(1_000), "rare": [None, *[None, None, 1] * 333]})
    sample = Sample(table=table, parts=(500, 500), where="", size_bytes=10_000)
    for scale, shares in ((1, (1.0, 1.0)), (400, (0.32768, 1.0)), (4_000, (0.032768, 0.098403))):
        plans = plans_of(sample, _columns(table), scale * sample.size_bytes)
        assert (plans[0].share, plans[1].share) == pytest.approx(shares, rel=1e-4)
    assert plans_of(sample, _columns(table), sample.size_bytes)[0].share == 1


def test_figures_of_rows_equal_those_of_all_of_them() -> None:
    """What pandas computes of a sample that is everything is what the engine would."""
    table = pa.table({"x": [3, 1, None, 3], "t": ["a", " ", None, "a"], "l": [[1], None, [2], [3]]})
    x, t, nested = (f.as_json("sample") for f in figures_of(table, _columns(table)))
    assert (x["nulls"], x["distinct"], x["min"], x["max"]) == (1, 2, 1, 3)
    assert x["mean"] == pytest.approx(7 / 3)
    assert x["top"] == [{"value": 3, "count": 2}, {"value": 1, "count": 1}]
    assert t["nulls"] == 1
    assert (nested["nulls"], nested["distinct"]) == (1, None)


def test_shape() -> None:
    """Pairs that correlate, columns that mix types, days that are missing."""
    days = pa.array([d for d in range(100) if d != 40], pa.int32()).cast(pa.date32())
    table = pa.table(
        {
            "a": list(range(99)),
            "b": [-2 * i for i in range(99)],
            "mixed": ["n/a" if i % 10 == 0 else str(i) for i in range(99)],
            "code": [f"{i:04d}" for i in range(99)],
            "day": days,
        }
    )
    said = shape_of(table, _columns(table), whole=True)
    assert said[0].startswith("mixed mixes types: 90% of its texts are numbers, others like 'n/a'")
    assert said[1] == "day runs every 1 day and misses 1 of them (1970-02-10)"
    assert said[2] == "a and b correlate (-1.00)"
    assert not any("misses" in text for text in shape_of(table, _columns(table), whole=False))


def test_not_all_texts_are_numbers_where_one_is_not() -> None:
    """A share is not rounded to all of them."""
    table = pa.table({"mixed": [*map(str, range(400)), "n/a"]})
    (said,) = shape_of(table, _columns(table), whole=True)
    assert said.startswith("mixed mixes types: 99% of its texts are numbers, others like 'n/a'")


def test_repeated_rows() -> None:
    """Rows that repeat an earlier one are counted, unless they hold what cannot be compared."""
    assert repeated_rows(pa.table({"a": [1, 1, 2, None, None]})) == 2
    assert repeated_rows(pa.table({"a": [[1], [1]]})) is None


def test_a_missing_object_is_an_error() -> None:
    """A sample of what is not there fails by name."""
    store = MemoryStore()
    sampler = Sampler(store=store, meter=ScanMeter(), max_decoded_bytes=1)
    with pytest.raises(Exception, match=r"s3://lake/x\.csv"):
        sampler.draw([ObjectRef(bucket="lake", key="x.csv")], "csv", "")


def _parquet_of(rows: int, group_rows: int, **options: object) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"a": list(range(rows)), "t": [f"text {i}" for i in range(rows)]})
    pq.write_table(table, sink, row_group_size=group_rows, **options)  # type: ignore[arg-type] # its stubs list them
    return sink.getvalue()


@pytest.mark.parametrize("group_rows", [1_000_000, 100_000, 50_000, 7_000])
def test_a_sample_of_parquet_is_spread(group_rows: int) -> None:
    """Rows of the beginning, of the middle and of the end, however few row groups there are."""
    rows = 200_000
    for seed in ("s", "other"):
        sample, meter = _drawn(
            _parquet_of(rows, group_rows), name="parquet", key="x.parquet", seed=seed
        )
        found: Any = sample.table.column("a").to_pylist()
        assert found == sorted(set(found))
        assert sample.table.column("t").to_pylist() == [f"text {i}" for i in found]
        assert found[0] == 0
        assert found[-1] >= rows - group_rows
        assert found[-1] == rows - 1 or group_rows < 100_000
        for low, high in ((0.0, 0.35), (0.3, 0.7), (0.65, 1.0)):
            assert any(rows * low <= i < rows * high for i in found)
        assert 10_000 <= len(found) <= 20_000
        assert (sum(sample.parts), sample.total_rows) == (len(found), rows)
        assert "row groups" in sample.where
        assert meter.requests <= 21


def test_a_long_row_group_is_read_at_its_beginning_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its middle would cost all that lies before."""
    monkeypatch.setattr(sample_rows, "_ENTERED_BYTES", 100_000)
    sample, _ = _drawn(_parquet_of(200_000, 200_000), name="parquet", key="x.parquet")
    assert sample.table.column("a").to_pylist() == list(range(20_000))
    assert sample.where == "the beginning of its only row group, not all over it"


def test_parquet_without_rows_has_an_empty_sample() -> None:
    """No row is all rows."""
    sample, _ = _drawn(_parquet_of(0, 10), name="parquet", key="x.parquet")
    assert (sample.table.num_rows, sample.whole, sample.total_rows) == (0, True, 0)
    assert sample.table.column_names == ["a", "t"]


def test_rows_that_a_sample_leaves_out_are_counted() -> None:
    """Without their lines, which are those of the object only if all of it was read."""
    rows = [f"{at},x,{at / 8}" for at in range(200_000)]
    rows[::100] = [f"{row},more" for row in rows[::100]]
    rows[50::100] = [f"{at},x" for at in range(50, 200_000, 100)]
    sample, _ = _drawn("\n".join(["id,t,v", *rows]).encode(), key="x.csv")
    short = sample.table.column("v").null_count
    said = f"{short:,} rows had too few fields: filled with null."
    assert said in sample.counted
    (left,) = [notice for notice in sample.counted if notice.endswith("too many fields: left out.")]
    assert short > 500
    assert abs(int(left.split()[0].replace(",", "")) - short) < 10


def test_lines_that_a_sample_leaves_out_are_counted() -> None:
    """So are those that are not JSON, and of many objects each is named."""
    lines = [json.dumps({"id": at, "t": "text"}) for at in range(100_000)]
    lines[::100] = ["{"] * len(lines[::100])
    body = "\n".join(lines).encode()
    alone, _ = _drawn(body, name="json", key="x.jsonl")
    several, _ = _drawn(body, body, name="json", key="t/x{}.jsonl")
    assert [n[-31:] for n in alone.counted] == [" lines are not JSON and left out."[-31:]]
    assert [n.partition(": ")[0] for n in several.counted] == [
        "s3://lake/t/x0.jsonl",
        "s3://lake/t/x1.jsonl",
    ]


@pytest.mark.parametrize("rows", [250_000, 2_000_000])
def test_a_sample_of_long_text_costs_what_any_does(rows: int) -> None:
    """Eight times the bytes are neither more requests nor more bytes read."""
    body = b"id,text,share\n" + b"".join(b"1%08d,plain,1.5\n" % i for i in range(rows))
    sample, meter = _drawn(body, key="x.csv")
    assert meter.requests <= 12
    assert meter.bytes_read < 3 << 20
    assert sample.table.column("id").to_pylist()[-1] == 10**8 + rows - 1


@pytest.mark.parametrize("budget", [150_000, 300_000, 700_000, 2 << 20])
@pytest.mark.parametrize("basis", ["auto", "sample"])
@pytest.mark.parametrize(
    "prefix", ["big.csv", "big.csv.gz", "big.json", "t/part_*.csv", "p/part_*.parquet"]
)
def test_a_sample_takes_what_the_budget_allows(prefix: str, basis: str, budget: int) -> None:
    """There is one for a few bytes too, of fewer ranges and objects; none of them is overspent."""
    limits = Settings(_env_file=None, max_scan_bytes=ByteSize(budget))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    summaries = Summaries(settings=limits)
    rows = "".join(f"{at},{at * 37 % 9_973},{'x' * 20}\n" for at in range(130_000))
    table = pa.table({"id": range(4_500), "v": range(4_500)})
    summaries.put("big.csv", f"id,v,t\n{rows}".encode())
    noise = (f"{at},{at * 7_919_317 % 99_999_989}\n" for at in range(400_000))
    summaries.put("big.csv.gz", gzip.compress(f"id,v\n{''.join(noise)}".encode(), 1))
    summaries.put(
        "big.json", json.dumps([{"id": at, "t": "y" * 60} for at in range(30_000)]).encode()
    )
    for at in range(40):
        summaries.put(f"t/part_{at}.csv", f"id,v,t\n{rows[:60_000]}\n".encode())
        summaries.put(f"p/part_{at}.parquet", parquet_bytes(table, compression="none"))
    answer = summaries.of(prefix, basis)
    assert answer["profile"]["rows_basis"] == "sample"
    assert summaries.meter.bytes_read <= budget


@pytest.mark.parametrize(
    ("basis", "body"),
    [
        ("footer", parquet_bytes(pa.table({"a": range(500_000)}), compression="none")),
        ("sample", b"a,b\n" + b"1,plain\n" * 500_000 + b"-,x\n" + b"2,plain\n" * 500_000),
    ],
)
def test_an_exact_scan_leaves_room_for_another_basis(
    basis: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits the budget once, but takes two passes, still has a profile."""
    monkeypatch.setattr("s3_data_lake_mcp.profiling.profile._SMALL_PARQUET_BYTES", 0)
    most = ByteSize(len(body) * 3 // 2)
    limits = Settings(_env_file=None, max_scan_bytes=most, cache_bytes=ByteSize(1 << 20))  # type: ignore[call-arg] # as above
    summaries = Summaries(settings=limits)
    summaries.put("a", body)
    answer = summaries.of("a")
    assert answer["profile"]["rows_basis"] == basis
    assert "Not exact: The call needs more than its budget" in answer["notices"][-1]


def test_a_sample_names_no_lines_where_text_is_of_another_encoding() -> None:
    """Lines of its parts have other numbers in the object."""
    summaries = Summaries()
    summaries.put("a.csv", b"a,b\n" + b"1,x\n" * 600_000 + "2,é\n".encode("cp1252") * 300_000)
    (said,) = (one for one in summaries.of("a.csv", "sample")["notices"] if "1252" in one)
    assert said == "The text is not valid UTF-8 and was read as Windows-1252 (encoding)."
