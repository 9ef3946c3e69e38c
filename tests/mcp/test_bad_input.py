"""Bad input, one by one: the contract's code, a hint, and where it helps the call that works."""

import pytest
from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from support.mcp import BUCKET, Answer, Caller

CASES: dict[str, tuple[str, dict[str, object], str]] = {
    "unknown bucket": ("list_s3_objects", {"bucket_name": "mcp-lakes"}, "not_found"),
    "unknown key": ("read_csv_from_s3", {"object_key": "order.csv"}, "not_found"),
    "unknown key, json": ("read_json_from_s3", {"object_key": "record.json"}, "not_found"),
    "unknown key, parquet": ("read_parquet_from_s3", {"object_key": "order.parquet"}, "not_found"),
    "unknown key, query": ("query_csv_data", {"object_key": "order.csv"}, "not_found"),
    "unknown key, metadata": ("get_file_metadata", {"object_key": "order.csv"}, "not_found"),
    "nothing below": ("get_dataset_summary", {"prefix": "nothing/here/"}, "not_found"),
    "unknown column, csv": (
        "read_csv_from_s3",
        {"object_key": "orders.csv", "columns": ["ammount"]},
        "unknown_column",
    ),
    "unknown column, parquet": (
        "read_parquet_from_s3",
        {"object_key": "orders.parquet", "columns": ["ammount"]},
        "unknown_column",
    ),
    "unknown column, filter": (
        "query_csv_data",
        {"object_key": "orders.csv", "filter_column": "citty", "filter_value": "x"},
        "unknown_column",
    ),
    "unknown column, sql": (
        "query_csv_data",
        {"object_key": "orders.csv", "sql": "SELECT ammount FROM data"},
        "unknown_column",
    ),
    "unknown column, profile": (
        "get_dataset_summary",
        {"prefix": "orders.csv", "columns": ["citty"]},
        "unknown_column",
    ),
    "unknown parameter": ("read_csv_from_s3", {"maxrows": 3}, "invalid_argument"),
    "wrong type": (
        "read_csv_from_s3",
        {"object_key": "orders.csv", "max_rows": "3"},
        "invalid_argument",
    ),
    "out of range": (
        "read_csv_from_s3",
        {"object_key": "orders.csv", "max_rows": 0},
        "invalid_argument",
    ),
    "other scheme": ("read_csv_from_s3", {"bucket_name": "gs://b/k"}, "invalid_argument"),
    "bucket that is a host": (
        "list_s3_objects",
        {"bucket_name": "a@evil.example"},
        "invalid_argument",
    ),
    "bucket that is an ARN": (
        "list_s3_objects",
        {"bucket_name": "arn:aws:s3:us-east-1:1:accesspoint/x"},
        "invalid_argument",
    ),
    "no key": ("read_csv_from_s3", {}, "invalid_argument"),
    "whole URI as key": (
        "read_csv_from_s3",
        {"object_key": f"s3://{BUCKET}/orders.csv"},
        "not_found",
    ),
    "damaged cursor": ("read_csv_from_s3", {"cursor": "abc"}, "invalid_argument"),
    "sql and filter": (
        "query_csv_data",
        {"object_key": "orders.csv", "sql": "FROM data", "filter_column": "id"},
        "invalid_argument",
    ),
    "unknown format name": ("list_s3_objects", {"format": "parquett"}, "invalid_argument"),
    "bad date": ("list_s3_objects", {"modified_after": "yesterday"}, "invalid_argument"),
    "sql that does not parse": (
        "query_csv_data",
        {"object_key": "orders.csv", "sql": "SELEC 1"},
        "sql_error",
    ),
    "sql that writes": (
        "query_csv_data",
        {"object_key": "orders.csv", "sql": "DROP TABLE data"},
        "not_read_only",
    ),
    "sql that reads the host": (
        "query_csv_data",
        {"object_key": "orders.csv", "sql": "SELECT * FROM read_text('/etc/passwd')"},
        "not_allowed",
    ),
    "empty csv": ("read_csv_from_s3", {"object_key": "empty.csv"}, "malformed_data"),
    "torn parquet": ("read_parquet_from_s3", {"object_key": "torn.parquet"}, "malformed_data"),
    "torn gzip": (
        "read_csv_from_s3",
        {"object_key": "torn.csv.gz", "max_rows": 9999},
        "malformed_data",
    ),
    "bad json": ("read_json_from_s3", {"object_key": "bad.json"}, "malformed_data"),
    "csv as parquet": ("read_parquet_from_s3", {"object_key": "orders.csv"}, "malformed_data"),
    "parquet as csv": ("read_csv_from_s3", {"object_key": "orders.parquet"}, "malformed_data"),
    "picture in sql": ("query_csv_data", {"object_key": "picture.png"}, "unsupported_format"),
    "archived": ("read_csv_from_s3", {"object_key": "cold.csv"}, "object_archived"),
    "archived, query": ("query_csv_data", {"object_key": "cold.csv"}, "object_archived"),
}
WITH_NEXT = {
    "unknown bucket",
    "unknown key",
    "unknown key, json",
    "unknown key, parquet",
    "unknown key, query",
    "unknown key, metadata",
    "unknown column, csv",
    "unknown column, parquet",
    "unknown column, filter",
    "unknown column, sql",
    "unknown column, profile",
    "no key",
    "whole URI as key",
}


def _check(answer: Answer, code: str) -> None:
    assert answer.is_error, answer.text
    assert answer.text.startswith(f"{code}: "), answer.text
    assert answer.lines[0].endswith(".")
    assert answer.lines[1].startswith("hint: "), answer.text
    assert "Traceback" not in answer.text
    assert "/site-packages/" not in answer.text


@pytest.mark.parametrize("name", CASES)
async def test_bad_input(call: Caller, name: str) -> None:
    """The code and a hint; where a name was mistyped, the next call works."""
    tool, arguments, code = CASES[name]
    answer = await call(tool, **{"bucket_name": BUCKET, **arguments})
    _check(answer, code)
    if name in WITH_NEXT:
        again = await call(answer.next["tool"], **answer.next["arguments"])
        assert not again.is_error, (answer.text, again.text)


@pytest.mark.parametrize("rest", ["accesspoint/lake", "accesspoint/lake/object/a.csv"])
async def test_an_access_point_is_told_as_one(call: Caller, rest: str) -> None:
    """It is no bucket with a key behind it; the account in it is not repeated."""
    account = "1234" * 3
    answer = await call("list_s3_objects", bucket_name=f"arn:aws:s3:us-east-1:{account}:{rest}")
    _check(answer, "invalid_argument")
    assert "is an ARN, which this server does not read" in answer.text
    assert account not in answer.text


async def test_blanks_around_a_bucket_are_left_out_of_the_next_call(call: Caller) -> None:
    """The name is taken literally, and the call that works is told."""
    answer = await call("list_s3_objects", bucket_name=f" {BUCKET} ")
    _check(answer, "invalid_argument")
    assert answer.next["arguments"]["bucket_name"] == BUCKET


async def test_the_server_answers_after_every_error(call: Caller) -> None:
    """A failed call leaves nothing behind."""
    for tool, arguments, _ in CASES.values():
        await call(tool, **{"bucket_name": BUCKET, **arguments})
    answer = await call("read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv")
    assert answer.data["returned_rows"] == 100


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Query_CSV", "Did you mean query_csv_data?"),
        ("read_parquet", "Did you mean read_parquet_from_s3?"),
        ("xyz", "The tools are list_s3_buckets, list_s3_objects, "),
        ("list\u202e" + "x" * 9_000, "The tools are list_s3_buckets, "),
    ],
)
async def test_an_unknown_tool_gets_the_nearest_name(call: Caller, name: str, hint: str) -> None:
    """As an unknown parameter does, with a code."""
    answer = await call(name, bucket_name=BUCKET)
    assert answer.is_error
    assert answer.text.startswith("invalid_argument: ")
    assert answer.lines[1].startswith(f"hint: {hint}")
    assert "\u202e" not in answer.text
    assert len(answer.text) < 1_000


async def test_a_tool_that_is_switched_off_is_not_known() -> None:
    """Nor is it named as the nearest."""
    settings: dict[str, object] = {"disabled_tools": "query_csv_data"}
    answer = await _with(settings, "query_csv_data", bucket_name=BUCKET)
    assert answer.text.startswith("invalid_argument: query_csv_data is an unknown tool.")
    assert "query_csv_data" not in answer.lines[1]


async def _with(settings: dict[str, object], tool: str, **arguments: object) -> Answer:
    lake = Lake.connect(Settings(_env_file=None, **settings))  # type: ignore[call-arg, arg-type] # a keyword of pydantic-settings itself
    try:
        async with Client(build_server(lake)) as client:
            return await Caller(client)(tool, **arguments)
    finally:
        lake.close()


async def test_what_the_allow_list_leaves_out_is_not_allowed(lake_bucket: str) -> None:
    """Policy is the server's own; the hint names what is allowed."""
    settings: dict[str, object] = {"allowed": f"{lake_bucket}/hive/*"}
    answer = await _with(
        settings, "read_csv_from_s3", bucket_name=lake_bucket, object_key="orders.csv"
    )
    _check(answer, "not_allowed")
    answer = await _with(settings, "list_s3_objects", bucket_name=lake_bucket)
    _check(answer, "not_allowed")
    assert "hive/" in answer.lines[1]
    answer = await _with(settings, "list_s3_objects", bucket_name=lake_bucket, prefix="hive/")
    assert answer.data["count"] == 8


async def test_no_credentials(
    lake_bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """The standard chain is empty: say how to fill it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    for tool, key in (("list_s3_objects", {}), ("read_csv_from_s3", {"object_key": "orders.csv"})):
        answer = await _with({}, tool, bucket_name=lake_bucket, **key)
        _check(answer, "no_credentials")


async def test_a_store_that_does_not_answer(
    lake_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    answer = await _with(
        {"timeout_seconds": 20}, "read_csv_from_s3", bucket_name=lake_bucket, object_key="k"
    )
    _check(answer, "store_unavailable")


async def test_the_deadline_is_kept(lake_bucket: str) -> None:
    """A query that never ends is stopped, and its server goes on."""
    answer = await _with(
        {"timeout_seconds": 1.5},
        "query_csv_data",
        bucket_name=lake_bucket,
        object_key="orders.csv",
        sql="SELECT count(*) FROM range(100000000) a, range(100000000) b",
    )
    _check(answer, "timeout")
