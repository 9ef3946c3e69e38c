"""Arrow and Python values to JSON values, losing nothing silently: the contract's rules on values.

A value that JSON's readers could not hold becomes a string; what is clipped or replaced on the way
is counted on a `Clipper`, which writes the notices. Imported in worker processes only.
"""

from s3_data_lake_mcp.wire.columns import json_rows
from s3_data_lake_mcp.wire.names import column_specs, numbered, unique_names
from s3_data_lake_mcp.wire.texts import Clipper
from s3_data_lake_mcp.wire.values import json_value

__all__ = ["Clipper", "column_specs", "json_rows", "json_value", "numbered", "unique_names"]
