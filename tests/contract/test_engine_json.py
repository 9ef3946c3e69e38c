"""JSON in queries where it is odd: very wide records, and what is no Unicode."""

import json
import time

import pytest

from support.engine import Desk


@pytest.fixture
def desk() -> Desk:
    """Return an engine over an empty store."""
    return Desk()


def test_an_object_of_thousands_of_keys_takes_seconds(desk: Desk) -> None:
    """What a query costs grows with the number of columns, not with its square."""
    desk.put("wide.json", json.dumps({f"key_{n}": n for n in range(5_000)}))
    start = time.monotonic()
    (row,) = desk.rows("wide.json", "SELECT * FROM data")
    assert time.monotonic() - start < 20
    assert list(row.values()) == list(range(5_000))


def test_wide_records_are_widened_behind_the_head(desk: Desk) -> None:
    """A value of another type than the head shows makes its column wider, among many too."""
    records: list[dict[str, object]] = [{f"key_{n}": n for n in range(400)}] * 2_000
    records = [*records, {"key_7": 1.5, "key_8": "x"}]
    desk.put("wide.jsonl", "\n".join(map(json.dumps, records)))
    sql = "SELECT max(key_7), max(key_8), sum(key_9) FROM data"
    assert list(desk.rows("wide.jsonl", sql)[0].values()) == [7.0, "x", 18_000]
