"""This server as an agent meets it: a process that speaks MCP over stdio, called by a client.

The client runs here and is not measured; the server and its workers are this process's children.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from protocol import Desk, NotSupportedError, Request

READERS: Mapping[str, str] = {
    "csv": "read_csv_from_s3",
    "json": "read_json_from_s3",
    "jsonl": "read_json_from_s3",
    "parquet": "read_parquet_from_s3",
}
_BASIS: Mapping[str, str] = {"profile": "exact", "footer": "footer", "sample": "sample"}


class ServerSide:
    """The operations, as tool calls."""

    def __init__(self, client: Client[Any]) -> None:
        self._client = client
        self._cursor = ""

    async def perform(self, request: Request) -> object:
        """Answer one request."""
        operations = {
            "together": self._together,
            "prepare": self._prepare,
            "page": self._page,
            "query": self._query,
            "profile": self._profile,
            "footer": self._profile,
            "sample": self._profile,
            "find": self._find,
            "buckets": self._buckets,
        }
        if request["op"] not in operations:
            raise NotSupportedError(request["op"])
        return await operations[request["op"]](request)

    async def _together(self, request: Request) -> list[object]:
        return await asyncio.gather(*map(self.perform, request["requests"]))

    async def _prepare(self, request: Request) -> None:
        """Page to the offset asked for and keep the cursor that stands there."""
        before = {
            "bucket_name": request["bucket"],
            "object_key": request["key"],
            "offset": request["offset"] - 1,
            "max_rows": 1,
        }
        answer = await self._call(READERS[request["format"]], before)
        self._cursor = answer["next_cursor"]

    async def _call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        result = await self._client.call_tool_mcp(tool, dict(arguments))
        if result.is_error:
            raise RuntimeError(getattr(result.content[0], "text", "no text"))
        structured: dict[str, Any] = result.structured_content or {}
        return structured

    async def _page(self, request: Request) -> dict[str, Any]:
        """Read a page; if the server cuts it by bytes, go on by its cursors as an agent would."""
        name = "records" if request["format"] in {"json", "jsonl"} else "rows"
        arguments: dict[str, Any] = {
            "bucket_name": request["bucket"],
            "object_key": request["key"],
            f"max_{name}": request["rows"],
        }
        if request.get("via") == "cursor":
            arguments = {
                "bucket_name": request["bucket"],
                "cursor": self._cursor,
                f"max_{name}": request["rows"],
            }
        elif request["offset"]:
            arguments["offset"] = request["offset"]
        tool = READERS[request["format"]]
        answer = await self._call(tool, arguments)
        found = list(answer[name])
        while len(found) < request["rows"] and answer["next_cursor"]:
            more = {
                "bucket_name": request["bucket"],
                "cursor": answer["next_cursor"],
                f"max_{name}": request["rows"] - len(found),
            }
            answer = await self._call(tool, more)
            found += answer[name]
        if name == "records":
            return {"records": found}
        return {"columns": [column["name"] for column in answer["columns"]], "rows": found}

    async def _query(self, request: Request) -> dict[str, Any]:
        from queries import Query  # noqa: PLC0415 - the others start without it

        arguments = {
            "bucket_name": request["bucket"],
            "object_key": request["key"],
            "sql": Query.from_json(request["query"]).sql("data", request.get("words", "")),
            "max_rows": 1_000,
        }
        answer = await self._call("query_csv_data", arguments)
        return {
            "columns": [column["name"] for column in answer["columns"]],
            "rows": answer["rows"],
        }

    async def _profile(self, request: Request) -> dict[str, Any]:
        arguments = {
            "bucket_name": request["bucket"],
            "prefix": request["key"],
            "basis": _BASIS[request["op"]],
        }
        profile = (await self._call("get_dataset_summary", arguments))["profile"]
        return {
            "rows": profile["rows"],
            "columns": {column["name"]: column for column in profile["columns"]},
        }

    async def _find(self, request: Request) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "bucket_name": request["bucket"],
            "prefix": request["prefix"],
            "pattern": f"**/{request['name']}",
        }
        found: list[str] = []
        while True:
            answer = await self._call("list_s3_objects", arguments)
            found += [item["key"] for item in answer["objects"]]
            if not answer["next_cursor"]:
                return {"found": found}
            arguments = {"bucket_name": request["bucket"], "cursor": answer["next_cursor"]}

    async def _buckets(self, _: Request) -> dict[str, str]:
        answer = await self._call("list_s3_buckets", {"max_buckets": 1_000})
        return {bucket["name"]: bucket["access"] for bucket in answer["buckets"]}


def transport() -> StdioTransport:
    """Return the server's process, in the environment that this one got."""
    return StdioTransport(
        command=sys.executable,
        args=["-m", "s3_data_lake_mcp", "serve"],
        env=dict(os.environ),
        keep_alive=False,
    )


async def _serve() -> None:
    async with Client(transport()) as client:
        await client.list_tools()
        side = ServerSide(client)
        desk = Desk({"s3-data-lake-mcp": version("s3-data-lake-mcp"), "duckdb": version("duckdb")})
        requests = desk.requests()
        while (request := await asyncio.to_thread(next, requests, None)) is not None:
            began = time.perf_counter()
            try:
                answer = await side.perform(request)
            except Exception as error:  # noqa: BLE001 - whatever it fails with is its result
                desk.refuse(error)
            else:
                desk.reply(time.perf_counter() - began, answer)


if __name__ == "__main__":
    asyncio.run(_serve())
