"""What was seen before is queried as if it had not changed, and answered only when that is sure."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    LakeError,
    NotFoundError,
    StoreUnavailableError,
    UnknownColumnError,
)
from s3_data_lake_mcp.storage import ObjectHead, ObjectInfo, ObjectRef, ScanMeter
from support.engine import BUCKET, Desk
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

COUNT = "SELECT count(*) AS n FROM data"
REF = ObjectRef(bucket=BUCKET, key="t.parquet")


class Asking(MemoryStore):
    """A store whose answers to HEAD are slow, or something else."""

    def __init__(self) -> None:
        super().__init__()
        self.delay_seconds = 0.0
        self.heads: list[str] = []
        self.told: datetime | None = None
        self.failure: LakeError | None = None

    def head(self, ref: ObjectRef, meter: ScanMeter) -> ObjectHead:
        """Return the answer after a while."""
        self.heads.append(threading.current_thread().name.partition("_")[0])
        time.sleep(self.delay_seconds)
        if self.failure is not None:
            raise self.failure
        found = super().head(ref, meter)
        return found if self.told is None else replace(found, info=self._dated(found.info))

    def _dated(self, info: ObjectInfo) -> ObjectInfo:
        return replace(info, last_modified=self.told)


def body(**columns: list[int]) -> bytes:
    """Return columns as Parquet."""
    return parquet_bytes(pa.table(columns))


@pytest.fixture
def store() -> Asking:
    """Return a store with nothing in it."""
    return Asking()


@pytest.fixture
def desk(store: Asking) -> Desk:
    """Return an engine that has seen an object."""
    made = Desk(store=store)
    made.put("t.parquet", body(a=[1, 2, 3]))
    assert made.value("t.parquet", COUNT) == 3
    assert store.heads == []
    return made


def test_whether_it_has_changed_is_asked_beside(desk: Desk, store: Asking) -> None:
    """One request, which the query does not wait for before it runs."""
    assert desk.value("t.parquet", COUNT) == 3
    assert store.heads == ["s3-ahead"]


@pytest.mark.parametrize("delay_seconds", [0.0, 0.2])
def test_what_has_changed_is_read_anew(desk: Desk, store: Asking, delay_seconds: float) -> None:
    """However late S3 tells."""
    store.delay_seconds = delay_seconds
    desk.put("t.parquet", body(a=[4, 5, 6, 7]))
    assert desk.value("t.parquet", "SELECT sum(a) AS s FROM data") == 22


def test_what_the_old_version_lacks_is_no_error(desk: Desk) -> None:
    """Neither what was hoped nor what came of it is told."""
    desk.put("t.parquet", body(b=[8]))
    assert desk.value("t.parquet", "SELECT sum(b) AS s FROM data") == 8
    with pytest.raises(UnknownColumnError):
        desk.value("t.parquet", "SELECT sum(a) AS s FROM data")


@pytest.mark.parametrize("failure", [NotFoundError("It is gone"), StoreUnavailableError("Away")])
def test_what_cannot_be_asked_for_is_not_answered(
    desk: Desk, store: Asking, failure: LakeError
) -> None:
    """Though an answer could have been given."""
    store.failure = failure
    with pytest.raises(type(failure), match=str(failure)):
        desk.value("t.parquet", COUNT)


def test_the_same_bytes_have_their_new_date(desk: Desk, store: Asking) -> None:
    """An object that was written again is told of as it is now."""
    store.told = datetime(2031, 1, 1, tzinfo=UTC)
    for _ in range(2):
        whole = desk.run("t.parquet", COUNT).whole
        assert whole is not None
        assert whole.last_modified == store.told
    assert store.heads == ["s3-ahead", "MainThread", "s3-ahead"]


def test_a_long_query_of_what_has_changed_is_stopped(desk: Desk) -> None:
    """Not run to its end before it is run again."""
    slow = "SELECT count(*) AS n FROM data, range(10000000000) WHERE a = 1"
    with pytest.raises(DeadlineExceededError):
        desk.run("t.parquet", slow, meter=ScanMeter(timeout_seconds=0.5))
    desk.put("t.parquet", body(b=[8]))
    with pytest.raises(UnknownColumnError):
        desk.run("t.parquet", slow, meter=ScanMeter(timeout_seconds=20))
