"""Counts, sizes, calls and errors as the model reads them."""

import json
from collections.abc import Mapping
from typing import Any

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.fence import clipped, visible

_MEGABYTE = 1_000_000
_KILOBYTE = 1_000


def next_line(tool: str, arguments: Mapping[str, Any]) -> str:
    """Return the line with a complete follow-up call."""
    call = {"tool": tool, "arguments": arguments}
    return "next: " + visible(json.dumps(call, ensure_ascii=False, separators=(", ", ": ")))


def error_lines(error: LakeError, hint: str, most_bytes: int) -> list[str]:
    """Return what happened, behind its code, and the next step if there is one."""
    lines = [f"{error.code}: {clip(visible(str(error)), most_bytes).rstrip('.')}."]
    return [*lines, f"hint: {clip(visible(hint), most_bytes)}"] if hint else lines


def clip(text: str, most_bytes: int) -> str:
    """Return a text, or as much of it as fits with the number of characters left out."""
    if len(text.encode()) <= most_bytes:
        return text
    return clipped(text, text.encode()[: max(most_bytes - 24, 0)].decode(errors="ignore"))


def size(count: int) -> str:
    """Return a number of bytes as people write it."""
    if count >= _MEGABYTE:
        return f"{count / _MEGABYTE:,.1f} MB"
    if count >= _KILOBYTE:
        return f"{count / _KILOBYTE:,.1f} KB"
    return f"{count} bytes"
