"""The call that comes with an error: it works as it is."""

import gzip
import time

import pyarrow as pa
import pytest

from support.mcp import Caller
from support.objects import SHELF, Objects
from support.parquet_files import parquet_bytes


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
        ("SELECT prise + coed AS n FROM data", [[11], [None]]),
        ("SELECT prise + country AS n FROM data", None),
        ("SELECT prise - day FROM data", None),
        ("SELECT prise, nothing_like_it FROM data", None),
    ],
)
async def test_all_that_is_wrong_is_mended_at_once(
    call: Caller, objects: Objects, sql: str, rows: list[list[int]] | None
) -> None:
    """A call that would fail for another reason is none to propose."""
    names = b"user.id,user.name,country,price,day,code\n"
    body = names + b"1,a,CH,4,2026-01-31,7\n2,b,CH,5,2026-01-30,x\n"
    objects.put("repairs/dots.csv", body)
    failed = await call("query_csv_data", bucket_name=SHELF, object_key="repairs/dots.csv", sql=sql)
    assert failed.is_error
    if rows is None:
        assert "next: " not in failed.text
    else:
        mended = await call(failed.next["tool"], **failed.next["arguments"])
        assert mended.data["rows"] == rows


@pytest.mark.parametrize(
    ("sql", "fixed"),
    [
        ("PIVOT data ON contry USING sum(prise)", "PIVOT data ON country USING sum(price)"),
        ("SELECT prise FROM orders", "SELECT price FROM data"),
        ("SELECT prise FROM data LIMIT 1, 1", "SELECT price FROM data LIMIT 1 OFFSET 1"),
        ("EXPLAIN SELECT prise FROM orders", "EXPLAIN SELECT price FROM data"),
        ("SELECT CAST(coed AS INT) FROM data", "SELECT TRY_CAST(code AS INT) FROM data"),
        ("SELECT CAST(contry AS INT) FROM data", None),
        (
            f"SELECT prise FROM 's3://{SHELF}/repairs/lsit.csv'",
            f"SELECT price FROM 's3://{SHELF}/repairs/list.csv'",
        ),
        (
            "SELECT CASE country WHEN swiss THEN 1 END FROM data",
            "SELECT CASE country WHEN 'swiss' THEN 1 END FROM data",
        ),
        ("SELECT price FROM data WHERE price > five", None),
        ("SELECT price FROM data WHERE contry = 'CH' AND day = monday", None),
        ("SELECT group FROM data", "SELECT 'group' FROM data"),
        ("PIVOT data ON contry USING sum(nothing_like_it)", None),
    ],
)
async def test_a_proposed_query_was_run(
    call: Caller, objects: Objects, sql: str, fixed: str | None
) -> None:
    """What would fail, or give nothing, is not proposed: for a second name, a value, or a table."""
    body = b"country,price,day,code\nCH,4,2026-01-31,7\nDE,5,2026-01-30,x\n"
    key = objects.put("repairs/list.csv", body)
    failed = await call("query_csv_data", bucket_name=SHELF, object_key=key, sql=sql)
    assert failed.is_error
    if fixed is None:
        assert "next: " not in failed.text
        return
    assert failed.next["arguments"]["sql"] == fixed
    mended = await call(failed.next["tool"], **failed.next["arguments"])
    assert not mended.is_error, mended.text


async def test_a_query_that_takes_long_is_tried_for_a_moment(
    call: Caller, objects: Objects
) -> None:
    """The error comes soon, and the query that was begun without a fault is proposed."""
    key = objects.put("repairs/few.csv", b"price\n4\n5\n")
    sql = "SELECT sum({}) FROM data, range(1000000000000)"
    place = {"bucket_name": SHELF, "object_key": key}
    began = time.monotonic()
    failed = await call("query_csv_data", **place, sql=sql.format("prise"))
    assert time.monotonic() - began < 20
    assert failed.next["arguments"]["sql"] == sql.format("price")


@pytest.mark.parametrize(
    ("tool", "wrong", "right"),
    [
        ("query_csv_data", {"sql": "SELECT prise FROM data"}, {"sql": "SELECT price FROM data"}),
        (
            "query_csv_data",
            {"filter_column": "contry", "filter_value": "CH", "columns": ["prise"]},
            {"filter_column": "country", "filter_value": "CH", "columns": ["price"]},
        ),
        ("read_csv_from_s3", {"columns": ["prise"]}, {"columns": ["price"]}),
    ],
)
async def test_a_wrong_key_and_a_wrong_column_are_mended_at_once(
    call: Caller,
    objects: Objects,
    tool: str,
    wrong: dict[str, object],
    right: dict[str, object],
) -> None:
    """The call with the nearest key would fail for its column."""
    key = objects.put("repairs/prices.csv", b"country,price\nCH,4\nDE,5\n")
    failed = await call(tool, bucket_name=SHELF, object_key="repairs/pirces.csv", **wrong)
    assert failed.text.startswith("not_found: ")
    assert failed.next["arguments"] == {"bucket_name": SHELF, "object_key": key, **right}
    mended = await call(tool, **failed.next["arguments"])
    assert not mended.is_error, mended.text


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"limit": 5, "filter_operator": "=="}, None),
        (
            {"limit": 5, "filter_operator": "<>", "filter_column": "country"},
            {"max_rows": 5, "filter_operator": "!=", "filter_column": "country"},
        ),
        ({"max_row": 5, "columns": ["price", 3]}, {"max_rows": 5, "columns": []}),
        ({"max_rows": "10", "max_records": 1}, {"max_rows": 10}),
        ({"limit": 5, "cursor": "zzz"}, None),
        ({"columns": "price", "cursor": "zzz"}, None),
        ({"limit": 5, "object_key": 5}, None),
        (
            {"filtr_column": "country", "filtr_value": "CH", "limit": 5},
            {"filter_column": "country", "filter_value": "CH", "max_rows": 5},
        ),
        ({"filter": "CH"}, None),
        (
            {"limit": 5, "sql": "SELECT prise FROM data"},
            {"max_rows": 5, "sql": "SELECT price FROM data"},
        ),
        ({"limit": 5, "sql": "SELECT nothing_like_it FROM data"}, None),
        (
            {"filter_column": "contry", "filter_operator": "eq", "filter_value": "CH"},
            {"filter_column": "country", "filter_operator": "=", "filter_value": "CH"},
        ),
    ],
)
async def test_two_wrong_arguments_are_mended_at_once(
    call: Caller, objects: Objects, wrong: dict[str, object], right: dict[str, object] | None
) -> None:
    """A call that would fail for another argument is none to propose."""
    key = objects.put("repairs/prices.csv", b"country,price\nCH,4\nDE,5\n")
    place = {"bucket_name": SHELF, "object_key": key}
    failed = await call("query_csv_data", **place | wrong)
    assert failed.text.startswith("invalid_argument: ")
    if right is None:
        assert "next: " not in failed.text
        return
    assert failed.next["arguments"] == place | right
    assert not (await call("query_csv_data", **failed.next["arguments"])).is_error


@pytest.mark.parametrize("wrong", ["prise", "PRISE", "Pricee"])
async def test_case_makes_no_name_unlike(call: Caller, objects: Objects, wrong: str) -> None:
    """Names that only case tells from a column are that column, also beside a misspelt one."""
    key = objects.put("repairs/prices.csv", b"country,price\nCH,4\nDE,5\n")
    failed = await call(
        "query_csv_data", bucket_name=SHELF, object_key=key, columns=["COUNTRY", wrong]
    )
    assert failed.text.startswith("unknown_column: ")
    assert failed.next["arguments"]["columns"] == ["country", "price"]


async def test_a_long_object_is_tried_by_its_names(call: Caller, objects: Objects) -> None:
    """Its exact profile is too much for a trial; what it would be refused for is mended."""
    rows = "".join(f"{i},{'x' * 90}\n" for i in range(100_000))
    key = objects.put("repairs/long.csv", f"price,note\n{rows}")
    failed = await call(
        "get_dataset_summary", bucket_name=SHELF, prefix=key, basis="exakt", columns=["prise"]
    )
    assert failed.text.startswith("invalid_argument: ")
    assert failed.next["arguments"]["columns"] == ["price"]


@pytest.mark.parametrize(
    ("tool", "wrong", "right"),
    [
        ("read_csv_from_s3", {"columns": ["prise"], "has_header": "yes"}, {"columns": ["price"]}),
        (
            "get_dataset_summary",
            {"prefix": "repairs/pirces.csv", "columns": ["prise"]},
            {"prefix": "repairs/prices.csv", "columns": ["price"]},
        ),
        ("get_dataset_summary", {"basis": "full", "columns": ["prise"]}, {"columns": ["price"]}),
        (
            "query_csv_data",
            {"object_key": f"s3://{SHELF}/repairs/prices.csv", "columns": ["prise"]},
            {"object_key": "repairs/prices.csv", "columns": ["price"]},
        ),
        ("get_file_metadata", {"version": "none-such"}, {"prefix": "repairs/prices.csv"}),
        ("get_file_metadata", {"bucket_name": f"{SHELF}x", "object_key": "none/such"}, None),
        ("list_s3_objects", {"bucket_name": f"{SHELF}x", "limit": 2}, {"max_keys": 2}),
        ("list_s3_objects", {"format": "cvs", "max_keys": "2"}, {"format": "csv"}),
        (
            "query_csv_data",
            {
                "bucket_name": f"{SHELF}x",
                "object_key": "repairs/pirces.csv",
                "sql": "SELECT prise FROM data",
                "limit": 2,
            },
            {
                "bucket_name": SHELF,
                "object_key": "repairs/prices.csv",
                "sql": "SELECT price FROM data",
                "max_rows": 2,
            },
        ),
    ],
)
async def test_what_no_page_answers_is_tried_too(
    call: Caller,
    objects: Objects,
    tool: str,
    wrong: dict[str, object],
    right: dict[str, object] | None,
) -> None:
    """Whatever a call is refused for, what it would fail for next is mended or nothing proposed."""
    key = objects.put("repairs/prices.csv", b"country,price\nCH,4\nDE,5\n")
    place = "object_key" if tool[:3] in {"rea", "que"} or tool == "get_file_metadata" else "prefix"
    failed = await call(tool, **{"bucket_name": SHELF, place: key} | wrong)
    assert failed.is_error
    if right is None:
        assert "next: " not in failed.text
        return
    assert right.items() <= failed.next["arguments"].items()
    mended = await call(failed.next["tool"], **failed.next["arguments"])
    assert not mended.is_error, mended.text


@pytest.mark.parametrize("tool", ["read_csv_from_s3", "get_file_metadata"])
async def test_the_bucket_of_a_listing_is_mended(call: Caller, objects: Objects, tool: str) -> None:
    """Who names a bucket in place of an object is sent to a listing that works."""
    objects.put("repairs/prices.csv", b"country,price\nCH,4\nDE,5\n")
    failed = await call(tool, bucket_name=f"{SHELF}x")
    assert failed.next == {"tool": "list_s3_objects", "arguments": {"bucket_name": SHELF}}


async def test_another_tool_is_proposed_behind_a_wrong_argument(
    call: Caller, objects: Objects
) -> None:
    """JSON is not read as CSV for the sake of a well-spelt argument."""
    key = objects.put("repairs/prices.csv", b"country,price\nCH,4\nDE,5\n")
    failed = await call("read_json_from_s3", bucket_name=SHELF, object_key=key, limit=1)
    assert failed.next["tool"] == "read_csv_from_s3"
    assert not (await call(failed.next["tool"], **failed.next["arguments"])).is_error


@pytest.mark.parametrize("tool", ["read_csv_from_s3", "read_json_from_s3"])
async def test_parquet_within_gzip_is_sent_to_no_tool(
    call: Caller, objects: Objects, tool: str
) -> None:
    """The tool for Parquet does not read it either."""
    packed = gzip.compress(parquet_bytes(pa.table({"n": [1, 2]})))
    key = objects.put("repairs/prices.parquet.gz", packed)
    failed = await call(tool, bucket_name=SHELF, object_key=key)
    assert failed.text.startswith("unsupported_format: ")
    assert "next: " not in failed.text


@pytest.mark.parametrize("name", ["lines.csv", "array.csv"])
async def test_json_that_is_called_csv_is_queried_as_what_it_is(
    call: Caller, objects: Objects, name: str
) -> None:
    """The tool that reads it, the summary and SQL agree."""
    texts = {"lines.csv": b'{"n":1}\n{"n":2}\n', "array.csv": b'[{"n":1},{"n":2}]'}
    key = objects.put(f"repairs/{name}", texts[name])
    place = {"bucket_name": SHELF, "object_key": key}
    assert (await call("query_csv_data", **place, sql="SELECT sum(n) FROM data")).data["rows"] == [
        [3]
    ]
    assert (await call("read_json_from_s3", **place)).data["total_records"] == 2


async def test_an_object_that_changed_is_begun_anew_only_as_it_is_now(
    call: Caller, objects: Objects
) -> None:
    """The columns of the first page may be gone."""
    rows = b"".join(b"%d,2\n" % i for i in range(50))
    key = objects.put("repairs/changing.csv", b"price,day\n" + rows)
    place = {"bucket_name": SHELF, "object_key": key}
    page = await call("read_csv_from_s3", **place, columns=["price"], max_rows=5)
    objects.put("repairs/changing.csv", b"prise,day\n" + rows)
    again = {"bucket_name": SHELF, "cursor": page.data["next_cursor"]}
    changed = await call("read_csv_from_s3", **again)
    assert changed.text.startswith("object_changed: ")
    assert changed.next["arguments"] == {**place, "columns": ["prise"]}


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


FOLDER = "repairs/daily/month=03/"


@pytest.mark.parametrize(
    ("tool", "wrong", "right"),
    [
        ("query_csv_data", "repairs/dayly/", "repairs/daily/"),
        ("query_csv_data", "repairs/daily", "repairs/daily/"),
        ("query_csv_data", "repairs/dayly/**/*.csv", "repairs/daily/**/*.csv"),
        ("query_csv_data", "/repairs/daily/**/*.csv", "repairs/daily/**/*.csv"),
        ("query_csv_data", f"{SHELF}/repairs/daily/", "repairs/daily/"),
        ("query_csv_data", "repairs/daily/month=3/", FOLDER),
        ("get_dataset_summary", "repairs/dayly/", "repairs/daily/"),
        ("get_dataset_summary", "/repairs/daily/", "repairs/daily/"),
    ],
)
async def test_a_misspelt_folder_is_read(
    call: Caller, objects: Objects, tool: str, wrong: str, right: str
) -> None:
    """Where a tool takes a folder, the call reads the one that was meant."""
    objects.put(f"{FOLDER}a.csv", b"v\n1\n")
    place = "prefix" if tool == "get_dataset_summary" else "object_key"
    failed = await call(tool, bucket_name=SHELF, **{place: wrong})
    assert failed.text.startswith("not_found: ")
    assert failed.next == {"tool": tool, "arguments": {"bucket_name": SHELF, place: right}}
    assert not (await call(tool, **failed.next["arguments"])).is_error


async def test_a_folder_of_another_month_is_not_read(call: Caller, objects: Objects) -> None:
    """Its rows are not those that were asked for: it is listed."""
    objects.put(f"{FOLDER}a.csv", b"v\n1\n")
    key = FOLDER.replace("03", "04")
    failed = await call("query_csv_data", bucket_name=SHELF, object_key=key)
    assert failed.next["tool"] == "list_s3_objects"


async def test_a_folder_in_sql_is_mended_in_the_sql(call: Caller, objects: Objects) -> None:
    """The table `data` stays what it is."""
    objects.put(f"{FOLDER}a.csv", b"v\n1\n")
    sql = f"SELECT count(*) FROM 's3://{SHELF}/repairs/{{}}/month=03/*.csv'"
    place = {"bucket_name": SHELF, "object_key": f"{FOLDER}a.csv"}
    failed = await call("query_csv_data", **place, sql=sql.format("dayly"))
    assert failed.next["arguments"] == {**place, "sql": sql.format("daily")}


@pytest.mark.parametrize("tool", ["read_csv_from_s3", "read_json_from_s3", "get_file_metadata"])
async def test_a_folder_is_listed_for_a_tool_of_one_object(
    call: Caller, objects: Objects, tool: str
) -> None:
    """It is there, though there is no such object."""
    objects.put(f"{FOLDER}a.csv", b"v\n1\n")
    failed = await call(tool, bucket_name=SHELF, object_key=FOLDER)
    assert failed.text.startswith("not_found: ")
    listing = {"bucket_name": SHELF, "prefix": FOLDER}
    assert failed.next == {"tool": "list_s3_objects", "arguments": listing}


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        (f"{SHELF}/repairs/one.csv", ""),
        (f"{SHELF}/", "repairs/one.csv"),
        (SHELF.upper(), "repairs/one.csv"),
        (f"arn:aws:s3:::{SHELF}", "repairs/one.csv"),
        (f"arn:aws:s3:::{SHELF}/repairs/one.csv", ""),
        (SHELF.replace("-", "_"), "repairs/one.csv"),
        (f"{SHELF}/repairs", "one.csv"),
        (f"s3://{SHELF}/repairs/", "one.csv"),
        (f"s3://{SHELF}/repairs", "repairs/one.csv"),
        (f"s3://{SHELF}/repairs/one.csv", "one.csv"),
    ],
)
async def test_a_bucket_is_found_in_what_holds_it(
    call: Caller, objects: Objects, bucket: str, key: str
) -> None:
    """A path, an ARN and upper case are no names, and each tells the one that was meant."""
    objects.put("repairs/one.csv", b"v\n1\n")
    failed = await call("read_csv_from_s3", bucket_name=bucket, object_key=key)
    assert failed.text.startswith("invalid_argument: ")
    assert failed.next["arguments"] == {"bucket_name": SHELF, "object_key": "repairs/one.csv"}
    assert not (await call("read_csv_from_s3", **failed.next["arguments"])).is_error


async def test_a_call_of_another_tool_keeps_the_page_size(call: Caller, objects: Objects) -> None:
    """Three rows that were asked for are three records."""
    key = objects.put("repairs/three.json", b'[{"v": 1}, {"v": 2}]')
    failed = await call("read_csv_from_s3", bucket_name=SHELF, object_key=key, max_rows=1)
    assert failed.next["tool"] == "read_json_from_s3"
    assert failed.next["arguments"]["max_records"] == 1
    assert not (await call("read_json_from_s3", **failed.next["arguments"])).is_error


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("a.parquet", b"PK\x03\x04" + bytes(200), "unsupported_format"),
        ("a.avro", b"Obj\x01" + bytes(200), "unsupported_format"),
        ("a.csv.gz", gzip.compress(b"v\n1\n", mtime=0), "malformed_data"),
        ("a.parquet", b"v,w\n1,2\n", "malformed_data"),
    ],
)
async def test_what_is_not_parquet_is_told_as_by_other_tools(
    call: Caller, objects: Objects, name: str, body: bytes, code: str
) -> None:
    """What no tool reads is unsupported; what another reads comes with its call."""
    key = objects.put(f"repairs/foreign/{name}", body)
    failed = await call("read_parquet_from_s3", bucket_name=SHELF, object_key=key)
    assert failed.text.startswith(f"{code}: ")
    if code == "malformed_data":
        assert not (await call(failed.next["tool"], **failed.next["arguments"])).is_error


@pytest.mark.parametrize(
    ("call_of", "name"),
    [
        ("read_csv('{}')", "rows.parquet"),
        ("read_parquet('{}') AS p", "list.csv"),
        ("read_json_auto(['{}'])", "list.csv"),
        ("parquet_scan('{}')", "rows.json"),
        ("read_csv('{}')", "rows.json"),
    ],
)
async def test_a_reader_of_another_format_is_told_from_damage(
    call: Caller, objects: Objects, call_of: str, name: str
) -> None:
    """The object is sound: it is the reader that is wrong."""
    bodies = {
        "rows.parquet": parquet_bytes(pa.table({"price": [4, 5]})),
        "list.csv": b"price\n4\n5\n",
        "rows.json": b'[{"price": 4}, {"price": 5}]',
    }
    key = objects.put(f"repairs/readers/{name}", bodies[name])
    uri = f"s3://{SHELF}/{key}"
    place = {"bucket_name": SHELF, "object_key": objects.put("repairs/few.csv", b"v\n1\n")}
    sql = f"SELECT sum(price) FROM {call_of.format(uri)}"
    failed = await call("query_csv_data", **place, sql=sql)
    assert failed.text.startswith(f"malformed_data: {uri} is not "), failed.text
    mended = await call("query_csv_data", **failed.next["arguments"])
    assert mended.data["rows"] == [[9]], mended.text


@pytest.mark.parametrize("tool", ["read_csv_from_s3", "read_json_from_s3"])
async def test_a_glob_for_a_tool_of_one_object_goes_to_the_one_for_many(
    call: Caller, objects: Objects, tool: str
) -> None:
    """A glob that matches nothing is mended there."""
    for part in "ab":
        objects.put(f"repairs/parts/{part}.csv", b"id\n1\n")
    place = {"bucket_name": SHELF, "object_key": "repairs/parts/*.csv"}
    failed = await call(tool, **place)
    assert failed.text.startswith("not_found: ")
    assert failed.next == {"tool": "query_csv_data", "arguments": place}
    assert (await call("query_csv_data", **place)).data["rows"] == [[1], [1]]
    failed = await call(tool, bucket_name=SHELF, object_key="repairs/parts/*.tsv")
    assert not (await call(failed.next["tool"], **failed.next["arguments"])).is_error
