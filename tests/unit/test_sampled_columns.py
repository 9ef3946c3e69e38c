"""Samples of some columns of wide tables, and what they say of their size."""

import gzip
import random
import time

import pyarrow as pa
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.errors import UnknownColumnError
from s3_data_lake_mcp.profiling.joining import joined
from s3_data_lake_mcp.settings import Settings
from support.parquet_files import dice, parquet_bytes
from support.summaries import Summaries


def _long(chance: random.Random, rows: int) -> pa.Array:  # type: ignore[type-arg] # any values
    return pa.array([chance.randbytes(50).hex() for _ in range(rows)])


def _table(first: int = 0) -> pa.Table:
    numbers = pa.array(range(first, first + 10_000))
    return pa.table({"n": numbers, "text": _long(dice(first), 10_000), "more": numbers})


@pytest.mark.parametrize("prefix", ["x.parquet", "set/"])
def test_only_the_columns_asked_for_are_sampled(prefix: str) -> None:
    """The others cost nothing, so that naming columns helps where the budget is too small."""
    summaries = Summaries(settings=Settings(max_scan_bytes=ByteSize(700_000)))
    summaries.put("x.parquet", parquet_bytes(_table(), row_group_size=2_500))
    for at in range(3):
        summaries.put(f"set/{at}.parquet", _table(at * 10_000))
    answer = summaries.of(prefix, "sample", "more", "N")
    profile = answer["profile"]
    assert [column["name"] for column in profile["columns"]] == ["more", "n"]
    assert summaries.meter.bytes_read < 700_000
    first, second = profile["columns"]
    assert (first["distinct"], first["max"]) == (second["distinct"], second["max"])
    assert first["distinct"] == profile["rows"]


def test_a_column_that_only_some_objects_have_is_sampled() -> None:
    """It is null in the others, and the rows of those count."""
    summaries = Summaries()
    summaries.put("a/0.parquet", pa.table({"v": [1, 2], "w": [1, 2]}))
    summaries.put("a/1.parquet", pa.table({"W": [3]}))
    found = summaries.columns("a/", "sample", "v", "w")
    assert (found["v"]["nulls"], found["w"]["nulls"], found["w"]["max"]) == (1, 0, 3)
    with pytest.raises(UnknownColumnError, match="no column 'vv'"):
        summaries.of("a/", "sample", "vv", "w")


def test_rows_repeat_others_in_the_columns_that_were_sampled() -> None:
    """In all of their columns they may differ."""
    summaries = Summaries()
    summaries.put("x.parquet", pa.table({"id": [1, 2, 3], "s": ["a", "a", "b"]}))
    said = summaries.of("x.parquet", "sample", "s")["profile"]["duplicates_note"]
    assert said == "1 of 3 sampled rows repeat another one in these columns."


def test_tables_of_many_columns_are_joined_at_once() -> None:
    """They took 10 s of computing: each column asked each table for all of its names."""
    names = [f"column_{at:04}" for at in range(2_000)]
    wide = pa.table([pa.array([1.5])] * len(names), names)
    begin = time.process_time()
    assert joined([wide] * 4, typed=True).shape == (4, 2_000)
    assert time.process_time() - begin < 3


@pytest.mark.parametrize("name", ["x.csv.gz", "x.json.gz"])
def test_decompressed_bytes_are_no_part_of_those_of_the_object(name: str) -> None:
    """2 MB of text are not two thirds of an object of 3 MB."""
    texts = [dice(at).randbytes(20).hex() for at in range(100_000)]
    body = "t\n" + "\n".join(texts)
    if "json" in name:
        body = "[" + ",".join(f'{{"t":"{text}"}}' for text in texts) + "]"
    summaries = Summaries()
    summaries.put(name, gzip.compress(body.encode(), 1))
    (said,) = (n for n in summaries.of(name, "sample")["notices"] if n.startswith("Sample of"))
    assert "MB decompressed)" in said
    assert " of " not in said.partition("(")[2].partition(")")[0]
