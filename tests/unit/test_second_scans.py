"""A small object is fetched once for a query, however often the engine scans it."""

import numpy as np
import pyarrow as pa
import pytest

from support.engine import Desk
from support.parquet_files import parquet_bytes

ROWS = 60_000
COLUMNS = 8
KEY = "small.parquet"


def _body() -> bytes:
    dice = np.random.default_rng(5)
    columns = {f"c{at}": pa.array(dice.random(ROWS)) for at in range(COLUMNS)}
    return parquet_bytes(pa.table({**columns, "k": pa.array(dice.integers(0, 4, ROWS))}))


@pytest.fixture
def desk() -> Desk:
    """Return an engine with one object of some MB that does not compress."""
    made = Desk()
    made.put(KEY, _body())
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM data ORDER BY c1 LIMIT 5",
        "PIVOT (SELECT k, c2 FROM data) ON k USING sum(c2)",
        "SELECT count(*) FROM data a JOIN data b ON a.c1 = b.c1 AND a.c2 = b.c3",
        "SELECT sum(c4) FROM data WHERE c5 > (SELECT avg(c6) FROM data)",
    ],
)
def test_a_second_scan_fetches_nothing_again(desk: Desk, sql: str) -> None:
    """Its bytes are read once, the footer's at most twice."""
    desk.rows(KEY, sql)
    size = len(_body())
    assert 4 << 20 < size < 8 << 20
    assert desk.meter.bytes_read <= size + (512 << 10)
