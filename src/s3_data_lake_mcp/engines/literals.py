"""Values that a query without rows asked for and that are not there: the ones that are."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_parser import nodes_of, the_parser
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.engines.tables import Table
from s3_data_lake_mcp.errors import LakeError

_CHEAP_BYTES = 64 << 20
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
    if table.place.size_bytes > _CHEAP_BYTES:
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
    spelt = {name.lower(): name for name in table.columns}
    tree = the_parser().tree(statement.shown).get("statements")
    tables = {table.name} | {
        str(node.get("alias")).lower()
        for node in nodes_of(tree)
        if str(node.get("table_name")).lower() == table.name
    }
    for node in nodes_of(tree):
        if node.get("type") == "COMPARE_EQUAL":
            sides = [node.get("left"), node.get("right")]
        elif node.get("type") == "COMPARE_IN":
            sides = list(node.get("children") or [])
        else:
            continue
        known = [side for side in sides if isinstance(side, dict)]
        paths = [s["column_names"] for s in known if s.get("class") == "COLUMN_REF"]
        # What stands behind another name is a field, or a column of another table.
        columns = [p[-1].lower() for p in paths if len(p) == 1 or p[-2].lower() in tables]
        texts = [_text(side) for side in known if side.get("class") == "CONSTANT"]
        if len(paths) == len(columns) == 1 and columns[0] in spelt:
            yield from ((spelt[columns[0]], text) for text in texts if text is not None)


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
        return f"No row has {name} = {value!r}; {name} has {_shown(values)}."
    folded = {other.casefold(): other for other in values}
    near = difflib.get_close_matches(value.casefold(), folded, n=_NEAREST, cutoff=0.6)
    if not near:
        return f"No row has {name} = {value!r}."
    return f"No row has {name} = {value!r}; the nearest are {_shown([folded[n] for n in near])}."


def _shown(values: list[str]) -> str:
    return ", ".join(repr(v if len(v) <= _SHOWN_CHARS else f"{v[:_SHOWN_CHARS]}…") for v in values)
