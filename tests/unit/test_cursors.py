"""Cursors carry their state whole, and only undamaged ones are read."""

import base64
import hashlib
import json
import random
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.cursors import Cursor, decode
from s3_data_lake_mcp.errors import InvalidArgumentError

SAMPLE = Cursor(
    tool="read_csv_from_s3",
    bucket="lake",
    key="a b/ü+.csv",
    arguments={"columns": ["x"], "offset": 3},
    identity={"e": "abc", "s": 10},
    position={"byte": 77},
)


def forge(body: bytes) -> str:
    """Return a cursor text with a fitting digest around any body."""
    digest = hashlib.blake2b(body, digest_size=6).digest()
    return base64.urlsafe_b64encode(digest + body).decode().rstrip("=")


def test_a_cursor_comes_back_as_it_was() -> None:
    """Decoding what was encoded gives the same state."""
    assert decode(SAMPLE.encode()) == SAMPLE


def test_a_cursor_is_short() -> None:
    """An ordinary cursor stays under 300 characters."""
    assert len(SAMPLE.encode()) < 300


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_any_damaged_byte_is_found(place: int, change: int) -> None:
    """Flipping any byte makes the cursor an invalid argument."""
    text = SAMPLE.encode()
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[place % len(raw)] ^= change
    damaged = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    with pytest.raises(InvalidArgumentError, match="damaged"):
        decode(damaged)


@pytest.mark.parametrize("bucket", ["a", "ab", "abc", "abcd", "abcde", "abcdef"])
def test_any_changed_character_is_found(bucket: str) -> None:
    """Also of the last character, some bits of which carry nothing."""
    text = Cursor(tool="t", bucket=bucket).encode()
    letters = string.ascii_letters + string.digits + "-_="
    for place, old in [(-1, text[-1]), (0, text[0]), (len(text) // 2, text[len(text) // 2])]:
        for letter in letters.replace(old, ""):
            damaged = text[:place] + letter + (text[place + 1 :] if place + 1 else "")
            with pytest.raises(InvalidArgumentError, match="damaged"):
                decode(damaged)
    with pytest.raises(InvalidArgumentError, match="damaged"):
        decode(text + "=")


@given(st.text(max_size=10_000))
def test_a_cursor_holds_a_statement_of_any_characters(sql: str) -> None:
    """What the server wrote, it reads."""
    made = Cursor(tool="query_csv_data", arguments={"sql": sql})
    assert decode(made.encode()) == made


def test_a_cursor_holds_the_longest_statement() -> None:
    """Ten thousand characters that no compression shortens."""
    drawn = random.Random(7)  # noqa: S311 - data, not a secret
    sql = "".join(chr(drawn.randrange(0x10000, 0x20000)) for _ in range(10_000))
    made = Cursor(tool="query_csv_data", arguments={"sql": sql})
    assert decode(made.encode()) == made


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "ümlaut",
        "!!!!",
        "A" * 20_000,
        forge(b"not zlib"),
        forge(zlib.compress(b"not json")),
        forge(zlib.compress(b"[1,2]")),
        forge(zlib.compress(b'["t","b","k",[],{},{}]')),
        forge(zlib.compress(b"[" * 60_000)),
        forge(zlib.compress(json.dumps(["t"] * 500_000).encode())),
    ],
)
def test_garbage_is_an_invalid_argument(text: str) -> None:
    """No text raises anything else than the contract's error."""
    with pytest.raises(InvalidArgumentError):
        decode(text)
