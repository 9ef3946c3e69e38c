"""What a tool function stands in: its call, and the tools beside it."""

import re
from collections.abc import Collection

from s3_data_lake_mcp.errors import InternalError
from s3_data_lake_mcp.globs import entries
from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.settings import Settings

_CLAUSE = re.compile(r"(?<=[.;?]) ")


def is_offered(tool: str, settings: Settings) -> bool:
    """Whether a tool is switched on: no answer names one that is not."""
    only = entries(settings.enabled_tools)
    return (not only or tool in only) and tool not in entries(settings.disabled_tools)


def offered_clauses(text: str, hidden: Collection[str]) -> str:
    """Return a hint or notice without the clauses that name a tool which is switched off."""
    kept = [clause for clause in _CLAUSE.split(text) if not any(name in clause for name in hidden)]
    return re.sub(r";$", ".", " ".join(kept))


def current_call() -> Call:
    """Stand in the signature for the call that the boundary hands in.

    Raises:
        InternalError: Always: a tool function is run by the boundary, or given its call.
    """
    raise InternalError("A tool function was run without its call")
