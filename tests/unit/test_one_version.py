"""What one query reads twice is read in one version, though it is overwritten meanwhile."""

import contextlib
import threading

import pytest

from s3_data_lake_mcp.errors import ObjectChangedError
from s3_data_lake_mcp.storage import ListPage, ObjectInfo, ObjectRef, ScanMeter
from support.engine import BUCKET, Desk
from support.memory import MemoryStore

KEY = "t/1.csv"
SQL = f"SELECT d.a, d.b FROM data d JOIN 's3://{BUCKET}/{KEY}' o ON o.a = d.a"


class Shifting(MemoryStore):
    """A store where two openings of an object, or one and a listing, meet two versions of it."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._both = threading.Barrier(2, self._shift_behind_listing, timeout=10)
        self._has_listed = False
        self.next = b""

    def _shift(self) -> None:
        self.put(BUCKET, KEY, self.next)
        self.next = b""

    def _shift_behind_listing(self) -> None:
        if self._has_listed:
            self._shift()

    def list_page(self, *args: object, **options: object) -> ListPage:
        """Answer ahead of an opening."""
        found = super().list_page(*args, **options)  # type: ignore[arg-type] # as they came
        if self.next:
            self._has_listed = True
            self._both.wait()
        return found

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Answer when there are two who ask."""
        if self.next:
            self._both.wait()
        with self._lock:
            found = super().get_head(ref, length, meter)
            if self.next:
                self._shift()
            return found


@pytest.mark.parametrize("key", [KEY, "t/"])
def test_two_tables_never_read_two_versions_of_an_object(key: str) -> None:
    """The columns of one version would be read as those of the other."""
    store = Shifting()
    desk = Desk(store=store)
    desk.put(KEY, "a,b\n1,2\n")
    store.next = b"b,a,c\n4,3,5\n"
    told = []
    for _ in range(2):
        with contextlib.suppress(ObjectChangedError):
            result = desk.run(key, SQL)
            told.append((result.table.to_pylist(), result.sources[0].size_bytes))
    new = ([{"a": 3, "b": 4}], 12)
    assert told in ([new, new], [new])
