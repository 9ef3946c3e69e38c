"""Cursors as clients use them: on any instance, undamaged, for the object they were made for."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pyarrow as pa
import pytest
from fastmcp import Client

from s3_data_lake_mcp.cursors import decode
from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from support.mcp import BUCKET, Answer, Caller
from support.objects import SHELF, Objects

PAGED: dict[str, tuple[str, dict[str, Any]]] = {
    "csv": ("read_csv_from_s3", {"object_key": "orders.csv", "max_rows": 7}),
    "csv, from the middle": (
        "read_csv_from_s3",
        {"object_key": "orders.csv", "max_rows": 7, "offset": 3, "columns": ["city", "id"]},
    ),
    "compressed": ("read_csv_from_s3", {"object_key": "orders.csv.gz", "max_rows": 7}),
    "array": ("read_json_from_s3", {"object_key": "records.json", "max_records": 7}),
    "lines": ("read_json_from_s3", {"object_key": "records.jsonl", "max_records": 7}),
    "path": (
        "read_json_from_s3",
        {"object_key": "document.json", "path": "a.b", "max_records": 1},
    ),
    "parquet": ("read_parquet_from_s3", {"object_key": "orders.parquet", "max_rows": 7}),
    "where": (
        "read_parquet_from_s3",
        {"object_key": "orders.parquet", "where": "id % 2 = 0", "max_rows": 7},
    ),
    "dataset": ("read_parquet_from_s3", {"object_key": "hive/", "max_rows": 3}),
    "query": ("query_csv_data", {"object_key": "orders.csv", "max_rows": 7}),
    "sql": (
        "query_csv_data",
        {"object_key": "orders.csv", "sql": "SELECT id FROM data ORDER BY id DESC", "max_rows": 7},
    ),
    "filter": (
        "query_csv_data",
        {"object_key": "orders.csv", "filter_column": "city", "filter_value": "b", "max_rows": 7},
    ),
    "keys": ("list_s3_objects", {"prefix": "hive/", "max_keys": 3}),
    "filtered keys": (
        "list_s3_objects",
        {"pattern": "hive/**", "format": "parquet", "max_keys": 3},
    ),
}
MANY = 9_000


@pytest.fixture(scope="module")
def other_lake(lake_bucket: str) -> Iterator[Lake]:
    """Return another instance."""
    del lake_bucket
    lake = Lake.connect(Settings(_env_file=None))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    yield lake
    lake.close()


@pytest.fixture
async def elsewhere(other_lake: Lake) -> AsyncIterator[Caller]:
    """Return a function that calls tools of another instance."""
    async with Client(build_server(other_lake)) as client:
        yield Caller(client)


def _items(answer: Answer) -> list[object]:
    assert not answer.is_error, answer.text
    found = next(
        answer.data[name] for name in ("rows", "records", "objects") if name in answer.data
    )
    return list(found)


def _size(arguments: dict[str, Any]) -> str:
    return next(name for name in arguments if name.startswith("max_"))


def _changed(text: str, place: int) -> str:
    other = "A" if text[place] != "A" else "B"
    return text[:place] + other + text[place + 1 :]


@pytest.mark.parametrize("name", PAGED)
async def test_another_instance_goes_on(call: Caller, elsewhere: Caller, name: str) -> None:
    """With the bucket and another page size alone; the rest of the rows, each once."""
    tool, arguments = PAGED[name]
    first = await call(tool, bucket_name=BUCKET, **arguments)
    whole = await call(tool, bucket_name=BUCKET, **{**arguments, _size(arguments): MANY})
    size = {_size(arguments): MANY}
    cursor = first.data["next_cursor"]
    rest = await elsewhere(tool, bucket_name=BUCKET, cursor=cursor, **size)
    assert _items(first) + _items(rest) == _items(whole)
    if "offset" in rest.data:
        assert rest.data["offset"] == arguments.get("offset", 0) + len(_items(first))
    repeated = await elsewhere(tool, bucket_name=BUCKET, **{**arguments, **size}, cursor=cursor)
    assert _items(repeated) == _items(rest)


@pytest.mark.parametrize("name", PAGED)
async def test_a_cursor_with_another_state_is_no_bug(call: Caller, name: str) -> None:
    """Whoever writes one with a digest that fits gets a page, or an error that says why not."""
    tool, arguments = PAGED[name]
    first = await call(tool, bucket_name=BUCKET, **arguments)
    state = decode(first.data["next_cursor"])
    for part in ("identity", "position"):
        known: dict[str, Any] = getattr(state, part)
        each = ({**known, field: odd} for field, odd in product(known, (-1, "x", 1 << 70)))
        for other in ({}, *each):
            changed: dict[str, Any] = {part: other}
            answer = await call(tool, bucket_name=BUCKET, cursor=replace(state, **changed).encode())
            assert not answer.text.startswith("internal_error"), (changed, answer.text)


@pytest.mark.parametrize("name", PAGED)
async def test_a_damaged_cursor_is_refused(call: Caller, name: str) -> None:
    """Any character, also the last; longer, shorter, padded, in another case."""
    tool, arguments = PAGED[name]
    answer = await call(tool, bucket_name=BUCKET, **arguments)
    cursor = answer.data["next_cursor"]
    assert len(cursor) < 400
    last = chr(ord(cursor[-1]) ^ 1)
    damaged = [
        *(_changed(cursor, place) for place in range(0, len(cursor), len(cursor) // 5)),
        _changed(cursor, len(cursor) - 1),
        *([cursor[:-1] + last] if last.isalnum() else []),
        cursor[:-1],
        f"{cursor}=",
        f" {cursor}",
        cursor.swapcase(),
    ]
    for text in damaged:
        refused = await call(tool, bucket_name=BUCKET, cursor=text)
        assert refused.text.startswith("invalid_argument: cursor is damaged"), text


@pytest.mark.parametrize("name", PAGED)
async def test_what_contradicts_a_cursor_is_refused(call: Caller, name: str) -> None:
    """Another tool, bucket, key or argument."""
    tool, arguments = PAGED[name]
    cursor = (await call(tool, bucket_name=BUCKET, **arguments)).data["next_cursor"]
    tools = {known for known, _ in PAGED.values()} | {"list_s3_buckets"}
    for other in tools - {tool}:
        place = {} if other == "list_s3_buckets" else {"bucket_name": BUCKET}
        answer = await call(other, **place, cursor=cursor)
        assert answer.text.startswith("invalid_argument: cursor belongs to "), other
    place_name = "prefix" if tool == "list_s3_objects" else "object_key"
    contradictions: list[dict[str, Any]] = [
        {"bucket_name": "another-bucket"},
        {place_name: "another.csv"},
        {"bucket_name": f"s3://{BUCKET}/another.csv"},
    ]
    if tool.startswith("read_"):
        contradictions.append({"offset": 77})
    for wrong in contradictions:
        answer = await call(tool, **{"bucket_name": BUCKET, "cursor": cursor, **wrong})
        assert answer.text.startswith("invalid_argument: "), (wrong, answer.text)
        assert "contradicts" in answer.lines[0]


async def test_a_cursor_of_an_object_that_changed(call: Caller, objects: Objects) -> None:
    """`object_changed`, on every tool, and a next call that begins again with all arguments."""

    def write(rows: int) -> None:
        objects.put("cursors/t.csv", "a,b\n" + "".join(f"{i},x\n" for i in range(rows)))
        objects.json("cursors/t.json", [{"a": i} for i in range(rows)])
        objects.json("cursors/d.json", {"x": list(range(rows))})
        objects.parquet("cursors/t.parquet", pa.table({"a": list(range(rows))}))
        objects.parquet("cursors/many/k=1/t.parquet", pa.table({"a": list(range(rows))}))

    calls: list[tuple[str, dict[str, Any]]] = [
        ("read_csv_from_s3", {"object_key": "cursors/t.csv", "columns": ["b"]}),
        ("read_json_from_s3", {"object_key": "cursors/t.json", "offset": 2}),
        ("read_json_from_s3", {"object_key": "cursors/d.json", "path": "x"}),
        ("read_parquet_from_s3", {"object_key": "cursors/t.parquet", "columns": ["a"]}),
        ("read_parquet_from_s3", {"object_key": "cursors/t.parquet", "where": "a >= 0"}),
        ("read_parquet_from_s3", {"object_key": "cursors/many/"}),
        ("query_csv_data", {"object_key": "cursors/t.csv", "sql": "SELECT a FROM data"}),
        ("query_csv_data", {"object_key": "cursors/t.json"}),
    ]
    write(20)
    cursors = []
    for tool, arguments in calls:
        size = "max_records" if "json_from" in tool else "max_rows"
        answer = await call(tool, bucket_name=SHELF, **arguments, **{size: 5})
        cursors.append(answer.data["next_cursor"])
    write(21)
    for (tool, arguments), cursor in zip(calls, cursors, strict=True):
        changed = await call(tool, bucket_name=SHELF, cursor=cursor)
        assert changed.text.startswith("object_changed: "), (tool, changed.text)
        again = changed.next
        assert again["tool"] == tool
        assert again["arguments"] == {"bucket_name": SHELF, **arguments}
        assert not (await call(tool, **again["arguments"])).is_error


@pytest.mark.parametrize(
    ("tool", "key"),
    [
        ("read_csv_from_s3", "gone.csv"),
        ("read_json_from_s3", "gone.json"),
        ("read_parquet_from_s3", "gone.parquet"),
        ("query_csv_data", "gone.csv"),
    ],
)
async def test_a_cursor_of_an_object_that_is_gone(
    call: Caller, objects: Objects, tool: str, key: str
) -> None:
    """The next call is one that works: not the first page of what is no more."""
    objects.put("cursors/gone.csv", "a\n1\n2\n3\n")
    objects.json("cursors/gone.json", [1, 2, 3])
    objects.parquet("cursors/gone.parquet", pa.table({"a": [1, 2, 3]}))
    size = "max_records" if "json" in tool else "max_rows"
    first = await call(tool, bucket_name=SHELF, object_key=f"cursors/{key}", **{size: 1})
    objects.client.delete_object(Bucket=SHELF, Key=f"cursors/{key}")
    refused = await call(tool, bucket_name=SHELF, cursor=first.data["next_cursor"])
    assert refused.text.startswith("object_changed: "), refused.text
    again = await call(refused.next["tool"], **refused.next["arguments"])
    assert not again.is_error, (refused.text, again.text)


@pytest.mark.parametrize("body", [b"", b"\x1f\x8b\x08\0torn", b"\x89PNG\r\n\x1a\n"])
async def test_a_cursor_of_an_object_that_no_query_reads_now(
    call: Caller, objects: Objects, body: bytes
) -> None:
    """It has changed, whatever is wrong with it now; also beside another object."""
    key = objects.put("cursors/turned.csv", "a\n1\n2\n3\n")
    sql = f"SELECT a FROM data JOIN 's3://{SHELF}/{key}' c USING (a) ORDER BY a"
    calls = [
        {"object_key": key},
        {"object_key": objects.put("cursors/b.csv", "a\n1\n2\n"), "sql": sql},
    ]
    firsts = [await call("query_csv_data", bucket_name=SHELF, **one, max_rows=1) for one in calls]
    objects.put(key, body)
    for first in firsts:
        cursor = first.data["next_cursor"]
        refused = await call("query_csv_data", bucket_name=SHELF, cursor=cursor)
        assert refused.text.startswith(f"object_changed: s3://{SHELF}/{key} has changed since")


async def test_another_object_of_the_sql_that_is_gone(call: Caller, objects: Objects) -> None:
    """It is named itself, not the table `data`, which is there."""
    objects.put("cursors/data.csv", "a\n1\n2\n3\n")
    objects.put("cursors/more/c.csv", "a\n1\n2\n3\n")
    first = await call(
        "query_csv_data",
        bucket_name=SHELF,
        object_key="cursors/data.csv",
        sql=f"SELECT a FROM data JOIN 's3://{SHELF}/cursors/more/c.csv' c USING (a) ORDER BY a",
        max_rows=1,
    )
    objects.client.delete_object(Bucket=SHELF, Key="cursors/more/c.csv")
    refused = await call("query_csv_data", bucket_name=SHELF, cursor=first.data["next_cursor"])
    said = f"object_changed: s3://{SHELF}/cursors/more/c.csv was deleted since"
    assert refused.text.startswith(said), refused.text
    assert refused.next["arguments"]["prefix"] == "cursors/more/"


async def test_a_long_statement_pages_too(call: Caller) -> None:
    """What the server took, its cursor holds."""
    comment = "".join(chr(0x4E00 + (i * 7_919) % 20_000) for i in range(9_000))
    answer = await call(
        "query_csv_data",
        bucket_name=BUCKET,
        object_key="orders.csv",
        sql=f"SELECT id FROM data /* {comment} */",
        max_rows=3,
    )
    assert not answer.is_error, answer.text[:300]
    more = await call(answer.next["tool"], **answer.next["arguments"])
    assert more.data["rows"] == [[3], [4], [5]]
    assert len(json.dumps(answer.data, ensure_ascii=False).encode()) < 64 << 10


@pytest.mark.parametrize(
    "value",
    [
        "{" + ", ".join(f"'is_a_flag_of_number_{n}': id % {n} = 0" for n in range(2, 10)) + "}",
        f"repeat('ab', 150)::ENUM('{'ab' * 150}')",
    ],
    ids=["names of fields", "values of a dictionary"],
)
async def test_rows_that_are_longer_than_they_take(
    call: Caller, elsewhere: Caller, objects: Objects, value: str
) -> None:
    """The engine gives grouped rows in no order: cut by bytes, they go on where they ended."""
    key = objects.put("cursors/ids.csv", "id\n" + "".join(f"{i}\n" for i in range(400)))
    sql = f"SELECT {value} AS v, id FROM data GROUP BY id"
    place = {"bucket_name": SHELF, "max_rows": 1_000}
    page = await call("query_csv_data", object_key=key, sql=sql, **place)
    assert page.data["truncated_by"] == "max_bytes"
    pages = [page.data]
    for caller in (elsewhere, call, elsewhere, call):
        if cursor := pages[-1]["next_cursor"]:
            page = await caller("query_csv_data", cursor=cursor, **place)
            pages.append(page.data)
    ids = [row[1] for each in pages for row in each["rows"]]
    told = [(each["offset"], each["returned_rows"], each["notices"]) for each in pages]
    assert sorted(ids) == list(range(400)), told


async def test_policy_is_checked_again(call: Caller, lake_bucket: str) -> None:
    """A cursor of a server that allowed more opens nothing here."""
    answer = await call("read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv", max_rows=3)
    lake = Lake.connect(Settings(_env_file=None, allowed=f"{lake_bucket}/hive/*"))  # type: ignore[call-arg] # as above
    try:
        async with Client(build_server(lake)) as client:
            refused = await Caller(client)(answer.next["tool"], **answer.next["arguments"])
    finally:
        lake.close()
    assert refused.text.startswith("not_allowed: ")


async def test_pages_of_text_have_one_dialect(call: Caller, objects: Objects) -> None:
    """What opens fields of another delimiter is no quote, on the first page as on the next ones."""
    text = "a;b\n1\t'x';2\nit\\'s;4\n5\\\n;6\n7\\\n;8\n"
    key = objects.put("cursors/tabs-and-quotes.csv", text)
    whole = await call("read_csv_from_s3", bucket_name=SHELF, object_key=key)
    page = await call("read_csv_from_s3", bucket_name=SHELF, object_key=key, max_rows=1)
    rows = page.data["rows"]
    while cursor := page.data["next_cursor"]:
        page = await call("read_csv_from_s3", bucket_name=SHELF, cursor=cursor, max_rows=1)
        assert page.data["dialect"] == whole.data["dialect"]
        rows += page.data["rows"]
    assert [[str(c) for c in row] for row in rows] == [
        [str(c) for c in row] for row in whole.data["rows"]
    ]


@pytest.mark.parametrize(
    ("tool", "size", "key", "lines"),
    [
        ("read_csv_from_s3", "max_rows", "told/rows.csv", ["a,b", "1,2", "3,4", "5,6,7", "8,9"]),
        ("read_json_from_s3", "max_records", "told/rows.jsonl", ["1", "2", "3", "{", "4", "]"]),
    ],
)
async def test_a_line_that_is_left_out_is_told_once(
    call: Caller, objects: Objects, tool: str, size: str, key: str, lines: list[str]
) -> None:
    """Behind the last row of a page it is told with the next page, which begins there."""
    objects.put(key, "\n".join(lines))
    for first in (1, 2, 3):
        page = await call(tool, bucket_name=SHELF, object_key=key, **{size: first})
        told = list(page.data["notices"])
        while page.data["next_cursor"]:
            page = await call(tool, bucket_name=SHELF, cursor=page.data["next_cursor"])
            told += page.data["notices"]
        counts = [int(notice.split(" ")[0]) for notice in told]
        assert sum(counts) == sum(line in ("5,6,7", "{", "]") for line in lines), (first, told)
