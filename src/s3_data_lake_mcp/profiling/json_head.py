"""What the beginning of a JSON document tells, although the document goes on behind it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from s3_data_lake_mcp.loaders.json_open import announces_lines
from s3_data_lake_mcp.loaders.json_scan import parse_fraction, parse_integer, refuse_constant
from s3_data_lake_mcp.loaders.json_text import detect_encoding

_SPACE = " \t\r\n"

_DECODER = json.JSONDecoder(
    parse_constant=refuse_constant, parse_float=parse_fraction, parse_int=parse_integer
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonHead:
    """Layout, keys and first records, as far as the beginning shows them; `layout` may be empty."""

    layout: str
    keys: list[str] = field(default_factory=list)
    records: list[object] = field(default_factory=list)


def read_head(head: bytes, key: str) -> JsonHead:
    """Return what the first bytes of a document tell.

    `head` is decompressed, and cut off anywhere. The suffix of `key` may announce JSON Lines.
    """
    encoding, mark = detect_encoding(head)
    text = head[mark:].decode(encoding, "replace")
    at = _skip(text, 0)
    lines = announces_lines(key)
    if text[at : at + 1] == "[" and not lines:
        first = _skip(text, at + 1)
        told = _listed("array", _elements(text, first))
        opened = text[first : first + 1] == "{" and not told.records
        return replace(told, keys=_open_keys(text, first)) if opened else told
    found = _value(text, at)
    if found is None:
        opened = text[at : at + 1] == "{"
        layout = "lines" if lines else "object" if opened else ""
        return JsonHead(layout=layout, keys=_open_keys(text, at) if opened else [])
    value, end = found
    follows = _skip(text, end)
    if lines or ("\n" in text[end:follows] and follows < len(text)):
        return _listed("lines", _lines(text, at))
    layout = "object" if isinstance(value, dict) else "scalar"
    return JsonHead(layout=layout, keys=_keys([value]))


def _listed(layout: str, records: Iterator[object]) -> JsonHead:
    known = list(records)
    return JsonHead(layout=layout, keys=_keys(known), records=known)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _value(text: str, at: int) -> tuple[object, int] | None:
    """Return a value and its end; None if it is cut off, or no JSON."""
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def _elements(text: str, at: int) -> Iterator[object]:
    at = _skip(text, at)
    while (found := _value(text, at)) is not None:
        value, end = found
        at = _skip(text, end)
        # A number at the text's end may go on behind it.
        if at >= len(text) or text[at] not in ",]":
            return
        yield value
        if text[at] == "]":
            return
        at = _skip(text, at + 1)


def _lines(text: str, at: int) -> Iterator[object]:
    # Strings may hold characters that other texts end lines with.
    for line in text[at:].split("\n")[:-1]:
        if line.strip() and (found := _value(line.strip(), 0)) is not None:
            yield found[0]


def _open_keys(text: str, at: int) -> list[str]:
    """Return the keys of an object that is cut off."""
    keys: list[str] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        name = _value(text, at)
        if name is None or not isinstance(name[0], str):
            break
        colon = _skip(text, name[1])
        if text[colon : colon + 1] != ":":
            break
        keys.append(name[0])
        found = _value(text, _skip(text, colon + 1))
        if found is None:
            break
        at = _skip(text, found[1])
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    return keys


def _keys(values: list[object]) -> list[str]:
    return list(dict.fromkeys(key for value in values if isinstance(value, dict) for key in value))
