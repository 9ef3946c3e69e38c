"""The call that comes with an error: it works as it is."""

import pytest

from support.mcp import Caller
from support.objects import SHELF, Objects


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT count(*) FROM 's3://{SHELF}/repairs/cutsomers.csv'",
        f"SELECT count(*) FROM data JOIN 's3://{SHELF}/repairs/cutsomers.csv' USING (id)",
        f"SELECT count(*) FROM read_csv(['S3://{SHELF}/repairs/cutsomers.csv'])",
        f"SELECT count(*) FROM data JOIN 's3://{SHELF}x/repairs/customers.csv' USING (id)",
        "SELECT count(*) FROM data WHERE idd = 1",
    ],
)
async def test_a_repaired_query_works(call: Caller, objects: Objects, sql: str) -> None:
    """What is wrong in the SQL is mended in the SQL, and the table `data` stays what it is."""
    objects.put("repairs/orders.csv", b"id\n1\n2\n")
    objects.put("repairs/customers.csv", b"id\n1\n3\n")
    place = {"bucket_name": SHELF, "object_key": "repairs/orders.csv"}
    failed = await call("query_csv_data", **place, sql=sql)
    assert failed.is_error
    assert place.items() <= failed.next["arguments"].items()
    mended = await call(failed.next["tool"], **failed.next["arguments"])
    assert not mended.is_error, mended.text


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT sum(prise) AS n FROM data GROUP BY contry", [[9]]),
        ("SELECT prise FROM data WHERE user.id = 1 AND user.name = 'a'", [[4]]),
        ("SELECT prise + country AS n FROM data", [[None], [None]]),
        ("SELECT prise - day FROM data", None),
        ("SELECT prise, nothing_like_it FROM data", None),
    ],
)
async def test_all_that_is_wrong_is_mended_at_once(
    call: Caller, objects: Objects, sql: str, rows: list[list[int]] | None
) -> None:
    """A call that would fail for another reason is none to propose."""
    body = b"user.id,user.name,country,price,day\n1,a,CH,4,2026-01-31\n2,b,CH,5,2026-01-30\n"
    objects.put("repairs/dots.csv", body)
    failed = await call("query_csv_data", bucket_name=SHELF, object_key="repairs/dots.csv", sql=sql)
    assert failed.is_error
    if rows is None:
        assert "next: " not in failed.text
    else:
        mended = await call(failed.next["tool"], **failed.next["arguments"])
        assert mended.data["rows"] == rows


async def test_the_table_is_shown(call: Caller, objects: Objects) -> None:
    """`SHOW TABLES` names the table that there is."""
    objects.put("repairs/orders.csv", b"id\n1\n2\n")
    shown = await call(
        "query_csv_data", bucket_name=SHELF, object_key="repairs/orders.csv", sql="SHOW TABLES"
    )
    assert shown.data["rows"] == [["data"]]


@pytest.mark.parametrize(
    "sql", ["SELECT map() AS m", "SELECT [MAP {}] AS m", "SELECT MAP {1: map()}"]
)
async def test_a_map_without_a_type_is_no_bug(call: Caller, objects: Objects, sql: str) -> None:
    """A map whose keys have no type, for it has none, is an empty one."""
    objects.put("repairs/orders.csv", b"id\n1\n2\n")
    shown = await call(
        "query_csv_data", bucket_name=SHELF, object_key="repairs/orders.csv", sql=sql
    )
    assert not shown.is_error, shown.text
