"""Text for the model shows nothing invisible and cannot leave its fence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.fence import cell, fenced, row, scrub, visible


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc", "a\\u000ab\\u0009c"),
        ("\x1b[31m", "\\u001b[31m"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\udb40\\udc41"),
        ("lone\ud800", "lone\ufffd"),
        ("Grüße 日本 😀", "Grüße 日本 😀"),
    ],
)
def test_invisible_characters_are_written_out(raw: str, shown: str) -> None:
    """Control, bidirectional and zero-width characters appear as escapes, others as they are."""
    assert visible(raw) == shown


@given(st.text(st.characters()))
def test_a_shown_text_is_one_encodable_line(text: str) -> None:
    """Whatever the text, what is shown encodes to UTF-8 and has no line break or tab."""
    shown = visible(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert "\t" not in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", '""'),
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        ({"a": [None]}, '{"a":[null]}'),
    ],
)
def test_cells_tell_null_from_empty(value: object, shown: str) -> None:
    """Null is an empty cell, an empty text a pair of quotes, nested data compact JSON."""
    assert cell(value) == shown


def test_a_row_is_separated_by_tabs() -> None:
    """A tab inside a value cannot add a column."""
    assert row(["a\tb", 2, None]) == "a\\u0009b\t2\t"


def test_the_fence_has_a_fresh_nonce() -> None:
    """Data that imitates the end of a fence does not know the nonce."""
    first, second = fenced(["x"]), fenced(["x"])
    assert first[0] != second[0]
    assert first[0].removeprefix("<<data") == first[-1].removeprefix("<<end")


def test_scrub_keeps_everything_but_lone_surrogates() -> None:
    """Only what no encoding can carry is replaced."""
    assert scrub("a\x00\u202e\udfff😀") == "a\x00\u202e\ufffd😀"
