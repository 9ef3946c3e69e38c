"""JSON: values survive, and pages join to the whole, however the text is cut into blocks."""

import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.loaders.json import JsonLoader, JsonRequest
from s3_data_lake_mcp.loaders.json_scan import BadLines, ValueDecoder, array_items, line_items
from s3_data_lake_mcp.loaders.json_text import TextWindow
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_data_lake_mcp.loaders import Position

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
LAYOUTS = ("array", "lines")
INDENTS = st.sampled_from([None, 2])
STORED = ("plain", "gzip")
LISTS = st.lists(VALUES, min_size=1, max_size=12)


def pieces(body: bytes, size: int) -> "Iterator[bytes]":
    """Cut a body into blocks."""
    return (body[at : at + size] for at in range(0, len(body), size))


@given(
    LISTS,
    st.integers(1, 5),
    st.sampled_from(LAYOUTS),
    st.sampled_from(STORED),
    st.sampled_from([None, 2]),
)
def test_pages_join_to_the_whole(
    values: list[object],
    count: int,
    layout: str,
    stored: str,
    indent: int | None,
) -> None:
    """Resuming after every page gives each record once, whatever the layout."""
    text = (
        "\n".join(json.dumps(v, ensure_ascii=False) for v in values)
        if layout == "lines"
        else json.dumps(values, ensure_ascii=False, indent=indent)
    )
    body = text.encode("utf-8", "surrogatepass")
    store = MemoryStore()
    key = "x.jsonl" if layout == "lines" else "x.json"
    ref = store.put("b", key, gzip.compress(body) if stored == "gzip" else body)
    source = ObjectReader.open_head(store, ref, ScanMeter())
    found: list[object] = []
    position: Position | None = None
    while True:
        page = JsonLoader().read(source, JsonRequest(max_records=count, position=position))
        assert page.offset == len(found)
        found.extend(page.records[:count])
        if len(page.records) <= count:
            break
        position = page.resume(count)
    assert found == values
    assert page.total_records == len(values)


@given(LISTS, st.integers(1, 9), st.sampled_from(LAYOUTS))
def test_blocks_do_not_matter(values: list[object], size: int, layout: str) -> None:
    """Tokens, escapes and characters cut in two by a block's end are read whole."""
    text = (
        "\n".join(json.dumps(v) for v in values)
        if layout == "lines"
        else json.dumps(values, ensure_ascii=False)
    )
    window = TextWindow(pieces(text.encode(), size), subject="x", encoding="utf-8")
    window.skip(" ")
    decoder = ValueDecoder()
    items = (
        line_items(window, decoder, BadLines(), proven=False)
        if layout == "lines"
        else array_items(window, decoder, opened=False)
    )
    assert [item.value for item in items] == values


@given(st.integers(1, 17), st.integers(-(10**40), 10**40))
def test_no_integer_loses_digits(size: int, value: int) -> None:
    """An integer comes back exactly, as a number or as its digits."""
    window = TextWindow(pieces(f"[{value}]".encode(), size), subject="x", encoding="utf-8")
    window.skip(" ")
    (item,) = array_items(window, ValueDecoder(), opened=False)
    assert str(item.value) == str(value)


LINES = st.lists(
    st.sampled_from(['{"a": 1}', "[1, 2]", "3", '"é"', "null", "oops", "", " ", "{", "1 2", "NaN"])
    | st.integers(0, 9).map(lambda n: json.dumps({"n": n, "long text": "x" * 30})),
    max_size=30,
)


@given(LINES, st.integers(0, 30), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_offset_equals_reading_on(lines: list[str], cut: int, end: str) -> None:
    """Skipping records of JSON Lines leaves those behind them, bad lines counted alike."""
    body = '{"first": 1}' + end + "".join(line + end for line in lines)
    store = MemoryStore()
    source = ObjectReader.open_head(store, store.put("b", "x.jsonl", body.encode()), ScanMeter())
    whole = JsonLoader().read(source, JsonRequest(max_records=99))
    rest = JsonLoader().read(source, JsonRequest(max_records=99, offset=cut))
    assert list(rest.records) == list(whole.records[cut:])
    assert rest.total_records == whole.total_records
    assert list(rest.told(99)) == list(whole.told(99))


@given(LISTS, st.integers(0, 14), INDENTS)
def test_offset_in_an_array_equals_reading_on(
    values: list[object], cut: int, indent: int | None
) -> None:
    """Skipping elements leaves those behind them, and the exact total."""
    body = json.dumps(values, indent=indent)
    store = MemoryStore()
    source = ObjectReader.open_head(store, store.put("b", "x.json", body.encode()), ScanMeter())
    rest = JsonLoader().read(source, JsonRequest(max_records=99, offset=cut))
    assert list(rest.records) == values[cut:]
    assert rest.total_records == len(values)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_fraction_loses_digits(value: Decimal) -> None:
    """A fraction of at most 17 digits comes back as the double that it is, others as written."""
    text = f"{value:f}" if "E" not in str(value) else str(value)
    window = TextWindow(pieces(f"[{text}]".encode(), 9), subject="x", encoding="utf-8")
    window.skip(" ")
    (item,) = array_items(window, ValueDecoder(), opened=False)
    digits = len(value.as_tuple().digits)
    if isinstance(item.value, str):
        assert item.value == text
    elif isinstance(item.value, float):
        assert digits <= 17
        assert item.value == float(value)
        if digits <= 15 or abs(value) >= 2**53:
            assert Decimal(f"{item.value:.{digits - 1}e}") == value
