"""A query's answer as Arrow, losing nothing: types that Arrow cannot hold come as text."""

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.fence import first_of

_BATCH_ROWS = 1024
_OTHERS = {"uhugeint": "BIGNUM"} | dict.fromkeys(
    ("time with time zone", "bit", "variant", "union", "enum"), "VARCHAR"
)
"""What to export for types whose Arrow form has lost something: the sign, the zone, the length."""

_NOTHING = "null"
_MIXED = ("VARIANT", "UNION(")
_NAMED = 5

_STREAMED = (
    ("INTERRUPT", duckdb.InterruptException),
    ("Out of Memory", duckdb.OutOfMemoryException),
    ("Conversion Error", duckdb.ConversionException),
    ("IO Error", duckdb.IOException),
    ("Invalid Input Error", duckdb.InvalidInputException),
    ("INTERNAL", duckdb.InternalException),
    ("FATAL", duckdb.FatalException),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows of an answer to fetch: `rows` of them from `offset` on, None for all.

    Once there are `least`, no more are fetched than make up `most_bytes`.
    """

    rows: int | None = None
    offset: int = 0
    least: int = 0
    most_bytes: int | None = None


def fetch(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """Return the rows of a relation."""
    return fetch_window(relation, Window())[0]


def fetch_window(relation: duckdb.DuckDBPyRelation, window: Window) -> tuple[pa.Table, bool]:
    """Return the rows of a window of a relation, and whether the last of all is among them."""
    exact = _projection(relation)
    cut = exact if window.rows is None else exact.limit(window.rows, window.offset)
    most = window.most_bytes
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    ended = True
    try:
        reader = cut.to_arrow_reader(_BATCH_ROWS)
        for batch in reader:
            batches.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if most is not None and size > most and rows >= window.least:
                ended = False
                break
        table = pa.Table.from_batches(batches, reader.schema)
    except (pa.ArrowException, OSError) as exc:
        # What fails while rows stream comes as an error of Arrow, with DuckDB's text.
        text = str(exc)
        kinds = (kind for start, kind in _STREAMED if text.startswith(start))
        raise next(kinds, duckdb.Error)(text) from exc
    ended = ended and (window.rows is None or rows < window.rows)
    return _decoded(table).rename_columns(relation.columns), ended


def _projection(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    kinds = [exact_type(kind) for kind in relation.types]
    if all(kind is None for kind in kinds):
        return relation
    # Names may repeat, so the columns are named anew; the caller puts the names back.
    inner = [f"column_{at}" for at in range(len(kinds))]
    fields = [
        f"CAST({name} AS {kind}) AS {name}" if kind else name
        for name, kind in zip(inner, kinds, strict=True)
    ]
    named = ", ".join(inner)
    query = f"SELECT {', '.join(fields)} FROM answer AS answer({named})"  # noqa: S608 - own names
    found = relation.query("answer", query)
    if found is None:
        message = "A query without an answer"
        raise duckdb.InvalidInputException(message)
    return found


def exact_type(kind: DuckDBPyType) -> str | None:
    """Return the SQL type to cast to where Arrow would lose something; None if it does not."""
    text, changed = _exact(kind)
    return text if changed else None


def _exact(kind: DuckDBPyType) -> tuple[str, bool]:
    if other := _OTHERS.get(kind.id):
        return other, True
    if kind.id in {"list", "array"}:
        inner, changed = _exact(_child(kind, 0))
        if _child(kind, 0).id == _NOTHING:
            inner, changed = "VARCHAR", True  # of nulls the engine hands over too few
        size = kind.children[1][1] if kind.id == "array" else ""
        return (f"{inner}[{size}]", True) if changed else (str(kind), False)
    if kind.id == "struct":
        names = [name for name, _ in kind.children]
        fields = [(name, *_exact(_child(kind, at))) for at, name in enumerate(names)]
        inside = ", ".join(f"{identifier(name)} {text}" for name, text, _ in fields)
        return f"STRUCT({inside})", any(changed for *_, changed in fields)
    if kind.id == "map":
        key, key_changed = _exact(_child(kind, 0))
        if _child(kind, 0).id == _NOTHING:
            key, key_changed = "VARCHAR", True  # Arrow has no keys of the type null
        value, value_changed = _exact(_child(kind, 1))
        return f"MAP({key}, {value})", key_changed or value_changed
    return str(kind), False


def text_notices(relation: duckdb.DuckDBPyRelation) -> list[str]:
    """Say which columns are shown as text because their values may be of several types."""
    pairs = zip(relation.columns, relation.types, strict=True)
    found = [quoted(name) for name, kind in pairs if any(one in str(kind) for one in _MIXED)]
    listed = first_of(found, _NAMED)
    said = f"VARIANT and UNION are shown as text: {listed}. CAST(… AS JSON) gives JSON."
    return [said] if found else []


def _child(kind: DuckDBPyType, at: int) -> DuckDBPyType:
    child = kind.children[at][1]
    return child if isinstance(child, DuckDBPyType) else DuckDBPyType("VARCHAR")


def _decoded(table: pa.Table) -> pa.Table:
    """Return the table with plain values for encoded ones, and lists named as Parquet does."""
    fields = [field.with_type(_plain(field.type)) for field in table.schema]
    schema = pa.schema(fields)
    if str(schema) == str(table.schema):
        return table
    # A cast does not touch names: types that differ in the names of elements count as equal.
    return pa.Table.from_arrays(table.cast(schema).columns, schema=schema)


def _plain(kind: Any) -> Any:  # noqa: ANN401 - the stubs give each type a class of its own
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_element(kind), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_element(kind))
    if pa.types.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    return kind


def _element(kind: "pa.ListType[Any] | pa.FixedSizeListType[Any, Any]") -> "pa.Field[Any]":
    return kind.value_field.with_name("element").with_type(_plain(kind.value_type))
