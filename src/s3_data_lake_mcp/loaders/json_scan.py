"""JSON values out of a text window, one after another. RFC 8259 is the judge."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Never

from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.fence import first_of, plural
from s3_data_lake_mcp.loaders import RowNotice
from s3_data_lake_mcp.loaders.json_text import TextWindow
from s3_data_lake_mcp.wire.values import MAX_LEVELS

RECORD_BYTES = 32 << 20
"""Longest text of one element or line."""

DOCUMENT_BYTES = 64 << 20
"""Longest text of a document that must be parsed whole; its values take about ten times that."""

SPACE = " \t\n\r"
MAX_DIGITS = 17
"""Digits that a double may have; a number with more stays as it is written."""

_EXACT_DIGITS = 15
_MAX_INT_DIGITS = 38
_SMALLEST_NORMAL = 2.2250738585072014e-308
_WHOLE_BOUND = 2.0**53
TORN_CHARS = 16
"""An error this near to the text's end may only be a token cut in two (`\\ud83d\\ude0`, `tru`)."""
_DOCUMENT_GROWTH = 8
_HOPELESS_LINES = 100
_NAMED_LINES = 20
_LEADING = re.compile(r"^-?[0.]*")
_MEND = "Mend the document there (RFC 8259). One value a line is read if the key ends in .jsonl."
MEND_LINES = "JSON Lines have one value a line and nothing between: write it so, or as one array."


class NotJson(ValueError):  # noqa: N818 - a reason that travels up, not an error on its own
    """Says what the text breaks and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One value, and where the text goes on behind it."""

    value: object
    byte: int
    line: int


class BadLines:
    """Counts lines that are not JSON, and remembers the first ones."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[int] = []
        self.reason = ""

    def add(self, line: int, reason: str) -> None:
        """Remember one line."""
        self.count += 1
        self.reason = self.reason or reason
        if len(self._named) < _NAMED_LINES:
            self._named.append(line)

    def notice(self, count: int | None = None) -> RowNotice:
        """Say how many lines, at least one, are left out; or so of the first `count` of them."""
        count = self.count if count is None else count
        names = first_of(self._named[:count], _NAMED_LINES, count)
        subject = plural(count, "line", "is", "are")
        word = "line" if count == 1 else "lines"
        return RowNotice(f"{subject} not JSON and left out", f": {word} {names} ({self.reason})")


def parse_integer(text: str) -> int | str:
    """Return an integer, or its digits if it is too wide for any database type."""
    return int(text) if len(text) <= _MAX_INT_DIGITS else text


def parse_fraction(text: str) -> float | str:
    """Return a double, or the text as written if it has more digits than doubles have.

    So has what is too large or too small for one, or a whole number that it would change.
    """
    number = float(text)
    if len(text) <= _EXACT_DIGITS and "e" not in text and "E" not in text:
        return number
    mantissa = text.lower().partition("e")[0]
    digits = _LEADING.sub("", mantissa).replace(".", "")
    if len(digits) > MAX_DIGITS or math.isinf(number) or (number == 0 and digits):
        return text
    if number == 0 or _SMALLEST_NORMAL <= abs(number) < _WHOLE_BOUND:
        return number
    written = format(number, f".{max(len(digits), 1) - 1}e")
    return number if repr(number) == text or Decimal(written) == Decimal(text) else text


def refuse_constant(name: str) -> Never:
    """Refuse `NaN` and the like, which Python takes for numbers."""
    raise NotJson(f"{name} is not a JSON value")


def check_depth(value: object, limit: int, subject: str) -> None:
    """Raise `LimitExceededError` if a value has more than `limit` levels."""
    nested = (dict, list)  # as a tuple, it is looked up in half the time of a union
    nodes = [value] if isinstance(value, nested) else []
    level = 0
    while nodes:
        level += 1
        if level > limit:
            _too_deep(subject)
        # A level at once: most of a long document is one list, and there is no call for each node.
        nodes = [
            child
            for node in nodes
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, nested)
        ]


def _too_deep(subject: str) -> Never:
    message = f"{subject} nests arrays and objects more than {MAX_LEVELS} levels deep"
    raise LimitExceededError(message, hint="Only flatter documents can be read.")


class ValueDecoder:
    """Decodes the value at a window's position; remembers the keys that an object repeats."""

    def __init__(self) -> None:
        self.duplicates: dict[str, None] = {}
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs,
            parse_float=parse_fraction,
            parse_int=parse_integer,
            parse_constant=refuse_constant,
        )

    def _pairs(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen and len(self.duplicates) < _NAMED_LINES:
                    self.duplicates[key] = None
                seen.add(key)
        return value

    def decode(
        self, window: TextWindow, *, max_bytes: int = RECORD_BYTES, max_depth: int = MAX_LEVELS
    ) -> object:
        """Return the value at the window's position and move behind it.

        Raises:
            NotJson: If there is none; the window does not move.
            LimitExceededError: If it is longer than `max_bytes` or deeper than `max_depth`.
        """
        while True:
            try:
                value, end = self._decoder.raw_decode(window.text, window.at)
            except json.JSONDecodeError as exc:
                torn = len(window.text) - exc.pos < TORN_CHARS or exc.msg.startswith("Untermin")
                if torn and self._grow(window, max_bytes):
                    continue
                raise NotJson(_place(window, exc)) from exc
            except RecursionError:
                _too_deep(window.subject)
            if _may_go_on(window.text, window.at, end) and self._grow(window, max_bytes):
                continue
            brackets = window.text.count("[", window.at, end) + window.text.count(
                "{", window.at, end
            )
            if brackets > max_depth:
                check_depth(value, max_depth, window.subject)
            window.move(end)
            return value

    def _grow(self, window: TextWindow, max_bytes: int) -> bool:
        if len(window.text) - window.at > max_bytes:
            message = f"{window.subject} has a value of more than {max_bytes:,} bytes"
            message += f" at byte {window.byte:,}"
            raise LimitExceededError(
                message, hint="Query it with query_csv_data.", repair_tool="query_csv_data"
            )
        # A document is read whole in any case, so there is little use in parsing it on the way.
        return window.grow(_DOCUMENT_GROWTH if max_bytes > RECORD_BYTES else 2)


def _may_go_on(text: str, start: int, end: int) -> bool:
    """Whether a number may have been cut in two by the window's end."""
    return (
        len(text) - end < TORN_CHARS
        and text[start] in "-0123456789"
        and (end == len(text) or text[end] in ".eE")
    )


def _place(window: TextWindow, exc: json.JSONDecodeError) -> str:
    if exc.pos >= len(window.text):
        return "the text ends too early"
    line = window.line + window.text.count("\n", window.at, exc.pos)
    byte = window.byte + window.size_bytes(exc.pos)
    return f"{exc.msg.removesuffix(' at')} at line {line:,}, byte {byte:,}"


def malformed(window: TextWindow, reason: str, hint: str = _MEND) -> MalformedDataError:
    """Return the error that says why a document is not JSON."""
    message = f"{window.subject} is not valid JSON: {reason}"
    return MalformedDataError(message, hint=hint)


def array_items(window: TextWindow, decoder: ValueDecoder, *, opened: bool) -> Iterator[Item]:
    """Yield the elements of an array whose `[` is next, or that goes on behind an element.

    What follows an element is looked at only when the next one is asked for.
    """
    if not opened:
        window.move(window.at + 1)
        if window.skip(SPACE) == "]":
            _close(window)
            return
    while True:
        if opened:
            mark = window.skip(SPACE)
            if mark == "]":
                break
            if mark != ",":
                where = f"{mark!r} between its elements at byte {window.byte:,}"
                raise malformed(window, where if mark else "the array is not closed")
            window.move(window.at + 1)
            window.skip(SPACE)
        opened = True
        try:
            value = decoder.decode(window, max_depth=MAX_LEVELS - 1)
        except NotJson as exc:
            raise malformed(window, str(exc)) from exc
        yield Item(value=value, byte=window.byte, line=window.line)
    _close(window)


def _close(window: TextWindow) -> None:
    window.move(window.at + 1)
    if window.skip(SPACE):
        raise malformed(window, f"there is more behind the array at byte {window.byte:,}")


def line_items(
    window: TextWindow, decoder: ValueDecoder, bad: BadLines, *, proven: bool
) -> Iterator[Item]:
    """Yield the values of JSON Lines; lines that hold none go to `bad`.

    `proven` says that a value was seen before; else the text must show one soon.
    """
    window.lenient = True
    while window.skip(SPACE):
        line, text, start = window.line, window.text, window.at
        try:
            value = decoder.decode(window)
            if not window.is_text(start if window.text is text else 0, window.at):
                reason = f"bytes that are not UTF-8 at line {line:,}"
                raise NotJson(reason)  # noqa: TRY301 - one way out for bad lines
            if (mark := window.skip(" \t\r")) not in ("", "\n"):
                what = "a comma behind the value" if mark == "," else "more than one value"
                reason = f"{what} at line {line:,}"
                raise NotJson(reason)  # noqa: TRY301 - one way out for bad lines
        except NotJson as exc:
            bad.add(line, str(exc))
            if not proven and bad.count >= _HOPELESS_LINES:
                break
            window.skip_line()
            continue
        proven = True
        yield Item(value=value, byte=window.byte, line=window.line)
    if not proven:
        raise malformed(window, bad.reason or "it holds no value", MEND_LINES)
