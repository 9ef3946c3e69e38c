"""What of many objects is profiled: the format that most have, by name or else by content."""

import bz2
import gzip
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import UnknownColumnError
from support.parquet_files import parquet_bytes
from support.summaries import CSV, Summaries

_PARQUET = parquet_bytes(pa.table({"id": [1, 2]}))
_BODIES: dict[str, tuple[bytes, list[str]]] = {
    "parquet": (_PARQUET, ["id"]),
    "csv": (CSV, ["id", "name", "v"]),
    "json": (b'{"a":1}\n{"a":2}\n', ["a"]),
}


@pytest.fixture
def summaries() -> Summaries:
    """Return an empty store and its summaries."""
    return Summaries()


@pytest.mark.parametrize("basis", ["exact", "sample"])
@pytest.mark.parametrize("prefix", ["t/", "t/*"])
@pytest.mark.parametrize("name", _BODIES)
def test_parts_without_a_suffix_are_profiled_by_their_content(
    summaries: Summaries, name: str, prefix: str, basis: str
) -> None:
    """As queries read them: what the first part holds, the others hold too."""
    body, columns = _BODIES[name]
    for at in range(3):
        summaries.put(f"t/part-r-0000{at}", body)
    told = summaries.of(prefix, basis)
    assert told["profile"]["rows"] == 6
    assert [column["name"] for column in told["profile"]["columns"]] == columns
    assert f"the content of the first is {name}." in str(told["notices"])


@pytest.mark.parametrize("basis", ["exact", "sample"])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
@pytest.mark.parametrize("name", ["csv", "json"])
def test_compressed_objects_without_a_format_in_their_names(
    summaries: Summaries, name: str, pack: Callable[[bytes], bytes], basis: str
) -> None:
    """Streams deliver `….gz` alone; queries read it, so it has a profile, one object or many."""
    body, columns = _BODIES[name]
    for at in range(3):
        summaries.put(f"t/stream-1-{at}.gz", pack(body))
    for prefix, rows in (("t/", 6), ("t/stream-1-1.gz", 2)):
        profile = summaries.of(prefix, basis)["profile"]
        assert profile["rows"] == rows
        assert [column["name"] for column in profile["columns"]] == columns


def test_what_is_neither_by_name_nor_by_content_has_no_profile(summaries: Summaries) -> None:
    """Pictures and prose are counted alone."""
    for suffix, body in (("png", b"\x89PNG\r\n\x1a\n"), ("log", b"hello\nworld\n")):
        for at in range(2):
            summaries.put(f"{suffix}/{at}.{suffix}", body)
        told = summaries.of(f"{suffix}/")
        assert told["profile"] is None
        assert "No profile: there is no CSV, JSON or Parquet." in told["notices"]


@pytest.mark.parametrize(
    ("names", "taken"), [("pcj", "p"), ("cj", "c"), ("ccp", "c"), ("jjcp", "j")]
)
def test_the_format_that_is_named_is_the_one_that_is_read(
    summaries: Summaries, names: str, taken: str
) -> None:
    """Where formats mix, most objects decide, for the engine and for what is said alike."""
    kinds: Any = {name[0]: (name, *_BODIES[name]) for name in _BODIES}
    for at, kind in enumerate(names):
        name, body, _ = kinds[kind]
        summaries.put(f"t/{at}.{name}", body)
    name, _, columns = kinds[taken]
    for basis in ("exact", "sample"):
        told = summaries.of("t/*", basis)
        assert [column["name"] for column in told["profile"]["columns"]] == columns
        count, others = names.count(taken), len(names) - names.count(taken)
        said = f"The profile is of the {count} {name} objects, not of {others} others."
        assert said in told["notices"]


_ID = "8a8b7c6d-1111-2222-3333-444455556666"


def _iceberg(summaries: Summaries, root: str) -> None:
    for at in range(4):
        summaries.put(f"{root}metadata/0000{at}-{_ID}.metadata.json", b'{"format-version":2}')
    for name in (f"{_ID}-m0.avro", f"snap-123-1-{_ID}.avro"):
        summaries.put(f"{root}metadata/{name}", b"Obj\x01")
    for at in range(3):
        summaries.put(f"{root}data/0000{at}-{at}-{_ID}.parquet", _PARQUET)


@pytest.mark.parametrize("root", ["", "lake/orders/"])
def test_the_metadata_of_a_table_is_no_dataset(summaries: Summaries, root: str) -> None:
    """What an Iceberg table keeps beside its data is counted, and its data is profiled."""
    _iceberg(summaries, root)
    told = summaries.of(root)
    (dataset,) = told["datasets"]
    assert told["inventory"]["objects"] == 9
    assert (dataset["objects"], dataset["format"]) == (3, "parquet")
    assert dataset["name"] == ("orders" if root else "data")
    assert "an Iceberg table" in str(dataset["warnings"])
    assert told["profile"]["rows"] == 6
    assert "6 objects of metadata of Iceberg tables are in the inventory" in str(told["notices"])


def test_metadata_that_is_named_is_what_is_asked_for(summaries: Summaries) -> None:
    """Its prefix shows it, and a folder of this name beside no table is a table itself."""
    _iceberg(summaries, "orders/")
    summaries.put("metadata/x.csv", CSV)
    assert len(summaries.of("orders/metadata/")["datasets"]) == 3
    assert {one["name"] for one in summaries.of("")["datasets"]} == {"orders", "metadata"}


@pytest.mark.parametrize("folder", ["[x]/", "q?/", "a*b/"])
def test_a_folder_may_be_named_like_a_glob(summaries: Summaries, folder: str) -> None:
    """What ends in a slash is a prefix, here as for queries, whatever stands in it."""
    for day in (1, 2, 3):
        summaries.put(f"{folder}dt=2026-01-0{day}/x.csv", CSV)
    summaries.put("x/dt=2026-01-01/x.csv", CSV)
    for basis in ("exact", "sample"):
        told = summaries.of(folder, basis)
        assert told["inventory"]["objects"] == 3
        assert told["profile"]["rows"] == 6


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_arrays_without_records_have_no_columns(basis: str) -> None:
    """Such as pages of an interface that had nothing to tell."""
    summaries = Summaries()
    for at, body in enumerate((b"[]", b'[{"id": 1}, {"id": 2}]', b"[]")):
        summaries.put(f"t/{at}.json", body)
    assert list(summaries.columns("t/", basis)) == ["id"]


def test_a_dataset_of_a_glob_is_no_more_than_that(summaries: Summaries) -> None:
    """The prefix of all that matches has keys that do not."""
    for at in range(4):
        summaries.put(f"sales/dt=2026-01-0{at % 2 + 1}/part-{at}.csv")
    told = summaries.of("sales/**/*[0-1].csv")
    found = [(one["uri"], one["objects"]) for one in told["datasets"]]
    assert found == [("s3://lake/sales/**/*[0-1].csv", 2)]


@pytest.mark.parametrize("name", _BODIES)
def test_a_column_that_one_object_of_many_has_can_be_asked_for(
    summaries: Summaries, name: str
) -> None:
    """It is looked for as a query does; of a sample nothing is said of the others."""
    rare = {"parquet": parquet_bytes(pa.table({"c": [7]})), "csv": b"c\n7\n", "json": b'{"c":7}\n'}
    for at in range(40):
        summaries.put(f"t/p-{at:02d}.{name}", rare[name] if at == 23 else _BODIES[name][0])
    found = summaries.columns("t/", "exact", "c")
    assert [(one["name"], one["max"]) for one in found.values()] == [("c", 7)]
    with pytest.raises(UnknownColumnError, match=r"t/p-\*.* has no column 'd'"):
        summaries.of("t/", "exact", "d")
    with pytest.raises(UnknownColumnError, match=r"The sample of .* has no column 'c'"):
        summaries.of("t/", "sample", "c")


def test_an_object_that_is_named_as_a_folder_hides_nothing_in_silence(summaries: Summaries) -> None:
    """Below such a name more is expected; where nothing is, nothing is said of it."""
    summaries.put("mix/", CSV)
    assert "itself an object" not in str(summaries.of("mix/", "exact")["notices"])
    summaries.put("mix/x.csv", CSV * 2)
    told = summaries.of("mix/", "exact")
    assert told["inventory"]["objects"] == 1
    assert "s3://lake/mix/ is itself an object" in str(told["notices"])
    assert "x.csv" in str(summaries.of("mix/**", "exact")["inventory"])
