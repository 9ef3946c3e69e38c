"""Passing over JSON values without keeping them: checked like any other, in a third of the time."""

import json
import re

from s3_data_lake_mcp.loaders.json_scan import TORN_CHARS, refuse_constant
from s3_data_lake_mcp.loaders.json_text import TextWindow

_DECODER = json.JSONDecoder(parse_constant=refuse_constant)
_BLANK = re.compile(r"[ \t\r\n]*")
_COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
_LINE_END = re.compile(r"[ \t\r]*\n")


def value_end(text: str, at: int) -> int:
    """Return where the value at a position ends; -1 if it does not end in the text."""
    try:
        return _DECODER.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return -1


def pass_elements(window: TextWindow, most: int) -> int:
    """Move over elements of an array, behind one; return how many of them were passed.

    Stops before what is doubtful, which is left to `array_items`.
    """
    at, done = window.at, 0
    while done < most and (comma := _COMMA.match(window.text, at)):
        end = value_end(window.text, comma.end())
        if end < 0 or len(window.text) - end < TORN_CHARS:
            break
        at, done = end, done + 1
    window.move(at)
    return done


def pass_lines(window: TextWindow, most: int) -> int:
    """Move over JSON Lines, behind one; return how many of them were passed.

    Stops before what is doubtful, which is left to `line_items`.
    """
    at, done = window.at, 0
    while done < most and not window.damaged:
        start = _BLANK.match(window.text, at)
        end = value_end(window.text, start.end()) if start else -1
        if end < 0 or not _LINE_END.match(window.text, end):
            break
        at, done = end, done + 1
    window.move(at)
    return done
