"""The cursor of a page's next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from s3_data_lake_mcp.cursors import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """What the server sent along so that the page's cursor can be written."""

    tool: str
    bucket: str
    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    position: Mapping[str, Any] = field(default_factory=dict)

    def cursor(self, identity: Mapping[str, Any], position: Mapping[str, Any]) -> str:
        """Return the text of the cursor that goes on at `position`."""
        return Cursor(
            tool=self.tool,
            bucket=self.bucket,
            key=self.key,
            arguments=self.arguments,
            identity=identity,
            position=position,
        ).encode()
