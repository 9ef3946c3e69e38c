"""The rows of a page of delimited text: what is kept, what was wrong, and the table of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from s3_data_lake_mcp.fence import some_of
from s3_data_lake_mcp.loaders.csv_records import Record, RecordReader
from s3_data_lake_mcp.loaders.csv_shape import CsvShape
from s3_data_lake_mcp.loaders.csv_types import typed_column
from s3_data_lake_mcp.loaders.unknown_column import unknown_column

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED_LINES = 5
_NAMED_COLUMNS = 5


@dataclass(slots=True)
class Rows:
    """The rows of a page, the lines of those too short or too long, and whether the text ended."""

    kept: list[Record] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    ended: bool = False

    def notices(self) -> Iterator[str]:
        """Say what was wrong with the rows."""
        for lines, what in (
            (self.short, "had too few fields: filled with null"),
            (self.long, "had too many fields: left out"),
        ):
            if lines:
                rows = "1 row" if len(lines) == 1 else f"{len(lines):,} rows"
                word = "line" if len(lines) == 1 else "lines"
                yield f"{rows} {what} ({word} {some_of(lines, _NAMED_LINES)})."


def read_rows(reader: RecordReader, max_rows: int, width: int) -> Rows:
    """Read one row more than `max_rows`, if there is one.

    What was wrong behind the last row of the page is told with the next one, which begins there.
    """
    rows = Rows()
    told = 0
    for record in reader:
        if len(record.fields) > width:
            rows.long.append(record.line)
            continue
        if len(record.fields) < width and len(rows.kept) < max_rows:
            rows.short.append(record.line)
        rows.kept.append(record)
        if len(rows.kept) > max_rows:
            del rows.long[told:]
            return rows
        told = len(rows.long)
    rows.ended = True
    return rows


def pick(shape: CsvShape, columns: Sequence[str], subject: str) -> list[int]:
    """Return the indexes of the columns that were asked for, in that order.

    Raises:
        UnknownColumnError: If there is none of a name.
    """
    if not columns:
        return list(range(len(shape.names)))
    types = dict(zip(shape.names, shape.types, strict=True))
    for name in columns:
        if name not in types:
            raise unknown_column(subject, types, columns, name)
    return [shape.names.index(name) for name in columns]


def table_of(
    records: Sequence[Record], shape: CsvShape, picked: Sequence[int]
) -> tuple[pa.Table, list[str]]:
    """Return the picked columns of records, and notices of what was read as null."""
    arrays: list[pa.Array[Any]] = []
    nulls: Mapping[tuple[str, ...], list[str]] = defaultdict(list)
    for index in picked:
        cells = [r.fields[index] if index < len(r.fields) else None for r in records]
        column, tokens = typed_column(cells, shape.types[index], shape.values[index])
        arrays.append(column)
        if tokens:
            nulls[tuple(sorted(tokens))].append(shape.names[index])
    table = pa.Table.from_arrays(arrays, names=[shape.names[i] for i in picked])
    return table, [_null_notice(tokens, names) for tokens, names in nulls.items()]


def _null_notice(tokens: Sequence[str], names: Sequence[str]) -> str:
    listed = some_of(names, _NAMED_COLUMNS)
    where = f"column {listed}" if len(names) == 1 else f"{len(names)} columns ({listed})"
    return f"{', '.join(tokens)} was read as null in {where}."
