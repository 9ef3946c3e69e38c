"""Rows to Parquet by way of text: `pa.array` would import pandas, which takes a second."""

import csv
import io
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.csv as pv


def typed_table(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    """Return rows as an Arrow table; None is null, and a text must not be empty."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    table = pv.read_csv(
        io.BytesIO(text.getvalue().encode()),
        read_options=pv.ReadOptions(column_names=schema.names),
        convert_options=pv.ConvertOptions(
            column_types=schema, null_values=[""], strings_can_be_null=True
        ),
    )
    return pa.Table.from_arrays(table.columns, schema=schema)
