"""The rows of a page of delimited text: what is kept, what was wrong, and the table of them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp.fence import first_of, plural
from s3_data_lake_mcp.loaders import RowNotice
from s3_data_lake_mcp.loaders.csv_records import Record, RecordReader
from s3_data_lake_mcp.loaders.csv_shape import CsvShape
from s3_data_lake_mcp.loaders.csv_types import NULL_TOKENS, typed_column
from s3_data_lake_mcp.loaders.page_size import Filling, PageSize
from s3_data_lake_mcp.loaders.unknown_column import pick
from s3_data_lake_mcp.wire import column_specs

_NAMED_LINES = 5
_NAMED_COLUMNS = 5
_BRACKETS_BYTES = 2
_NULL_BYTES = 5
_QUOTES_BYTES = 3
"""Of a cell, with its comma."""


@dataclass(slots=True)
class Rows:
    """The rows of a page, and the lines of those too short or too long.

    `ended` says that the text did, `full` that the page did.
    """

    kept: list[Record] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    ended: bool = False
    full: bool = False

    def notices(self, count: int) -> Iterator[RowNotice]:
        """Say what was wrong up to the last of the first `count` rows that were kept.

        What is behind it is told with the next page, which begins there.
        """
        stop = self.kept[count - 1].next_line if count < len(self.kept) else None
        for found, what in (
            (self.short, "had too few fields: filled with null"),
            (self.long, "had too many fields: left out"),
        ):
            lines = [line for line in found if stop is None or line < stop]
            if lines:
                rows = plural(len(lines), "row")
                word = "line" if len(lines) == 1 else "lines"
                yield RowNotice(f"{rows} {what}", f" ({word} {first_of(lines, _NAMED_LINES)})")


def read_rows(
    reader: RecordReader, max_rows: int, width: int, filling: Filling[Record] | None = None
) -> Rows:
    """Read one row more than `max_rows`, or than it takes to fill the page, if there is one."""
    rows = Rows()
    full, at = False, reader.at
    for record in reader:
        if len(record.fields) > width:
            rows.long.append(record.line)
            continue
        if len(record.fields) < width:
            rows.short.append(record.line)
        rows.kept.append(record)
        if full or len(rows.kept) > max_rows:
            rows.full = full
            return rows
        full = filling is not None and filling.is_full(record, record.end - at)
        at = record.end
    rows.ended = True
    return rows


def filling_of(shape: CsvShape, picked: Sequence[int], size: PageSize) -> Filling[Record]:
    """Return what tells when records fill a page, of which it shows some columns."""
    schema = pa.schema([pa.field(shape.names[i], shape.types[i]) for i in picked])
    shown = picked[: size.columns_that_fit(column_specs(schema, size.name_chars))]
    # A column of which the head has no value may get any type.
    kinds = [(i, bool(shape.values[i]) and shape.types[i] == pa.string()) for i in shown]

    def weigh(record: Record) -> int:
        fields = record.fields
        return _BRACKETS_BYTES + sum(
            _NULL_BYTES
            if i >= len(fields) or (cell := fields[i]) is None
            else min(len(cell), size.max_cell_chars) + _QUOTES_BYTES
            if is_text
            else len(cell.rstrip("0")) + 1
            for i, is_text in kinds
        )

    return Filling(size.max_bytes, weigh)


def pick_columns(shape: CsvShape, columns: Sequence[str], subject: str) -> list[int]:
    """Return the indexes of the columns that were asked for, in that order.

    Raises:
        UnknownColumnError: If there is none of a name.
    """
    if not columns:
        return list(range(len(shape.names)))
    types = dict(zip(shape.names, shape.types, strict=True))
    return [shape.names.index(name) for name in pick(subject, types, columns)]


def table_of(
    records: Sequence[Record], shape: CsvShape, picked: Sequence[int]
) -> tuple[pa.Table, dict[int, frozenset[str]]]:
    """Return the picked columns of records, and what was read as null in which of them."""
    arrays: list[pa.Array[Any]] = []
    nulls: dict[int, frozenset[str]] = {}
    for index in picked:
        cells = [r.fields[index] if index < len(r.fields) else None for r in records]
        column, nulls[index] = typed_column(cells, shape.types[index], shape.values[index])
        arrays.append(column)
    return pa.Table.from_arrays(arrays, names=[shape.names[i] for i in picked]), nulls


def null_notices(
    records: Sequence[Record], shape: CsvShape, nulls: Mapping[int, frozenset[str]]
) -> Iterator[RowNotice]:
    """Say what of these records was read as null."""
    found: dict[str, frozenset[str]] = {}
    for index, tokens in nulls.items():
        cells = (r.fields[index] for r in records if tokens and index < len(r.fields))
        if present := tokens.intersection(cells):
            found[shape.names[index]] = present
    yield from said_of_nulls(found)


def said_of_nulls(
    tokens: Mapping[str, Collection[str]], *, known: bool = True
) -> Iterator[RowNotice]:
    """Say which tokens were read as null in which columns.

    Unless these are `known` to be all, others are named that would be.
    """
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, words in tokens.items():
        alike[tuple(sorted(words))].append(name)
    for words, names in alike.items():
        listed = first_of(names, _NAMED_COLUMNS)
        where = f"column {listed}" if len(names) == 1 else f"{len(names)} columns ({listed})"
        others = () if known else sorted(NULL_TOKENS.difference(words))
        more = f", as {', '.join(others)} would be" if others else ""
        yield RowNotice(f"{', '.join(words)} was read as null in {where}{more}")
