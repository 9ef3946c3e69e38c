"""What is measured otherwise: starting, the overhead of a call, and tokens."""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from jobs import ROWS
from lab import HERE, SIDES, BedProcess, Side, SideError, SideKind, environment
from questions import QUESTIONS

_COUNTER: Final = SideKind(
    name="tokens", title="tokens", script="token_counter.py", own_environment=True
)
_SMALL_CSV: Final = "warm/customers.csv"
_CALLS: Final = 50
_FIRST_PAGE: Final = {
    "op": "page",
    "bucket": "lake",
    "key": "demo/customers.csv",
    "plain_key": "demo/customers.csv",
    "format": "csv",
    "offset": 0,
    "rows": ROWS,
}


def _client(bed: BedProcess, arguments: Sequence[str]) -> Client[Any]:
    transport = StdioTransport(
        command=sys.executable, args=list(arguments), env=environment(bed), keep_alive=False
    )
    return Client(transport)


def _server(bed: BedProcess) -> Client[Any]:
    return _client(bed, ["-m", "s3_data_lake_mcp", "serve"])


def _empty(bed: BedProcess) -> Client[Any]:
    return _client(bed, [str(HERE / "sides" / "empty_server.py")])


async def _start(client: Client[Any], *, answer: bool) -> tuple[float, float]:
    """Return the seconds from no process to `tools/list`, and on to a first page."""
    began = time.perf_counter()
    async with client:
        await client.list_tools()
        listed = time.perf_counter() - began
        if answer:
            place = {"bucket_name": "lake", "object_key": _FIRST_PAGE["key"]}
            result = await client.call_tool_mcp("read_csv_from_s3", place)
            if result.is_error:
                message = getattr(result.content[0], "text", "no text")
                raise SideError(message)
        return listed, time.perf_counter() - began


def _spread(seconds: Sequence[float]) -> dict[str, Any]:
    return {
        "seconds": statistics.median(seconds),
        "least": min(seconds),
        "most": max(seconds),
        "runs": len(seconds),
    }


def cold_start(bed: BedProcess, sides: Sequence[str], runs: int) -> dict[str, Any]:
    """Measure from no process to `tools/list`, and to the first page of a 10 MB CSV."""
    listed: dict[str, list[float]] = {"server": [], "empty": []}
    answered: dict[str, list[float]] = {"server": []}
    for _ in range(runs):
        listed["empty"].append(asyncio.run(_start(_empty(bed), answer=False))[0])
        first, last = asyncio.run(_start(_server(bed), answer=True))
        listed["server"].append(first)
        answered["server"].append(last)
        for name in sides:
            if name in {"whole", "httpfs", "polars", "boto3"}:
                side = Side(SIDES[name], bed)
                seconds = side.start_seconds + side.ask(_FIRST_PAGE)[0]
                side.stop()
                answered.setdefault(name, []).append(seconds)
    return {
        "tools_list": {name: _spread(seconds) for name, seconds in listed.items()},
        "first_answer": {name: _spread(seconds) for name, seconds in answered.items()},
    }


async def _overhead(
    client: Client[Any], tool: str, asked: Sequence[Mapping[str, Any]]
) -> list[float]:
    seconds = []
    async with client:
        await client.list_tools()
        for arguments in asked:
            began = time.perf_counter()
            await client.call_tool_mcp(tool, dict(arguments))
            seconds.append(time.perf_counter() - began)
    return seconds[_CALLS // 5 :]


def overhead(bed: BedProcess) -> dict[str, Any]:
    """Measure trivial calls on loopback: of an empty tool, one that is refused, two that read."""
    calls: Mapping[str, tuple[Callable[[BedProcess], Client[Any]], str, Mapping[str, Any]]] = {
        "an empty FastMCP tool": (_empty, "nothing_0", {}),
        "a call refused before S3": (_server, "read_csv_from_s3", {"bucket_name": "http://x/y"}),
        "list an empty bucket (1 request)": (
            _server,
            "list_s3_objects",
            {"bucket_name": "team-00"},
        ),
        "first 10 rows of a CSV (1 request, in a worker)": (
            _server,
            "read_csv_from_s3",
            {"bucket_name": "lake", "object_key": _SMALL_CSV, "max_rows": 10},
        ),
    }
    bed.profile("loopback")
    try:
        return {
            title: _spread(asyncio.run(_overhead(start(bed), tool, [arguments] * _CALLS)))
            for title, (start, tool, arguments) in calls.items()
        }
    finally:
        bed.profile("s3")


def small_query(bed: BedProcess) -> dict[str, Any]:
    """Measure a query of a small CSV over stdio: of the same object on loopback, of new on `s3`."""
    query = {"bucket_name": "lake"}
    sql = "SELECT count(*) AS n FROM data"
    # Each in other words: an answer that is remembered is no query.
    again = [query | {"sql": f"{sql} -- {n}", "object_key": _SMALL_CSV} for n in range(_CALLS)]
    anew = [
        query | {"sql": sql, "object_key": f"run-{9_000 + n}/{_SMALL_CSV}"} for n in range(_CALLS)
    ]
    found = {}
    try:
        for profile, asked in (("loopback", again), ("s3", anew)):
            bed.profile(profile)
            seconds = asyncio.run(_overhead(_server(bed), "query_csv_data", asked))
            found[profile] = _spread(seconds)
    finally:
        bed.profile("s3")
    return found


async def _texts(client: Client[Any]) -> list[dict[str, str]]:
    """Return what the model reads of `tools/list` and of each answer, and the same as JSON."""
    async with client:
        tools = (await client.list_tools_mcp()).model_dump(mode="json", by_alias=True)["tools"]
        schemas = [
            {name: tool[name] for name in ("name", "description", "inputSchema")} for tool in tools
        ]
        texts = [
            {"question": "tools/list", "text": json.dumps(schemas), "rows_as_json": "", "error": ""}
        ]
        for question, (tool, arguments) in QUESTIONS.items():
            result = await client.call_tool_mcp(tool, dict(arguments))
            text = "\n".join(getattr(block, "text", "") for block in result.content)
            plain = _as_objects(result.structured_content or {})
            error = text.splitlines()[0] if result.is_error else ""
            texts.append(
                {"question": question, "text": text, "rows_as_json": plain, "error": error}
            )
    return texts


def _as_objects(structured: Mapping[str, Any]) -> str:
    """Return rows as the first servers of this kind send them: indented JSON objects."""
    if "rows" in structured:
        names = [column["name"] for column in structured["columns"]]
        rows = [dict(zip(names, row, strict=True)) for row in structured["rows"]]
    elif structured.get("records"):
        rows = structured["records"]
    else:
        return ""
    return json.dumps({"status": "success", "data": rows}, indent=2)


def tokens(bed: BedProcess) -> dict[str, Any]:
    """Count the tokens of `tools/list` and of the answers to the set questions."""
    texts = asyncio.run(_texts(_server(bed)))
    counter = Side(_COUNTER, bed)
    counts = {
        name: counter.ask({"op": "count", "texts": [item[name] for item in texts]})[1]
        for name in ("text", "rows_as_json")
    }
    counter.stop()
    return {
        "encoding": "o200k_base",
        "questions": [
            {
                "question": item["question"],
                "bytes": len(item["text"].encode()),
                "tokens": text,
                "tokens_as_json": plain or None,
                "error": item["error"],
            }
            for item, text, plain in zip(texts, counts["text"], counts["rows_as_json"], strict=True)
        ],
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on: cores, memory, model of the processor."""
    model = "unknown"
    with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - no path of ours
        for line in lines:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1), "processor": model}
