"""Fields of structs are found by their own names, and by the names that lead to them."""

import pytest

from s3_data_lake_mcp.engines.mend_fields import field_named

_TYPES = {
    "id": "BIGINT",
    "user": 'STRUCT(id VARCHAR, plan VARCHAR, "geo, point" STRUCT(lat DOUBLE, "a""b" TIME))',
    "tags": "STRUCT(x INTEGER)[]",
    "other": "STRUCT(lat DOUBLE, size INTEGER)",
}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("plan", "user.plan"),
        ("Plan", "user.plan"),
        ("user_plan", "user.plan"),
        ("userPlan", "user.plan"),
        ("size", "other.size"),
        ("lat", ""),
        ("other_lat", "other.lat"),
        ('a"b', 'user."geo, point"."a""b"'),
        ("geo, point", 'user."geo, point"'),
        ("x", ""),
        ("id", "user.id"),
        ("nothing", ""),
    ],
)
def test_a_field_is_named_where_there_is_one(name: str, field: str) -> None:
    """Two fields of a name are a choice, and what is in a list is no field."""
    assert field_named(name, _TYPES) == field
