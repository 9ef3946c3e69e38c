"""What is said of a value that a query asked for and that is not there."""

import json

import pytest

from support.engine import Desk

_RECORDS = [
    {"plan": "free", "user": {"plan": "gold"}, "n": 1},
    {"plan": "paid", "user": {"plan": "gold"}, "n": 2},
]
_SAID = ["No row has plan = 'none'; plan has 'free', 'paid'."]


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Return an engine over records, and a table to join with them."""
    made = Desk()
    made.put("a.jsonl", "\n".join(map(json.dumps, _RECORDS)))
    made.put("b.csv", "n,plan\n1,x\n")
    return made


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("FROM data WHERE plan = 'none'", _SAID),
        ("FROM data WHERE DATA.Plan IN ('none', 'free') AND n > 5", _SAID),
        ("SELECT n FROM data D WHERE 'none' = d.plan", _SAID),
        ("FROM data WHERE user.plan = 'none'", []),
        ("SELECT d.n FROM data d WHERE d.user.plan = 'none'", []),
        ("SELECT d.n FROM data d JOIN 's3://lake/b.csv' b USING (n) WHERE b.plan = 'none'", []),
        ("FROM data WHERE plan IN (user.plan, 'none')", []),
    ],
)
def test_the_values_of_the_column_are_told(desk: Desk, sql: str, said: list[str]) -> None:
    """Of a column of the table, not of a field or of another table's column of the same name."""
    assert list(desk.run("a.jsonl", sql).notices) == said
