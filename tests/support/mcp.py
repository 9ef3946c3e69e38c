"""A client's view of a call, and what lies in the lake that the MCP tests share."""

import json
import time
from dataclasses import dataclass
from typing import Any

import psutil
from fastmcp import Client

BUCKET = "mcp-lake"
ROWS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client got from one call."""

    is_error: bool
    text: str
    data: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        """The text's lines."""
        return self.text.split("\n")

    @property
    def next(self) -> dict[str, Any]:
        """The call that the text's last line names."""
        assert self.lines[-1].startswith("next: "), self.text
        return json.loads(self.lines[-1].removeprefix("next: "))  # type: ignore[no-any-return] # JSON


class Caller:
    """Calls tools and keeps what a model and a program would see."""

    def __init__(self, client: Client) -> None:  # type: ignore[type-arg] # any transport
        self.client = client

    async def __call__(self, tool: str, **arguments: object) -> Answer:
        """Call a tool."""
        result = await self.client.call_tool(tool, arguments, raise_on_error=False)
        text = "".join(getattr(block, "text", "") for block in result.content)
        return Answer(
            is_error=result.is_error, text=text, data=dict(result.structured_content or {})
        )


def load_of(pid: int) -> float:
    """Return how many percent of a core the children of a process use."""
    total = 0.0
    for child in psutil.Process(pid).children(recursive=True):
        try:
            total += child.cpu_percent(0.3)
        except psutil.NoSuchProcess:
            continue
    return total


def settles(pid: int, *, seconds: float = 15) -> bool:
    """Whether the children of a process stop computing."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if load_of(pid) < 20:
            return True
    return False
