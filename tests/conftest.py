"""What all tests share: a real S3 API on loopback (moto over HTTP), and a store on it."""

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from s3_data_lake_mcp.settings import PREFIX, Settings
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy
from support.stores import Shelf, memory_shelf, open_store, s3_shelf

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
REGION = "us-east-1"
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """Return the URL of an S3 API that lives as long as the test session."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _hide_settings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", PREFIX)) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def clean_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the machine's own AWS and server settings."""
    _hide_settings(monkeypatch, tmp_path)


@pytest.fixture
def aws_env(clean_env: None, monkeypatch: pytest.MonkeyPatch, moto_endpoint: str) -> None:
    """Point the standard AWS chain at the S3 API on loopback."""
    del clean_env
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture(scope="session")
def set_up_client(
    moto_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["S3Client"]:
    """Return one client for the set-up of all tests: to make it takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        _hide_settings(patch, tmp_path_factory.getbasetemp())
        client = boto3.session.Session("testing", "testing").client(
            "s3",
            endpoint_url=moto_endpoint,
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}),
        )
    yield client
    client.close()


@pytest.fixture
def s3(aws_env: None, set_up_client: "S3Client") -> "S3Client":
    """Return a client for set-up, straight on the S3 API."""
    del aws_env
    return set_up_client


@pytest.fixture
def make_bucket(s3: "S3Client") -> Iterator[Callable[..., str]]:
    """Return a function that creates a bucket (`region=`), emptied and removed afterwards."""
    made: list[str] = []

    def make(*, region: str = REGION) -> str:
        # Letters alone: twelve digits would look like the account number that no error may show.
        name = f"lake-{uuid.uuid4().hex[:12].translate(_LETTERS)}"
        if region == REGION:
            s3.create_bucket(Bucket=name)
        else:
            where = {"LocationConstraint": region}
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)  # type: ignore[arg-type] # the stubs list the regions
        made.append(name)
        return name

    yield make
    for name in made:
        _remove_bucket(s3, name)


def _remove_bucket(s3: "S3Client", name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def bucket(make_bucket: Callable[..., str]) -> str:
    """Return the name of a fresh bucket."""
    return make_bucket()


@pytest.fixture
def settings() -> Settings:
    """Return the server's settings at their defaults."""
    return Settings(_env_file=None)  # type: ignore[call-arg] # a keyword of pydantic-settings itself


@pytest.fixture
def lake_store(aws_env: None, settings: Settings) -> S3Store:
    """Return the product's store on the S3 API."""
    del aws_env
    return open_store(settings)


@pytest.fixture
def fault_proxy(
    aws_env: None, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """Return a proxy before the S3 API, where the standard AWS chain now points."""
    del aws_env
    with FaultProxy(moto_endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
        yield proxy


@pytest.fixture
def impatient_store(fault_proxy: FaultProxy) -> S3Store:
    """Return a store behind the proxy that waits two seconds for an answer."""
    del fault_proxy
    return open_store(Settings(_env_file=None, timeout_seconds=8))  # type: ignore[call-arg] # as above


@pytest.fixture(params=["memory", "moto"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    """Return a store of each kind, with a bucket and a way to fill it."""
    if request.param == "memory":
        return memory_shelf()
    return s3_shelf(request.getfixturevalue("s3"), request.getfixturevalue("bucket"))
