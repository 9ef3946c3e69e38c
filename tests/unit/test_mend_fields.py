"""Fields of structs are found by their own names, and by the names that lead to them."""

from dataclasses import replace

import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.engines.mend_fields import field_named
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore

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


_PAGES = b"""{"page": {"next": "/2"}, "data": {"users": [
    {"id": 1, "home": {"city": "Ulm"}}, {"id": 2, "home": {"city": "Bonn"}}
]}}"""
_ROWS = "(SELECT unnest(data.users, max_depth := 2) FROM data) AS data"


@pytest.mark.parametrize(
    ("sql", "repaired", "row"),
    [
        ("SELECT max(id) FROM data", f"SELECT max(id) FROM {_ROWS}", 2),
        (
            "SELECT home.city FROM data WHERE id = 2",
            f"SELECT home.city FROM {_ROWS} WHERE id = 2",
            "Bonn",
        ),
        ("SELECT users[1].id FROM data", "SELECT data.users[1].id FROM data", 1),
        (
            "SELECT sum(data.users.id) FROM data WHERE data.users.id > 1",
            f"SELECT sum(id) FROM {_ROWS} WHERE id > 1",
            2,
        ),
        ("SELECT users.id FROM data d", "", None),
        ("SELECT page.nxt FROM data", "SELECT page.next FROM data", "/2"),
        ("SELECT id FROM data d", "", None),
        ("SELECT city FROM data", "", None),
    ],
)
def test_what_elements_of_a_list_have_becomes_a_column(
    settings: Settings, sql: str, repaired: str, row: object
) -> None:
    """A page of an API or a log of events is one document; the query that works is told."""
    store = MemoryStore()
    store.put("lake", "page.json", _PAGES)
    engine = DuckDbEngine(store, settings)
    query = Query(bucket="lake", key="page.json", max_rows=9, sql=sql)
    with pytest.raises(LakeError) as caught:
        engine.run(query, ScanMeter())
    assert (caught.value.repair or {}).get("sql", "") == repaired
    if repaired:
        again = engine.run(replace(query, sql=repaired), ScanMeter()).table
        assert list(again.to_pylist()[0].values()) == [row]
    else:
        assert caught.value.hint
