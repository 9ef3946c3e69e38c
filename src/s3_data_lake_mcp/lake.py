"""The lake: settings, store and workers in one frozen bundle, and one call on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3_data_lake_mcp import configuration
from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.cursors import Cursor, misfit
from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.models import Scan
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.keys import split_uri
from s3_data_lake_mcp.storage.s3 import S3Store
from s3_data_lake_mcp.workers.pool import WorkerPool

if TYPE_CHECKING:
    import pandas as pd

_FRAME_ROWS = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """What the tools work on; safe for many threads."""

    settings: Settings
    store: S3Store
    workers: WorkerPool

    @classmethod
    def connect(cls, settings: Settings | None = None) -> "Lake":
        """Make a lake over S3; nothing is sent until it is used, except for settings in SSM."""
        chosen = settings or configuration.load().settings
        return cls(
            settings=chosen,
            store=S3Store(ClientFactory(chosen), chosen),
            workers=WorkerPool(chosen),
        )

    def meter(self) -> ScanMeter:
        """Return a fresh meter with the bounds of one call."""
        return ScanMeter(
            timeout_seconds=self.settings.timeout_seconds, max_bytes=self.settings.max_scan_bytes
        )

    def frame(
        self, uri: str, *, columns: tuple[str, ...] = (), max_rows: int = _FRAME_ROWS
    ) -> "pd.DataFrame":
        """Load a CSV, JSON or Parquet object as a pandas frame with Arrow types.

        The format is judged by name and content. The bytes are parsed in a worker process, under
        the same limits as the tools.

        Args:
            uri: `s3://bucket/key`.
            columns: Columns to load, in this order; all of them by default.
            max_rows: Most rows to load.

        Raises:
            LakeError: Whatever the read tools would answer.
        """
        from s3_data_lake_mcp import frames  # noqa: PLC0415 - pandas is loaded on first use

        place = split_uri(uri)
        if place is None or not place[1]:
            raise InvalidArgumentError(f"{uri!r} is not an s3://bucket/key URI")
        arguments = {
            "bucket": place[0],
            "key": place[1],
            "columns": list(columns),
            "max_rows": max_rows,
        }
        answer = self.workers.run("frame", arguments, self.meter())
        return frames.from_ipc(answer["ipc"])

    def close(self) -> None:
        """End the worker processes."""
        self.workers.close()


@dataclass(slots=True, kw_only=True)
class Call:
    """One tool call: its lake, its meter, and what the boundary found out about its arguments."""

    lake: Lake
    tool: str
    meter: ScanMeter
    cursor: Cursor | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """The call's own arguments that are not defaults, without place, page size and cursor."""
    notices: list[str] = field(default_factory=list)
    progress: Callable[[int, int], None] | None = None
    trial: bool = False
    """Whether it is run to see if it works: little is read then."""
    worked: bool = False
    """Whether it has come so far as to be run."""
    retold: bool = False
    """Whether its error was told anew, behind whoever tried the repair."""

    def work(self, job: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - the job's own
        """Run a job in a worker and return its answer, a whole result of the contract.

        The job is told how to write the cursor of the next page.
        """
        self.worked = True
        state = self.cursor
        paging = {
            "tool": self.tool,
            "arguments": dict(self.arguments),
            "identity": dict(state.identity) if state else {},
            "position": dict(state.position) if state else {},
        }
        answer = self.lake.workers.run(
            job, {**arguments, "paging": paging, "trial": self.trial}, self.meter, self.progress
        )
        answer["notices"] = [*self.notices, *answer["notices"]]
        return answer

    def start_after(self) -> str:
        """Return the name behind which a listing's cursor goes on; empty without a cursor.

        Raises:
            InvalidArgumentError: If the cursor holds none.
        """
        if self.cursor is None:
            return ""
        match self.cursor.position.get("after"):
            case str(name) if name:
                return name
            case _:
                raise misfit("a listing")

    def next_cursor(self, bucket: str, prefix: str, last: str) -> str:
        """Return the cursor of a listing that goes on behind `last`."""
        return Cursor(
            tool=self.tool,
            bucket=bucket,
            key=prefix,
            arguments=self.arguments,
            position={"after": last},
        ).encode()

    def scan(self) -> Scan:
        """Return what the call cost so far, in this process."""
        return Scan.model_validate(self.meter.as_json())
