"""Which row groups a filter leaves, and what their columns take, told before any is read."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.engines.opening import HEAD_BYTES
from support.engine import Desk
from support.parquet_files import parquet_bytes

ROWS = 1_000
GROUPS = 10


TEXTS = [f"k{at:04}" for at in range(ROWS)]
COLUMNS = {
    "n": range(ROWS),
    "text": TEXTS,
    "parts": [{"a": at, "b": TEXTS[at]} for at in range(ROWS)],
    "parts.c": range(ROWS),
}
BODY = parquet_bytes(pa.table(COLUMNS), row_group_size=ROWS // GROUPS)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Return an engine over one object with ten row groups of a hundred rows, in order."""
    made = Desk()
    made.put("t.parquet", BODY)
    return made


def plan(desk: Desk, sql: str) -> Mapping[str, Any]:
    """Return the plan of a query."""
    found = desk.run("t.parquet", sql, dry_run=True).plan
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("true", 10),
        ("n = 250", 1),
        ("n >= 250 AND n < 310", 2),
        ("n > 899", 1),
        ("n > 899 AND text < 'k0100'", 0),
        ("text = 'k0500'", 1),
        ("n % 2 = 0", 10),
        ("n = 5 OR n = 995", 2),
        ("n IN (5, 7, 995)", 2),
        ("n BETWEEN 250 AND 310", 2),
        ("(n BETWEEN 10 AND 20) OR (n BETWEEN 900 AND 910)", 2),
        ("n > 5 AND (n < 10 OR n = 120)", 2),
        ("text IN ('k0100', 'x'' OR n = ''5', 'k0950, k0001')", 2),
        ("text IN ('k0100', 'k0950') AND n < 200", 1),
        ("n = 5 OR text = 'k0950'", 10),
        ("n = 5 OR n % 2 = 0", 10),
        ("n < 0", 0),
        ("n = 5 AND n = 7", 0),
    ],
)
def test_statistics_rule_row_groups_out(desk: Desk, condition: str, kept: int) -> None:
    """What a comparison with a value rules out is left out of the plan, nothing else."""
    assert plan(desk, f"SELECT sum(n) FROM data WHERE {condition}")["row_groups"] == kept
    read = desk.run("t.parquet", where=condition, format="parquet")
    assert read.details["parquet"]["row_groups_read"] == kept  # type: ignore[index] # JSON


def test_what_one_of_two_scans_needs_is_kept(desk: Desk) -> None:
    """A row group is left out only if no scan of the table reads it."""
    sql = "SELECT * FROM data x JOIN data y ON x.text = y.text WHERE x.n < 100 AND y.n >= 900"
    assert plan(desk, sql)["row_groups"] == 2


@pytest.mark.parametrize(
    ("selected", "columns", "chunks"),
    [
        ("list(parts)", ["n", "parts"], {"n", "parts.a", "parts.b"}),
        ("list(PARTS.a)", ["n", "parts"], {"n", "parts.a"}),
        ("list(parts.b || text)", ["n", "text", "parts"], {"n", "text", "parts.b"}),
        ('list("parts.c")', ["n", "parts.c"], {"n", "parts.c"}),
    ],
)
def test_the_estimate_is_what_is_read_of_the_columns(
    desk: Desk, selected: str, columns: list[str], chunks: set[str]
) -> None:
    """All parts of a structure count, or those that are named; no columns that are not read."""
    group = pq.read_metadata(pa.BufferReader(BODY)).row_group(2)
    sizes = {c.path_in_schema: c.total_compressed_size for c in map(group.column, range(5))}
    found = plan(desk, f"SELECT {selected} FROM data WHERE n = 250")
    assert found["columns"] == columns
    assert found["bytes_estimated"] == sum(sizes[name] for name in chunks)


@pytest.mark.parametrize("sql", ["DESCRIBE data", "SELECT n FROM data WHERE false"])
def test_of_text_without_a_scan_only_the_beginning_is_read(sql: str) -> None:
    """The columns are there; the rest is not looked at."""
    desk = Desk()
    desk.put("t.csv", "n\n" + "12345\n" * 200_000)
    plan = desk.run("t.csv", sql, dry_run=True).plan
    assert plan is not None
    assert plan["bytes_estimated"] == HEAD_BYTES
    desk.run("t.csv", sql)
    assert desk.meter.bytes_read <= HEAD_BYTES


def test_a_long_footer_is_planned_as_a_short_one() -> None:
    """It is not kept between calls, but looked at for the plan."""
    desk = Desk()
    table = pa.table({f"column_{at}": range(900) for at in range(6)})
    body = parquet_bytes(table, row_group_size=1, compression="none")
    assert int.from_bytes(body[-8:-4], "little") > 256 << 10
    desk.put("t.parquet", body)
    found = plan(desk, "SELECT sum(column_1) FROM data WHERE column_1 < 90")
    assert found["row_groups"] == 90
    assert 90 * 8 < found["bytes_estimated"] < len(body) // 20
