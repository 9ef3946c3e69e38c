"""An object that is overwritten while it is summarized: its profile is of the version listed."""

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import ObjectChangedError
from s3_data_lake_mcp.storage import ListPage
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes
from support.summaries import BUCKET, CSV, Summaries

OLD, NEW = (parquet_bytes(pa.table({"v": [1] * rows})) for rows in (3, 4_000))


class Overwriting(MemoryStore):
    """A store that overwrites objects as soon as they were listed, once."""

    def __init__(self) -> None:
        super().__init__()
        self.next: dict[str, bytes] = {}

    def list_page(self, *args: object, **options: object) -> ListPage:
        """Return what was there."""
        found = super().list_page(*args, **options)  # type: ignore[arg-type] # as they came
        while found.objects and self.next:
            self.put(BUCKET, *self.next.popitem())
        return found


@pytest.fixture
def store() -> Overwriting:
    """Return a store with nothing in it."""
    return Overwriting()


@pytest.fixture
def summaries(store: Overwriting) -> Summaries:
    """Return its summaries."""
    return Summaries(store=store)


@pytest.mark.parametrize(
    ("key", "basis"),
    [
        ("t.csv", "auto"),
        ("t.csv", "exact"),
        ("t.csv", "sample"),
        ("t.parquet", "auto"),
        ("t.parquet", "exact"),
        ("t.parquet", "sample"),
        ("t.parquet", "footer"),
    ],
)
def test_a_profile_is_of_the_version_in_the_inventory(
    summaries: Summaries, store: Overwriting, key: str, basis: str
) -> None:
    """Sizes of one version and rows of another would be of none."""
    old, new = (CSV, CSV * 2) if key == "t.csv" else (OLD, NEW)
    summaries.put(key, old)
    store.next[key] = new
    with pytest.raises(ObjectChangedError, match=f"{key} changed"):
        summaries.of(key, basis)
    assert summaries.of(key, basis)["inventory"]["bytes"] == len(new)


def test_what_came_since_does_not_keep_a_prefix_from_its_profile(
    summaries: Summaries, store: Overwriting
) -> None:
    """A lake that is written to can be summarized."""
    summaries.put("t/1.csv")
    store.next["t/2.csv"] = CSV
    assert summaries.of("t/", "exact")["inventory"]["objects"] == 1
