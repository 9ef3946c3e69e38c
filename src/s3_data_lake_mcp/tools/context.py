"""Where a tool function gets its call from."""

from s3_data_lake_mcp.errors import InternalError
from s3_data_lake_mcp.lake import Call


def current_call() -> Call:
    """Stand in the signature for the call that the boundary hands in.

    Raises:
        InternalError: Always: a tool function is run by the boundary, or given its call.
    """
    raise InternalError("A tool function was run without its call")
