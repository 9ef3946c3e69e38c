"""Looking into a document with JMESPath."""

import contextlib
import difflib
import re
from collections import deque
from itertools import islice

import jmespath
from jmespath.exceptions import (
    ArityError,
    IncompleteExpressionError,
    JMESPathError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)

from s3_data_lake_mcp.errors import InvalidArgumentError, LakeError
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.json_scan import check_depth
from s3_data_lake_mcp.wire.values import MAX_LEVELS

MAX_PATH_CHARS = 2_000
_SHOWN_KEYS = 20
_MOST_BEGINNINGS = 20
_MOST_VALUES = 10_000
_HINT = "`path` is a JMESPath expression, such as `orders[?total > `100`].id`."
_NAMED = re.compile(r"\[(?:'(\w+)'|\"(\w+)\")\]")
_NUMBER = re.compile(r"\.\[?(\d+)\]?(?![\w\]])")
_BARE_VALUE = re.compile(r"([=!<>]=?\s*)(-?\d+(?:\.\d+)?)\b")
_CONSTANTS = ("true", "false", "null")
_BARE_WORD = re.compile(r"[=!<>]=?\s*(\"[^\"]*\"|[A-Za-z_]\w*)\s*(?=[\])&|])")
_NO_KEYS = re.compile(r"'[^']*'|`[^`]*`|\w+\s*\(")
_WORD = re.compile(r"[^\W\d]\w*")


def look_up(document: object, path: str, subject: str) -> object:
    """Return what a JMESPath expression finds in a document; None if it finds nothing.

    The elements of an array may nest too deep.

    Raises:
        InvalidArgumentError: If the expression is not JMESPath, or does not suit the document.
    """
    if len(path) > MAX_PATH_CHARS:
        raise InvalidArgumentError(f"path is longer than {MAX_PATH_CHARS:,} characters", hint=_HINT)
    try:
        found = jmespath.compile(path).search(document)
    except JMESPathError as exc:
        meant = _respelled(path)
        repair = None if meant is None else {"path": meant}
        raise InvalidArgumentError(_reason(path, exc), hint=_HINT, repair=repair) from exc
    except RecursionError as exc:
        raise InvalidArgumentError("path is nested too deeply", hint=_HINT) from exc
    # What the functions of the library let through on odd operands.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
        message = f"path {path!r} cannot be applied to {subject}"
        raise InvalidArgumentError(message, hint=_HINT) from exc
    if "&" in path:
        _check_json(found)
    # An array may be long, and its pages check what they show.
    if not isinstance(found, list):
        check_depth(found, MAX_LEVELS, subject)
    return found


def _respelled(path: str) -> str | None:
    """Return what is nearly JMESPath, or a path of another kind, as JMESPath; None if it is none.

    Those are JSONPath, JSON pointers and jq, and values without the marks that JMESPath has.
    """
    if path.startswith("/"):
        parts = path[1:].split("/")
        return "".join(f"[{p}]" if p.isdecimal() else f".{p}" for p in parts).removeprefix(".")
    named = _NUMBER.sub(r"[\1]", _NAMED.sub(r".\1\2", path.removeprefix("$")))
    meant = _BARE_VALUE.sub(r"\1`\2`", named.removeprefix("."))
    return meant if meant != path else None


def _deepest(document: object, path: str) -> tuple[object, str]:
    """Return what the longest beginning of a path finds, and that beginning."""
    for _ in range(_MOST_BEGINNINGS):
        if (cut := max(path.rfind("."), path.rfind("["))) <= 0:
            break
        path = path[:cut]
        with contextlib.suppress(LakeError):
            if found := look_up(document, path, "the document"):
                return found, path
    return document, ""


def unmarked_values(path: str, document: object = None) -> str:
    """Return what a filter compares with: keys, where it may mean values; else "".

    Of one that fits something, `document` is where it was looked: what is a key there is meant so,
    and nothing is what is no key.
    """
    found = _BARE_WORD.search(path)
    if found is None:
        return ""
    said = f"In it, {found[1]} is a key, not a value: "
    word = found[1].strip('"')
    if document is not None and (word == "null" or _has_key(document, word)):
        return ""
    return said + (f"write `{word}`." if word in _CONSTANTS else f"write '{word}'.")


def _has_key(document: object, key: str) -> bool:
    """Whether one of the first objects in a document has a key."""
    values = deque([document])
    for _ in range(_MOST_VALUES):
        if not values:
            return False
        value = values.popleft()
        if isinstance(value, dict):
            if key in value:
                return True
            values.extend(islice(value.values(), _MOST_VALUES))
        elif isinstance(value, list):
            values.extend(value[:_MOST_VALUES])
    return False


def unknown_keys(document: object, path: str) -> str:
    """Return what keys there are, if a path that fits nothing names one that no object has."""
    words = _WORD.findall(_NO_KEYS.sub("", path))
    return "" if all(_has_key(document, word) for word in words) else nearest_keys(document, path)


def nearest_keys(document: object, path: str) -> str:
    """Return a sentence that names the keys which a path that found nothing may have meant."""
    document, begin = _deepest(document, path)
    subject = f"`{begin}`" if begin else "It"
    if isinstance(document, list):
        first = next((item for item in document if isinstance(item, dict)), None)
        where, keys = f"{subject} is an array of {len(document):,} items", list(first or {})
        if first is not None:
            where += " (`[0]`, `[*].key`); the first object's keys"
    elif isinstance(document, dict):
        where, keys = f"The keys of {subject}" if begin else "Its keys", list(document)
    else:
        return f"{subject} is a single value without keys"
    if not keys:
        return where if isinstance(document, list) else f"{subject} has no keys"
    near = [
        key
        for word in _WORD.findall(path)
        for key in difflib.get_close_matches(word, keys[:1_000], n=3)
    ]
    shown = list(dict.fromkeys([*near, *keys[:_SHOWN_KEYS]]))[:_SHOWN_KEYS]
    return f"{where}: {first_of(shown, _SHOWN_KEYS, len(keys))}"


def _reason(path: str, exc: JMESPathError) -> str:
    if isinstance(exc, IncompleteExpressionError):
        return f"path {path!r} ends too early"
    if isinstance(exc, LexerError):
        return f"path {path!r} is not JMESPath at position {exc.lexer_position}: {exc.message}"
    # One of a wrong number of arguments is of that class too, and has no position.
    if isinstance(exc, ParseError) and not isinstance(exc, ArityError):
        return f"path {path!r} is not JMESPath at position {exc.lex_position}: {exc.token_value!r}"
    if isinstance(exc, JMESPathTypeError):
        # The library's own words hold the value, which is the object's data.
        wanted = " or ".join(exc.expected_types)
        return f"path {path!r} gives {exc.function_name}() {exc.actual_type}, not {wanted}"
    return f"path {path!r} cannot be applied: {str(exc).splitlines()[0]}"


def _check_json(found: object) -> None:
    """Refuse expression references (`&x`), which are no values."""
    stack = [found]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif not isinstance(node, str | int | float | None):
            message = "path leads to an expression reference, which is not a value"
            raise InvalidArgumentError(message, hint=_HINT)
