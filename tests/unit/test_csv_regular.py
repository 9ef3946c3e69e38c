"""Regular pieces of delimited text pass as they are, and nothing else does."""

import csv
import io
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.engines import csv_stream
from s3_data_lake_mcp.engines.csv_stream import Irregular, is_passable, passed
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders.csv import CsvShape, Dialect
from s3_data_lake_mcp.loaders.csv_records import RecordReader

DIALECT = Dialect(
    delimiter=",",
    quote='"',
    escape="",
    encoding="utf-8",
    has_header=False,
    compression="",
    newline="\n",
)
QUOTING: tuple[Literal[0, 1], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
CELL = st.text('a1 ,"\n', max_size=6)
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=40)


def shape(width: int) -> CsvShape:
    """Return a shape of so many columns of text."""
    return CsvShape(
        dialect=DIALECT,
        names=tuple(f"c{at}" for at in range(width)),
        types=(),
        null_tokens=(),
        start=0,
        line=1,
    )


def blocks(body: bytes, size: int) -> Iterator[bytes]:
    """Yield a text in blocks."""
    yield from (body[at : at + size] for at in range(0, len(body), size))


def expected(body: bytes, width: int) -> tuple[list[list[str | None]], list[int], list[int]]:
    """Return the records as the loader reads them, and the lines of those that are irregular."""
    rows, short, long = [], [], []
    for record in RecordReader(iter([body]), DIALECT, at=0, line=1, subject="It"):
        fields = record.fields
        if len(fields) > width:
            long.append(record.line)
            continue
        if len(fields) < width:
            short.append(record.line)
        rows.append([*fields, *[None] * (width - len(fields))])
    return rows, short, long


@given(
    ROWS,
    st.integers(1, 40),
    st.integers(8, 60),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
@settings(deadline=None, max_examples=150)
def test_records_stay_what_the_loader_reads(
    rows: list[list[str]], block: int, piece: int, quoting: Literal[0, 1]
) -> None:
    """Whatever passes or is mended, the records are the same, and so are the irregular lines."""
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n", quoting=quoting).writerows(rows)
    body = sink.getvalue().encode()
    irregular = Irregular()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stream, "_PIECE_BYTES", piece)
        text = b"".join(passed(blocks(body, block), shape(2), "It", irregular))
    wanted, short, long = expected(body, 2)
    found, again_short, again_long = expected(text, 2)
    assert (found, again_short, again_long) == (wanted, [], [])
    assert (irregular.short, irregular.long) == (len(short), len(long))
    assert irregular.short_lines == short[: len(irregular.short_lines)]
    assert irregular.long_lines == long[: len(irregular.long_lines)]


@given(st.binary(max_size=200).map(lambda b: b.replace(b"\0", b"")), st.integers(1, 50))
@settings(deadline=None, max_examples=150)
def test_any_text_is_mended_or_refused(body: bytes, piece: int) -> None:
    """What is no well-formed text never passes as records that the loader would not read."""
    text = body.decode("utf-8", "ignore").encode()
    irregular = Irregular()
    try:
        wanted, _, _ = expected(text, 2)
    except LakeError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stream, "_PIECE_BYTES", piece)
        mended = b"".join(passed(blocks(text, 7), shape(2), "It", irregular))
    assert expected(mended, 2)[0] == wanted


@pytest.mark.parametrize("change", [{"escape": "\\"}, {"encoding": "utf-16-le"}, {"quote": ""}])
def test_only_plain_dialects_pass(change: dict[str, str]) -> None:
    """A dialect that the engine cannot read as it is written is always parsed."""
    fields = {**DIALECT.as_json(), **change}
    assert is_passable(DIALECT)
    assert not is_passable(Dialect(**fields))  # type: ignore[arg-type] # its own fields
