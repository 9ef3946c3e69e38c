"""What `tools/list` says: eight tools, flat schemas that every client takes, few bytes."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.models import Model
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.tools.guides import instructions
from s3_data_lake_mcp.tools.registry import TOOLS

NAMES = [
    "list_s3_buckets",
    "list_s3_objects",
    "read_csv_from_s3",
    "read_json_from_s3",
    "read_parquet_from_s3",
    "query_csv_data",
    "get_dataset_summary",
    "get_file_metadata",
]
PARAMETERS = {
    "list_s3_buckets": {
        "name_contains": "",
        "check_access": True,
        "max_buckets": 100,
        "cursor": "",
    },
    "list_s3_objects": {
        "bucket_name": ...,
        "prefix": "",
        "pattern": "",
        "delimiter": "",
        "format": "",
        "min_size_bytes": 0,
        "max_size_bytes": 0,
        "modified_after": "",
        "modified_before": "",
        "max_keys": 100,
        "cursor": "",
    },
    "read_csv_from_s3": {
        "bucket_name": ...,
        "object_key": "",
        "max_rows": 100,
        "offset": 0,
        "columns": [],
        "delimiter": "",
        "encoding": "",
        "has_header": "auto",
        "cursor": "",
    },
    "read_json_from_s3": {
        "bucket_name": ...,
        "object_key": "",
        "max_records": 100,
        "offset": 0,
        "path": "",
        "cursor": "",
    },
    "read_parquet_from_s3": {
        "bucket_name": ...,
        "object_key": "",
        "max_rows": 100,
        "offset": 0,
        "columns": [],
        "where": "",
        "cursor": "",
    },
    "query_csv_data": {
        "bucket_name": ...,
        "object_key": "",
        "sql": "",
        "filter_column": "",
        "filter_operator": "auto",
        "filter_value": "",
        "columns": [],
        "max_rows": 100,
        "dry_run": False,
        "cursor": "",
    },
    "get_dataset_summary": {"bucket_name": ..., "prefix": "", "columns": [], "basis": "auto"},
    "get_file_metadata": {"bucket_name": ..., "object_key": "", "version_id": ""},
}
_TYPES = {"string", "integer", "number", "boolean", "array"}
_REFUSED = {"anyOf", "oneOf", "allOf", "$ref", "$defs", "format", "properties", "not", "const"}


async def _listed(**given: str) -> list[dict[str, Any]]:
    settings = Settings(_env_file=None, **given)  # type: ignore[call-arg, arg-type] # a keyword of pydantic-settings itself
    with contextlib.closing(Lake.connect(settings)) as lake:
        async with Client(build_server(lake)) as client:
            tools = await client.list_tools()
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


def _bytes(tools: list[dict[str, Any]], *, without: str = "") -> int:
    kept = [{k: v for k, v in tool.items() if k != without} for tool in tools]
    return len(json.dumps({"tools": kept}, ensure_ascii=False, separators=(",", ":")).encode())


async def test_there_are_eight_tools_in_order() -> None:
    """Exactly the contract's eight."""
    assert [tool["name"] for tool in await _listed()] == NAMES


async def test_the_list_is_small() -> None:
    """Under 10,000 bytes without output schemas, under 24,000 with them."""
    tools = await _listed()
    assert _bytes(tools, without="outputSchema") < 10_000
    assert _bytes(tools) < 24_000


async def test_parameters_and_defaults_are_the_contract() -> None:
    """Names, order, what is required, and every default shown."""
    for tool in await _listed():
        schema = tool["inputSchema"]
        shown = {
            name: ... if name in schema.get("required", []) else field["default"]
            for name, field in schema["properties"].items()
        }
        assert shown == PARAMETERS[tool["name"]]
        assert list(shown) == list(PARAMETERS[tool["name"]])


async def test_input_schemas_are_flat() -> None:
    """Only what Kiro, Gemini, Cursor and Bedrock Converse take."""
    for tool in await _listed():
        schema = tool["inputSchema"]
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        for name, field in schema["properties"].items():
            assert not _REFUSED & field.keys(), name
            assert field["type"] in _TYPES, name
            assert field["description"], name
            assert len(field["description"]) < 160, name
            if field["type"] == "array":
                assert field["items"] == {"type": "string"}, name
            assert all(isinstance(value, str) for value in field.get("enum", [])), name
            assert None not in field.values(), name


async def test_annotations_say_read_only() -> None:
    """Clients that drop tools without the hint keep all eight."""
    for tool in await _listed():
        notes = tool["annotations"]
        assert notes.pop("title") == tool["title"]
        assert notes == {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        }


def _offered(**changes: str) -> Settings:
    return Settings(_env_file=None, **changes)  # type: ignore[call-arg, arg-type] # any setting


def test_instructions_are_short_and_name_the_fence() -> None:
    """At most 1,600 characters, and every tool but the three that read by format."""
    told = instructions(_offered())
    assert len(told) <= 1_600
    assert "<<data" in told
    assert "untrusted" in told
    assert [name for name in NAMES if name not in told] == NAMES[2:5]


@pytest.mark.parametrize(
    "enabled",
    ["", "read_csv_from_s3", "list_s3_objects,query_csv_data", ",".join(NAMES[:2]), NAMES[-1]],
)
async def test_nothing_names_a_tool_that_is_switched_off(enabled: str) -> None:
    """Instructions, prompts and tools name the tools that are offered alone."""
    settings = _offered(enabled_tools=enabled)
    texts = [instructions(settings)]
    with contextlib.closing(Lake.connect(settings)) as lake:
        async with Client(build_server(lake)) as client:
            tools = await client.list_tools()
            texts += [tool.model_dump_json(exclude={"name"}) for tool in tools]
            for prompt in await client.list_prompts():
                values = {argument.name: "s3://b/k" for argument in prompt.arguments or ()}
                for arguments in (values, {k: v for k, v in values.items() if "uri" in k}):
                    got = await client.get_prompt(prompt.name, arguments)
                    texts.append(str(got.messages[0].content))
    whole = "\n".join(texts)
    offered = enabled.split(",") if enabled else NAMES
    assert [name for name in NAMES if name in whole and name not in offered] == []
    assert "  " not in whole
    assert " ." not in whole


@pytest.mark.parametrize("content", ["both", "structured"])
async def test_output_schemas_are_declared_with_structured_content(content: str) -> None:
    """Every field of an answer is in its schema."""
    for tool in await _listed(result_content=content):
        assert tool["outputSchema"]["type"] == "object"
        assert set(tool["outputSchema"]["required"]) <= set(tool["outputSchema"]["properties"])


async def test_no_client_looks_at_cells_for_nothing() -> None:
    """Validators in Python take 10 ms for the cells of a page where any value is allowed."""
    for tool in await _listed():
        assert '"items": {}' not in json.dumps(tool["outputSchema"])
        rows = tool["outputSchema"]["properties"].get("rows")
        assert rows in (None, {"type": "array", "items": {"type": "array"}})


async def test_text_alone_declares_no_output_schema() -> None:
    """Hosts that show both to the model can have one."""
    assert all("outputSchema" not in tool for tool in await _listed(result_content="text"))


async def test_a_tool_that_is_switched_off_is_not_listed() -> None:
    """Feature flags hide tools."""
    tools = await _listed(disabled_tools="query_csv_data, get_dataset_summary")
    assert [t["name"] for t in tools] == [
        n for n in NAMES if n not in {"query_csv_data", "get_dataset_summary"}
    ]
    tools = await _listed(enabled_tools="list_s3_objects,list_s3_buckets")
    assert [t["name"] for t in tools] == NAMES[:2]


def _models(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for child in model.__subclasses__():
        yield from _models(child)


def test_every_tool_answers_with_a_model() -> None:
    """Each return annotation is one of the closed models."""
    known = set(_models(Model))
    assert all(function.__annotations__["return"] in known for function in TOOLS)
