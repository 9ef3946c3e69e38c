"""Third-party JSON files: JSONTestSuite, DuckDB's tests, and real data sets."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders.json import JsonLoader, JsonRequest, JsonResult
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.json"
pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason="the corpora are not here")

FILES = [
    entry
    for entry in (json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else [])
    if entry["file"].startswith("json/") or entry["file"].endswith(".json")
]
PARSE = [f for f in FILES if f["expect"] == "parse"]
REFUSE = [f for f in FILES if f["expect"].startswith("must be refused")]
ALTER = [f for f in FILES if "without altering" in f["expect"]]
EITHER = [f for f in FILES if "parse or refuse clearly" in f["expect"]]
REAL = [f for f in FILES if f["expect"] == "read"]


def by_name(files: list[dict[str, object]]) -> pytest.MarkDecorator:
    """Parametrise by corpus file."""
    return pytest.mark.parametrize("entry", files, ids=lambda f: str(f["file"]))


def opened(entry: dict[str, object]) -> ObjectReader:
    """Open one corpus file by its head."""
    store = MemoryStore()
    ref = store.put("corpus", str(entry["file"]), (CORPORA / str(entry["file"])).read_bytes())
    return ObjectReader.open_head(store, ref, ScanMeter())


def paged(entry: dict[str, object], count: int) -> tuple[JsonResult, list[object]]:
    """Read all records, page by page."""
    source = opened(entry)
    page = JsonLoader().read(source, JsonRequest(max_records=count))
    records = list(page.records[:count])
    while len(page.records) > count:
        position = page.resume(count)
        page = JsonLoader().read(source, JsonRequest(max_records=count, position=position))
        records.extend(page.records[:count])
    return page, records


@by_name(PARSE)
def test_valid_json_is_read(entry: dict[str, object]) -> None:
    """What every parser must accept is read, as the value that it is."""
    page, records = paged(entry, 7)
    kind = "list" if page.layout in ("array", "lines") else type(page.data).__name__
    assert kind == entry["value_kind"]
    expected = json.loads((CORPORA / str(entry["file"])).read_bytes())
    assert (records if kind == "list" else page.data) == expected


@by_name(REFUSE)
def test_invalid_json_is_refused(entry: dict[str, object]) -> None:
    """What every parser must refuse is refused with a message."""
    with pytest.raises(LakeError) as caught:
        paged(entry, 7)
    assert str(caught.value).startswith("s3://corpus/")


@by_name(ALTER)
def test_values_are_not_altered(entry: dict[str, object]) -> None:
    """Numbers keep their digits and keys stay apart, or the file is refused."""
    try:
        page, records = paged(entry, 7)
    except LakeError:
        return
    text = (CORPORA / str(entry["file"])).read_bytes()
    if page.layout == "object":
        assert page.keys == list(json.loads(text))
        return
    exact = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    values = [
        Decimal(str(v)) if isinstance(e, Decimal) else v
        for v, e in zip(records, exact, strict=True)
    ]
    assert values == exact


@by_name(EITHER)
def test_doubtful_json_is_read_or_refused(entry: dict[str, object]) -> None:
    """What is left to the parser ends in values or in an error with a name."""
    try:
        page, records = paged(entry, 3)
    except LakeError as exc:
        reason = str(exc)
        records, total = [], None
    else:
        reason = ""
        total = page.total_records
    assert reason.startswith("s3://corpus/") or total in (None, len(records))


@by_name(REAL)
def test_real_data_is_read(entry: dict[str, object]) -> None:
    """Real data sets have as many records, or keys, as counted by others."""
    page, records = paged(entry, 100)
    count = len(records) if page.layout == "array" else len(page.keys)
    assert count == entry["n"]
    if page.layout == "array":
        assert records == json.loads((CORPORA / str(entry["file"])).read_bytes())
