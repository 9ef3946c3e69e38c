"""How much an answer holds: bounded in bytes, at least one row, and never cut in silence."""

import json
from collections.abc import AsyncIterator, Iterator

import boto3
import jsonschema  # type: ignore[import-untyped] # it has no types
import pyarrow as pa
import pytest
from botocore.config import Config
from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from support.mcp import BUCKET, ROWS, Answer, Caller
from support.objects import SHELF, Objects

DEFAULT = 64 << 10
SMALL = 2 << 10
READERS = {
    "csv": "read_csv_from_s3",
    "json": "read_json_from_s3",
    "parquet": "read_parquet_from_s3",
}


def _quoted(cell: str, rows: int = 60) -> str:
    return "a,b\n" + "".join(f'{i},"{cell}"\n' for i in range(rows))


_MOST = {"csv": "max_rows", "json": "max_records"}
FILES: dict[str, str | pa.Table] = {
    "multibyte.csv": _quoted("é" * 5_000),
    "emoji.csv": _quoted("😀" * 1_999),
    "control.csv": _quoted("\x01" * 1_999),
    "quotes.csv": _quoted('""' * 1_500),
    "wide.csv": "\n".join([",".join(f"c{i}" for i in range(2_000)), ",".join("1" * 2_000)]),
    "repeated.csv": ",".join(["a"] * 500) + "\n" + ",".join("1" * 500) + "\n",
    "bad-lines.csv": "a,b\n" + "1,2,3\n4\n" * 1_000,
    "long-name.csv": "n" * 5_000 + ",b\n1,2\n",
    "wide.parquet": pa.table({f"column_{i}_{'x' * 20}": [i] * 3 for i in range(1_500)}),
    "nested.parquet": pa.table({"v": [[{"k": "é" * 500} for _ in range(500)]] * 3}),
    "many-long-cells.parquet": pa.table({f"c{i}": ["y" * 3_000] * 3 for i in range(250)}),
    "binary.parquet": pa.table({f"b{i}": [b"x" * 192] for i in range(400)}),
    "texts.json": json.dumps([{"a": i, "t": "ü" * 3_000} for i in range(100)]),
    "long-records.json": json.dumps([{f"k{i}": "v" * 200 for i in range(2_000)}] * 3),
    "long-keys.json": json.dumps([{"k" * 5_000 + str(i): 1 for i in range(30)}] * 3),
    "lists.json": json.dumps({f"k{i}": list(range(1_000)) for i in range(120)}),
    "text.json": json.dumps("z" * 200_000),
    "many-keys.json": json.dumps({f"key_{i}_{'q' * 90}": i for i in range(1_000)}),
    "pairs.json": json.dumps([[list(range(9_000))] * 9] * 2),
}


@pytest.fixture(scope="module")
def filled(objects: Objects) -> None:
    """Write the files."""
    for name, body in FILES.items():
        if isinstance(body, str):
            objects.put(f"limits/{name}", body)
        else:
            objects.parquet(f"limits/{name}", body)


@pytest.fixture(scope="module")
def small_lake(lake_bucket: str) -> Iterator[Lake]:
    """Return a lake whose results are small."""
    del lake_bucket
    lake = Lake.connect(Settings(_env_file=None, max_result_bytes=SMALL))  # type: ignore[call-arg, arg-type] # a keyword of pydantic-settings itself
    yield lake
    lake.close()


@pytest.fixture
async def small_call(small_lake: Lake) -> AsyncIterator[Caller]:
    """Return a function that calls tools of the small lake."""
    async with Client(build_server(small_lake)) as client:
        yield Caller(client)


def _check(answer: Answer, most: int, asked: int = 100) -> None:
    assert not answer.is_error, answer.text[:500]
    compact = json.dumps(answer.data, ensure_ascii=False, separators=(",", ":"))
    assert len(compact.encode()) <= most
    assert len(answer.text.encode()) <= most
    if answer.data["truncated"]:
        assert answer.data["truncated_by"] in {"max_rows", "max_records", "max_keys", "max_bytes"}
        assert f"cut by {answer.data['truncated_by']}" in answer.lines[0]
    returned = answer.data.get("returned_rows", answer.data.get("returned_records"))
    if answer.data["truncated_by"] in {"max_rows", "max_records"}:
        assert returned == asked
    if answer.data["next_cursor"]:
        assert answer.data["truncated"]
        assert "more follow" in answer.lines[0]
        assert answer.next["arguments"]["cursor"] == answer.data["next_cursor"]


@pytest.mark.parametrize("most", [DEFAULT, SMALL])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.usefixtures("filled")
async def test_a_page_fits_and_holds_a_row(
    call: Caller, small_call: Caller, name: str, most: int
) -> None:
    """Whatever columns, cells, keys and notices there are, in JSON and in text."""
    caller = call if most == DEFAULT else small_call
    key = f"limits/{name}"
    answer = await caller(READERS[name.rpartition(".")[2]], bucket_name=SHELF, object_key=key)
    _check(answer, most)
    if answer.data.get("layout") in {"object", "scalar"}:
        assert answer.data["data"]
    else:
        assert answer.data.get("rows") or answer.data["records"]
    queried = await caller("query_csv_data", bucket_name=SHELF, object_key=key)
    _check(queried, most)
    assert queried.data["returned_rows"] >= 1


@pytest.mark.parametrize("most", [DEFAULT, SMALL])
@pytest.mark.usefixtures("filled")
async def test_a_plan_of_many_columns_fits(
    call: Caller, small_call: Caller, objects: Objects, most: int
) -> None:
    """It names the first of them, and says so."""
    names = [f"column_{i}_{'x' * 60}" for i in range(1_500)]
    objects.put("limits/plan.csv", f"{','.join(names)}\n{','.join(map(str, range(1_500)))}\n")
    caller = call if most == DEFAULT else small_call
    uri = f"s3://{SHELF}/limits/plan.csv"
    for sql in ("", "SELECT hash(data) AS h FROM data"):
        answer = await caller("query_csv_data", bucket_name=uri, sql=sql, dry_run=True)
        _check(answer, most)
        planned = answer.data["plan"]["columns"]
        assert planned == names[: len(planned)]
        assert answer.data["truncated_by"] == "max_bytes"
        assert f"first {len(planned):,} of 1,500 columns" in " ".join(answer.data["notices"])


@pytest.mark.parametrize("letter", ["\U0001f600", "\x01", '""', "n"])
async def test_a_long_statement_is_told_in_part(small_call: Caller, letter: str) -> None:
    """However many bytes its characters take: the rows beside it still fit."""
    sql = f"SELECT *, '{letter * 1_000}' AS more, '{letter * 1_000}' AS again FROM data"
    answer = await small_call(
        "query_csv_data", bucket_name=BUCKET, object_key="orders.csv", sql=sql
    )
    _check(answer, SMALL)
    assert answer.data["returned_rows"] >= 1
    assert " chars)" in answer.data["sql"]


@pytest.mark.usefixtures("filled")
async def test_answers_at_the_edge_fit_their_schemas(small_call: Caller) -> None:
    """Squeezed pages are pages."""
    tools = {tool.name: tool for tool in await small_call.client.list_tools()}
    for name in FILES:
        tool = READERS[name.rpartition(".")[2]]
        answer = await small_call(tool, bucket_name=SHELF, object_key=f"limits/{name}")
        schema = tools[tool].output_schema
        assert schema
        jsonschema.validate(answer.data, schema)


@pytest.mark.usefixtures("filled")
async def test_pages_cut_by_bytes_join_to_the_whole(small_call: Caller) -> None:
    """No row is lost or repeated where bytes end a page, and bytes are said to end it."""
    for tool, key in (
        ("read_csv_from_s3", "orders.csv"),
        ("read_json_from_s3", "records.json"),
        ("read_json_from_s3", "records.jsonl"),
        ("read_parquet_from_s3", "orders.parquet"),
    ):
        answer = await small_call(tool, bucket_name=BUCKET, object_key=key)
        assert answer.data["truncated_by"] == "max_bytes", key
        pages = [answer]
        while answer.data["next_cursor"]:
            answer = await small_call(answer.next["tool"], **answer.next["arguments"])
            _check(answer, SMALL)
            pages.append(answer)
        rows = [row[0] for page in pages for row in page.data.get("rows", ())]
        ids = [record["id"] for page in pages for record in page.data.get("records", ())]
        assert rows + ids == list(range(ROWS)), key


@pytest.mark.usefixtures("filled")
async def test_columns_that_do_not_fit_are_told(call: Caller) -> None:
    """The first line and a notice say it, though no row is missing."""
    answer = await call("read_csv_from_s3", bucket_name=SHELF, object_key="limits/wide.csv")
    shown = len(answer.data["columns"])
    assert shown < 2_000
    assert answer.data["truncated"]
    assert answer.data["truncated_by"] == "max_bytes"
    assert answer.data["next_cursor"] == ""
    assert "more follow" not in answer.lines[0]
    assert f"first {shown:,} of 2,000 columns" in answer.data["notices"][-1]


CASES = [
    ("read_csv_from_s3", "orders.csv", "max_rows"),
    ("read_parquet_from_s3", "orders.parquet", "max_rows"),
    ("read_json_from_s3", "records.json", "max_records"),
    ("read_json_from_s3", "records.jsonl", "max_records"),
    ("query_csv_data", "orders.csv", "max_rows"),
    ("query_csv_data", "orders.parquet", "max_rows"),
    ("query_csv_data", "records.json", "max_rows"),
]


@pytest.mark.parametrize(("tool", "key", "size"), CASES)
async def test_truncated_is_exact(call: Caller, tool: str, key: str, size: str) -> None:
    """A page that ends with the last row is whole; one row less is not."""
    place = {"bucket_name": BUCKET, "object_key": key}
    whole = await call(tool, **place, **{size: ROWS})
    assert (whole.data["truncated"], whole.data["truncated_by"]) == (False, "")
    assert whole.data["next_cursor"] == ""
    cut = await call(tool, **place, **{size: ROWS - 1})
    assert (cut.data["truncated"], cut.data["truncated_by"]) == (True, size)
    last = await call(tool, **cut.next["arguments"])
    assert last.data["offset"] == ROWS - 1
    assert last.data["truncated"] is False


@pytest.mark.parametrize(("tool", "key", "size"), CASES[:4])
@pytest.mark.parametrize("offset", [ROWS, ROWS + 1, 2**70])
async def test_an_offset_behind_the_end(
    call: Caller, tool: str, key: str, size: str, offset: int
) -> None:
    """No row, no error, the exact total, and a notice if it is beyond the end."""
    answer = await call(tool, bucket_name=BUCKET, object_key=key, offset=offset, **{size: 5})
    assert answer.data.get("rows", answer.data.get("records")) == []
    assert answer.data.get("total_rows", answer.data.get("total_records")) == ROWS
    assert answer.data["truncated"] is False
    assert bool(answer.data["notices"]) is (offset > ROWS)
    assert answer.lines[0].startswith("0 of 250 ")


@pytest.mark.parametrize("arguments", [{"where": "id >= 0"}, {"columns": ["id"], "where": "true"}])
@pytest.mark.parametrize("offset", [ROWS + 1, 2**63 - 1, 2**70])
async def test_an_offset_behind_the_last_match(
    call: Caller, offset: int, arguments: dict[str, object]
) -> None:
    """No row, no error and a notice, with a predicate too; no number is too large."""
    answer = await call(
        "read_parquet_from_s3",
        bucket_name=BUCKET,
        object_key="orders.parquet",
        offset=offset,
        **arguments,
    )
    assert not answer.is_error, answer.text
    assert (answer.data["rows"], answer.data["offset"]) == ([], offset)
    assert answer.data["total_rows"] == ROWS
    assert f"offset {offset:,} is behind the last" in answer.data["notices"][-1]


@pytest.mark.parametrize(
    ("tool", "size"),
    [
        ("list_s3_buckets", "max_buckets"),
        ("list_s3_objects", "max_keys"),
        ("read_csv_from_s3", "max_rows"),
        ("read_json_from_s3", "max_records"),
        ("read_parquet_from_s3", "max_rows"),
        ("query_csv_data", "max_rows"),
    ],
)
async def test_the_ceiling_lowers_and_says_so(call: Caller, tool: str, size: str) -> None:
    """Above 10,000 a notice, below 1 an error."""
    keys = {"read_json_from_s3": "records.json", "read_parquet_from_s3": "orders.parquet"}
    place: dict[str, object] = {} if tool == "list_s3_buckets" else {"bucket_name": BUCKET}
    if not tool.startswith("list"):
        place["object_key"] = keys.get(tool, "orders.csv")
    answer = await call(tool, **place, **{size: 10**30})
    assert not answer.is_error, answer.text
    assert any(size in notice and "10,000" in notice for notice in answer.data["notices"])
    refused = await call(tool, **place, **{size: 0})
    assert refused.text.startswith(f"invalid_argument: {size} ")


async def test_lists_of_long_keys_fit(call: Caller, small_call: Caller, objects: Objects) -> None:
    """Pages of keys end where their bytes do, and join to the whole."""
    keys = [f"longkeys/{'é' * 250}{i:03d}/{chr(0x202E) * 60}.csv" for i in range(12)]
    for key in keys:
        objects.put(key, "a\n1\n")
    found: list[str] = []
    answer = await small_call("list_s3_objects", bucket_name=SHELF, prefix="longkeys/")
    assert answer.data["truncated_by"] == "max_bytes"
    while True:
        _check(answer, SMALL)
        found += [one["key"] for one in answer.data["objects"]]
        if not answer.data["next_cursor"]:
            break
        answer = await small_call(answer.next["tool"], **answer.next["arguments"])
    assert found == keys
    whole = await call("list_s3_objects", bucket_name=SHELF, prefix="longkeys/")
    _check(whole, DEFAULT)
    assert whole.data["count"] == len(keys)


async def test_lists_of_many_buckets_fit(small_call: Caller) -> None:
    """Names that do not fit come with the next cursor."""
    client = boto3.client(
        "s3", region_name="us-east-1", config=Config(s3={"addressing_style": "path"})
    )
    names = [f"many-{i:02d}-{'b' * 50}" for i in range(25)]
    for name in names:
        client.create_bucket(Bucket=name)
    found: list[str] = []
    answer = await small_call("list_s3_buckets", name_contains="many-", check_access=False)
    while True:
        compact = json.dumps(answer.data, ensure_ascii=False, separators=(",", ":"))
        assert max(len(compact.encode()), len(answer.text.encode())) <= SMALL
        found += [one["name"] for one in answer.data["buckets"]]
        if not answer.data["next_cursor"]:
            break
        assert "more follow" in answer.lines[0]
        answer = await small_call(answer.next["tool"], **answer.next["arguments"])
    for name in names:
        client.delete_bucket(Bucket=name)
    client.close()
    assert found == names


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("read_csv_from_s3", {"object_key": "orders.csv", "columns": ["z" * 60_000]}),
        ("read_csv_from_s3", {"object_key": "orders.csv", "z" * 60_000: 1}),
        ("list_s3_objects", {"format": "\x01" * 60_000}),
        ("read_json_from_s3", {"object_key": "records.json", "path": "sum(@)"}),
    ],
)
async def test_error_texts_are_bounded(
    call: Caller, tool: str, arguments: dict[str, object]
) -> None:
    """What a client sent comes back only in part."""
    answer = await call(tool, bucket_name=BUCKET, **arguments)
    assert answer.is_error
    assert len(answer.text.encode()) <= DEFAULT


ODD = {
    "csv": "a,b,c\n" + "".join(f"{i},{'x' * 900},1\n" for i in range(250)),
    "json": "".join(f'{{"a": {i}, "t": "{"x" * 900}"}}\n' for i in range(250)),
}
SPOILT = {"csv": ("0,1,2,3\n", "7\n", "8,y,NA\n"), "json": ("{oops\n", '{"a": 1, "a": 2}\n')}


@pytest.mark.parametrize("kind", ODD)
async def test_each_page_tells_of_its_own_rows(call: Caller, objects: Objects, kind: str) -> None:
    """What is wrong behind the last row that fits is told with the next page, and only there."""
    lines = ODD[kind].splitlines(keepends=True)
    place = {"bucket_name": SHELF, "object_key": f"limits/spoilt.{kind}"}
    objects.put(place["object_key"], "".join([*lines[:150], *SPOILT[kind], *lines[150:]]))

    page = await call(READERS[kind], **place, **{_MOST[kind]: 1_000})
    said = [page.data["notices"]]
    while cursor := page.data["next_cursor"]:
        assert page.data["truncated_by"] == "max_bytes"
        page = await call(READERS[kind], **place, cursor=cursor, **{_MOST[kind]: 1_000})
        said.append(page.data["notices"])

    assert [len(notices) for notices in said] == [0, 0, len(SPOILT[kind]), 0]
