"""Partitions as columns of samples and footers: what names of folders say of all their rows."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as arrow_compute

from s3_data_lake_mcp.engines.places import partition_of
from s3_data_lake_mcp.engines.tables import partition_column
from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT, TOP, ProfiledColumn
from s3_data_lake_mcp.profiling.figures import Figures
from s3_data_lake_mcp.wire import Clipper, json_rows

pc: Any = arrow_compute  # its stubs know too little of it

type Partitions = "dict[str, pa.Array[Any]]"
"""The columns that folders name, each with a value for each of the objects, typed as in SQL."""


def partitions_of(keys: Sequence[str]) -> Partitions:
    """Return the partitions of objects; none if their folders name different ones."""
    parts = [partition_of(key) for key in keys]
    names = tuple(parts[0]) if parts else ()
    if any(tuple(part) != names for part in parts):
        return {}
    return {name: partition_column([part[name] for part in parts]) for name in names}


def with_partitions(table: pa.Table, partitions: Partitions, at: int) -> pa.Table:
    """Return the rows of one object with its partitions, which win over columns of their names."""
    for name, values in partitions.items():
        column = pa.repeat(values[at], table.num_rows)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = table.append_column(name, column)
    return table


def partition_figures(
    column: ProfiledColumn, values: "pa.Array[Any]", rows: Sequence[int]
) -> Figures:
    """Return what the values of a partition and the rows below each tell, all of it exact."""
    counted = pa.table({"v": values, "n": rows}).group_by("v").aggregate([("n", "sum")])
    counted = counted.filter(pc.greater(counted.column("n_sum"), 0))
    present = counted.filter(pc.is_valid(counted.column("v")))
    ranked = present.sort_by([("n_sum", "descending"), ("v", "ascending")])
    shown = [row[0] for row in json_rows(ranked.select(["v"]), Clipper(LONGEST_TEXT))]
    counts: Any = ranked.column("n_sum").to_pylist()
    ends = present.sort_by("v").select(["v"])
    edges = [row[0] for row in json_rows(ends, Clipper(LONGEST_TEXT))]
    return Figures(
        column=column,
        rows=sum(rows),
        present=sum(counts),
        distinct=len(shown),
        low=edges[0] if edges else None,
        high=edges[-1] if edges else None,
        top=list(zip(shown, counts, strict=True))[: TOP + 1],
    )
