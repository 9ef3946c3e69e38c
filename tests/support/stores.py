"""A store under test with a way to fill it, the same for each kind of store."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.memory import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def open_store(settings: Settings) -> S3Store:
    """Return a store on what the environment points at."""
    return S3Store(ClientFactory(settings), settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A store, one bucket in it, and the way to put an object there."""

    store: ObjectStore
    bucket: str
    write: Callable[[str, bytes], None]

    def put(self, key: str, body: bytes) -> ObjectRef:
        """Store an object, over what is there."""
        self.write(key, body)
        return self.ref(key)

    def ref(self, key: str) -> ObjectRef:
        """Name an object of the bucket."""
        return ObjectRef(bucket=self.bucket, key=key)

    def meter(self, *, timeout_seconds: float = 20.0) -> ScanMeter:
        """Return a fresh meter."""
        return ScanMeter(timeout_seconds=timeout_seconds)


def memory_shelf() -> Shelf:
    """Return a store in memory."""
    store = MemoryStore()

    def write(key: str, body: bytes) -> None:
        store.put("memory", key, body)

    return Shelf(store=store, bucket="memory", write=write)


def s3_shelf(client: "S3Client", bucket: str) -> Shelf:
    """Return a store on the S3 API that the environment points at, filled through a client."""

    def write(key: str, body: bytes) -> None:
        client.put_object(Bucket=bucket, Key=key, Body=body)

    return Shelf(store=open_store(Settings()), bucket=bucket, write=write)
