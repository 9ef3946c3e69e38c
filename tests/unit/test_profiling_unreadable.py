"""Profiles where not all is readable: archived objects, wrong names, damage."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.storage import ObjectHead, ObjectInfo, ObjectRef
from support.parquet_files import parquet_bytes
from support.summaries import Summaries

_GLACIER = ObjectHead(
    info=ObjectInfo(ref=ObjectRef(bucket="", key=""), size_bytes=0, etag=""),
    storage_class="GLACIER",
)
_RESTORED = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"'
_PARQUET = parquet_bytes(pa.table({"id": [1, 2, 3]}))


@pytest.fixture
def summaries() -> Summaries:
    """Return an empty store and its summaries."""
    return Summaries()


def _told(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["profile"]["rows"], answer["profile"]["rows_basis"]


def test_a_restored_object_is_profiled(summaries: Summaries) -> None:
    """A listing says GLACIER of restored objects too; their HEAD tells."""
    summaries.put("a.csv", head=replace(_GLACIER, restore=_RESTORED))
    assert _told(summaries.of("a.csv")) == (2, "exact")


def test_an_archived_object_says_how_to_get_it_back(summaries: Summaries) -> None:
    """There is no profile, and the notice says why."""
    summaries.put("a.csv", head=_GLACIER)
    answer = summaries.of("a.csv")
    assert answer["profile"] is None
    assert "restore" in answer["notices"][0]


def test_archived_objects_beside_others_are_named(summaries: Summaries) -> None:
    """The sample of the others is not all rows, and says so."""
    for at in range(3):
        summaries.put(f"t/x_{at}.csv", head=_GLACIER if at == 1 else None)
    answer = summaries.of("t/", "sample")
    assert _told(answer) == (4, "sample")
    assert "2 of 3 objects" in answer["notices"][0]
    assert answer["notices"][1] == "1 archived object is not in the profile."


@pytest.mark.parametrize("basis", ["auto", "exact", "footer", "sample"])
def test_parquet_under_another_name(summaries: Summaries, basis: str) -> None:
    """Every basis goes by the content."""
    summaries.put("a.csv", _PARQUET)
    answer = summaries.of("a.csv", basis)
    assert answer["profile"]["rows"] == 3


def test_csv_under_the_name_of_parquet(summaries: Summaries) -> None:
    """What reads by the name cannot, so `auto` takes a sample and says why."""
    summaries.put("a.parquet")
    answer = summaries.of("a.parquet")
    assert _told(answer) == (2, "sample")
    assert "the content is csv" in answer["notices"][0]


def test_json_under_the_name_of_csv(summaries: Summaries) -> None:
    """Records are profiled as what they are."""
    summaries.put("a.csv", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n')
    answer = summaries.of("a.csv")
    assert _told(answer) == (2, "exact")
    assert [column["type"] for column in answer["profile"]["columns"]] == ["int64", "string"]


def test_a_damaged_object_among_others(summaries: Summaries) -> None:
    """`auto` profiles the others by a sample, which names the damaged one."""
    for at in range(3):
        summaries.put(f"t/x_{at}.parquet", _PARQUET[:-9] if at == 1 else _PARQUET)
    answer = summaries.of("t/")
    assert _told(answer) == (6, "sample")
    assert any("t/x_1.parquet" in notice for notice in answer["notices"])


def test_what_no_basis_can_read_has_no_profile(summaries: Summaries) -> None:
    """The reason is a notice, and the inventory stands."""
    summaries.put("a.parquet", _PARQUET[:-9])
    answer = summaries.of("a.parquet")
    assert answer["profile"] is None
    assert answer["inventory"]["objects"] == 1
    assert "No profile" in answer["notices"][0]


def test_of_very_many_objects_those_of_the_format_are_sampled(summaries: Summaries) -> None:
    """Whichever data set is the largest: its format is not that of most objects."""
    for at in range(1_100):
        summaries.put(f"t/many-{at}.csv", b"id\n1\n")
    for at in range(3):
        summaries.put(f"t/large-{at}.parquet", parquet_bytes(pa.table({"x": range(20_000)})))
    answer = summaries.of("t/*", "sample")
    assert [column["name"] for column in answer["profile"]["columns"]] == ["id"]
    assert "of 1,100 objects" in str(answer["notices"])
