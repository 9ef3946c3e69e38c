"""What the readers in a query (`read_csv`, `read_json`, `read_parquet`) may be given.

Their sources are literal `s3://` URIs and their options come from an allow-list, with literal
values: what a call reads is known before it runs.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from s3_data_lake_mcp.engines.guard_text import ascii_lower, quoted
from s3_data_lake_mcp.engines.guard_words import READERS
from s3_data_lake_mcp.errors import NotAllowedError, SqlError
from s3_data_lake_mcp.storage.keys import SCHEMES

_COMPOUNDS = {"array_value", "list_value", "map", "row", "struct_pack"}

type Node = Mapping[str, Any]


def is_s3_uri(text: str) -> bool:
    """Tell whether a text is an S3 URI with a bucket."""
    scheme, found, rest = text.partition("://")
    return bool(found) and ascii_lower(scheme) in SCHEMES and rest[:1] not in {"", "/"}


def read_sources(function: str, arguments: Sequence[Node]) -> list[str]:
    """Return the URIs that a call of a reader names, in order.

    Raises:
        NotAllowedError: If a source is no literal `s3://` URI, or an option is not on the list.
        SqlError: If there are more arguments than one source and options.
    """
    sources: list[str] = []
    for position, argument in enumerate(arguments):
        option, value = _option(argument)
        if option:
            _check_option(function, option, value)
        elif position > 0:
            message = f"{function} takes one URI, or one list of them"
            raise SqlError(message, hint=f"Write {function}(['s3://bucket/a', 's3://bucket/b']).")
        else:
            sources = _texts(value)
    foreign = [text for text in sources if not is_s3_uri(text)]
    if foreign or not sources:
        what = quoted(foreign[0]) if foreign else "anything but a literal URI"
        raise NotAllowedError(
            f"{function} of {what} is not allowed",
            hint=f"Write the s3:// URI itself: {function}('s3://bucket/key').",
        )
    return sources


def _option(argument: Node) -> tuple[str, Node]:
    """Split a named argument; `name := x`, `name => x` and `name = x` all name an option."""
    expression: Node = argument["expression"]
    if argument.get("name"):
        return ascii_lower(argument["name"]), expression
    left = expression.get("left") or {}
    if expression.get("type") == "COMPARE_EQUAL" and left.get("class") == "COLUMN_REF":
        return ascii_lower(left["column_names"][-1]), expression["right"]
    return "", expression


def _check_option(function: str, option: str, value: Node) -> None:
    if option not in READERS[function]:
        near = get_close_matches(option, READERS[function], n=1)
        raise NotAllowedError(
            f"The option {quoted(option)} of {function} is not allowed",
            hint=f"Is it {near[0]}?" if near else "Leave it out.",
        )
    if not _is_literal(value):
        message = f"The option {quoted(option)} of {function} is not a literal"
        raise NotAllowedError(message, hint="Write its value itself.")


def _is_literal(value: Node) -> bool:
    if value["class"] == "FUNCTION" and value["function_name"] in _COMPOUNDS:
        return all(_is_literal(argument["expression"]) for argument in value["arguments"])
    # A bare word, such as `delim = comma`, is a column that is not there, and so its own name.
    return value["class"] in {"CONSTANT", "COLUMN_REF"}


def _texts(value: Node) -> list[str]:
    """Return the texts of a string literal or of a list of them; nothing for all else."""
    if value["class"] == "FUNCTION" and value["function_name"] == "list_value":
        parts = [_texts(argument["expression"]) for argument in value["arguments"]]
        return [text for part in parts for text in part] if all(parts) else []
    literal = value.get("literal") or {}
    is_text = value["class"] == "CONSTANT" and literal.get("kind") == "STRING"
    return [str(literal["text"])] if is_text else []
