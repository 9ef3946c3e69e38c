"""Values that a query without rows asked for and that are not there: the ones that are."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_parser import nodes_of, the_parser
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.engines.tables import Table
from s3_data_lake_mcp.errors import LakeError

CHEAP_BYTES = 64 << 20
"""Most bytes of the table's objects: they were read a moment ago."""

_FEW = 20
_MANY = 2_000
_NEAREST = 5
_MOST_NOTICES = 3
_SHOWN_CHARS = 40


def wrong_literals(session: Session, table: Table, statement: Statement) -> Iterator[str]:
    """Yield a sentence for each text that is compared with a column which never holds it.

    Reads nothing if the table is large.
    """
    if table.place.size_bytes > CHEAP_BYTES:
        return
    try:
        asked = set(_compared(table, statement))
        for name, value in sorted(asked)[:_MOST_NOTICES]:
            if sentence := _sentence(session, name, value):
                yield sentence
    except (duckdb.Error, LakeError):
        # This is a courtesy: the query itself has its answer.
        return


def _compared(table: Table, statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield the columns of the table that are compared with a text for equality, and the text."""
    tree = the_parser().tree(statement.shown).get("statements")
    tables = names_of(table, tree)
    for node in nodes_of(tree):
        if node.get("type") == "COMPARE_EQUAL":
            sides = [node.get("left"), node.get("right")]
        elif node.get("type") == "COMPARE_IN":
            sides = list(node.get("children") or [])
        else:
            continue
        known = [side for side in sides if isinstance(side, dict)]
        columns = [named_column(table, tables, s) for s in known if s.get("class") == "COLUMN_REF"]
        texts = [_text(side) for side in known if side.get("class") == "CONSTANT"]
        if len(columns) == 1 and columns[0] is not None:
            yield from ((columns[0], text) for text in texts if text is not None)


def names_of(table: Table, tree: object) -> set[str]:
    """Return the names that a table has in a query."""
    return {table.name} | {
        str(node.get("alias")).lower()
        for node in nodes_of(tree)
        if str(node.get("table_name")).lower() == table.name
    }


def named_column(table: Table, tables: Collection[str], node: object) -> str | None:
    """Return the column of a table that an expression is, as it is spelt; None if it is none."""
    if not isinstance(node, dict) or node.get("class") != "COLUMN_REF":
        return None
    path = [part.lower() for part in node["column_names"]]
    # What stands behind another name is a field, or a column of another table.
    if len(path) > 1 and path[-2] not in tables:
        return None
    return next((name for name in table.columns if name.lower() == path[-1]), None)


def _text(side: Mapping[str, Any]) -> str | None:
    literal = side.get("literal") or {}
    return str(literal["text"]) if literal.get("kind") == "STRING" else None


def _sentence(session: Session, name: str, value: str) -> str:
    column = identifier(name)
    rows = session.execute(
        f"SELECT DISTINCT CAST({column} AS VARCHAR) FROM data "  # noqa: S608 - quoted
        f"WHERE {column} IS NOT NULL LIMIT {_MANY + 1}"
    )
    values = sorted(str(row[0]) for row in rows)
    if value in values or not values or len(values) > _MANY:
        return ""
    if len(values) <= _FEW:
        return f"No row has {name} = {value!r}; {name} has {', '.join(map(shown, values))}."
    folded = {other.casefold(): other for other in values}
    near = difflib.get_close_matches(value.casefold(), folded, n=_NEAREST, cutoff=0.6)
    if not near:
        return f"No row has {name} = {value!r}."
    nearest = ", ".join(shown(folded[each]) for each in near)
    return f"No row has {name} = {value!r}; the nearest are {nearest}."


def shown(value: str) -> str:
    """Return a value in quotes, the beginning of a long one."""
    return repr(value if len(value) <= _SHOWN_CHARS else f"{value[:_SHOWN_CHARS]}…")
