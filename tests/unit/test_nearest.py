"""The nearest existing names, on every store, for what is missing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import NotFoundError
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.nearest import close_names, explain_missing
from support.stores import Shelf, memory_shelf

KEYS = [
    "orders.csv",
    "sales/2025/orders.csv",
    "sales/2026/orders.csv",
    "sales/2026/returns.csv",
    "sales/readme.txt",
    "web/clicks.json",
]


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    """Return each kind of store with a small lake in it."""
    for key in KEYS:
        shelf.put(key, b"x")
    return shelf


def explained(shelf: Shelf, bucket: str, key: str) -> NotFoundError:
    """Return what is said about a key that a read did not find."""
    with pytest.raises(NotFoundError) as caught:
        shelf.store.get_head(ObjectRef(bucket=bucket, key=key), 10, shelf.meter())
    return explain_missing(shelf.store, caught.value, shelf.meter())


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("ordrs.csv", "orders.csv"),
        ("Orders.CSV", "orders.csv"),
        ("orders.csv.gz", "orders.csv"),
        ("sales/2026/order.csv", "sales/2026/orders.csv"),
        ("sale/2026/orders.csv", "sales/2026/orders.csv"),
        ("/sales/2026/orders.csv", "sales/2026/orders.csv"),
        ("//orders.csv", "orders.csv"),
        ("/sales/2026/*.csv", "sales/2026/*.csv"),
        ("sales/*.csv", "sales/**/*.csv"),
        ("*/ord*.csv", "*/**/ord*.csv"),
    ],
)
def test_a_misspelt_key_gets_the_nearest(filled: Shelf, wrong: str, right: str) -> None:
    """The hint names it, and the repaired call reads it."""
    error = explained(filled, filled.bucket, wrong)
    assert error.repair == {"bucket_name": filled.bucket, "object_key": right}
    assert right.rsplit("/", 1)[0] in error.hint
    assert str(error) == f"s3://{filled.bucket}/{wrong} does not exist"


def test_a_folder_is_told_from_a_key(filled: Shelf) -> None:
    """A key that is a prefix is to be ended with a slash; the listing of it would work."""
    error = explained(filled, filled.bucket, "sales/2026")
    assert "end it with /" in error.hint
    assert error.repair_tool == "list_s3_objects"
    assert error.repair == {"bucket_name": filled.bucket, "prefix": "sales/2026/"}


@pytest.mark.parametrize("wrong", ["sale/", "sale", "sales/226/", "sales/2026/"])
def test_a_misspelt_folder_gets_the_nearest(filled: Shelf, wrong: str) -> None:
    """And one that is right, where a tool wants an object; its listing would work."""
    right = "sales/2026/" if "/2" in wrong else "sales/"
    error = explained(filled, filled.bucket, wrong)
    assert right in error.hint
    assert error.repair_tool == "list_s3_objects"
    assert error.repair == {"bucket_name": filled.bucket, "prefix": right}


def test_a_bucket_before_the_key_is_left_out(filled: Shelf) -> None:
    """As in a path that another tool has shown."""
    error = explained(filled, filled.bucket, f"{filled.bucket}/sales/2026/orders.csv")
    assert error.repair == {"bucket_name": filled.bucket, "object_key": "sales/2026/orders.csv"}


def test_a_missing_folder_names_those_there(filled: Shelf) -> None:
    """Nothing near: the nearest prefix that exists, and what is below it."""
    error = explained(filled, filled.bucket, "sales/archive/x/y.csv")
    assert f"s3://{filled.bucket}/sales/ has no archive/" in error.hint
    assert "2025/" in error.hint
    assert "2026/" in error.hint
    assert error.repair is None


def test_a_folder_without_objects_is_there(filled: Shelf) -> None:
    """Not missing, and not the nearest to itself: only its marker is in it."""
    filled.put("sales/new/", b"")
    error = explained(filled, filled.bucket, "sales/new/*.csv")
    assert error.hint == f"s3://{filled.bucket}/sales/new/ is an empty folder."
    assert error.repair is None


def test_nothing_near_names_what_is_there(filled: Shelf) -> None:
    """A key like none of its neighbours still gets to know them."""
    error = explained(filled, filled.bucket, "web/zzzzzzzzzz")
    assert "clicks.json" in error.hint
    assert error.repair is None


def test_a_folder_in_common_makes_no_name_near(filled: Shelf) -> None:
    """Another object of a deep folder is none that was meant."""
    error = explained(filled, filled.bucket, "sales/2026/budget.xlsx")
    assert "orders.csv, returns.csv" in error.hint
    assert error.repair is None


def test_a_missing_bucket_gets_the_nearest(filled: Shelf) -> None:
    """A letter too many in the bucket's name is found."""
    wrong = f"{filled.bucket}x"
    error = explained(filled, wrong, "orders.csv")
    assert filled.bucket in error.hint
    assert error.repair == {"bucket_name": filled.bucket}


def test_a_refused_listing_leaves_the_error_as_it_was(filled: Shelf) -> None:
    """Where nothing can be looked up, the error is what it was."""
    spent = ScanMeter(timeout_seconds=-1)
    error = NotFoundError("x does not exist", hint="h", bucket=filled.bucket, key="x")
    assert explain_missing(filled.store, error, spent) is error


def test_few_requests_are_spent(filled: Shelf) -> None:
    """A typo costs one listing; a wrong path no more than a few, none of them twice."""
    for key, most in (
        ("ordrs.csv", 1),
        ("sales/x/y/", 2),
        ("sales/2027/orders.csv", 3),
        ("sales/x/y/z/w/v/u/t/s.csv", 4),
    ):
        error = NotFoundError("x", bucket=filled.bucket, key=key)
        used = filled.meter()
        explain_missing(filled.store, error, used)
        assert used.requests <= most


def test_a_folder_of_many_keys_is_searched_near_the_name() -> None:
    """Behind the first thousand keys the neighbours in key order are looked at."""
    shelf = memory_shelf()
    for n in range(1500):
        shelf.put(f"many/part-{n:05}.csv", b"x")
    shelf.put("many/zebra.csv", b"x")
    error = NotFoundError("x", bucket=shelf.bucket, key="many/zebrra.csv")
    found = explain_missing(shelf.store, error, shelf.meter())
    assert found.repair == {"bucket_name": shelf.bucket, "object_key": "many/zebra.csv"}


def test_hints_stay_short() -> None:
    """Long and many names do not fill the answer."""
    shelf = memory_shelf()
    for n in range(900):
        shelf.put(f"dir/{'n' * 900}{n:04}", b"x")
    error = NotFoundError("x", bucket=shelf.bucket, key=f"dir/{'n' * 900}")
    found = explain_missing(shelf.store, error, shelf.meter())
    assert 0 < len(found.hint) < 1000


def test_comparing_many_long_names_is_quick() -> None:
    """A thousand long names, all alike, take less than a second or two."""
    names = [("ab" * 500) + str(n) for n in range(1000)]
    began = time.thread_time()
    assert close_names("ab" * 500, names)
    assert time.thread_time() - began < 3


@given(name=st.text(min_size=1, max_size=40))
def test_a_name_is_nearest_to_itself(name: str) -> None:
    """The same name, were it there, would come first."""
    assert close_names(name, ["zzz", name, "other"])[0].lower() == name.lower()


@pytest.mark.parametrize(
    ("wrong", "hint", "repair"),
    [
        ("day-2400x/f.csv", "Nearest: day-2400/f.csv.", {"object_key": "day-2400/f.csv"}),
        ("day-2400", "s3://memory/day-2400/ is a prefix", {"prefix": "day-2400/"}),
        ("zzz.csv", "day-0000/, day-0001/, day-0002/, day-0003/, day-0004/ and others.", {}),
        ("zz/z.csv", "day-0000/, day-0001/, day-0002/, day-0003/, day-0004/ and others.", {}),
    ],
)
def test_folders_behind_the_first_page_are_found(
    wrong: str, hint: str, repair: dict[str, str]
) -> None:
    """And what was not looked at is not counted."""
    shelf = memory_shelf()
    for day in range(2_500):
        shelf.put(f"day-{day:04}/f.csv", b"x")
    error = explained(shelf, shelf.bucket, wrong)
    assert hint in error.hint
    assert (error.repair or {}) == ({"bucket_name": shelf.bucket, **repair} if repair else {})
