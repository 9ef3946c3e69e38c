"""The tour: a real MCP client asks a real server process, over stdio, about the demo lake."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any, TextIO

import anyio
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import McpError

from s3_data_lake_mcp.demo.catalogue import BUCKETS
from s3_data_lake_mcp.demo.lake import DemoLake
from s3_data_lake_mcp.demo.questions import MISHAPS, QUESTIONS, Question
from s3_data_lake_mcp.demo.screen import Outcome, Screen, make_console
from s3_data_lake_mcp.settings import PREFIX

_NEXT = "next: "


def run_tour(lake: DemoLake) -> int:
    """Show every tool at work on the demo lake; return 0 if all answered as they should.

    What the server logs is kept off the screen, and shown only if something went wrong.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        failed = anyio.run(_tour, lake, Screen(make_console()), log)
        if failed:
            log.seek(0)
            sys.stderr.write(log.read())
    return failed


async def _tour(lake: DemoLake, screen: Screen, log: TextIO) -> int:
    began = time.monotonic()
    screen.say("S3 Data Lake MCP on a demo lake: an embedded S3 on loopback, made-up data.", "bold")
    screen.say(
        "A real MCP client asks the server over stdio. What you see is what a model sees, "
        "with long answers cut and tabs shown as columns.",
        "dim",
    )
    async with Client(_server(lake, log)) as client:
        tools = [tool.name for tool in await client.list_tools()]
        await anyio.to_thread.run_sync(lake.wait)
        screen.say(
            f"{len(BUCKETS)} buckets at {lake.url} and {len(tools)} tools "
            f"after {time.monotonic() - began:.1f} s.",
            "dim",
        )
        guide = Guide(client, screen)
        outcomes = [await guide.ask(question) for question in QUESTIONS]
        screen.heading("And what usually goes wrong")
        mishaps = [await guide.ask(question) for question in MISHAPS]
    screen.results([*outcomes, *mishaps])
    answered = {outcome.question.tool for outcome in outcomes if outcome.right}
    right = all(outcome.right for outcome in [*outcomes, *mishaps])
    complete = right and answered == set(tools)
    screen.say(
        f"\n{len(answered)} of {len(tools)} tools answered · "
        f"{sum(outcome.right for outcome in mishaps)} of {len(mishaps)} mishaps explained · "
        f"{time.monotonic() - began:.1f} s",
        "bold green" if complete else "bold red",
    )
    screen.say("Keep it up for your IDE: s3-data-lake-mcp demo --serve", "dim")
    return 0 if complete else 1


def _server(lake: DemoLake, log: TextIO) -> StdioTransport:
    """Return the way to a server process at its default settings, whatever this shell has."""
    environment = {
        name: value for name, value in lake.environment().items() if not name.startswith(PREFIX)
    }
    return StdioTransport(
        sys.executable,
        ["-m", "s3_data_lake_mcp", "serve"],
        env=environment,
        cwd=os.sep,  # so that no `.env` of the user's is read
        keep_alive=False,
        log_file=log,
    )


class Guide:
    """Asks questions, shows the answers and judges them."""

    def __init__(self, client: Client[Any], screen: Screen) -> None:
        self._client = client
        self._screen = screen

    async def ask(self, question: Question) -> Outcome:
        """Ask one question; if it must be refused, also make the call that the error proposes."""
        self._screen.question(question)
        text, failed, scan, seconds = await self._call(question.tool, question.arguments)
        right = failed == bool(question.refusal) and question.expect in text
        if question.refusal:
            right = right and text.startswith(f"{question.refusal}: ")
        self._screen.answer(text, seconds, right=right)
        if right and question.mended:
            right, scan, more = await self._mend(text)
            seconds += more
        return Outcome(question=question, right=right, seconds=seconds, scan=scan)

    async def _mend(self, text: str) -> tuple[bool, Mapping[str, int], float]:
        line = next((line for line in text.split("\n") if line.startswith(_NEXT)), "")
        if not line:
            return False, {}, 0.0
        call = json.loads(line.removeprefix(_NEXT))
        self._screen.call(call["tool"], call["arguments"])
        answer, failed, scan, seconds = await self._call(call["tool"], call["arguments"])
        self._screen.answer(answer, seconds, right=not failed)
        return not failed, scan, seconds

    async def _call(
        self, tool: str, arguments: Mapping[str, object]
    ) -> tuple[str, bool, Mapping[str, int], float]:
        began = time.monotonic()
        try:
            result = await self._client.call_tool(tool, dict(arguments), raise_on_error=False)
        except McpError as exc:
            return str(exc), True, {}, time.monotonic() - began
        seconds = time.monotonic() - began
        text = "\n".join(block.text for block in result.content if block.type == "text")
        structured = result.structured_content or {}
        return text, result.is_error, structured.get("scan", {}), seconds
