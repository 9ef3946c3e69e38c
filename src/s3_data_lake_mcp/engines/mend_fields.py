"""Fields of structs, and of lists of structs, that a query names as if they were columns."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from s3_data_lake_mcp.engines.guard_repair import quoted_name, with_words
from s3_data_lake_mcp.engines.guard_text import ascii_lower, tokens
from s3_data_lake_mcp.engines.guard_tree import TABLE

CLAUSES: Final = ("WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "USING")
_PIECE = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|(\w+))\s+(.*)""", re.DOTALL)
_STRUCT = "STRUCT("


def field_named(name: str, types: Mapping[str, str], end: str = "") -> str:
    """Return the one field that a name stands for, as SQL; nothing if there is none, or a choice.

    That is its own name, or the names that lead to it with anything between them: `user_plan`. Its
    type ends in `end`, which is `)` for structs.
    """
    fields = [path for path, kind in _kinds(types) if len(path) > 1 and kind.endswith(end)]
    sought = folded(name)
    found = [path for path in fields if folded("".join(path)) == sought]
    found = found or [path for path in fields if folded(path[-1]) == sought]
    return _written(found[0]) if len(found) == 1 else ""


def spread(name: str, sql: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Return how to make a row of each element that has a field of that name: hint and query.

    The hint is empty if no list is the one, the query where it cannot be told.
    """
    if not (path := _list_with(name, types)):
        return "", ""
    rows = f"(SELECT unnest({path}, max_depth := 2) FROM {TABLE}) AS {TABLE}"  # noqa: S608 - quoted
    hint = f"Each element of the list {path} has it: FROM {rows}."
    words = tokens(sql)
    froms = [place for place, word in enumerate(words, 1) if word.says("FROM")]
    behind = words[froms[0] :][:2] if len(froms) == 1 else []
    if not behind or not behind[0].says(TABLE.upper()):
        return hint, ""
    if len(behind) > 1 and not behind[1].says(*CLAUSES):
        return hint, ""
    return hint, with_words(sql, words, froms, rows)


def spread_field(name: str, sql: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Return the same for a field that is asked of the list itself: `items.sku`."""
    if not (path := _list_with(name, types)):
        return "", ""
    words, parts = tokens(sql), [ascii_lower(one.text) for one in tokens(f"{path}.")]
    texts = [ascii_lower(word.text) for word in words]
    for place in range(len(words) - len(parts), -1, -1):
        if texts[place : place + len(parts)] == parts and texts[place - 1 : place] != ["."]:
            sql = sql[: words[place].start] + sql[words[place + len(parts)].start :]
    return spread(name, sql, types)


def _list_with(name: str, types: Mapping[str, str]) -> str:
    lists = [(path, kind[:-2]) for path, kind in _kinds(types) if kind.endswith(")[]")]
    sought = folded(name)
    found = [
        path
        for path, kind in lists
        if any(len(inner) == 1 and folded(inner[0]) == sought for inner, _ in _fields((), kind))
    ]
    return _written(found[0]) if len(found) == 1 else ""


def _written(path: tuple[str, ...]) -> str:
    return ".".join(map(quoted_name, path))


def _kinds(types: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the columns and all fields below them, with their types."""
    for column, kind in types.items():
        yield (column,), kind
        yield from _fields((column,), kind)


def _fields(path: tuple[str, ...], kind: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the fields below a column or field of a type, with their own."""
    if not kind.startswith(_STRUCT) or not kind.endswith(")"):
        return
    for piece in _pieces(kind[len(_STRUCT) : -1]):
        if found := _PIECE.fullmatch(piece):
            quoted, plain, inner = found.groups()
            inside = (*path, plain or quoted.replace('""', '"'))
            yield inside, inner
            yield from _fields(inside, inner)


def _pieces(text: str) -> Iterator[str]:
    """Yield what stands between the commas that are in no brackets and no quotes."""
    depth, begin, in_quotes = 0, 0, False
    for at, letter in enumerate(text):
        in_quotes ^= letter == '"'
        if not in_quotes:
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if letter == "," and not depth:
                yield text[begin:at]
                begin = at + 1
    yield text[begin:]


def folded(name: str) -> str:
    """Return the letters and digits of a name, in any case alike; of others the name itself."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name
