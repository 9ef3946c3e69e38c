"""The eight tools, in order, and the one boundary that every call passes."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from fastmcp import FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.dependencies import get_context
from fastmcp.tools.base import Tool, ToolResult
from mcp_types import ToolAnnotations
from pydantic import PrivateAttr, ValidationError

from s3_data_lake_mcp.errors import DeadlineExceededError, InvalidArgumentError, LakeError
from s3_data_lake_mcp.fence import scrub_all
from s3_data_lake_mcp.globs import entries
from s3_data_lake_mcp.lake import Call, Lake
from s3_data_lake_mcp.models import Model
from s3_data_lake_mcp.settings import PREFIX, Settings
from s3_data_lake_mcp.tools import analysis, discovery, reading
from s3_data_lake_mcp.tools.arguments import Signature
from s3_data_lake_mcp.tools.context import is_offered, offered_clauses
from s3_data_lake_mcp.tools.meant import PAGE_SIZES
from s3_data_lake_mcp.tools.proposals import (
    Proposal,
    attempts,
    misplaced,
    of_one,
    proposal,
    since,
)
from s3_data_lake_mcp.tools.rendering import render
from s3_data_lake_mcp.tools.words import error_lines, next_line
from s3_data_lake_mcp.workers.pool import waited

TOOLS: Mapping[Callable[..., Model], str] = {
    discovery.list_s3_buckets: "List S3 buckets",
    discovery.list_s3_objects: "List S3 objects",
    reading.read_csv_from_s3: "Read CSV from S3",
    reading.read_json_from_s3: "Read JSON from S3",
    reading.read_parquet_from_s3: "Read Parquet from S3",
    analysis.query_csv_data: "Query data with SQL",
    analysis.get_dataset_summary: "Summarize a dataset",
    analysis.get_file_metadata: "Get file metadata",
}
"""Every tool function with its title."""

_LOGGER = logging.getLogger(__name__)
_THREADS = 64
_GRACE_SECONDS = 0.8
_ERROR_PARTS = 4


class LakeTool(Tool):
    """A tool function behind the boundary: arguments in, bounded result or taught error out."""

    _function: Callable[..., Model] = PrivateAttr()
    _signature: Signature = PrivateAttr()
    _lake: Lake = PrivateAttr()
    _hidden: frozenset[str] = PrivateAttr()
    _peers: Mapping[str, "LakeTool"] = PrivateAttr()
    _limiter: anyio.CapacityLimiter | None = PrivateAttr(default=None)

    @classmethod
    def build(cls, function: Callable[..., Model], title: str, lake: Lake) -> "LakeTool":
        """Make the tool of a function: its docstring and annotations are the schema."""
        described = Tool.from_function(function)
        structured = lake.settings.result_content != "text"
        model = function.__annotations__["return"]
        tool = cls(
            name=described.name,
            title=title,
            description=described.description,
            parameters=described.parameters,
            output_schema=slim(model.model_json_schema(mode="serialization"))
            if structured
            else None,
            annotations=ToolAnnotations(
                title=title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=True,
            ),
        )
        tool._function = function
        tool._signature = Signature(function)
        tool._lake = lake
        tool._hidden = switched_off(lake.settings)
        return tool

    def get_meta(self) -> dict[str, Any] | None:  # type: ignore[override] # None: no field at all
        """Return nothing: the framework's tags would cost every client tokens."""
        return None

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Run the function in a thread, under the deadline, and answer in text and structure.

        Raises:
            ToolError: With the contract's error text.
        """
        call = Call(lake=self._lake, tool=self.name, meter=self._lake.meter())
        try:
            values = self._signature.resolve(self._signature.validate(arguments), call)
            call.progress = _reporter()
            result = await self._bounded(call, values)
        except ValidationError as exc:
            # The framework would call it bad arguments; it is an answer that fits no model.
            _LOGGER.exception("an answer does not fit its model", extra={"tool": self.name})
            raise ToolError("internal_error: The answer could not be built.") from exc
        except LakeError as exc:
            told = misplaced(since(exc, call.cursor), arguments, self._signature.place)
            told = of_one(told, self.name)
            call.retold = told is not exc
            follow_up = await self._follow_up(told, arguments, call)
            raise ToolError(self._error_text(told, follow_up), log_level=logging.INFO) from exc
        return self._answer(result, values)

    async def _bounded(self, call: Call, values: dict[str, Any]) -> Model:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_THREADS)
        began = threading.Event()
        queued = self._limiter.available_tokens < 1

        def work() -> Model:
            if call.meter.over:
                raise waited(call.meter) if queued else call.meter.overdue()
            began.set()
            return self._function(**values, call=call)

        try:
            with anyio.fail_after(call.meter.timeout_seconds + _GRACE_SECONDS):
                return await anyio.to_thread.run_sync(
                    work, abandon_on_cancel=True, limiter=self._limiter
                )
        except TimeoutError as exc:
            call.meter.cancel()
            if not began.is_set():
                raise waited(call.meter) from exc
            raise call.meter.overdue() from exc
        except anyio.get_cancelled_exc_class():
            call.meter.cancel()
            raise

    def _answer(self, result: Model, values: dict[str, Any]) -> ToolResult:
        follow_up = None
        if cursor := getattr(result, "next_cursor", ""):
            kept = {"bucket_name", *PAGE_SIZES}
            given = self._signature.given(values)
            follow_up = {k: v for k, v in given.items() if k in kept} | {"cursor": cursor}
        if self._hidden and (notices := getattr(result, "notices", None)):
            told = [offered_clauses(notice, self._hidden) for notice in notices]
            result = result.model_copy(update={"notices": [notice for notice in told if notice]})
        content = self._lake.settings.result_content
        text = render(result, self.name, follow_up, brief=content == "structured")
        if content == "text":
            return ToolResult(content=text)
        structured = scrub_all(result.model_dump(by_alias=True))
        return ToolResult(content=text, structured_content=structured)

    async def _follow_up(
        self, exc: LakeError, arguments: Mapping[str, Any], call: Call
    ) -> Proposal | None:
        """Return the call that comes with an error, if there is one that works."""
        found = proposal(exc, arguments, call, self._signature)
        if found is not None and found.untried:
            found = await self._peers[found.tool].mended(found, call)
        offered = found is not None and is_offered(found.tool, self._lake.settings)
        return found if offered else None

    async def mended(self, found: Proposal, failed: Call) -> Proposal | None:
        """Return a call of this tool that was tried, with what else was wrong in it mended."""
        for call in attempts(found, failed):
            try:
                values = self._signature.validate(found.arguments)
                await self._bounded(call, self._signature.resolve(values, call))
            except DeadlineExceededError:
                return found
            except LakeError as exc:
                again = proposal(exc, found.arguments, call, self._signature)
                if again is None or again.tool != found.tool:
                    return again
                found.arguments = again.arguments
            else:
                return found
        return None

    def _error_text(self, exc: LakeError, follow_up: Proposal | None) -> str:
        share = self._lake.settings.max_result_bytes // _ERROR_PARTS
        lines = error_lines(exc, offered_clauses(exc.hint, self._hidden), share)
        line = next_line(follow_up.tool, follow_up.arguments) if follow_up else ""
        # A call is told whole or not at all.
        if line and len(line.encode()) <= share:
            lines.append(line)
        return "\n".join(lines)


_FAT = frozenset({"title", "additionalProperties", "minimum"})


def slim(schema: object) -> Any:  # noqa: ANN401 - JSON
    """Return an output schema without what costs every client tokens and tells it nothing.

    Titles repeat the names, counts are not negative, and the docstrings of nested models repeat
    the field they stand at.
    """
    if isinstance(schema, list):
        return [slim(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for name, value in schema.items():
        if name in {"properties", "$defs"}:
            kept[name] = {key: slim(item) for key, item in value.items()}
        elif name == "items" and not value:
            # Clients look at each cell for it, and it says nothing: 10 ms a page.
            continue
        elif name not in _FAT and not (name == "description" and "properties" in schema):
            kept[name] = slim(value)
    return kept


def _reporter() -> Callable[[int, int], None]:
    """Return a function for the worker thread that tells the client of progress, once per value.

    The protocol wants each notification to tell of more than the one before.
    """
    context = get_context()
    told = -1

    def report(done: int, total: int) -> None:
        nonlocal told
        if done <= told:
            return
        told = done
        text = f"read {done:,} of {total:,} bytes" if total else f"looked at {done:,} keys"
        anyio.from_thread.run(context.report_progress, done, total or None, text)

    return report


def _names() -> list[str]:
    return [function.__name__ for function in TOOLS]


def enabled(settings: Settings) -> list[str]:
    """Return the names of the tools that are switched on, in order.

    Raises:
        InvalidArgumentError: If a setting names a tool that does not exist, or none where it must.
    """
    names = _names()
    if settings.enabled_tools and not entries(settings.enabled_tools):
        message = f"{PREFIX}ENABLED_TOOLS names no tool"
        raise InvalidArgumentError(message, hint=f"Leave it out for all: {', '.join(names)}.")
    for setting in ("enabled_tools", "disabled_tools"):
        if unknown := sorted({*entries(getattr(settings, setting))} - {*names}):
            message = (
                f"{PREFIX}{setting.upper()} names no tool of this server: {', '.join(unknown)}"
            )
            raise InvalidArgumentError(message, hint=f"The tools are {', '.join(names)}.")
    return [name for name in names if is_offered(name, settings)]


def switched_off(settings: Settings) -> frozenset[str]:
    """Return the names of the tools that are not offered."""
    return frozenset(_names()) - set(enabled(settings))


def register(server: FastMCP, lake: Lake) -> None:
    """Add the tools that are switched on to a server."""
    names = enabled(lake.settings)
    tools = {f.__name__: LakeTool.build(f, title, lake) for f, title in TOOLS.items()}
    for name in names:
        tools[name]._peers = tools  # noqa: SLF001 - of its own class
        server.add_tool(tools[name])
