"""Writes the reference pages from the product itself: run by cog, see `CONTRIBUTING.md`."""

import enum
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from fastmcp.tools.base import Tool
from pydantic import BaseModel, ByteSize, SecretStr
from pydantic.fields import FieldInfo

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.settings import PREFIX, Settings
from s3_data_lake_mcp.tools.registry import TOOLS

_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def tools() -> str:
    """Return a section for each tool: what it does, its parameters and its result."""
    return "\n".join(line for function in TOOLS for line in _tool(function))


def _tool(function: Any) -> Iterator[str]:  # noqa: ANN401 - any of the tool functions
    described = Tool.from_function(function)
    schema = described.parameters
    yield f"\n## {described.name}\n"
    yield f"{described.description}\n"
    yield "| parameter | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in schema["properties"].items():
        default = "required" if name in schema.get("required", ()) else _code(field["default"])
        yield f"| `{name}` | {_schema_type(field)} | {default} | {_cell(field['description'])} |"
    model = function.__annotations__["return"]
    yield "\nThe structured result:\n"
    yield "```text"
    for name, info in model.model_fields.items():
        meaning = " ".join((info.description or "").split())
        line = f"{info.alias or name}: {_model_type(info.annotation)}"
        yield f"{line:<40}  {meaning}".rstrip()
    yield "```"


def settings() -> str:
    """Return a table of the settings."""
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, info in Settings.model_fields.items():
        meaning = _cell(info.description or "")
        kind = _setting_type(info)
        lines.append(f"| `{PREFIX}{name.upper()}` | {kind} | {_default(info)} | {meaning} |")
    return "\n".join(lines)


def errors() -> str:
    """Return a table of the error codes, in the order of their tree."""
    lines = ["| code | what happened | kind | worth a retry |", "|---|---|---|---|"]
    for cls, kind in _leaves(LakeError):
        retry = "yes" if cls.retryable else ""
        lines.append(f"| `{cls.code}` | {_first_line(cls)} | {kind} | {retry} |")
    return "\n".join(lines)


def _leaves(cls: type[LakeError], kind: str = "") -> Iterator[tuple[type[LakeError], str]]:
    for child in cls.__subclasses__():
        if "code" in vars(child):
            yield child, kind
        yield from _leaves(child, _first_line(child))


def _first_line(cls: type[LakeError]) -> str:
    return _cell((cls.__doc__ or "").split("\n")[0])


def _schema_type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " \\| ".join(_code(value) for value in field["enum"])
    kind = str(field["type"])
    if kind == "array":
        kind = f"array of {field['items']['type']}s"
    return f"{kind} ≥ {field['minimum']}" if "minimum" in field else kind


def _model_type(  # noqa: PLR0911 - one line for each kind of annotation
    annotation: Any,  # noqa: ANN401 - as the models have them
) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(str(value) for value in arguments)
    if origin is list:
        return f"[{_model_type(arguments[0])}]"
    if origin is dict:
        return f"{{name: {_model_type(arguments[1])}}}"
    if origin in {Union, types.UnionType}:
        return " | ".join(_model_type(part) for part in arguments)
    if origin is not None:
        return _model_type(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return "{" + ", ".join(info.alias or name for name, info in fields) + "}"
    names = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return names.get(annotation, "any")


def _setting_type(info: FieldInfo) -> str:
    annotation: Any = info.annotation
    if get_origin(annotation) is Literal:
        return " \\| ".join(_code(value) for value in get_args(annotation))
    names = {str: "text", bool: "`true` \\| `false`", int: "integer > 0", float: "number > 0"}
    return names.get(annotation, "size" if annotation is ByteSize else "text")


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "computed"
    if isinstance(info.default, SecretStr):
        return _code(info.default.get_secret_value())
    if _setting_type(info) == "size":
        for unit, name in _SIZES:
            if info.default % unit == 0:
                return _code(f"{info.default // unit}{name}")
    return _code(info.default)


def _code(value: object) -> str:
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if value != "" else '`""`'


def _cell(text: str) -> str:
    """Return text as it may stand in a cell of a table."""
    if "`" not in text:
        text = text.replace("*", "\\*")
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
