"""Readers in a query that are given objects of another format."""

import re

from s3_data_lake_mcp.engines.inputs import Inputs
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders.formats import READ_TOOLS

_WRITTEN = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}


def wrong_reader(inputs: Inputs, sql: str) -> MalformedDataError | None:
    """Return the error of a reader that fails since its object has another format, if one does."""
    for table in inputs.tables:
        if table.name not in inputs.in_readers:
            continue
        uri, found = literal(table.name), table.place.format
        # With options it may be meant so.
        call = re.search(rf"(?i)\b(\w+)\s*\(\s*\[?\s*{re.escape(uri)}\s*\]?\s*\)", sql)
        kind = next((kind for kind in READ_TOOLS if call and kind in call[1].lower()), found)
        if call is None or kind == found:
            continue
        fixed = f"{sql[: call.start()]}{uri}{sql[call.end() :]}"
        return MalformedDataError(
            f"{table.name} is not {_WRITTEN[kind]}: it looks like {found}",
            hint=f"Name it without {call[1]}, or read it with read_{found}.",
            repair={"sql": fixed},
        )
    return None
