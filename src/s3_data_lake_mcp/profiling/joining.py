"""The rows of several objects as one table."""

from collections.abc import Sequence

import pyarrow as pa

from s3_data_lake_mcp.budget import compact_text
from s3_data_lake_mcp.profiling.columns import spelt_once
from s3_data_lake_mcp.wire import Clipper, json_rows


def joined(tables: Sequence[pa.Table], *, typed: bool) -> pa.Table:
    """Put tables one behind the other; a column whose types do not fit becomes text.

    `typed` says that columns without values have types of their own. Those of delimited text are
    called text, and say nothing of what is in other objects.
    """
    if not typed:
        tables = [_untyped(table) for table in tables]
    spelt = spelt_once([table.column_names for table in tables])
    tables = [table.rename_columns([spelt[n] for n in table.column_names]) for table in tables]
    names = dict.fromkeys(spelt.values())
    # The names of a table are made anew each time that they are asked for.
    known = [({*table.column_names}, table) for table in tables]
    odd = {n for n in names if not _fit([t.select([n]) for held, t in known if n in held])}
    found = pa.concat_tables([_as_text(t, odd) for t in tables], promote_options="permissive")
    bare = set() if typed else {one.name for one in found.schema if one.type == pa.null()}
    return _as_text(found, bare)


def _untyped(table: pa.Table) -> pa.Table:
    for at, name in enumerate(table.column_names):
        if table.column(at).null_count == table.num_rows:
            table = table.set_column(at, name, pa.chunked_array([pa.nulls(table.num_rows)]))
    return table


def _fit(tables: Sequence[pa.Table]) -> bool:
    """Whether the types have one together that holds each value, as a double may not."""
    try:
        pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True


def _as_text(table: pa.Table, names: set[str]) -> pa.Table:
    for at, name in enumerate(table.column_names):
        if name not in names:
            continue
        try:
            column = table.column(at).cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            shown = json_rows(table.select([at]), Clipper())
            texts = [None if v is None else compact_text(v) for (v,) in shown]
            column = pa.chunked_array([pa.array(texts, pa.string())])
        table = table.set_column(at, name, column)
    return table
