"""Parquet with encrypted columns: what needs no key is read, all else is refused by its name."""

from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import UnsupportedFormatError
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.engine import Desk
from support.memory import MemoryStore
from support.parquet_files import encrypted, parquet_bytes
from support.summaries import Summaries

_TABLE = pa.table({"id": range(300), "secret": [f"s{n}" for n in range(300)], "v": [0.5] * 300})
_LOCKED = encrypted(_TABLE, ["secret"], plaintext_footer=True)
_PLAIN = parquet_bytes(_TABLE)
_KEYS = ["t/part_0.parquet", "t/part_1.parquet"]


@pytest.fixture
def desk() -> Desk:
    """Return a desk with an object of which a column is encrypted, and a data set with another."""
    desk = Desk()
    desk.put("a.parquet", _LOCKED)
    for key, body in zip(_KEYS, (_PLAIN, _LOCKED), strict=True):
        desk.put(key, body)
    return desk


@pytest.mark.parametrize("key", ["a.parquet", "t/"])
@pytest.mark.parametrize(
    ("asked", "repair"),
    [
        ({}, ["id", "v"]),
        ({"columns": ("v", "secret")}, ["v"]),
        ({"columns": ("secret",)}, None),
        ({"sql": "SELECT max(secret) FROM data"}, None),
        ({"sql": "SUMMARIZE data"}, None),
        ({"where": "secret = 's1'", "format": "parquet"}, None),
    ],
    ids=str,
)
def test_queries_of_encrypted_columns(
    desk: Desk, key: str, asked: dict[str, Any], repair: list[str] | None
) -> None:
    """They are refused as such, with the columns that need no key, and a call if it would work."""
    with pytest.raises(UnsupportedFormatError) as caught:
        desk.run(key, **asked)
    assert str(caught.value) == f"s3://lake/{key} is encrypted: column 'secret' needs a key"
    assert caught.value.hint == "Columns that need none: id, v."
    assert caught.value.repair == ({"columns": repair} if repair else None)


def test_filters_beside_encrypted_columns(desk: Desk) -> None:
    """A filter by another column is kept in the call that works, and one by the column is not."""
    for column, repair in (("id", {"columns": ["id", "v"]}), ("secret", None)):
        with pytest.raises(UnsupportedFormatError) as caught:
            desk.filtered("a.parquet", column, "=", "7")
        assert caught.value.repair == repair
    assert desk.filtered("a.parquet", "id", "=", "7", ["v"]) == [{"v": 0.5}]


@pytest.mark.parametrize("prefix", ["a.parquet", "t/part_*.parquet"])
@pytest.mark.parametrize("basis", ["auto", "exact", "sample"])
def test_profiles_leave_encrypted_columns_out(prefix: str, basis: str) -> None:
    """The figures of the others are there, and a notice names what is not."""
    summaries = Summaries()
    summaries.put("a.parquet", _LOCKED)
    for key, body in zip(_KEYS, (_PLAIN, _LOCKED), strict=True):
        summaries.put(key, body)
    answer = summaries.of(prefix, basis)
    assert [column["name"] for column in answer["profile"]["columns"]] == ["id", "v"]
    assert [column["nulls"] for column in answer["profile"]["columns"]] == [0, 0]
    assert answer["profile"]["rows_basis"] == ("sample" if basis == "sample" else "exact")
    assert any("column 'secret' needs a key" in notice for notice in answer["notices"])


def test_a_footer_says_why_it_tells_nothing_of_a_column() -> None:
    """Statistics of encrypted columns are encrypted too."""
    summaries = Summaries()
    summaries.put("a.parquet", _LOCKED)
    answer = summaries.of("a.parquet", "footer")
    assert [column["max"] for column in answer["profile"]["columns"]] == [299, None, 0.5]
    assert any("column 'secret' needs a key" in notice for notice in answer["notices"])


@pytest.mark.parametrize("basis", ["exact", "sample"])
def test_an_encrypted_column_has_no_profile(basis: str) -> None:
    """Whoever asks for it is told why."""
    summaries = Summaries()
    summaries.put("a.parquet", _LOCKED)
    answer = summaries.of("a.parquet", basis, "secret")
    assert answer["profile"] is None
    assert any("column 'secret' needs a key" in notice for notice in answer["notices"])


@pytest.mark.parametrize("loader", [CsvLoader(), JsonLoader()])
def test_an_encrypted_footer_is_sent_to_no_other_tool(loader: CsvLoader | JsonLoader) -> None:
    """No tool reads such an object."""
    store, meter = MemoryStore(), ScanMeter()
    ref = store.put("lake", "x", encrypted(_TABLE, ["secret"], plaintext_footer=False))
    with pytest.raises(UnsupportedFormatError, match="encrypted Parquet") as caught:
        loader.load(ObjectReader.open_head(store, ref, meter), CsvRequest(max_rows=1))
    assert caught.value.repair is None
