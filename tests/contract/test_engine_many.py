"""Tables of more objects than are looked at before they are read: each is read as it is written."""

import bz2
import gzip
from collections.abc import Callable

import pytest

from support.engine import Desk

OBJECTS = 100
"""More than are all looked at."""

ODD = (50, 51, 77)
"""Objects that are not like their neighbours, among those that are not looked at, and others."""


def _csv(number: int) -> str:
    return f"id,name\n{number},a\n"


def _other(number: int) -> str:
    return f"name,id,more\nb,{number},1\n"


def _lines(number: int) -> str:
    return f'{{"id": {number}}}\n'


OBJECTS_OF: dict[str, Callable[[int], bytes]] = {
    "csv": lambda n: _csv(n).encode(),
    "other": lambda n: _other(n).encode(),
    "semicolons": lambda n: _csv(n).replace(",", ";").encode(),
    "utf-16": lambda n: _csv(n).encode("utf-16"),
    "other-utf-16": lambda n: _other(n).encode("utf-16"),
    "gz": lambda n: gzip.compress(_csv(n).encode()),
    "other-gz": lambda n: gzip.compress(_other(n).encode()),
    "bz2": lambda n: bz2.compress(_csv(n).encode()),
    "lines": lambda n: _lines(n).encode(),
    "array": lambda n: f"[{_lines(n)}]".encode(),
    "lines-gz": lambda n: gzip.compress(_lines(n).encode()),
}


@pytest.mark.parametrize(
    ("suffix", "usual", "odd"),
    [
        ("csv", "csv", "other"),
        ("csv", "csv", "semicolons"),
        ("csv", "csv", "gz"),
        ("csv", "gz", "csv"),
        ("csv.gz", "gz", "bz2"),
        ("csv.gz", "gz", "other-gz"),
        ("csv", "csv", "utf-16"),
        ("csv", "utf-16", "csv"),
        ("csv", "utf-16", "other-utf-16"),
        ("json", "lines", "array"),
        ("json", "array", "lines"),
        ("json", "lines", "lines-gz"),
        ("json", "lines-gz", "lines"),
    ],
)
def test_objects_unlike_their_neighbours(suffix: str, usual: str, odd: str) -> None:
    """No row is lost or misread because another object has another header, form or compression."""
    desk = Desk()
    for number in range(OBJECTS):
        kind = odd if number in ODD or number % 9 == 0 else usual
        desk.put(f"many/{number:03}.{suffix}", OBJECTS_OF[kind](number))
    (found,) = desk.rows("many/", "SELECT count(*) AS n, count(id) AS ids, sum(id) AS s FROM data")
    assert found == {"n": OBJECTS, "ids": OBJECTS, "s": sum(range(OBJECTS))}


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_column_empty_in_the_first_object_has_the_type_that_others_give(suffix: str) -> None:
    """Columns without a value are no text."""
    desk = Desk()
    for number, cell in enumerate(["", "", "5", "12.5", ""]):
        text = f"id,x\n{number},{cell}\n".encode()
        desk.put(f"few/{number}.{suffix}", gzip.compress(text) if "gz" in suffix else text)
    assert desk.value("few/", "SELECT sum(x) FROM data") == 17.5
    assert desk.filtered("few/", "x", ">", "6", columns=["id"]) == [{"id": 3}]
