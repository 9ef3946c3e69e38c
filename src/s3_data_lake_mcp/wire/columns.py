"""Arrow columns to JSON values: one converter a type, chosen once a column."""

import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import islice, pairwise
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from s3_data_lake_mcp.wire.instants import (
    date_text,
    duration_text,
    interval_text,
    time_text,
    timestamp_text,
)
from s3_data_lake_mcp.wire.kinds import is_binary, is_extension, is_list, is_text
from s3_data_lake_mcp.wire.names import unique_names
from s3_data_lake_mcp.wire.opaque import duckdb_value
from s3_data_lake_mcp.wire.texts import Clipper, binary_text
from s3_data_lake_mcp.wire.values import (
    MAX_LEVELS,
    fraction,
    integer,
    json_value,
    pairs_value,
    too_deep,
)

type Cells = Callable[[Any, Clipper], list[Any]]
"""Turns an Arrow array into one JSON value a cell."""

_DAY_MILLISECONDS = 86_400_000


def json_rows(table: "pa.Table", clipper: Clipper) -> list[list[Any]]:
    """Return the rows of a table, a JSON value a cell.

    Raises:
        LimitExceededError: If a column nests more than 200 levels deep.
    """
    if not table.num_columns:
        return [[] for _ in range(table.num_rows)]
    columns = [_column(column, clipper) for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(column: "pa.ChunkedArray[Any]", clipper: Clipper) -> list[Any]:
    convert = _cells(column.type, 0)
    found: list[Any] = []
    for chunk in column.chunks:
        counts = clipper.fresh()
        found += convert(chunk, counts)
        if counts.clipped > 1 and types.is_nested(column.type):
            counts.clipped = _clipped_cells(convert, chunk, clipper)
        clipper.add(counts)
    return found


def _clipped_cells(convert: Cells, chunk: Any, clipper: Clipper) -> int:  # noqa: ANN401 - any array
    """Count cells, not the texts in them: a struct with two long texts is one cell."""
    count = 0
    for at in range(len(chunk)):
        counts = clipper.fresh()
        convert(chunk.slice(at, 1), counts)
        count += counts.clipped > 0
    return count


def _cells(kind: "pa.DataType", level: int) -> Cells:
    """Return the converter of a type that stands inside `level` lists, structs or maps."""
    for fits, make in _NESTED:
        if fits(kind):
            if level >= MAX_LEVELS:
                too_deep()
            return make(kind, level + 1)
    for fits, make in _WRAPPED:
        if fits(kind):
            return make(kind, level)
    return next((make(kind) for fits, make in _FLAT if fits(kind)), _anything)


def _anything(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
    return [json_value(value, clipper) for value in array.to_pylist()]


def _each(convert: Callable[[Any], Any], storage: "pa.DataType | None" = None) -> Cells:
    """Return a converter that applies `convert` to each value that is there."""

    def cells(array: Any, _clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        values = array.view(storage) if storage is not None else array
        return [None if v is None else convert(v) for v in values.to_pylist()]

    return cells


def _clipped(convert: Callable[[Any], Any]) -> Cells:
    """Return a converter whose texts may be long: a number can have any count of digits."""

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        found = (None if v is None else convert(v) for v in array.to_pylist())
        return [clipper.text(v) if isinstance(v, str) else v for v in found]

    return cells


def _plain(_kind: "pa.DataType") -> Cells:
    return lambda array, _clipper: array.to_pylist()


def _decimals(kind: Any) -> Cells:  # noqa: ANN401 - one of four decimal types
    if kind.scale > 0:
        return _each(lambda value: format(value, "f"))
    return _each(lambda value: integer(int(Decimal(value))))


def _texts(kind: "pa.DataType") -> Cells:
    as_bytes: pa.DataType = pa.large_binary() if types.is_large_string(kind) else pa.binary()
    if types.is_string_view(kind):
        as_bytes = pa.binary_view()

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        try:
            values = array.to_pylist()
        except UnicodeDecodeError:
            values = array.cast(as_bytes).to_pylist()
            return [None if v is None else clipper.utf8(v) for v in values]
        return [None if v is None else clipper.text(v) for v in values]

    return cells


def _timestamps(kind: Any) -> Cells:  # noqa: ANN401 - a timestamp type
    return _each(timestamp_text(kind.unit, kind.tz), pa.int64())


def _times(kind: Any) -> Cells:  # noqa: ANN401 - a time type
    return _each(time_text(kind.unit), pa.int32() if types.is_time32(kind) else pa.int64())


def _dates(kind: "pa.DataType") -> Cells:
    if types.is_date32(kind):
        return _each(date_text, pa.int32())
    return _each(lambda value: date_text(value // _DAY_MILLISECONDS), pa.int64())


def _intervals(_kind: "pa.DataType") -> Cells:
    return _each(lambda value: interval_text(value.months, value.days, value.nanoseconds))


def _lists(kind: Any, level: int) -> Cells:  # noqa: ANN401 - one of five list types
    convert = _cells(kind.value_type, level)

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        items = iter(convert(array.flatten(), clipper))
        lengths = pc.list_value_length(array).to_pylist()
        return [None if n is None else list(islice(items, n)) for n in lengths]

    return cells


def _maps(kind: Any, level: int) -> Cells:  # noqa: ANN401 - a map type
    keys, items = _cells(kind.key_type, level), _cells(kind.item_type, level)
    pairs = pairs_value if is_text(kind.key_type) else _all_pairs

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        offsets = array.offsets.to_pylist()
        first, size = offsets[0], offsets[-1] - offsets[0]
        names = keys(array.keys.slice(first, size), clipper)
        # Of items that are all null, the engine hands over as many as there are rows.
        is_null = types.is_null(kind.item_type)
        values = [None] * size if is_null else items(array.items.slice(first, size), clipper)
        places = [(at - first, stop - first) for at, stop in pairwise(offsets)]
        return [
            pairs(names[at:stop], values[at:stop]) if there else None
            for there, (at, stop) in zip(array.is_valid().to_pylist(), places, strict=True)
        ]

    return cells


def _all_pairs(keys: Sequence[Any], items: Sequence[Any]) -> list[list[Any]]:
    """Return a map whose keys are no texts; they may look like some, as dates and UUIDs do."""
    return [[key, item] for key, item in zip(keys, items, strict=True)]


def _structs(kind: Any, level: int) -> Cells:  # noqa: ANN401 - a struct type
    names, _ = unique_names([field.name for field in kind])
    converters = [_cells(field.type, level) for field in kind]

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        valid = array.is_valid().to_pylist()
        if not names:
            return [{} if there else None for there in valid]
        children = zip(converters, array.flatten(), strict=True)
        rows = zip(*(convert(child, clipper) for convert, child in children), strict=True)
        return [
            dict(zip(names, row, strict=True)) if there else None
            for there, row in zip(valid, rows, strict=True)
        ]

    return cells


def _unions(kind: Any, level: int) -> Cells:  # noqa: ANN401 - a union type
    converters = [_cells(kind.field(i).type, level) for i in range(kind.num_fields)]
    places = {code: i for i, code in enumerate(kind.type_codes)}

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        # `type_codes` and `offsets` of pyarrow's unions forget that an array is a slice.
        _, codes, *offsets = array.buffers()
        chosen = [places[code] for code in _slice_of(codes, "b", array)]
        at = _slice_of(offsets[0], "i", array) if kind.mode == "dense" else range(len(array))
        children = [array.field(i) for i in range(kind.num_fields)]
        return [
            converters[i](children[i].slice(row, 1), clipper)[0]
            for i, row in zip(chosen, at, strict=True)
        ]

    return cells


def _slice_of(buffer: "pa.Buffer", letter: Literal["b", "i"], array: Any) -> list[int]:  # noqa: ANN401 - any array
    numbers = memoryview(buffer).cast(letter).tolist()
    return numbers[array.offset : array.offset + len(array)]


def _dictionaries(kind: Any, level: int) -> Cells:  # noqa: ANN401 - a dictionary type
    convert = _cells(kind.value_type, level)

    def cells(array: Any, clipper: Clipper) -> list[Any]:  # noqa: ANN401 - any array
        # Only entries in use are looked at: a page of a few rows may have a huge dictionary.
        known: dict[int | None, tuple[Any, Clipper]] = {None: (None, clipper.fresh())}
        indices = array.indices.to_pylist()
        for index in set(indices) - known.keys():
            counts = clipper.fresh()
            known[index] = convert(array.dictionary.slice(index, 1), counts)[0], counts
        for index in indices:
            clipper.add(known[index][1])
        return [known[index][0] for index in indices]

    return cells


def _runs(kind: Any, level: int) -> Cells:  # noqa: ANN401 - a run-end encoded type
    convert = _cells(kind.value_type, level)
    return lambda array, clipper: convert(pc.call_function("run_end_decode", [array]), clipper)


def _extensions(kind: Any, level: int) -> Cells:  # noqa: ANN401 - an extension type
    convert = _cells(kind.storage_type, level)
    name = kind.extension_name
    if name == "arrow.uuid":
        convert = _each(lambda value: str(uuid.UUID(bytes=value)))
    elif name == "arrow.bool8":
        convert = _each(bool)
    elif name == "arrow.opaque" and (special := duckdb_value(kind.vendor_name, kind.type_name)):
        convert = _clipped(special)
    return lambda array, clipper: convert(array.storage, clipper)


_FLAT: tuple[tuple[Callable[[Any], bool], Callable[[Any], Cells]], ...] = (
    (types.is_boolean, _plain),
    (types.is_null, _plain),
    (types.is_integer, lambda _kind: _each(integer)),
    (types.is_floating, lambda _kind: _each(fraction)),
    (types.is_decimal, _decimals),
    (types.is_string, _texts),
    (types.is_large_string, _texts),
    (types.is_string_view, _texts),
    (is_binary, lambda _kind: _each(binary_text)),
    (types.is_binary_view, lambda _kind: _each(binary_text)),
    (types.is_timestamp, _timestamps),
    (types.is_date, _dates),
    (types.is_time, _times),
    (types.is_duration, lambda kind: _each(duration_text(kind.unit), pa.int64())),
    (types.is_interval, _intervals),
)
_NESTED: tuple[tuple[Callable[[Any], bool], Callable[[Any, int], Cells]], ...] = (
    (is_list, _lists),
    (types.is_map, _maps),
    (types.is_struct, _structs),
)
_WRAPPED: tuple[tuple[Callable[[Any], bool], Callable[[Any, int], Cells]], ...] = (
    (is_extension, _extensions),
    (types.is_dictionary, _dictionaries),
    (types.is_run_end_encoded, _runs),
    (types.is_union, _unions),
)
