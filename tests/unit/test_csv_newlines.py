"""Line ends in quotes of another kind than those of the lines: read tool and engine agree."""

import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.csv_lines import wide_lines
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

ENDS = ("\n", "\r\n", "\r")


@pytest.mark.parametrize("sql", ["", "SELECT * FROM data"])
@pytest.mark.parametrize("more", ["", "z\n"], ids=["regular", "ragged"])
@pytest.mark.parametrize("inner", ENDS, ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("newline", ENDS, ids=["lf", "crlf", "cr"])
def test_the_first_record_holds_another_line_end(
    newline: str, inner: str, more: str, sql: str, settings: Settings
) -> None:
    """The engine by itself takes the first line's end that it sees for that of all lines."""
    lines = ["a,b", f'"1{inner}2",3', "x,4", *more.split()]
    store = MemoryStore()
    ref = store.put("lake", "x.csv", (newline.join(lines) + newline).encode())
    source = ObjectReader.open_head(store, ref, ScanMeter())
    read = CsvLoader().load(source, CsvRequest(max_rows=10)).table
    query = Query(bucket="lake", key="x.csv", max_rows=10, sql=sql)
    queried = DuckDbEngine(store, settings).run(query, ScanMeter(), lambda _d, _t: None).table
    assert queried.to_pylist() == read.to_pylist()
    assert read.to_pylist()[0] == {"a": f"1{inner}2", "b": 3}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_wide_lines_may_be_cut_within_a_character(size: int) -> None:
    """However the text comes in blocks, its lines are the same."""
    text = "a,é\r\n1\n".encode("utf-16-le")
    blocks = (text[at : at + size] for at in range(0, len(text), size))
    lines = [line.decode("utf-16-le") for line in wide_lines(blocks, "utf-16-le")]
    assert lines == ["a,é\r\n", "1\n"]
