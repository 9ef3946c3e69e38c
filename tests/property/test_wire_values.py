"""Values on the wire: nothing is lost, whatever the value, and both ways of writing agree."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.budget import compact_size

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
INT64 = st.integers(-(2**63), 2**63 - 1)
DURATION = re.compile(
    r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?", re.ASCII
)
TEXTS = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


def cell(value: Any, kind: pa.DataType) -> Any:
    """Return one value of a type as the wire shows it."""
    return wire.json_rows(pa.table({"c": pa.array([value], kind)}), wire.Clipper())[0][0]


def as_double_parser_reads(sent: Any) -> int:
    """Return the integer that a reader with doubles alone makes of JSON text."""
    read = json.loads(json.dumps(sent), parse_int=float)
    return int(read)


@settings(deadline=None)
@given(st.integers())
def test_no_integer_is_rounded_by_a_double(value: int) -> None:
    """What a double-only JSON parser reads back is the integer sent."""
    assert as_double_parser_reads(wire.json_value(value)) == value


@settings(deadline=None)
@given(INT64)
def test_no_integer_of_a_column_is_rounded_by_a_double(value: int) -> None:
    """The same of columns, alone, in lists and as decimals without a fraction."""
    assert as_double_parser_reads(cell(value, pa.int64())) == value
    assert as_double_parser_reads(cell([value], pa.list_(pa.int64()))[0]) == value
    assert as_double_parser_reads(cell(Decimal(value), pa.decimal128(38, 0))) == value


@settings(deadline=None)
@given(st.decimals(-(10**20), 10**20, places=9))
def test_decimals_keep_all_digits(value: Decimal) -> None:
    """A decimal comes back with its value and its scale."""
    shown = cell(value, pa.decimal128(38, 9))
    assert Decimal(shown) == value
    assert len(shown.partition(".")[2]) == 9


@settings(deadline=None)
@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - clocks of a zone
    st.sampled_from(ZONES),
    st.integers(0, 999),
)
def test_timestamps_agree_with_isoformat(moment: datetime, zone: str, nanoseconds: int) -> None:
    """Instants of all units are those of Python's own formatting, nanoseconds added."""
    instant = moment.replace(tzinfo=UTC)
    local = instant.astimezone(ZoneInfo(zone))
    microseconds = (instant - EPOCH) // timedelta(microseconds=1)
    assert cell(microseconds, pa.timestamp("us")) == moment.isoformat()
    assert cell(microseconds, pa.timestamp("us", zone)) == local.isoformat()
    whole = local.replace(microsecond=local.microsecond // 1000 * 1000)
    assert cell(microseconds // 1000, pa.timestamp("ms", zone)) == whole.isoformat()
    whole = local.replace(microsecond=0)
    assert cell(microseconds // 10**6, pa.timestamp("s", zone)) == whole.isoformat()
    wide = microseconds * 1000 + nanoseconds
    if nanoseconds and abs(wide) < 2**63:
        text = moment.isoformat(timespec="microseconds")
        assert cell(wide, pa.timestamp("ns")) == f"{text}{nanoseconds:03d}"


@settings(deadline=None)
@given(INT64, st.sampled_from(["s", "ms", "us", "ns"]), st.sampled_from([None, *ZONES]))
def test_no_timestamp_is_out_of_range(value: int, unit: Any, zone: str | None) -> None:
    """Every number of every unit is an instant, beyond all years of `datetime` too."""
    shown = cell(value, pa.timestamp(unit, zone))
    assert re.match(r"([+-]\d{5,}|-?\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d|-?Infinity", shown)


@settings(deadline=None)
@given(st.integers(-(2**31) + 2, 2**31 - 2))
def test_no_date_is_out_of_range(days: int) -> None:
    """A date of any year has the month and day of the same date, 400-year cycles away."""
    shown = cell(days, pa.date32())
    cycles, rest = divmod(days, 146_097)
    near = date(1970, 1, 1) + timedelta(days=rest)
    assert shown[-6:] == near.isoformat()[-6:]
    assert int(shown[:-6]) == near.year + 400 * cycles


@settings(deadline=None)
@given(st.times())
def test_times_agree_with_isoformat(value: time) -> None:
    """Times of day are written as Python writes them."""
    assert cell(value, pa.time64("us")) == value.isoformat()
    assert wire.json_value(value) == value.isoformat()


@settings(deadline=None)
@given(st.integers(-(2**62), 2**62))
def test_durations_add_up(nanoseconds: int) -> None:
    """The parts of a duration, added up by a reader, are the duration."""
    shown = cell(nanoseconds, pa.duration("ns"))
    match = DURATION.fullmatch(shown)
    assert match
    sign, days, hours, minutes, seconds, fraction = match.groups(default="")
    total = 0
    for part, size in ((days, 24), (hours, 60), (minutes, 60), (seconds, 1)):
        total = (total + int(part or 0)) * size
    total = total * 10**9 + int(fraction.ljust(9, "0"))
    assert (-total if sign else total) == nanoseconds


@settings(deadline=None)
@given(st.text(st.characters(codec=None, categories=None), max_size=20))
def test_every_text_can_be_encoded(text: str) -> None:
    """Any string of Python's is sent as UTF-8; one that UTF-8 can hold is unchanged."""
    shown = wire.json_value(text)
    shown.encode()
    assert shown == text or any("\ud800" <= char <= "\udfff" for char in text)


@settings(deadline=None)
@given(st.lists(JSON, min_size=1, max_size=6))
def test_columns_and_values_agree(values: list[Any]) -> None:
    """What Arrow holds is shown as its Python value would be."""
    try:
        array = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError):
        return
    table = pa.table({"c": array})
    rows = [row[0] for row in wire.json_rows(table, wire.Clipper())]
    assert rows == [wire.json_value(value) for value in array.to_pylist()]


@settings(deadline=None)
@given(st.lists(st.lists(TEXTS | st.none(), max_size=4) | st.none(), min_size=2), st.data())
def test_slices_show_their_own_rows(values: list[Any], data: st.DataObject) -> None:
    """A slice of a column shows what its rows hold, whatever came before."""
    start = data.draw(st.integers(0, len(values) - 1))
    pairs = [None if v is None else [(str(i), x) for i, x in enumerate(v)] for v in values]
    table = pa.table(
        {
            "list": pa.array(values, pa.list_(pa.string())),
            "map": pa.array(pairs, pa.map_(pa.string(), pa.string())),
            "struct": pa.array([{"x": v} for v in values]),
        }
    )
    shown = wire.json_rows(table.slice(start), wire.Clipper())
    assert shown == wire.json_rows(table, wire.Clipper())[start:]
    assert [row[0] for row in shown] == values[start:]


@settings(deadline=None)
@given(JSON)
def test_sizes_are_those_of_the_server(value: Any) -> None:
    """The size of a value is that of the JSON which the server will send."""
    assert compact_size(value) == len(to_json(value))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "a_1", "a_2", "b_1", ""]), max_size=9))
def test_names_become_distinct(names: list[str]) -> None:
    """No two columns have one name, and only duplicates are renamed."""
    unique, notice = wire.unique_names(names)
    assert len(set(unique)) == len(names)
    for index, name in enumerate(names):
        assert unique[index] == name or name in names[:index]
    assert bool(notice) == (list(unique) != names)


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1), st.integers(1, 20))
def test_clipping_says_exactly_what_is_missing(texts: list[str], limit: int) -> None:
    """A clipped text is its beginning and the number of characters that are missing."""
    clipper = wire.Clipper(limit)
    table = pa.table({"c": pa.array(texts, pa.string())})
    for text, (shown,) in zip(texts, wire.json_rows(table, clipper), strict=True):
        if len(text) <= limit:
            assert shown == text
            continue
        kept, _, rest = shown.rpartition("…(+")
        assert kept == text[:limit]
        assert int(rest.removesuffix(" chars)")) == len(text) - limit
    assert clipper.clipped == sum(len(text) > limit for text in texts)
