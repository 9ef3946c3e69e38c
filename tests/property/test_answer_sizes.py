"""Summaries and metadata never take more than their limit, whatever names and texts they hold."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ByteSize, ValidationError

from s3_data_lake_mcp.fence import scrub_all
from s3_data_lake_mcp.models.analysis import DatasetSummary, FileMetadata
from s3_data_lake_mcp.profiling.fit import fit
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectHead, ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.tools.rendering import render
from support.memory import MemoryStore

_SCAN = {"requests": 10**4, "bytes_read": 10**10, "elapsed_ms": 10**5}
_limits = st.sampled_from([2_048, 2_500, 4_096, 8_192, 16_384, 65_536])
_letter = st.sampled_from(["a", "é", "\x01", '"', "\u202e", "\U0001f600", " ", "\U000e0041"])
_keys = st.builds(
    lambda letter, length: (letter * length).encode()[:1_024].decode(errors="ignore"),
    _letter,
    st.integers(1, 1_024),
)
_long = st.builds(
    lambda letter, length: letter * length, _letter, st.sampled_from([0, 1, 40, 2_000, 90_000])
)
_names = st.one_of(_keys, _long)


def _sizes(model: DatasetSummary | FileMetadata, tool: str) -> tuple[int, int]:
    structured = scrub_all(model.model_dump(by_alias=True))
    compact = json.dumps(structured, ensure_ascii=False, separators=(",", ":"))
    return len(compact.encode()), len(render(model, tool, None, brief=False).encode())


def _column(name: str, text: str, bins: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": f"struct<{text}: string>",
        "nulls": 0,
        "null_fraction": 0.123456,
        "distinct": 10**6,
        "min": text[:100],
        "max": text[:100],
        "mean": 1.2345678901234567,
        "stddev": 1.2345678901234567,
        "quantiles": dict.fromkeys(("p05", "p25", "p50", "p75", "p95"), "2026-01-01T00:00:00.000"),
        "top": [{"value": text[:100], "count": 3}] * 5,
        "histogram": [{"from": 1.0625, "to": 2.125, "count": 9}] * bins,
        "basis": "exact",
    }


def _dataset(key: str, text: str) -> dict[str, Any]:
    return {
        "name": key,
        "uri": f"s3://lake/{key}",
        "format": "parquet",
        "objects": 10**6,
        "bytes": 10**12,
        "partitions": {key: {"values": 3, "min": key, "max": key}},
        "schema_drift": [text] * 3,
        "warnings": [text] * 3,
        "example_key": key,
    }


_profiles = st.none() | st.builds(
    lambda columns: {
        "rows": 10**9,
        "rows_basis": "exact",
        "columns": columns,
        "duplicates_note": "No row repeats another one.",
    },
    st.lists(st.builds(_column, _names, _names, st.sampled_from([0, 20])), max_size=6),
)
_summaries = st.builds(
    lambda prefix, largest, datasets, profile, notices: {
        "bucket": "b" * 63,
        "prefix": prefix,
        "inventory": {
            "objects": 10**6,
            "bytes": 10**12,
            "formats": {f: {"objects": 9, "bytes": 10**9} for f in ("csv", "json", "unknown")},
            "first_modified": "2026-01-01T00:00:00+00:00",
            "last_modified": "2026-01-01T00:00:00+00:00",
            "largest": [{"key": key, "size_bytes": 10**9} for key in largest],
            "complete": False,
        },
        "datasets": datasets,
        "profile": profile,
        "notices": notices,
    },
    _keys,
    st.lists(_keys, max_size=10),
    st.lists(st.builds(_dataset, _keys, _names), max_size=4),
    _profiles,
    st.lists(_names, max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(answer=_summaries, limit=_limits)
def test_a_summary_fits(answer: dict[str, Any], limit: int) -> None:
    """In JSON and in text; what is left out or clipped is told."""
    found = fit(answer, limit)
    model = DatasetSummary.model_validate({**found, "scan": _SCAN})
    assert max(_sizes(model, "get_dataset_summary")) <= limit
    if found != answer:
        assert set(found["notices"]) - set(answer["notices"])
    assert found["inventory"]["objects"] == 10**6


def test_clipped_sentences_are_counted() -> None:
    """A notice counts them, as it counts cells."""
    answer: dict[str, Any] = {
        "bucket": "lake",
        "prefix": "",
        "inventory": {"largest": []},
        "datasets": [_dataset("a", "w" * 2_000)] * 2,
        "profile": None,
        "notices": [],
    }
    found = fit(answer, 20_000)
    assert found["notices"] == ["12 sentences were clipped, in schema_drift or warnings."]


@settings(max_examples=150, deadline=None)
@given(
    key=_keys.filter(bool),
    names=st.lists(_names, min_size=1, max_size=30),
    user=st.dictionaries(st.text("ab-", min_size=1), _keys, max_size=3),
    tags=st.dictionaries(_keys.map(lambda t: t[:128]), _keys.map(lambda t: t[:256]), max_size=10),
    limit=_limits,
    kind=st.sampled_from([".csv", ".json", ""]),
)
def test_metadata_fits(
    key: str,
    names: list[str],
    user: dict[str, str],
    tags: dict[str, str],
    limit: int,
    kind: str,
) -> None:
    """In JSON and in text, for long keys, columns, tags and user metadata."""
    store = MemoryStore()
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    body = json.dumps(dict.fromkeys(names, 1)) if kind == ".json" else f"{quoted}\n"
    name = key.encode()[: 1_024 - len(kind)].decode(errors="ignore") + kind
    info = ObjectInfo(ref=ObjectRef(bucket="lake", key=name), size_bytes=0, etag="")
    head = ObjectHead(info=info, user_metadata=user, encryption="aws:kms", kms_key_id="k" * 36)
    store.put("lake", name, body.encode(), head=head, tags=tags)
    settings_ = Settings(max_result_bytes=ByteSize(limit))
    found = describe_object(store, ObjectRef(bucket="lake", key=name), settings_, ScanMeter())
    model = FileMetadata.model_validate({**found, "scan": _SCAN})
    assert max(_sizes(model, "get_file_metadata")) <= limit


@pytest.mark.parametrize("size", ["2047", "1KiB", "0"])
def test_a_limit_that_no_answer_meets_is_refused(
    size: str, clean_env: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server says so when it starts, not call by call."""
    del clean_env
    monkeypatch.setenv("S3_DATA_LAKE_MAX_RESULT_BYTES", size)
    with pytest.raises(ValidationError, match="2KiB at least"):
        Settings()
