"""Summaries end to end, on the real engine: inventory, data sets, and profiles by each basis."""

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
    UnknownColumnError,
)
from s3_data_lake_mcp.models.analysis import DatasetSummary
from s3_data_lake_mcp.profiling.summary import summarize
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ListPage, ObjectHead, ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.tools.rendering import render
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

_SETTINGS = Settings()
_REAL = Path(__file__).parents[3] / "shared" / "corpora" / "real"
_GLACIER = ObjectHead(
    info=ObjectInfo(ref=ObjectRef(bucket="", key=""), size_bytes=0, etag=""),
    storage_class="GLACIER",
)

type Summarize = Callable[..., dict[str, Any]]


@pytest.fixture
def store() -> MemoryStore:
    """Return a store with an empty bucket."""
    found = MemoryStore()
    found.create_bucket("lake")
    return found


@pytest.fixture
def summary(store: MemoryStore) -> Summarize:
    """Return a function that summarizes a prefix and checks what holds for every answer."""
    engine = DuckDbEngine(store, _SETTINGS)

    def of(
        prefix: str,
        *,
        columns: Sequence[str] = (),
        basis: str = "auto",
        settings: Settings = _SETTINGS,
        meter: ScanMeter | None = None,
    ) -> dict[str, Any]:
        answer = summarize(
            store,
            engine,
            "lake",
            prefix,
            columns=columns,
            basis=basis,
            settings=settings,
            meter=meter or ScanMeter(max_bytes=settings.max_scan_bytes),
            progress=lambda _done, _total: None,
        )
        scan = {"requests": 0, "bytes_read": 0, "elapsed_ms": 0}
        model = DatasetSummary.model_validate(answer | {"scan": scan})
        assert compact_size(answer | {"scan": scan}) <= settings.max_result_bytes
        text = render(model, "get_dataset_summary", None, brief=False)
        assert len(text.encode()) <= settings.max_result_bytes
        return answer

    return of


def _csv(rows: int, start: int = 0) -> bytes:
    lines = [
        f"{i},{'abc'[i % 3]},{i * 0.5},2026-01-{i % 28 + 1:02d}" for i in range(start, start + rows)
    ]
    return ("id,kind,amount,day\n" + "\n".join(lines) + "\n").encode()


def _column(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in answer["profile"]["columns"] if c["name"] == name)


def _said(answer: dict[str, Any], text: str) -> bool:
    return any(text in notice for notice in answer["notices"])


def test_an_empty_bucket_is_an_inventory_of_zeros(summary: Summarize) -> None:
    """Nothing in a bucket is no error."""
    answer = summary("")
    assert answer["inventory"]["objects"] == answer["inventory"]["bytes"] == 0
    assert (answer["datasets"], answer["profile"], answer["notices"]) == ([], None, [])


@pytest.mark.parametrize("prefix", ["nothing/", "nothing", "x/*.csv"])
def test_a_prefix_that_names_nothing_is_not_found(
    prefix: str, store: MemoryStore, summary: Summarize
) -> None:
    """The error names bucket and key, for the nearest names to be looked up."""
    store.put("lake", "a.csv", _csv(1))
    with pytest.raises(NotFoundError) as caught:
        summary(prefix)
    assert (caught.value.bucket, caught.value.key) == ("lake", prefix)


def test_inventory(store: MemoryStore, summary: Summarize) -> None:
    """Counts, bytes, formats, dates and the largest keys of all that is there."""
    for day in (1, 2, 3):
        moment = datetime(2026, 1, day, tzinfo=UTC)
        store.put("lake", f"a/{day}.csv", _csv(day), last_modified=moment)
    store.put("lake", "b/x.json", b"[]")
    store.put("lake", "b/", b"")
    stock = summary("")["inventory"]
    assert stock["objects"] == 5
    assert stock["formats"]["csv"]["objects"] == 3
    assert stock["formats"]["json"] == {"objects": 1, "bytes": 2}
    assert (stock["first_modified"], stock["last_modified"]) == (
        "2026-01-01T00:00:00+00:00",
        "2026-01-03T00:00:00+00:00",
    )
    assert stock["largest"][0] == {"key": "a/3.csv", "size_bytes": len(_csv(3))}
    assert stock["complete"] is True


def test_exact(store: MemoryStore, summary: Summarize) -> None:
    """A small object is profiled exactly, and says so."""
    store.put("lake", "a.csv", _csv(300))
    answer = summary("a.csv")
    assert (answer["profile"]["rows"], answer["profile"]["rows_basis"]) == (300, "exact")
    known = pd.read_csv(io.BytesIO(_csv(300)))
    amount = _column(answer, "amount")
    assert amount["basis"] == "exact"
    assert (amount["min"], amount["max"], amount["distinct"]) == (0.0, 149.5, 300)
    assert amount["mean"] == pytest.approx(known["amount"].mean(), rel=1e-12)
    assert amount["stddev"] == pytest.approx(known["amount"].std(), rel=1e-12)
    assert _column(answer, "day")["type"] == "date32[day]"
    assert _column(answer, "kind")["top"][0] == {"value": "a", "count": 100}
    assert _said(answer, "id: unique in every row")
    assert _said(answer, "id and amount correlate (1.00)")
    assert "id is unique" in answer["profile"]["duplicates_note"]


@pytest.mark.parametrize("prefix", ["sales", "sales/", "sales/*/*.csv", "sales/dt=2026-01-0"])
def test_a_dataset_is_profiled_as_one(prefix: str, store: MemoryStore, summary: Summarize) -> None:
    """A prefix with or without a slash, or a glob: one data set, its partitions as columns."""
    for day in (1, 2, 3):
        store.put("lake", f"sales/dt=2026-01-0{day}/part-0.csv", _csv(10, day * 100))
    answer = summary(prefix)
    assert answer["profile"]["rows"] == 30
    assert [d["format"] for d in answer["datasets"]] == ["csv"]
    assert answer["datasets"][0]["partitions"]["dt"] == {
        "values": 3,
        "min": "2026-01-01",
        "max": "2026-01-03",
    }
    assert _column(answer, "dt")["distinct"] == 3


def test_an_object_wins_over_a_prefix_and_a_glob(store: MemoryStore, summary: Summarize) -> None:
    """A key that exists is that object, whatever else it could mean."""
    store.put("lake", "a[1].csv", _csv(5))
    store.put("lake", "a1.csv", _csv(7))
    store.put("lake", "data", _csv(4))
    store.put("lake", "data/x.csv", _csv(9))
    assert summary("a[1].csv")["profile"]["rows"] == 5
    assert summary("data")["profile"]["rows"] == 4
    assert summary("data")["inventory"]["objects"] == 1


def test_several_datasets_have_no_profile(store: MemoryStore, summary: Summarize) -> None:
    """What to call for the profile of one of them is said."""
    store.put("lake", "a/x.csv", _csv(3))
    store.put("lake", "b/y.csv", _csv(3))
    answer = summary("")
    assert answer["profile"] is None
    assert _said(answer, "No profile: there are 2 datasets")
    assert all(summary(d["uri"].split("/", 3)[3])["profile"] for d in answer["datasets"])


def test_footer(store: MemoryStore, summary: Summarize) -> None:
    """Counts and ends come from the footers alone: a request an object, and no data."""
    table = pa.table({"a": [1, 2, None], "s": ["x", "y", "z"]})
    store.put("lake", "t/p0.parquet", parquet_bytes(table))
    store.put("lake", "t/p1.parquet", parquet_bytes(table))
    meter = ScanMeter()
    answer = summary("t/p0.parquet", basis="footer", meter=meter)
    assert meter.requests <= 2
    assert (answer["profile"]["rows"], answer["profile"]["rows_basis"]) == (3, "footer")
    column = _column(answer, "a")
    assert (column["nulls"], column["min"], column["max"]) == (1, 1, 2)
    assert (column["basis"], column["mean"], column["distinct"]) == ("footer", None, None)
    both = summary("t/", basis="footer")["profile"]
    assert (both["rows"], both["columns"][0]["nulls"]) == (6, 2)


def test_sample(store: MemoryStore, summary: Summarize) -> None:
    """A sample comes from all over the object, costs few requests, and is called a sample."""
    rows = 400_000
    store.put("lake", "big.csv", _csv(rows))
    meter = ScanMeter()
    answer = summary("big.csv", basis="sample", meter=meter)
    profile = answer["profile"]
    assert meter.requests <= 12
    assert meter.bytes_read < 3_000_000
    assert (profile["rows_basis"], profile["rows"] < rows) == ("sample", True)
    column = _column(answer, "id")
    assert column["basis"] == "sample"
    assert (column["min"], column["max"]) == (0, rows - 1)
    assert column["quantiles"]["p50"] == pytest.approx(rows / 2, rel=0.25)
    assert _said(answer, f"Sample of {profile['rows']:,} rows")
    again = summary("big.csv", basis="sample")
    assert again["profile"] == profile


def test_a_sample_of_parquet_knows_how_many_rows_there_are(
    store: MemoryStore, summary: Summarize
) -> None:
    """The rows of a sample are its own; how many there are in all is in a notice."""
    table = pa.table({"a": list(range(50_000))})
    store.put("lake", "a.parquet", parquet_bytes(table, row_group_size=5_000))
    answer = summary("a.parquet", basis="sample")
    assert answer["profile"]["rows"] == 20_000
    assert _said(answer, "of 50,000 rows in all")


def test_beyond_the_budget_auto_falls_back(store: MemoryStore, summary: Summarize) -> None:
    """What may not be read whole is sampled, or taken from footers; `exact` is refused."""
    store.put("lake", "big.csv", _csv(100_000))
    store.put("lake", "big.parquet", parquet_bytes(pa.table({"a": list(range(900_000))})))
    tight = Settings(max_scan_bytes=ByteSize(2_500_000))
    sampled = summary("big.csv", settings=tight)
    assert sampled["profile"]["rows_basis"] == "sample"
    assert _said(sampled, "Not exact")
    assert summary("big.parquet", settings=tight)["profile"]["rows_basis"] == "footer"
    with pytest.raises(LimitExceededError) as caught:
        summary("big.csv", basis="exact", settings=tight)
    assert caught.value.repair == {"basis": "sample"}


def test_footers_are_parquets_alone(store: MemoryStore, summary: Summarize) -> None:
    """Another format with `footer` is an invalid argument, mended."""
    store.put("lake", "a.csv", _csv(3))
    with pytest.raises(InvalidArgumentError) as caught:
        summary("a.csv", basis="footer")
    assert caught.value.repair == {"basis": "auto"}


@pytest.mark.parametrize("basis", ["exact", "sample", "footer"])
def test_columns(basis: str, store: MemoryStore, summary: Summarize) -> None:
    """Columns come as asked for; an unknown one gets the nearest, with types and repair."""
    store.put(
        "lake", "a.parquet", parquet_bytes(pa.table({"price": [1.5], "city": ["x"], "n": [1]}))
    )
    answer = summary("a.parquet", columns=["n", "price"], basis=basis)
    assert [c["name"] for c in answer["profile"]["columns"]] == ["n", "price"]
    with pytest.raises(UnknownColumnError, match="no column 'Pric'") as caught:
        summary("a.parquet", columns=["n", "Pric"], basis=basis)
    assert "price (double)" in caught.value.hint
    assert caught.value.repair == {"columns": ["n", "price"]}


def test_many_columns_fit(store: MemoryStore, summary: Summarize) -> None:
    """Of very many columns those that fit are kept, and how to ask for others is said."""
    table = pa.table({f"measurement_{i:04d}": [i / 7, i / 9] for i in range(1_200)})
    store.put("lake", "wide.parquet", parquet_bytes(table))
    for basis in ("footer", "auto"):
        answer = summary("wide.parquet", basis=basis)
        kept = len(answer["profile"]["columns"])
        assert 0 < kept < 1_200
        # Fewer may fit than were profiled: two notices that do not contradict each other.
        assert _said(answer, "of 1,200 columns were profiled")
        fits = [notice for notice in answer["notices"] if "columns fit the answer" in notice]
        assert [f"first {kept:,} of " in notice for notice in fits] == [True] * (basis == "auto")
    small = Settings(max_result_bytes=ByteSize(6_000))
    assert len(summary("wide.parquet", settings=small)["profile"]["columns"]) >= 1


def test_many_datasets_fit(store: MemoryStore, summary: Summarize) -> None:
    """Of very many data sets the largest are kept, and the others are counted."""
    for i in range(600):
        name = "".join(chr(97 + (i // 26**k) % 26) for k in range(3))
        store.put("lake", f"folder_{name}/table_{name}.csv", b"a\n1\n")
    answer = summary("")
    kept = len(answer["datasets"])
    assert 20 < kept < 600
    assert _said(answer, f"Only the {kept} largest of 600 datasets fit")


@pytest.mark.parametrize(
    ("key", "body", "reason"),
    [
        ("x.parquet", b"PAR1 torn", "footer is missing"),
        ("x.csv.gz", b"\x1f\x8b\x08 torn", "No profile"),
        ("x.json", b'{"a":', "No profile"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "not CSV, JSON or Parquet"),
        ("x.csv", b"", "no object with data"),
    ],
)
def test_what_cannot_be_profiled_is_still_counted(
    key: str, body: bytes, reason: str, store: MemoryStore, summary: Summarize
) -> None:
    """A broken or foreign object is in the inventory; why it has no profile is said."""
    store.put("lake", key, body)
    answer = summary(key)
    assert (answer["inventory"]["objects"], answer["profile"]) == (1, None)
    assert _said(answer, reason)


def test_an_archived_object_has_no_profile(store: MemoryStore, summary: Summarize) -> None:
    """What must be restored first is not read."""
    store.put("lake", "old.csv", _csv(9), head=_GLACIER)
    answer = summary("old.csv")
    assert answer["profile"] is None
    assert _said(answer, "archived (GLACIER); restore it first")
    assert "archived (Glacier)" in answer["datasets"][0]["warnings"][0]


def test_types_that_widen_in_the_middle(store: MemoryStore, summary: Summarize) -> None:
    """A column of numbers with a text far behind its head is profiled as text."""
    store.put("lake", "a.csv", _csv(5_000) + b"x-1,d,oops,2026-01-01\n")
    answer = summary("a.csv")
    assert answer["profile"]["rows"] == 5_001
    assert _column(answer, "amount")["type"] == "string"
    assert _column(answer, "amount")["mean"] is None


class _Unlistable(MemoryStore):
    """Refuses listings, as a policy without s3:ListBucket does."""

    def list_page(self, *_args: Any, **_more: Any) -> ListPage:
        message = "s3:ListBucket was denied"
        raise AccessDeniedError(message)


def test_an_object_can_be_summarized_without_listing() -> None:
    """Reading one object needs no permission to list its bucket."""
    store = _Unlistable()
    store.put("lake", "a.csv", _csv(4))
    options: Any = {
        "columns": (),
        "basis": "auto",
        "settings": _SETTINGS,
        "meter": ScanMeter(),
        "progress": lambda _done, _total: None,
    }
    engine = DuckDbEngine(store, _SETTINGS)
    answer = summarize(store, engine, "lake", "a.csv", **options)
    assert answer["profile"]["rows"] == 4
    with pytest.raises(AccessDeniedError):
        summarize(store, engine, "lake", "b/", **options)


class _Slow(MemoryStore):
    """Lets time pass with every page of a listing."""

    def list_page(self, *args: Any, **more: Any) -> ListPage:
        page = super().list_page(*args, **more)
        meter: ScanMeter = args[2]
        meter.deadline -= 3.0
        return page


def test_an_incomplete_listing_says_so() -> None:
    """When time runs out, the counts are called incomplete, and how to go on is said."""
    store = _Slow()
    for i in range(9_000):
        store.put("lake", f"f/{i:05d}.csv", b"a\n")
    answer = summarize(
        store,
        DuckDbEngine(store, _SETTINGS),
        "lake",
        "",
        columns=(),
        basis="auto",
        settings=_SETTINGS,
        meter=ScanMeter(timeout_seconds=30),
        progress=lambda _done, _total: None,
    )
    assert answer["inventory"]["complete"] is False
    assert answer["inventory"]["objects"] < 9_000
    assert answer["profile"] is None
    assert _said(answer, "Incomplete: time ran out after")


def test_a_year_of_days_with_one_missing(store: MemoryStore, summary: Summarize) -> None:
    """365 daily partitions are one data set, and the missing day is named."""
    body = parquet_bytes(pa.table({"a": [1]}))
    for number in range(365):
        day = date(2025, 1, 1) + timedelta(days=number)
        if number != 200:
            store.put("lake", f"s/dt={day}/part-0.parquet", body)
    answer = summary("s/", basis="footer")
    (dataset,) = answer["datasets"]
    assert (dataset["objects"], dataset["partitions"]["dt"]["values"]) == (364, 364)
    assert any("Missing in partition dt: 2025-07-20" in text for text in dataset["warnings"])
    assert answer["profile"]["rows"] == 364


def test_drift(store: MemoryStore, summary: Summarize) -> None:
    """Columns that come, go or change type between objects are named."""
    store.put("lake", "t/p0.parquet", parquet_bytes(pa.table({"a": [1], "b": [1.5]})))
    store.put("lake", "t/p1.parquet", parquet_bytes(pa.table({"a": ["x"], "b": [1.5], "c": [1]})))
    (dataset,) = summary("t/")["datasets"]
    assert dataset["schema_drift"] == [
        "Column a is int64 in t/p0.parquet, string in t/p1.parquet",
        "Column c is in t/p1.parquet, but not in t/p0.parquet",
    ]


def _same(found: Any, known: Any) -> bool:
    if known is None or pd.isna(known):
        return found is None
    return bool(float(found) == pytest.approx(float(known), rel=1e-9, abs=1e-12))


@pytest.mark.skipif(not _REAL.is_dir(), reason="the corpora are not here")
@pytest.mark.parametrize(
    "name",
    [
        "mosaic__data__athletes.parquet",
        "mosaic__data__penguins.parquet",
        "mosaic__data__walmarts.parquet",
        "kylo__samples__sample-data__parquet__userdata1.parquet",
        "vega__data__weather.csv",
        "vega__data__windvectors.csv",
        "f38__bad-drivers__bad-drivers.csv",
        "f38__us-weather-history__KIND.csv",
        "vega__data__unemployment.tsv",
        "vega__data__cars.json",
    ],
)
def test_figures_equal_those_of_pandas(name: str, store: MemoryStore, summary: Summarize) -> None:
    """On real data every count and figure is the one that pandas computes from a local copy."""
    path = _REAL / name
    store.put("lake", name, path.read_bytes())
    if name.endswith("parquet"):
        known = pd.read_parquet(path)
    elif name.endswith("json"):
        known = pd.DataFrame(json.loads(path.read_bytes()))
    else:
        known = pd.read_csv(path, sep=None, engine="python", keep_default_na=False, na_values=[""])
    answer = summary(name, basis="exact")
    assert answer["profile"]["rows"] == len(known)
    compared = 0
    for found in answer["profile"]["columns"]:
        values = known[found["name"]]
        assert found["nulls"] == values.isna().sum(), found["name"]
        if found["distinct"] is not None and len({type(value) for value in values}) == 1:
            assert found["distinct"] == values.nunique(), found["name"]
        if found["mean"] is None:
            continue
        numbers = pd.to_numeric(values)
        for figure in ("min", "max", "mean"):
            assert _same(found[figure], getattr(numbers, figure)()), (found["name"], figure)
        assert _same(found["stddev"], numbers.std()), found["name"]
        for mark, share in (("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p95", 0.95)):
            assert _same(found["quantiles"][mark], numbers.quantile(share)), found["name"]
        compared += 1
    assert compared


def test_odd_keys(store: MemoryStore, summary: Summarize) -> None:
    """Spaces, plus signs, unicode, brackets and stars in keys are keys."""
    for key in ("a b/x+y.csv", "é/ü.csv", "q/[x].csv", "w/*.csv"):
        store.put("lake", key, _csv(3))
        assert summary(key)["inventory"]["objects"] == 1
    assert len(summary("")["datasets"]) == 4


def test_replaced_objects_are_described_anew(store: MemoryStore, summary: Summarize) -> None:
    """A summary is of what is there now."""
    store.put("lake", "a.csv", _csv(3))
    assert summary("a.csv")["profile"]["rows"] == 3
    store.put("lake", "a.csv", _csv(4))
    assert summary("a.csv")["profile"]["rows"] == 4


def test_what_is_left_out_is_counted_in_good_grammar(
    store: MemoryStore, summary: Summarize
) -> None:
    """One notice is a notice."""
    from s3_data_lake_mcp.profiling.fit import fit  # noqa: PLC0415 - for this test alone

    store.put("lake", "a.csv", _csv(3))
    answer = summary("a.csv") | {"notices": ["x" * 300, "y" * 600]}
    assert fit(answer, 3_200)["notices"][1] == "1 more notice did not fit."
