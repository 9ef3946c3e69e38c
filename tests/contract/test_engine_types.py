"""What a query shows of Parquet is what `read_parquet_from_s3` shows, digit for digit."""

import pyarrow as pa
import pytest

from support.engine import Desk, parquet_bytes


@pytest.fixture
def desk() -> Desk:
    """Return an engine over an empty store."""
    return Desk()


@pytest.mark.parametrize(
    ("where", "read"),
    [("n >= 350 AND n < 352", 1), ("n >= 350 AND n < 450", 2), ("n % 10 = 0", 10), ("n < 0", 0)],
)
def test_row_groups_that_were_read_are_counted(desk: Desk, where: str, read: int) -> None:
    """A predicate reads only the row groups that statistics leave, and says how many."""
    desk.put("n.parquet", parquet_bytes(pa.table({"n": range(1_000)}), row_group_size=100))
    for _ in range(2):
        result = desk.run("n.parquet", where=where, format="parquet")
        assert result.details["parquet"]["row_groups_read"] == read  # type: ignore[index] # plain JSON


def test_row_groups_of_many_objects_are_counted(desk: Desk) -> None:
    """Of a dataset, the row groups of all objects count that partitions and statistics leave."""
    for day in (1, 2, 3):
        body = parquet_bytes(pa.table({"n": range(100)}), row_group_size=50)
        desk.put(f"t/day={day}/part.parquet", body)
    for where, read in (("", 6), ("day > 1", 4), ("day > 1 AND n < 10", 2)):
        result = desk.run("t/", where=where, format="parquet")
        assert result.details["parquet"]["row_groups_read"] == read  # type: ignore[index] # plain JSON


@pytest.mark.parametrize("where", ["n = 3;", "n = 3; -- three", "n = 3 /* three */ ;;"])
def test_a_predicate_runs_as_it_was_checked(desk: Desk, where: str) -> None:
    """What the guard cut off behind a predicate does not reach the engine."""
    desk.put("n.parquet", parquet_bytes(pa.table({"n": range(10)})))
    assert desk.rows("n.parquet", where=where) == [{"n": 3}]
