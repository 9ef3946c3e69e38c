"""How a delimited text is read by the engine: as it is, transcoded, or cleaned."""

import contextlib
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from s3_data_lake_mcp.engines.casts import TEXT, widened
from s3_data_lake_mcp.engines.csv_stream import PLAIN, Marks, is_passable
from s3_data_lake_mcp.engines.opening import Opened
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.engines.streams import WRAPPING
from s3_data_lake_mcp.engines.tables import Mode, distinct, numbered_notice, type_name
from s3_data_lake_mcp.engines.watched import (
    Look,
    has_quoted_empty,
    without_empty_ends,
    without_quoted_empties,
)
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.compression import detect_compression
from s3_data_lake_mcp.loaders.csv import CsvRequest, CsvShape, Dialect, sniff
from s3_data_lake_mcp.loaders.csv_dialect import first_records
from s3_data_lake_mcp.loaders.csv_encoding import detect_encoding
from s3_data_lake_mcp.loaders.csv_rows import said_of_nulls
from s3_data_lake_mcp.loaders.csv_types import NULL_TOKENS, are_cents, guess
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader

SNIFF_BYTES = HEAD_BYTES
NO_TEXT = secrets.token_hex(16)
"""A text that is in no file."""
_SAMPLE_RECORDS = 300
_NAMED_COLUMNS = 10
_LONG_LINE = {"max_line_size": "16777216", "buffer_size": "67108864"}


@dataclass(slots=True, eq=False, kw_only=True)
class Layout:
    """How objects of one shape are read; remembered with each of them for the next query.

    `header` are the bytes before the data, decompressed. `columns` are the names in SQL,
    where case makes no difference. `tokens` are the words that were found to mean null, by column,
    `empty` the columns without a value so far, `widenings` the values for which a column had
    to become wider, `cents` the columns whose values in the head have two fraction digits.
    `strict` says that every record must be parsed, `bare` that no empty text is in quotes, as far
    as is known, so that what is empty is null, `plain_header` that the engine can pass over the
    header.
    """

    shape: CsvShape
    header: bytes
    mode: Mode
    columns: tuple[str, ...]
    kinds: dict[str, str]
    tokens: dict[str, set[str]]
    empty: frozenset[str] = frozenset()
    cents: frozenset[str] = frozenset()
    widenings: dict[str, str] = field(default_factory=dict)
    long_lines: bool = False
    strict: bool = False
    bare: bool = False
    plain_header: bool = False

    def look(self, path: str, start: int) -> Look | None:
        """Return what looks at the records under a path, which begin at a place; None if nothing.

        What the engine reads otherwise than the loader: where what is empty is null, an empty text
        in quotes; else empty fields too many, which are costly to look for.
        """
        dialect = self.shape.dialect
        if self.bare:
            return without_quoted_empties(path, dialect, start) if dialect.quote else None
        return without_empty_ends(path, dialect, len(self.columns), start)

    @property
    def passes(self) -> bool:
        """Whether cleaning may hand on regular pieces as they are."""
        return self.mode == "cleaned" and not self.strict and is_passable(self.shape.dialect)

    def begins_alike(self, opened: Opened) -> bool:
        """Whether an object begins with the same header, and so has this layout."""
        return bool(self.header) and self.shape.dialect.has_header and self.may_fit(opened)

    def may_fit(self, opened: Opened) -> bool:
        """Whether an object begins as one of this layout does."""
        compression = self.shape.dialect.compression
        if detect_compression(opened.need_head(SNIFF_BYTES)) != compression:
            return False
        with contextlib.suppress(LakeError):
            text = opened.text_head(compression, max(SNIFF_BYTES, len(self.header)))
            if text.startswith(self.header):
                encoding, _ = detect_encoding(text[:SNIFF_BYTES], "", str(opened.info.ref))
                return encoding == self.shape.dialect.encoding
        return False

    def fill(self, other: "Layout") -> None:
        """Take the types of columns that had no value so far from a layout of the same columns."""
        for column in self.empty - other.empty if self.columns == other.columns else ():
            self.kinds[column] = other.kinds[column]
        self.empty &= other.empty

    def widen(self, column: str, value: str) -> bool:
        """Make room for a value in a column; False if the column is not here."""
        kind = self.kinds.get(column)
        if kind is None or (kind == TEXT and column not in self.empty):
            return False
        if value in NULL_TOKENS:
            self.tokens.setdefault(column, set()).add(value)
            return True
        if column in self.empty:
            self.settle(column, {value})
            return True
        self.kinds[column] = widened(kind, value)
        self.widenings[column] = value
        return True

    def settle(self, column: str, values: Collection[str]) -> None:
        """Take for the type of a column without a value so far what some of its values have."""
        self.kinds[column] = type_name(guess(values))
        self.empty -= {column}
        self.cents |= {column} if are_cents(values) else set()

    def cleaned(self, *, strict: bool) -> "Layout":
        """Return the same layout, to be mended where it is irregular."""
        return replace(
            self,
            mode="cleaned",
            strict=strict,
            kinds=dict(self.kinds),
            tokens={name: set(found) for name, found in self.tokens.items()},
            widenings=dict(self.widenings),
        )

    def notices(self, kinds: Mapping[str, str]) -> Iterable[str]:
        """Return how the text is read where that is not plain to see.

        `kinds` are the types that the columns, in lower case, have in all objects together.
        """
        yield from self.shape.notices
        if renamed := [c for n, c in zip(self.shape.names, self.columns, strict=True) if n != c]:
            yield numbered_notice(renamed)
        typed = {c: found for c, found in self.tokens.items() if kinds[c.lower()] != TEXT}
        # One of them showed that the column has some: nobody has looked for the others.
        yield from map(str, said_of_nulls(typed, known=False))
        wider = [c for c in self.widenings if self.kinds[c] == kinds[c.lower()]]
        for column in wider[:_NAMED_COLUMNS]:
            said = f"{self.widenings[column]!r} does not fit what the head shows."
            yield f"Column {column} was read as {self.kinds[column]}: {said}"
        if more := wider[_NAMED_COLUMNS:]:
            listed = first_of(more, _NAMED_COLUMNS)
            yield f"{len(more):,} more columns have other types than the head shows: {listed}."


type Group = tuple[Layout, list[Member]]
"""A layout and the objects that have it."""


def find_layout(opened: Opened, max_decoded_bytes: int) -> Layout:
    """Return the layout of an object, by its head."""
    head = opened.need_head(SNIFF_BYTES)
    # By as much as the loader looks at, so that both judge alike.
    source = ObjectReader(opened.stores.plain, opened.info, opened.meter, head=head[:SNIFF_BYTES])
    shape = sniff(source, CsvRequest(max_rows=1, max_decoded_bytes=max_decoded_bytes))
    columns = distinct(shape.names)
    tokens = dict(zip(columns, map(set, shape.null_tokens), strict=True))
    text = opened.text_head(shape.dialect.compression, max(SNIFF_BYTES, shape.start))
    return Layout(
        shape=shape,
        header=text[: shape.start],
        mode=_mode(shape, text[shape.start : SNIFF_BYTES]),
        columns=columns,
        kinds=dict(zip(columns, map(type_name, shape.types), strict=True)),
        tokens={name: found for name, found in tokens.items() if found},
        empty=frozenset(c for c, v in zip(columns, shape.values, strict=True) if not v),
        cents=frozenset(c for c, v in zip(columns, shape.values, strict=True) if are_cents(v)),
        # Of what is compressed, or UTF-16, this says nothing; then it shows when it is read.
        bare=not shape.dialect.quote
        or not has_quoted_empty(b"\n" + head[shape.start :], shape.dialect),
        plain_header=_is_plain_header(shape, head),
    )


def _is_plain_header(shape: CsvShape, head: bytes) -> bool:
    """Whether the engine finds the end of the header: not behind text that follows a quote."""
    first = 2  # the line behind it
    if not shape.dialect.has_header or shape.line != first:
        return False
    if shape.dialect.quote.encode() not in head[: shape.start]:
        return True
    records, _ = first_records(head[: shape.start], shape.dialect, 1, strict=True)
    return bool(records)


def reader_options(layout: Layout, *, plain: bool, own_marks: bool) -> dict[str, str]:
    """Return the options of `read_csv` for a layout: nothing is left to be detected.

    Args:
        layout: How the text is written.
        plain: Whether the engine reads the object itself, not a stream made of it.
        own_marks: Whether the text has its own delimiter and quote, not those of a cleaned one.
    """
    dialect = layout.shape.dialect
    marks = Marks(dialect.delimiter, dialect.quote, dialect.newline) if own_marks else PLAIN
    delimiter, quote = marks.delimiter, marks.quote
    # By itself the engine takes the first line's end that it sees, though it be in quotes.
    newline = {"new_line": r"'\n'"} if marks.newline == "\n" else {}
    return {
        "auto_detect": "false",
        "header": "false",
        "delim": literal(delimiter),
        "quote": literal(quote),
        "escape": literal(quote),
        "comment": "''",
        "nullstr": "['']",
        "allow_quoted_nulls": "false",
        "null_padding": "false",
        "strict_mode": "true",
        "compression": "'none'" if plain else WRAPPING,
        **newline,
        **(_LONG_LINE if layout.long_lines else {}),
    }


def _mode(shape: CsvShape, body: bytes) -> Mode:
    dialect = shape.dialect
    text = body.decode(dialect.encoding, errors="replace")
    rows = [one.fields for one in first_records(body, dialect, _SAMPLE_RECORDS)[0]]
    if dialect.escape or _is_spaced(text, dialect, rows):
        return "cleaned"
    if dialect.compression or dialect.encoding not in {"utf-8", "ascii"}:
        return "transcoded"
    if _mixes_newlines(text[: text.rfind("\n") + 1] or text, dialect):
        return "cleaned"
    width = len(shape.names)
    # Empty fields too many at a record's end go unnoticed by the engine.
    ragged = any(len(row) > width and row[-1] is None for row in rows)
    return "cleaned" if ragged else "plain"


def _mixes_newlines(text: str, dialect: Dialect) -> bool:
    """Whether lines end in different ways; in quotes they may."""
    if dialect.quote and dialect.quote in text:
        return False
    both = text.count("\r\n")
    return sum(count > 0 for count in (both, text.count("\r") - both, text.count("\n") - both)) > 1


def _is_spaced(text: str, dialect: Dialect, rows: Sequence[Sequence[str | None]]) -> bool:
    """Whether spaces stand between a quote and a delimiter: the engine would drop them."""
    if not dialect.quote or dialect.quote not in text:
        return False
    d, q = re.escape(dialect.delimiter), re.escape(dialect.quote)
    before = any(
        field is not None and field[:1] == " " and field.lstrip(" ").startswith(dialect.quote)
        for row in rows
        for field in row
    )
    behind = rf"(?:^|{d}){q}(?:[^{q}]|{q}{q})*+{q} +(?:{d}|[\r\n]|\Z)"
    return before or bool(re.search(behind, text, re.MULTILINE))
