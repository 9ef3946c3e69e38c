"""Arrow to pandas with Arrow types: nulls stay nulls, decimals and nanoseconds stay exact.

pandas is imported on first use: it is what Python users and profiles compute with, and the only
import that costs a second.
"""

import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from s3_data_lake_mcp.wire.names import unique_names

if TYPE_CHECKING:
    import pandas as pd


def defer_pandas() -> None:
    """Keep pyarrow from importing pandas by the way, which costs a second and 50 MB.

    It tries to, once, when it first makes an array of Python values, only to see whether these are
    pandas's; what needs pandas itself imports it all the same (`pyarrow/pandas-shim.pxi`).
    """
    if "pandas" in sys.modules:
        return
    absent = _Absent()
    sys.meta_path.insert(0, absent)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(absent)


class _Absent(MetaPathFinder):
    """Finds that pandas is not installed."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Return None for all other modules.

        Raises:
            ModuleNotFoundError: For pandas.
        """
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def from_ipc(data: bytes) -> "pd.DataFrame":
    """Return the frame of a table in Arrow's stream format, as a worker sends it."""
    with pa.ipc.open_stream(data) as stream:
        return to_pandas(stream.read_all())


def to_pandas(table: "pa.Table") -> "pd.DataFrame":
    """Return a table as a frame whose columns all have an `ArrowDtype`.

    The columns are the table's, none becomes an index; duplicate names are numbered as the tools
    number them (`a`, `a_1`). Nothing is copied or converted, but for layouts that pandas does not
    know (views and runs take their plain layout, intervals and unions become Python values).
    """
    import pandas as pd  # noqa: PLC0415 - loaded on first use

    names, _ = unique_names(table.schema.names)
    columns = {
        name: pd.Series(_extension_array(column), copy=False)
        for name, column in zip(names, table.columns, strict=True)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def _extension_array(column: "pa.ChunkedArray[Any]") -> Any:  # noqa: ANN401 - an array or a list
    from pandas.arrays import ArrowExtensionArray  # noqa: PLC0415 - loaded on first use

    kind = column.type
    if types.is_interval(kind) or types.is_union(kind):
        return column.to_pylist()
    if types.is_run_end_encoded(kind):
        chunks = [pc.call_function("run_end_decode", [chunk]) for chunk in column.chunks]
        return ArrowExtensionArray(pa.chunked_array(chunks, kind.value_type))
    if types.is_string_view(kind):
        column = column.cast(pa.large_string())
    elif types.is_binary_view(kind):
        column = column.cast(pa.large_binary())
    elif types.is_list_view(kind) or types.is_large_list_view(kind):
        column = column.cast(pa.large_list(kind.value_field))
    return ArrowExtensionArray(column)
