"""Families of names with random tokens, as services write them, and names that are none."""

import random
import string
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from s3_data_lake_mcp.profiling.datasets import DatasetGrouper
from s3_data_lake_mcp.storage import ListedObject
from s3_data_lake_mcp.storage.keys import glob_regex

_BASE_62 = string.ascii_letters + string.digits
_BASE_36 = string.ascii_lowercase + string.digits
_CROCKFORD = string.digits + "ABCDEFGHJKMNPQRSTVWXYZ"
_CHANCE = random.Random(20)  # noqa: S311 - names


def _token(chars: int, alphabet: str = _BASE_62) -> str:
    return "".join(_CHANCE.choice(alphabet) for _ in range(chars))


def _datasets(keys: Iterable[str]) -> list[dict[str, Any]]:
    grouper = DatasetGrouper("lake")
    for key in sorted(keys):
        grouper.add(
            ListedObject(
                key=key,
                size_bytes=1,
                etag="e",
                last_modified=datetime(2026, 1, 1, tzinfo=UTC),
                storage_class="STANDARD",
            )
        )
    return grouper.datasets()


_FAMILIES = {
    "trail": [
        f"logs/2026/01/{day:02d}/1234_CloudTrail_us-east-1_202601{day:02d}T{hour:02d}05Z_{_token(16)}.json"
        for day in (1, 2, 3)
        for hour in range(8)
    ],
    "query": [f"q/20260101_1234{n:02d}_0000{n}_{_token(5, _BASE_36)}_{n}.csv" for n in range(24)],
    "ulid": [f"u/01{_token(24, _CROCKFORD)}.parquet" for _ in range(24)],
    "base62": [f"b/events-{_token(22)}.json.gz" for _ in range(24)],
}


@pytest.mark.parametrize("name", _FAMILIES)
def test_names_that_differ_in_a_token_are_one_dataset(name: str) -> None:
    """Even where some tokens hold no digit, and its URI selects them all."""
    keys = _FAMILIES[name]
    (dataset,) = _datasets([*keys, "z/readme.md"])[:1]
    assert dataset["objects"] == len(keys) == 24
    selected = dataset["uri"].removeprefix("s3://lake/")
    pattern = glob_regex(selected + ("**" if selected.endswith("/") else ""))
    assert all(pattern.fullmatch(key) for key in keys)


@pytest.mark.parametrize("layout", ["c/E2ABC.{:%Y-%m-%d-%H}.{:.8}.gz", "x/e_{:%Y-%m-%d-%H}_{}.csv"])
def test_identifiers_behind_a_date_are_no_part_of_it(layout: str) -> None:
    """Whatever they begin with, the dates are one series, and of them one hour lacks."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=at) for at in range(96)]
    names = [layout.format(at, str(uuid.UUID(int=_CHANCE.getrandbits(128)))) for at in hours]
    (dataset,) = _datasets(names[:33] + names[34:])
    gap = "2026-01-02T09 (95 entries from 2026-01-01T00 to 2026-01-04T23, usually every 1 hour)"
    assert f"Missing in the names: {gap}" in dataset["warnings"]


def test_words_beside_tokens_tell_families_apart() -> None:
    """What is not random stands in the URI."""
    keys = [f"t/{word}-{_token(22)}.json" for word in ("events", "users") for _ in range(8)]
    uris = {one["uri"] for one in _datasets(keys)}
    assert uris == {"s3://lake/t/events-*.json", "s3://lake/t/users-*.json"}


def test_few_tokens_are_names_of_their_own() -> None:
    """A family is told by four names."""
    names = [f"t/{token}.csv" for token in ("q1x7a", "w2y8b", "e3z9c", "r4v6d")]
    assert [len(_datasets(names[:count])) for count in (3, 4)] == [3, 1]


@pytest.mark.parametrize(
    "names",
    [
        ["sales2024", "costs2024", "taxes2024", "staff2024", "goods2024"],
        ["OrderLine", "OrderItem", "StockItem", "StockLine", "PriceList"],
        ["q1x7a", "w2y8b", "e3z9c"],
        ["a1b2c-orders", "d3e4f-users", "g5h6i-items", "j7k8l-notes"],
    ],
)
def test_tables_of_like_names_stay_apart(names: list[str]) -> None:
    """Words, years, and a few odd names are no tokens; nor are words beside them."""
    assert len(_datasets(f"t/{name}.csv" for name in names)) == len(names)


def test_the_glob_of_names_that_are_all_token_matches_no_longer_suffix() -> None:
    """`*.parquet` would take what another data set calls `.snappy.parquet`."""
    found = _datasets(["1.parquet", "2.parquet", "a.snappy.parquet"])
    (uri,) = [one["uri"] for one in found if one["objects"] > 1]
    assert uri == "s3://lake/[0-9]*.parquet"
