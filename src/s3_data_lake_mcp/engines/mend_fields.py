"""Fields of structs that a query names as if they were columns."""

import re
from collections.abc import Iterator, Mapping

from s3_data_lake_mcp.engines.guard_repair import quoted_name

_PIECE = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|(\w+))\s+(.*)""", re.DOTALL)
_STRUCT = "STRUCT("


def field_named(name: str, types: Mapping[str, str]) -> str:
    """Return the one field that a name stands for, as SQL; nothing if there is none, or a choice.

    That is its own name, or the names that lead to it with anything between them: `user_plan`.
    """
    paths = [path for column, kind in types.items() for path in _paths((column,), kind)]
    sought = folded(name)
    found = [path for path in paths if folded("".join(path)) == sought]
    found = found or [path for path in paths if folded(path[-1]) == sought]
    return ".".join(map(quoted_name, found[0])) if len(found) == 1 else ""


def _paths(path: tuple[str, ...], kind: str) -> Iterator[tuple[str, ...]]:
    """Yield the fields below a column or field of a type."""
    if not kind.startswith(_STRUCT) or not kind.endswith(")"):
        return
    for piece in _pieces(kind[len(_STRUCT) : -1]):
        if found := _PIECE.fullmatch(piece):
            quoted, plain, inner = found.groups()
            inside = (*path, plain or quoted.replace('""', '"'))
            yield inside
            yield from _paths(inside, inner)


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
