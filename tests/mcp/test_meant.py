"""What agents write that is not of this server: the error holds the call that was meant."""

from collections.abc import Mapping

import pytest

from support.mcp import Answer, Caller
from support.objects import SHELF, Objects

QUERY = "query_csv_data"
KEY = "meant/orders.csv"
A, B, C = [1, "a,x", 50_000], [2, "b", 60_000], [3, "it's and so on", 1_234_567]
HOSTS = (
    f"https://s3.eu-central-1.amazonaws.com/{SHELF}",
    f"https://s3.amazonaws.com/{SHELF}",
    f"https://{SHELF}.s3.eu-central-1.amazonaws.com",
    f"https://{SHELF}.s3-eu-west-1.amazonaws.com",
    f"HTTPS://{SHELF}.s3.amazonaws.com",
    f"http://{SHELF}.s3.dualstack.us-west-2.amazonaws.com",
)


@pytest.fixture(scope="module")
def orders(objects: Objects) -> str:
    """Write the objects."""
    lines = ['1,"a,x",50000', "2,b,60000", "3,it's and so on,1234567"]
    objects.put("meant/a b/c+d.csv", "x\n7\n")
    objects.put("meant/names.csv", "id,who\n2,Ann\n")
    return objects.put(KEY, "\n".join(["id,name,price", *lines, ""]))


async def _meant(call: Caller, tool: str, arguments: Mapping[str, object]) -> Answer:
    failed = await call(tool, **arguments)
    assert failed.is_error, failed.text
    assert failed.next["tool"] == tool
    meant = await call(tool, **failed.next["arguments"])
    assert not meant.is_error, meant.text
    return meant


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({"where": "price > 50000"}, [B, C]),
        ({"where": "WHERE price > 50000", "columns": ["id"], "max_rows": 1}, [[2]]),
        ({"predicate": "name = 'b'"}, [B]),
        ({"sql": "price > 50000 AND name <> 'b'"}, [C]),
        ({"filter_operator": "like", "filter_column": "name", "filter_value": "it's%"}, [C]),
        ({"filter_operator": "NOT LIKE", "filter_column": "name", "filter_value": "%s%"}, [A, B]),
        ({"filter_operator": "ilike", "filter_column": "name", "filter_value": "B"}, [B]),
        (
            {"filter_operator": "between", "filter_column": "price", "filter_value": "1,60000"},
            [A, B],
        ),
        (
            {"filter_operator": "between", "filter_column": "name", "filter_value": "'b' AND 'c'"},
            [B],
        ),
        (
            {"filter_operator": "not_in", "filter_column": "name", "filter_value": '"a,x", b'},
            [C],
        ),
        ({"filter_operator": "==", "filter_column": "price", "filter_value": "60,000"}, [B]),
        ({"filter_operator": ">", "filter_column": "price", "filter_value": "1,000,000"}, [C]),
        ({"filter_operator": "in", "filter_column": "price", "filter_value": '"60,000"'}, [B]),
        ({"sql": "SELECT * FROM data WHERE price > '60,000'"}, [C]),
        ({"sql": "SELECT * FROM data WHERE price >= 1,234,567"}, [C]),
        ({"sql": "SELECT CONVERT(price, CHAR) FROM data LIMIT 1"}, [["50000"]]),
        ({"sql": "SELECT CONVERT(id, SIGNED) FROM data LIMIT 1"}, [[1]]),
        ({"sql": "SELECT CONVERT(VARCHAR(10), price) FROM data LIMIT 1"}, [["50000"]]),
        ({"sql": "SELECT max(CONVERT(INT, price)) FROM data"}, [[1_234_567]]),
        ({"sql": "SELECT count(*) FROM 'orders.csv'"}, [[3]]),
        ({"sql": f"SELECT count(*) FROM '{KEY}'"}, [[3]]),
        ({"sql": f"SELECT count(*) FROM read_csv('{KEY}')"}, [[3]]),
        ({"sql": "SELECT who FROM data JOIN 'meant/names.csv' USING (id)"}, [["Ann"]]),
        ({"sql": f"SELECT count(*) FROM '{HOSTS[2]}/{KEY}'"}, [[3]]),
    ],
)
async def test_a_query_of_elsewhere_is_told_as_it_is_here(
    call: Caller, orders: str, arguments: dict[str, object], rows: list[object]
) -> None:
    """Predicates, operators, numbers, conversions and paths come in this server's own words."""
    place = {"bucket_name": SHELF, "object_key": orders}
    meant = await _meant(call, QUERY, {**place, **arguments})
    assert meant.data["rows"] == rows


@pytest.mark.parametrize("host", HOSTS)
async def test_a_web_address_of_s3_is_told_as_bucket_and_key(
    call: Caller, orders: str, host: str
) -> None:
    """In its path or its host; a key is decoded, and what signs a request is left out."""
    for name in ("bucket_name", "url"):
        meant = await _meant(call, QUERY, {name: f"{host}/{orders}?X-Amz-Signature=abc"})
        assert meant.data["source"]["uri"] == f"s3://{SHELF}/{orders}"
    where = {"bucket_name": SHELF, "object_key": f"{host}/meant/a%20b/c%2Bd.csv"}
    for arguments in (where, {"object_key": where["object_key"]}):
        meant = await _meant(call, "read_csv_from_s3", arguments)
        assert meant.data["rows"] == [[7]]
    meant = await _meant(call, "get_dataset_summary", {"bucket_name": f"{host}/meant/"})
    assert meant.data["inventory"]["objects"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"where": "price > 1", "sql": "SELECT 1"},
        {"where": ""},
        {"filter_operator": "in", "filter_column": "price", "filter_value": '1, "60,000"'},
        {"filter_operator": "between", "filter_column": "price", "filter_value": "1"},
        {"sql": "SELECT * FROM '/etc/passwd'"},
        {"sql": "SELECT * FROM 'https://example.com/meant/orders.csv'"},
    ],
)
async def test_what_is_in_doubt_is_not_proposed(
    call: Caller, orders: str, arguments: dict[str, object]
) -> None:
    """A call that may ask for something else is none."""
    failed = await call(QUERY, bucket_name=SHELF, object_key=orders, **arguments)
    assert failed.is_error
    assert "next: " not in failed.text


async def test_the_latest_version_has_no_name(call: Caller, orders: str) -> None:
    """The call without a version is the one that was meant."""
    place = {"bucket_name": SHELF, "object_key": orders}
    meant = await _meant(call, "get_file_metadata", {**place, "version_id": "latest"})
    assert meant.data["total_rows"] in (None, 3)
    absent = await call("get_file_metadata", **{**place, "object_key": "none"}, version_id="latest")
    assert "next: " not in absent.text or absent.next["tool"] != "get_file_metadata"


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({"where": "price > 50000", "columns": ["id"], "max_rows": 1}, [[2]]),
        ({"filter": "prise > 50000"}, [B, C]),
        ({"where": "price > 50000", "delimiter": ","}, None),
        ({"where": "nothing > 50000"}, None),
    ],
)
async def test_a_tool_without_predicates_leads_to_a_query(
    call: Caller, orders: str, arguments: Mapping[str, object], rows: list[object] | None
) -> None:
    """With what was asked beside it, or not at all."""
    failed = await call("read_csv_from_s3", bucket_name=SHELF, object_key=orders, **arguments)
    assert "hint: query_csv_data takes it" in failed.text
    assert ("next: " in failed.text) == (rows is not None)
    if rows is not None:
        assert failed.next["tool"] == QUERY
        assert (await call(QUERY, **failed.next["arguments"])).data["rows"] == rows


@pytest.mark.parametrize(("size", "found"), [("1 MB", 0), ("0.05KiB", 1), ("7B", 2)])
@pytest.mark.usefixtures("orders")
async def test_a_size_is_told_in_bytes(call: Caller, size: str, found: int) -> None:
    """Bytes are asked for, and sizes are mostly told in larger units."""
    place = {"bucket_name": SHELF, "prefix": "meant/"}
    meant = await _meant(call, "list_s3_objects", {**place, "min_size_bytes": size})
    assert meant.data["count"] == found


@pytest.mark.usefixtures("orders")
async def test_a_glob_of_deeper_keys_is_told(call: Caller) -> None:
    """A single star ends at a slash; tools of one object lead to one that takes a glob."""
    place = {"bucket_name": SHELF, "object_key": "me*/c*.csv"}
    meant = await _meant(call, QUERY, place)
    assert meant.data["rows"] == [[7]]
    failed = await call("get_file_metadata", **place)
    assert failed.next["tool"] == "list_s3_objects"
    found = await call("list_s3_objects", **failed.next["arguments"])
    assert [one["key"] for one in found.data["objects"]] == ["meant/a b/c+d.csv"]


@pytest.mark.parametrize(
    ("tool", "nulls"),
    [
        ("read_csv_from_s3", ("cursor", "delimiter", "columns", "max_rows", "has_header")),
        (QUERY, ("cursor", "sql", "filter_operator", "dry_run")),
    ],
)
async def test_null_is_what_is_not_given(
    call: Caller, orders: str, tool: str, nulls: tuple[str, ...]
) -> None:
    """Optional parameters come as null from who writes them all."""
    place = {"bucket_name": SHELF, "object_key": orders}
    meant = await _meant(call, tool, {**place, **dict.fromkeys(nulls)})
    assert meant.data["rows"] == [A, B, C]
    sql = {"sql": f"SELECT count(*) FROM 's3://{SHELF}/{orders}'"}
    meant = await _meant(call, QUERY, {"bucket_name": SHELF, "object_key": None, **sql})
    assert meant.data["rows"] == [[3]]


@pytest.mark.parametrize("table", ["information_schema.columns", "sqlite_master", "PG_catalog.x"])
async def test_a_catalogue_is_told_as_the_columns(call: Caller, orders: str, table: str) -> None:
    """Who looks for columns is shown them."""
    place = {"bucket_name": SHELF, "object_key": orders}
    meant = await _meant(call, QUERY, {**place, "sql": f"SELECT name FROM {table}"})
    assert [row[0] for row in meant.data["rows"]] == ["id", "name", "price"]


@pytest.mark.parametrize("mark", ["marked/", "marked_$folder$"])
@pytest.mark.parametrize("tool", ["read_csv_from_s3", "read_json_from_s3"])
async def test_a_folder_is_listed_where_something_marks_it(
    call: Caller, objects: Objects, tool: str, mark: str
) -> None:
    """An empty object of a console or Hadoop is no table."""
    objects.put(mark, b"")
    objects.put("marked/a.csv", b"x\n1\n")
    failed = await call(tool, bucket_name=SHELF, object_key=mark)
    assert failed.text.startswith("malformed_data: ")
    assert failed.next["tool"] == "list_s3_objects"
    found = await call("list_s3_objects", **failed.next["arguments"])
    assert "marked/a.csv" in [one["key"] for one in found.data["objects"]]
