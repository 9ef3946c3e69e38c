"""The demo lake: what is in it, that it is the same each time, and that nothing stays behind."""

import csv
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import boto3
import psutil
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from s3_data_lake_mcp.demo import catalogue, contents, crm, iot, sales
from s3_data_lake_mcp.demo.lake import DemoLake, DemoLakeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GOLDEN = {
    catalogue.CUSTOMERS: "069c4018b062127a",
    catalogue.SALES: "9b9e6ec396f6e392",
    catalogue.GERMAN: "024d8a5ab5517c8b",
    catalogue.BROKEN: "973006e7d802be15",
}


@pytest.fixture(scope="module")
def lake() -> Iterator[DemoLake]:
    """Start the demo lake once for this module."""
    with DemoLake() as started:
        started.wait()
        yield started


@pytest.fixture(scope="module")
def client(lake: DemoLake) -> Iterator["S3Client"]:
    """Return a client of the embedded S3."""
    client = boto3.client(
        "s3",
        endpoint_url=lake.url,
        region_name=catalogue.REGION,
        aws_access_key_id="demo",
        aws_secret_access_key="demo",  # noqa: S106 - the embedded S3 takes any
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    yield client
    client.close()


def body(client: "S3Client", key: str, bucket: str = catalogue.BUCKET) -> bytes:
    """Return an object's bytes."""
    return client.get_object(Bucket=bucket, Key=key)["Body"].read()


def rows_of(text: bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    """Return delimited text as the standard library reads it."""
    stream = io.StringIO(text.decode(encoding), newline="")
    return list(csv.reader(stream, delimiter=delimiter))


def test_customers_have_their_rows_columns_and_traps(client: "S3Client") -> None:
    """50,000 customers, 19 columns: leading zeros, nulls, quotes, commas, newlines, unicode."""
    header, *rows = rows_of(body(client, catalogue.CUSTOMERS))
    assert header == crm.CUSTOMER_COLUMNS
    assert len(header) == 19
    assert len(rows) == 50_000
    assert {len(row) for row in rows} == {19}
    column = {name: [row[at] for row in rows] for at, name in enumerate(header)}
    assert len(set(column["customer_id"])) == 50_000
    assert all(len(code) == 5 and code.isdigit() for code in column["postal_code"])
    assert any(code.startswith("0") for code in column["postal_code"])
    assert 0 < column["credit_score"].count("") < 10_000
    assert all(len(value.split(".")[1]) == 2 for value in column["annual_revenue"])
    notes = "".join(column["notes"])
    assert all(mark in notes for mark in ('"', ",", "\n", "è", "請", "🎯"))


def test_no_customer_ordered_before_signing_up(client: "S3Client") -> None:
    """The dates of a customer make sense together."""
    header, *rows = rows_of(body(client, catalogue.CUSTOMERS))
    signup, last = header.index("signup_date"), header.index("last_order_at")
    assert all(row[signup] <= row[last][:10] for row in rows if row[last])


def test_sales_are_one_array_whose_totals_are_the_daily_data_set(client: "S3Client") -> None:
    """75,000 sales in one JSON array; each day's Parquet file holds the totals of its sales."""
    records = json.loads(body(client, catalogue.SALES))
    assert len(records) == 75_000
    day = "2025-12-24"
    of_day = [record for record in records if record["sold_at"].startswith(day)]
    daily = pq.read_table(
        io.BytesIO(body(client, f"{catalogue.DAILY}dt={day}/part-0000.parquet")),
        partitioning=None,
    )
    totals = daily.to_pylist()
    assert sum(group["orders"] for group in totals) == len(of_day)
    paid = sum(Decimal(str(record["total"])) for record in of_day)
    assert sum(group["revenue"] for group in totals) == paid


def test_daily_data_set_has_every_day_of_the_year(client: "S3Client") -> None:
    """One partition for each of the 365 days."""
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=catalogue.BUCKET, Prefix=catalogue.DAILY
    )
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert len(keys) == sales.DAYS == 365
    assert keys[0] == "sales/daily/dt=2025-01-01/part-0000.parquet"
    assert keys[-1] == "sales/daily/dt=2025-12-31/part-0000.parquet"


def test_readings_are_sorted_row_groups_with_a_zone(client: "S3Client") -> None:
    """100,000 readings in ten row groups, by time, with nulls and a few outliers."""
    file = pq.ParquetFile(io.BytesIO(body(client, catalogue.READINGS)))
    assert file.metadata.num_rows == iot.READINGS == 100_000
    assert file.metadata.num_row_groups == 10
    table = file.read()
    assert str(table.schema.field("measured_at").type) == "timestamp[us, tz=UTC]"
    times = [row["measured_at"] for row in table.select(["measured_at"]).to_pylist()]
    assert times == sorted(times)
    assert times[-1] - times[0] > timedelta(days=25)
    temperatures = table["temperature_c"].to_pylist()
    assert 0 < temperatures.count(None) < 2_000
    assert 0 < temperatures.count(iot.POWER_ON_CELSIUS) < 200


def test_events_are_gzipped_lines_of_differing_fields(client: "S3Client") -> None:
    """JSON Lines in gzip; a customer is known for some of the events only."""
    lines = gzip.decompress(body(client, catalogue.EVENTS)).splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == sales.EVENTS
    assert 0 < sum("customer_id" in record for record in records) < sales.EVENTS
    assert {record["at"][:10] for record in records} == {"2025-12-31", "2026-01-01"}


def test_german_export_is_windows_1252(client: "S3Client") -> None:
    """The export holds bytes that only Windows-1252 has, and is no UTF-8."""
    text = body(client, catalogue.GERMAN)
    with pytest.raises(UnicodeDecodeError):
        text.decode()
    assert b"\x80" in text  # the euro sign, which Latin-1 lacks
    header, *rows = rows_of(text, "cp1252", ";")
    assert header[2] == "Straße"
    assert len(rows) == 2_000
    assert all("," in row[header.index("Umsatz (€)")] for row in rows)


def test_broken_rows_are_where_they_are_said_to_be(client: "S3Client") -> None:
    """Some rows of the import have four fields, some six, the others five."""
    _, *rows = rows_of(body(client, catalogue.BROKEN))
    lengths = [len(row) for row in rows]
    assert len(rows) == crm.BROKEN_ROWS
    assert lengths.count(4) == crm.BROKEN_ROWS // crm.BROKEN_SHORT_EVERY
    assert lengths.count(6) == crm.BROKEN_ROWS // crm.BROKEN_LONG_EVERY
    assert set(lengths) == {4, 5, 6}


def test_archived_object_refuses_to_be_read(client: "S3Client") -> None:
    """The ledger is in Glacier: it can be looked at, but not fetched."""
    head = client.head_object(Bucket=catalogue.BUCKET, Key=catalogue.ARCHIVED)
    assert head["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError, match="InvalidObjectState"):
        client.get_object(Bucket=catalogue.BUCKET, Key=catalogue.ARCHIVED)


def test_buckets_are_in_their_regions_and_one_is_empty(client: "S3Client") -> None:
    """Three buckets, one of them in another region, one without objects."""
    names = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
    assert sorted(names) == sorted(catalogue.BUCKETS)
    for name, region in catalogue.BUCKETS.items():
        headers = client.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amz-bucket-region"] == region
    assert client.list_objects_v2(Bucket=catalogue.EMPTY_BUCKET)["KeyCount"] == 0
    assert b"BOS-01" in body(client, catalogue.STORES, catalogue.FAR_BUCKET)


@pytest.mark.parametrize("key", catalogue.ODD_KEYS)
def test_odd_keys_are_taken_literally(client: "S3Client", key: str) -> None:
    """An object with an odd key comes back under exactly that key."""
    assert rows_of(body(client, key))[1] == ["1", key]


def test_objects_are_the_same_on_every_machine_and_made_in_seconds() -> None:
    """The text objects have the bytes that the documentation speaks of; all take seconds."""
    began = time.process_time()
    found = {item.key: hashlib.sha256(item.body).hexdigest()[:16] for item in contents.objects()}
    assert time.process_time() - began < 15
    assert {key: found[key] for key in GOLDEN} == GOLDEN
    assert len(found) == sales.DAYS + 8 + len(catalogue.ODD_KEYS)


def test_parquet_is_the_same_in_another_process() -> None:
    """Parquet objects have the same bytes whatever the process's hash seed."""
    script = textwrap.dedent("""
        import hashlib
        from s3_data_lake_mcp.demo import iot, sales
        _, day = next(sales.daily_totals(sales.sales()[:5_000]))
        print(hashlib.sha256(iot.readings() + day + sales.web_events()).hexdigest())
    """)
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1


def test_server_on_the_demo_lake_sees_none_of_the_users_aws_settings(
    lake: DemoLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Profile, credentials and proxies of the user are left out; the endpoint is the demo's."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    environment = lake.environment()
    assert environment["AWS_ENDPOINT_URL_S3"] == lake.url
    assert environment["AWS_ACCESS_KEY_ID"] == "demo"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY"} & environment.keys()


def test_leaving_the_context_ends_the_process() -> None:
    """Nothing of the demo lake is left once its context is, even half filled."""
    with DemoLake() as started:
        assert started.url.startswith("http://127.0.0.1:")
        assert psutil.pid_exists(started._process.pid)
    assert not psutil.pid_exists(started._process.pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_demo_lake_ends_with_the_process_that_started_it(number: signal.Signals) -> None:
    """However its parent ends, the embedded S3 ends too."""
    # Whoever runs the tests in the background may ignore an interrupt, which is inherited.
    script = textwrap.dedent("""
        import signal
        import time
        from s3_data_lake_mcp.demo.lake import DemoLake
        signal.signal(signal.SIGINT, signal.default_int_handler)
        lake = DemoLake()
        print(lake._process.pid, lake.url, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline().split()[0]))
    parent.send_signal(number)
    parent.communicate(timeout=20)
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_demo_lake_that_ends_early_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the embedded S3 does not come up, that is said instead of waited for."""
    monkeypatch.setattr("s3_data_lake_mcp.demo.lake._MODULE", "s3_data_lake_mcp.no_such_module")
    with DemoLake() as started, pytest.raises(DemoLakeError, match="before it was ready"):
        started.wait()
