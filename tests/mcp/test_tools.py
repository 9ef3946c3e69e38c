"""Each tool on real data, as a client sees it: structure and text say the same."""

import contextlib
import json
from typing import Any

import pyarrow as pa
import pytest
from fastmcp import Client
from mcp_types import INVALID_PARAMS

from mcp import MCPError
from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from support.mcp import BUCKET, ROWS, Caller
from support.objects import SHELF, Objects

SOURCE_KEYS = {"uri", "etag", "version_id", "size_bytes", "last_modified"}


async def test_list_s3_buckets(call: Caller) -> None:
    """Name, region, date and access of each bucket."""
    answer = await call("list_s3_buckets", name_contains=BUCKET)
    assert not answer.is_error
    [bucket] = answer.data["buckets"]
    assert bucket["name"] == BUCKET
    assert bucket["region"] == "us-east-1"
    assert bucket["access"] == "readable"
    assert bucket["creation_date"].startswith("20")
    assert answer.lines[0].startswith("1 bucket")
    unchecked = await call("list_s3_buckets", name_contains=BUCKET, check_access=False)
    assert unchecked.data["buckets"][0]["access"] == "unknown"


@pytest.mark.parametrize(
    ("arguments", "notice"),
    [
        ({"prefix": "hvie/"}, "No key begins with hvie/."),
        ({"prefix": "hive/dt=2027"}, "No key begins with hive/dt=2027."),
        ({"pattern": "/hive/**"}, "No key begins with /hive/."),
        ({"prefix": "hive/*"}, "prefix is taken literally"),
    ],
)
async def test_a_prefix_of_nothing_gets_what_is_there(
    call: Caller, arguments: dict[str, Any], notice: str
) -> None:
    """No error, but a mistyped prefix does not pass for an empty one."""
    answer = await call("list_s3_objects", bucket_name=BUCKET, **arguments)
    assert answer.data["count"] == 0
    [said] = answer.data["notices"]
    assert said.startswith(notice)
    assert "hive/" in said or "pattern" in said
    again = await call("list_s3_objects", bucket_name=BUCKET, **arguments | {"pattern": "*.no"})
    assert again.data["count"] == 0


@pytest.mark.parametrize(
    ("pattern", "notice"),
    [
        ("*art-0.parquet", "* does not cross /, ** does: **/*art-0.parquet."),
        ("hive/*.parquet", "* does not cross /, ** does."),
        ("hive", "A pattern is of whole keys: **hive** fits all that hold it."),
        ("**/*.{csv,parquet}", "Braces in a pattern are taken literally: ask for one at a time."),
        ("**/*.no", ""),
        ("s3://a/*.csv", "prefix and pattern are of keys alone: without s3:// and the bucket."),
    ],
)
async def test_a_pattern_that_fits_no_key_is_explained(
    call: Caller, pattern: str, notice: str
) -> None:
    """As in a shell, which other tools are not like."""
    answer = await call("list_s3_objects", bucket_name=BUCKET, pattern=pattern)
    assert answer.data["count"] == 0
    assert answer.data["notices"] == ([notice] if notice else [])


async def test_list_s3_objects_pages_by_cursor(call: Caller) -> None:
    """The text's `next:` line is the call that goes on."""
    answer = await call("list_s3_objects", bucket_name=BUCKET, prefix="hive/", max_keys=5)
    assert answer.data["count"] == 5
    assert answer.data["truncated_by"] == "max_keys"
    more = await call(answer.next["tool"], **answer.next["arguments"])
    keys = [o["key"] for page in (answer, more) for o in page.data["objects"]]
    assert len(keys) == 8
    assert keys == sorted(set(keys))
    assert more.data["truncated"] is False


async def test_list_s3_objects_folds_by_delimiter(call: Caller) -> None:
    """Folders are common prefixes."""
    answer = await call("list_s3_objects", bucket_name=f"s3://{BUCKET}/", delimiter="/")
    assert answer.data["common_prefixes"] == ["hive/", "odd/"]
    archived = next(o for o in answer.data["objects"] if o["key"] == "cold.csv")
    assert archived["storage_class"] == "GLACIER"


@pytest.mark.parametrize("key", ["orders.csv", "orders.csv.gz"])
async def test_read_csv_pages_join_to_the_whole(call: Caller, key: str) -> None:
    """Rows, types, dialect; following `next:` gives each row once."""
    answer = await call("read_csv_from_s3", bucket_name=BUCKET, object_key=key, max_rows=100)
    assert [c["type"] for c in answer.data["columns"]] == [
        "int64",
        "string",
        "double",
        "date32[day]",
        "string",
    ]
    assert answer.data["dialect"]["delimiter"] == ","
    assert answer.data["dialect"]["compression"] == ("gzip" if key.endswith("gz") else "")
    assert answer.data["source"].keys() == SOURCE_KEYS
    assert answer.data["rows"][1] == [1, "Basel", 0.25, "2026-01-02", "n, 1"]
    rows = list(answer.data["rows"])
    while answer.data["next_cursor"]:
        answer = await call(answer.next["tool"], **answer.next["arguments"])
        rows += answer.data["rows"]
    assert [row[0] for row in rows] == list(range(ROWS))
    assert answer.data["total_rows"] == ROWS


async def test_the_text_of_a_table(call: Caller) -> None:
    """A line that answers, the fenced TSV, the next call."""
    answer = await call("read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv", max_rows=2)
    assert answer.lines[0].startswith(f"2 rows, cut by max_rows, more follow · s3://{BUCKET}/")
    begin = next(i for i, line in enumerate(answer.lines) if line.startswith("<<data "))
    nonce = answer.lines[begin].removeprefix("<<data ").removesuffix(">>")
    assert answer.lines[begin + 1] == "id\tcity\tamount\tplaced\tnote"
    assert answer.lines[begin + 2] == "0\tBern\t0.0\t2026-01-01\tn, 0"
    assert answer.lines[begin + 4] == f"<<end {nonce}>>"
    again = await call("read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv", max_rows=2)
    assert nonce not in again.text


@pytest.mark.parametrize(("key", "layout"), [("records.json", "array"), ("records.jsonl", "lines")])
async def test_read_json_pages_join_to_the_whole(call: Caller, key: str, layout: str) -> None:
    """Records of arrays and lines page alike."""
    answer = await call("read_json_from_s3", bucket_name=BUCKET, object_key=key, max_records=99)
    assert answer.data["layout"] == layout
    assert answer.data["keys"] == ["id", "tags", "city"]
    records: list[dict[str, Any]] = list(answer.data["records"])
    while answer.data["next_cursor"]:
        answer = await call(answer.next["tool"], **answer.next["arguments"])
        records += answer.data["records"]
    assert [record["id"] for record in records] == list(range(ROWS))
    assert records[7] == {"id": 7, "tags": [7, "7"], "city": "Bern"}


async def test_the_first_line_counts_the_keys_of_what_is_whole(
    call: Caller, objects: Objects
) -> None:
    """Those of an outline it leaves to the outline, which does not show them all."""
    for count, said in ((1_001, "object · 1,001 keys · "), (9_000, "object · s3://")):
        key = objects.json("keys.json", {f"k{n}": n for n in range(count)})
        answer = await call("read_json_from_s3", bucket_name=SHELF, object_key=key)
        assert answer.lines[0].startswith(said)
        assert answer.data["notices"][0 if count < 9_000 else 1].endswith(f" of {count:,} keys.")


async def test_read_json_document_and_path(call: Caller) -> None:
    """A document comes as data, a path leads into it."""
    answer = await call("read_json_from_s3", bucket_name=BUCKET, object_key="document.json")
    assert answer.data["layout"] == "object"
    assert answer.data["data"] == {"a": {"b": [1, 2, 3]}, "c": "x"}
    inner = await call(
        "read_json_from_s3", bucket_name=BUCKET, object_key="document.json", path="a.b"
    )
    assert (inner.data["layout"], inner.data["records"]) == ("array", [1, 2, 3])


async def test_read_parquet_pages_join_to_the_whole(call: Caller) -> None:
    """The footer's total, projection in the order asked for, pages over row groups."""
    answer = await call(
        "read_parquet_from_s3",
        bucket_name=BUCKET,
        object_key="orders.parquet",
        columns=["amount", "id"],
        max_rows=60,
    )
    assert [c["name"] for c in answer.data["columns"]] == ["amount", "id"]
    assert answer.data["total_rows"] == ROWS
    assert answer.data["parquet"]["num_row_groups"] == 3
    rows = list(answer.data["rows"])
    while answer.data["next_cursor"]:
        answer = await call(answer.next["tool"], **answer.next["arguments"])
        rows += answer.data["rows"]
    assert [row[1] for row in rows] == list(range(ROWS))


async def test_read_parquet_dataset_prunes_partitions(call: Caller) -> None:
    """A prefix is one dataset; its Hive partitions are a column."""
    answer = await call(
        "read_parquet_from_s3",
        bucket_name=BUCKET,
        object_key="hive/",
        where="dt = '2026-01-03' AND v > 30",
    )
    assert not answer.is_error, answer.text
    names = [c["name"] for c in answer.data["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in answer.data["rows"]]
    assert sorted(row["v"] for row in rows) == [31, 35, 36]
    assert {row["dt"] for row in rows} == {"2026-01-03"}


@pytest.mark.parametrize("key", ["orders.csv", "orders.csv.gz", "orders.parquet"])
async def test_query_with_sql(call: Caller, key: str) -> None:
    """Aggregates over the table `data`, whatever the format."""
    answer = await call(
        "query_csv_data",
        bucket_name=BUCKET,
        object_key=key,
        sql="SELECT city, count(*) AS n, sum(amount) AS s FROM data GROUP BY 1 ORDER BY 1",
    )
    assert not answer.is_error, answer.text
    assert answer.data["rows"][0] == ["Basel", 83, 2573.0]
    assert answer.data["sources_total"] == 1
    assert answer.data["sources"][0]["uri"] == f"s3://{BUCKET}/{key}"
    assert answer.data["plan"] is None


async def test_query_in_the_simple_form(call: Caller) -> None:
    """`auto` is contains for text and equality for numbers."""
    place = {"bucket_name": BUCKET, "object_key": "orders.csv"}
    answer = await call(
        "query_csv_data", **place, filter_column="city", filter_value="BAS", columns=["id"]
    )
    assert answer.data["rows"][:2] == [[1], [4]]
    answer = await call("query_csv_data", **place, filter_column="id", filter_value="7")
    assert [row[0] for row in answer.data["rows"]] == [7]


async def test_query_joins_other_objects(call: Caller) -> None:
    """Objects of several formats, named in the SQL."""
    answer = await call(
        "query_csv_data",
        bucket_name=BUCKET,
        object_key="orders.csv",
        sql=f"""SELECT count(*) FROM data d JOIN 's3://{BUCKET}/orders.parquet' p USING (id)
                JOIN 's3://{BUCKET}/records.jsonl' r USING (id)""",
    )
    assert not answer.is_error, answer.text
    assert answer.data["rows"] == [[ROWS]]
    assert answer.data["sources_total"] == 3


async def test_query_dry_run(call: Caller) -> None:
    """A plan and no rows."""
    answer = await call("query_csv_data", bucket_name=BUCKET, object_key="hive/", dry_run=True)
    assert answer.data["rows"] == []
    assert answer.data["plan"]["objects"] == 8


async def test_get_dataset_summary_of_a_prefix(call: Caller) -> None:
    """Inventory, data sets and partitions."""
    answer = await call("get_dataset_summary", bucket_name=BUCKET, prefix="hive/")
    assert answer.data["inventory"]["objects"] == 8
    [dataset] = answer.data["datasets"]
    assert dataset["partitions"]["dt"] == {"values": 4, "min": "2026-01-01", "max": "2026-01-04"}


async def test_get_dataset_summary_profiles_an_object(call: Caller) -> None:
    """Exact figures of a small file."""
    answer = await call("get_dataset_summary", bucket_name=BUCKET, prefix="orders.csv")
    profile = answer.data["profile"]
    assert profile["rows"] == ROWS
    by_name = {column["name"]: column for column in profile["columns"]}
    assert by_name["id"]["min"] == 0
    assert by_name["id"]["max"] == ROWS - 1
    assert by_name["city"]["distinct"] == 3
    assert by_name["city"]["basis"] == "exact"


async def test_get_file_metadata(call: Caller) -> None:
    """Storage, format, columns, rows, and a next call that works."""
    answer = await call("get_file_metadata", bucket_name=BUCKET, object_key="orders.parquet")
    assert answer.data["detected_format"] == "parquet"
    assert answer.data["total_rows"] == ROWS
    assert answer.data["storage_class"] == "STANDARD"
    # Texts leave out what is empty: it costs tokens and tells nothing.
    assert 'encryption\t{"type":"none"}' in answer.lines
    suggestion = answer.data["suggested_calls"][0]
    again = await call(suggestion["tool"], **suggestion["arguments"])
    assert not again.is_error


async def test_odd_keys_are_taken_literally(call: Caller) -> None:
    """Spaces, plus, percent, hash, question mark: no decoding, and an exact key beats a glob."""
    for key in ("odd/a b+c%20é#?.csv", "odd/[1]*.csv"):
        answer = await call("query_csv_data", bucket_name=BUCKET, object_key=key)
        assert not answer.is_error, answer.text
        assert answer.data["sources_total"] == 1
        answer = await call("read_csv_from_s3", bucket_name=f"s3://{BUCKET}/{key}")
        assert not answer.is_error, answer.text
        answer = await call("get_file_metadata", bucket_name=BUCKET, object_key=key)
        assert not answer.is_error, answer.text


async def test_resources_and_prompts(call: Caller) -> None:
    """Metadata under the object's own URI, percent-decoded; the server's facts; three prompts."""
    client = call.client
    [about] = await client.read_resource("lake://server")
    assert len(json.loads(about.text)["tools"]) == 8  # type: ignore[union-attr] # text resources
    [found] = await client.read_resource(f"s3://{BUCKET}/odd/a%20b%2Bc%2520%C3%A9%23%3F.csv")
    facts = json.loads(found.text)  # type: ignore[union-attr] # text resources
    assert facts["source"]["uri"].endswith("odd/a b+c%20é#?.csv")
    prompts = await client.list_prompts()
    names = {prompt.name for prompt in prompts}
    assert names == {"explore_data_lake", "profile_dataset", "compare_datasets"}
    assert all(argument.description for prompt in prompts for argument in prompt.arguments or ())
    got = await client.get_prompt("profile_dataset", {"uri": "s3://b/k"})
    assert "s3://b/k" in str(got.messages[0].content)


@pytest.mark.parametrize(
    ("place", "says", "hint", "code"),
    [
        (
            f"{BUCKET}/order.csv",
            f"not_found: s3://{BUCKET}/order.csv",
            "Nearest: orders.csv",
            INVALID_PARAMS,
        ),
        (
            "no-such-bucket-of-ours/x",
            "not_found: s3://no-such-bucket-of-ours",
            "The buckets are ",
            INVALID_PARAMS,
        ),
        ("NO_BUCKET/x", "invalid_argument: ", "A name has 3 to 63", INVALID_PARAMS),
    ],
)
async def test_a_resource_that_cannot_be_read(
    call: Caller, place: str, says: str, hint: str, code: int
) -> None:
    """The contract's code, words and hint, under the protocol's code for who asks wrongly."""
    with pytest.raises(MCPError) as caught:
        await call.client.read_resource(f"s3://{place}")
    assert caught.value.error.code == code
    first, second = caught.value.error.message.splitlines()
    assert first.startswith(says)
    assert second.startswith(f"hint: {hint}")


async def test_a_hint_names_no_tool_that_is_switched_off(lake_bucket: str) -> None:
    """What it says beside that stays."""
    settings = Settings(_env_file=None, enabled_tools="read_csv_from_s3")  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    with contextlib.closing(Lake.connect(settings)) as lake:
        async with Client(build_server(lake)) as client:
            answer = await Caller(client)("read_csv_from_s3", bucket_name=lake_bucket)
            assert answer.lines[1:] == ["hint: Give object_key."]
            answer = await Caller(client)("read_csv_from_s3", bucket_name="no-such-bucket-of-ours")
            assert "list_s3" not in answer.text


async def test_parts_without_a_suffix_are_known_by_their_content(
    call: Caller, objects: Objects
) -> None:
    """Parquet under names that say nothing is read below a prefix and by a glob, as alone."""
    for part in range(2):
        objects.parquet(f"bare/part-0000{part}", pa.table({"v": [part]}))
    objects.put("bare/_SUCCESS", "")
    objects.put("plain/part-00000", "a,b\n1,2\n")
    for key in ("bare/", "bare/part-*"):
        answer = await call("read_parquet_from_s3", bucket_name=SHELF, object_key=key)
        assert answer.data["rows"] == [[0], [1]], answer.text
        where = await call("read_parquet_from_s3", bucket_name=SHELF, object_key=key, where="v > 0")
        assert where.data["rows"] == [[1]]
        query = await call("query_csv_data", bucket_name=SHELF, object_key=key)
        assert query.data["rows"] == [[0], [1]]
    other = await call("read_parquet_from_s3", bucket_name=SHELF, object_key="plain/")
    assert other.text.startswith("unsupported_format: ")
