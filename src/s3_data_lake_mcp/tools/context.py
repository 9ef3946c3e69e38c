"""What a tool function stands in: its call, and the tools beside it."""

from s3_data_lake_mcp.errors import InternalError
from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.settings import Settings


def listed_names(text: str) -> set[str]:
    """Return the names in a setting."""
    return {name.strip() for name in text.split(",") if name.strip()}


def is_offered(tool: str, settings: Settings) -> bool:
    """Whether a tool is switched on: no answer names one that is not."""
    only = listed_names(settings.enabled_tools)
    return (not only or tool in only) and tool not in listed_names(settings.disabled_tools)


def current_call() -> Call:
    """Stand in the signature for the call that the boundary hands in.

    Raises:
        InternalError: Always: a tool function is run by the boundary, or given its call.
    """
    raise InternalError("A tool function was run without its call")
