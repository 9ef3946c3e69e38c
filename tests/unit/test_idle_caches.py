"""Text and columns have an engine each; what the idle one has cached is kept while it may be."""

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import connection
from s3_data_lake_mcp.settings import Settings
from support.engine import Desk
from support.parquet_files import parquet_bytes

TEXT = b"n,text\n" + (b"7," + b"x" * 98 + b"\n") * 40_000
COLUMNS = parquet_bytes(
    pa.table({"n": [i * 2_654_435_761 % (1 << 61) for i in range(400_000)]}),
    compression="none",
    use_dictionary=False,
)


def read_by_turns(cache_bytes: str) -> dict[str, int]:
    """Query a text, then columns, then both in other words; return the bytes read of the latter."""
    settings = Settings(_env_file=None, cache_bytes=cache_bytes)  # type: ignore[call-arg, arg-type] # pydantic-settings' own keyword; a size as text
    desk = Desk(settings=settings)
    desk.put("a.csv", TEXT)
    desk.put("b.parquet", COLUMNS)
    read = {}
    for sql in ("SELECT sum(n % 3) AS n FROM data", "SELECT sum(n % 5) AS n FROM data"):
        for key in ("a.csv", "b.parquet"):
            desk.rows(key, sql)
            read[key] = desk.meter.bytes_read
    return read


def test_each_keeps_what_it_has_while_the_other_one_is_asked() -> None:
    """The second query of each fetches nothing."""
    assert read_by_turns("64MB") == {"a.csv": 0, "b.parquet": 0}


def test_together_they_cache_no_more_than_one_may() -> None:
    """The idle one is let go of: each alone would have fitted, both do not."""
    read = read_by_turns("6MB")
    assert read["a.csv"] > 2 << 20
    assert read["b.parquet"] > 2 << 20


def test_an_idle_cache_takes_little_of_the_memory_of_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where memory is short, a query has it."""
    monkeypatch.setattr(connection, "_IDLE_SHARE", 1e-5)
    assert min(read_by_turns("64MB").values()) > 2 << 20
