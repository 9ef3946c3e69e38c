"""Pages of rows and records: what is said of them is about what they show."""

import pyarrow as pa
from pydantic import ByteSize

from s3_data_lake_mcp.pages import record_page, table_page
from s3_data_lake_mcp.settings import Settings

_SETTINGS = Settings(max_result_bytes=ByteSize(2_048), max_cell_chars=60)
_TEXTS = ["a" * 50] * 50 + ["b" * 100] * 50
_ENVELOPE = {"source": {"uri": "s3://lake/x"}, "notices": [], "truncated": False}


def test_notices_are_of_the_rows_that_fit() -> None:
    """Cells that were clipped behind the end of the page are none of its."""
    page = table_page(pa.table({"t": _TEXTS}), 100, _ENVELOPE, _SETTINGS, lambda _: "next")
    assert 0 < page["returned_rows"] < 50
    assert (page["truncated_by"], page["next_cursor"]) == ("max_bytes", "next")
    assert page["notices"] == []


def test_columns_that_were_not_read_are_not_shown() -> None:
    """There may be room for one of them, where its type in the answer is shorter than expected."""
    table = pa.table({"a": ["x"], "b": ["y"], "c": pa.nulls(1, pa.string())})
    page = table_page(table, 1, _ENVELOPE, _SETTINGS, lambda _: "next", most_columns=2)
    assert [column["name"] for column in page["columns"]] == ["a", "b"]
    assert (page["rows"], page["truncated_by"]) == ([["x", "y"]], "max_bytes")
    assert page["notices"] == ["Only the first 2 of 3 columns fit; name others in columns."]


def test_notices_are_of_the_records_that_fit() -> None:
    """So it is with records."""
    envelope = {**_ENVELOPE, "keys": [], "data": None}
    page = record_page([*_TEXTS], 100, envelope, _SETTINGS, lambda _: "next")
    assert 0 < page["returned_records"] < 50
    assert (page["truncated_by"], page["next_cursor"]) == ("max_bytes", "next")
    assert page["notices"] == []


def test_the_keys_that_are_named_are_counted_once() -> None:
    """However many are left out, and for whatever reason."""
    for width, named in ((6, 1_000), (60, 260)):
        keys = [f"{n:0{width}}" for n in range(2_000)]
        envelope = {**_ENVELOPE, "keys": keys, "data": None}
        page = record_page([], 100, envelope, Settings(), lambda _: "next")
        assert len(page["keys"]) == named
        assert page["notices"] == [f"`keys` holds the first {named:,} of 2,000 keys."]
