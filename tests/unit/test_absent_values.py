"""What is said of a value that a query asked for and that is not there."""

import json

import pytest

from s3_data_lake_mcp.engines import Filter
from support.engine import Desk

_RECORDS = [
    {"plan": "free", "user": {"plan": "gold"}, "n": 1, "tags": ["a"], "made": "2026-01-31T10:00"},
    {"plan": "paid", "user": {"plan": "gold"}, "n": 2, "tags": ["b"], "made": "2026-01-31T11:00"},
]
_SAID = ["No row has plan = 'none'; plan has 'free', 'paid'."]
_MIDNIGHT = "made = '2026-01-31' is midnight alone: write CAST(\"made\" AS DATE) = '2026-01-31'."
_INSIDE = "No row has {!r} in plan; plan has 'free', 'paid'."


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
        (
            "SELECT d.n FROM data d JOIN 's3://lake/b.csv' b USING (n) WHERE b.plan = 'none'",
            ["No row has plan = 'none'; plan has 'x'."],
        ),
        ("FROM data WHERE plan IN (user.plan, 'none')", []),
        ("FROM data WHERE lower(plan) = 'none'", _SAID),
        ("FROM data WHERE lower(plan) = 'free' AND n > 5", []),
        ("FROM data WHERE upper(plan) = upper('Free') AND n > 5", []),
        ("FROM data WHERE plan LIKE 'Fr%'", [_INSIDE.format("Fr")]),
        ("FROM data WHERE plan LIKE '%ai%' AND n > 5", []),
        ("FROM data WHERE plan LIKE 'F_ee'", []),
        ("FROM data WHERE plan ILIKE '%frée%'", [_INSIDE.format("frée")]),
        ("FROM data WHERE plan ILIKE '%FRE%' AND n > 5", []),
        ("FROM data WHERE starts_with(plan, 'x')", [_INSIDE.format("x")]),
        ("SELECT max(plan), sum(n) FROM data WHERE plan = 'none'", _SAID),
        ("SELECT max(plan) FROM data WHERE n > 5", []),
        ("FROM data WHERE made = '2026-01-31'", [_MIDNIGHT]),
        ("SELECT count(*) FROM data WHERE made IN (DATE '2026-01-31')", [_MIDNIGHT]),
        ("FROM data WHERE CAST(made AS DATE) = '2026-01-31' AND n > 5", []),
        ("SELECT tags[0] FROM data", ["Lists begin with 1: their element [0] is null."]),
        ("SELECT n, tags [0 ] FROM data", ["Lists begin with 1: their element [0] is null."]),
        ("SELECT tags[1], '[0]', 'tags[0]', null FROM data", []),
    ],
)
def test_the_values_of_the_column_are_told(desk: Desk, sql: str, said: list[str]) -> None:
    """Of a column of the table, not of a field or of another table's column of the same name."""
    assert list(desk.run("a.jsonl", sql).notices) == said


@pytest.mark.parametrize(
    ("operator", "value", "said"),
    [
        ("contains", "frée", [_INSIDE.format("frée")]),
        ("starts_with", "Gratis", [_INSIDE.format("Gratis")]),
        ("=", "Free", ["No row has plan = 'Free'; plan has 'free', 'paid'."]),
        ("contains", "FREE", []),
        ("starts_with", "REE", []),
    ],
)
def test_the_simple_form_tells_them_too(
    desk: Desk, operator: str, value: str, said: list[str]
) -> None:
    """Whether case counts is the operator's matter; accents always do."""
    condition = Filter(column="plan", operator=operator, value=value)
    assert list(desk.run("a.jsonl", filter=condition).notices) == said


def test_a_day_that_is_compared_with_times_is_midnight(desk: Desk) -> None:
    """It finds no row of the day, which is not what was meant."""
    condition = Filter(column="made", operator="auto", value="2026-01-31")
    assert list(desk.run("a.jsonl", filter=condition).notices) == [_MIDNIGHT]
