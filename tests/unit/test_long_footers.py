"""Footers too long to be remembered are fetched once for a call, and tell what to fetch."""

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines.opening import TAIL_BYTES
from s3_data_lake_mcp.storage.pinned import WHOLE_BYTES
from support.engine import Desk
from support.parquet_files import dice, parquet_bytes

GROUPS, ROWS = 2_000, 200


@pytest.fixture(scope="module")
def body() -> bytes:
    """Return an object of very many row groups, with a footer that is longer than its tail."""
    random = dice(7)
    numbers = [random.getrandbits(60) for _ in range(GROUPS * ROWS)]
    table = pa.table({"a": numbers, "b": numbers[::-1], "c": [n >> 1 for n in numbers]})
    made = parquet_bytes(table, compression="none", use_dictionary=False, row_group_size=ROWS)
    assert len(made) > WHOLE_BYTES
    return made


def footer_bytes(body: bytes) -> int:
    """Return how long the footer of an object is."""
    return int.from_bytes(body[-8:-4], "little")


def test_row_groups_of_a_long_footer_are_fetched_together(body: bytes) -> None:
    """Of thousands of row groups that are read, each few cost no request of their own."""
    desk = Desk()
    desk.put("t.parquet", body)
    found = desk.rows("t.parquet", "SELECT count(*) AS n, sum(b) > 0 AS big FROM data")
    assert found == [{"n": GROUPS * ROWS, "big": True}]
    assert desk.meter.requests < GROUPS / 100


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM data WHERE b % 100000 = 7",
        "SELECT * FROM data WHERE a % 100000 = 7 AND c % 7 = 1",
    ],
)
def test_small_row_groups_behind_a_filter_cost_no_request_each(body: bytes, sql: str) -> None:
    """Nobody knows what is read of them, but that it lies side by side; no byte comes twice."""
    desk = Desk()
    desk.put("t.parquet", body)
    desk.run("t.parquet", sql)
    assert desk.meter.requests < GROUPS / 40
    assert desk.meter.bytes_read < 1.1 * len(body)


def test_a_long_footer_is_fetched_once(body: bytes) -> None:
    """Neither the engine nor who looks at the columns fetches it again."""
    desk = Desk()
    desk.put("t.parquet", body)
    size = footer_bytes(body)
    assert size > TAIL_BYTES
    assert desk.value("t.parquet", "SELECT count(*) FROM data") == GROUPS * ROWS
    assert desk.meter.bytes_read < 2 * size
    desk.run("t.parquet", "SELECT sum(a) FROM data", dry_run=True)
    assert desk.meter.bytes_read == 0


def test_the_next_query_has_a_long_footer(body: bytes) -> None:
    """It costs the question whether the object is still the same; of another version, all."""
    desk = Desk()
    desk.put("t.parquet", body)
    for key in ("t.parquet", "*.parquet"):
        desk.value(key, "SELECT count(*) FROM data")
        desk.value(key, "SELECT count(*) + 1 FROM data")
        assert desk.meter.bytes_read == 0
    desk.put("t.parquet", body[:4] + b"\0" + body[5:])
    assert desk.value("t.parquet", "SELECT count(*) FROM data") == GROUPS * ROWS
    assert desk.meter.bytes_read > footer_bytes(body)
