"""Which fields of nested columns a query names, read off its syntax tree.

What no query names need not be read as text and cast; the engine itself leaves out columns, not
fields of columns. Where it cannot be told, all of a column counts as used.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from s3_data_lake_mcp.engines.guard_parser import nodes_of

_UNNAMED = ("STAR", "POSITIONAL_REFERENCE")
_WHOLE = ("PIVOT", "SHOW_REF")

type UsedFields = frozenset[tuple[str, ...]]
"""The qualified names that stand in a query, in lower case: what is before a column's may be a
table's."""

ALL_FIELDS: UsedFields | None = None


def used_fields(tree: object) -> UsedFields | None:
    """Return the names in the tree of a query; None if it may use what it does not name."""
    found: set[tuple[str, ...]] = set()
    tables: set[str] = set()
    for node in nodes_of(tree):
        if _takes_all(node):
            return None
        if node.get("class") == "COLUMN_REF":
            found.add(tuple(str(name).lower() for name in node["column_names"]))
        elif "class" not in node:
            tables |= {str(node[at]).lower() for at in ("table_name", "alias") if node.get(at)}
    # The name of a table, where a column's could stand, is a whole row.
    return None if any(path[-1] in tables for path in found) else frozenset(found)


def _takes_all(node: Mapping[str, Any]) -> bool:
    """Whether it takes columns, or fields, without their names, or by other ones."""
    return (
        node.get("class") in _UNNAMED
        # What stands before the name of a function may be a column.
        or (node.get("class") == "FUNCTION" and bool(node.get("schema") or node.get("catalog")))
        or bool(node.get("column_name_alias"))
        or node.get("type") in _WHOLE
        or bool(node.get("using_columns"))
        or node.get("ref_type") == "NATURAL"
    )


def fields_behind(used: UsedFields, column: str) -> Sequence[tuple[str, ...]] | None:
    """Return the names that stand behind a column's; None if all of it, or none of it, is used."""
    name = column.lower()
    behind = [path[at + 1 :] for path in used for at, one in enumerate(path) if one == name]
    return behind if behind and all(behind) else None
