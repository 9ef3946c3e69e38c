"""Values that a query without rows asked for and that are not there: the ones that are."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

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
_WHOLE = ("COMPARE_EQUAL", "COMPARE_IN")
_INSIDE = ("contains", "starts_with", "ends_with", "~~", "~~*")
_ANY_CASE = "~~*"
_FOLDS = ("lower", "upper", "replace")
_PATTERN = re.compile("[%_]")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMES = ("TIMESTAMP", "DATE")


def wrong_literals(session: Session, table: Table, statement: Statement) -> Iterator[str]:
    """Yield a sentence for each text that is compared with a column which never holds it.

    Reads nothing if the table is large.
    """
    if table.place.size_bytes > CHEAP_BYTES:
        return
    try:
        asked = set(_compared(table, statement))
        for sought in sorted(asked)[:_MOST_NOTICES]:
            if sentence := _sentence(session, table, sought):
                yield sentence
    except (duckdb.Error, LakeError):
        # This is a courtesy: the query itself has its answer.
        return


class _Sought(NamedTuple):
    """A text that a column is compared with, as a whole or `inside`; or in any case (`folds`)."""

    column: str
    text: str
    inside: bool
    folds: bool

    def is_in(self, values: Collection[str]) -> bool:
        """Whether one of the values is, or holds, the text."""
        text = self.text.casefold() if self.folds else self.text
        known = [one.casefold() if self.folds else one for one in values]
        return any(text in one for one in known) if self.inside else text in known


def _compared(table: Table, statement: Statement) -> Iterator[_Sought]:
    """Yield the texts that columns of the table are compared with."""
    tree = the_parser().tree(statement.shown).get("statements")
    tables = names_of(table, tree)
    for node in nodes_of(tree):
        function = str(node.get("function_name"))
        inside = function in _INSIDE
        if not inside and node.get("type") not in _WHOLE:
            continue
        sides = node.get("children") or [node.get("left"), node.get("right")]
        sides = _arguments(node) if inside else sides
        known = [_bare(side) for side in sides if isinstance(side, dict)]
        folds = function == _ANY_CASE or known != sides
        columns = [named_column(table, tables, s) for s in known if s.get("class") == "COLUMN_REF"]
        texts = [text_of(side) for side in known if side.get("class") == "CONSTANT"]
        if len(columns) == 1 and columns[0] is not None:
            for text in texts:
                if text is not None and not (inside and _PATTERN.search(text.strip("%"))):
                    found = text.strip("%") if inside else text
                    yield _Sought(columns[0], found, inside, folds)


def _arguments(node: Mapping[str, Any]) -> list[Any]:
    return [one["expression"] for one in node["arguments"]]


def _bare(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is compared without what makes the case, or the type, of both sides the same."""
    if node.get("function_name") in _FOLDS:
        return _bare(_arguments(node)[0])
    if node.get("class") != "CAST":
        return node
    kind, child = str(node["type_expr"].get("type_name")).upper(), _bare(node["child"])
    is_day = kind.startswith(_TIMES) and bool(_DAY.fullmatch(text_of(child) or ""))
    return child if kind == "VARCHAR" or is_day else node


def names_of(table: Table, tree: object) -> set[str]:
    """Return the names that a table has in a query."""
    own = table.name.lower()
    return {own} | {
        str(node.get("alias")).lower()
        for node in nodes_of(tree)
        if str(node.get("table_name")).lower() == own
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


def text_of(side: Mapping[str, Any]) -> str | None:
    """Return the text that an expression is, as it is written in quotes; None if it is none."""
    literal = side.get("literal") or {}
    return str(literal["text"]) if literal.get("kind") == "STRING" else None


def _sentence(session: Session, table: Table, sought: _Sought) -> str:
    name, value = sought.column, sought.text
    column = identifier(name)
    if _DAY.fullmatch(value) and not sought.inside:
        kind = dict(session.describe(identifier(table.name)))[name]
        if kind.startswith("TIMESTAMP"):
            return (
                f"{name} = {value!r} is midnight alone: write CAST({column} AS DATE) = {value!r}."
            )
    rows = session.execute(
        f"SELECT DISTINCT CAST({column} AS VARCHAR) FROM {identifier(table.name)} "  # noqa: S608 - quoted
        f"WHERE {column} IS NOT NULL LIMIT {_MANY + 1}"
    )
    values = sorted(str(row[0]) for row in rows)
    if not values or len(values) > _MANY or sought.is_in(values):
        return ""
    said = f"{value!r} in {name}" if sought.inside else f"{name} = {value!r}"
    if len(values) <= _FEW:
        return f"No row has {said}; {name} has {', '.join(map(shown, values))}."
    folded = {other.casefold(): other for other in values}
    near = difflib.get_close_matches(value.casefold(), folded, n=_NEAREST, cutoff=0.6)
    if not near:
        return f"No row has {said}."
    nearest = ", ".join(shown(folded[each]) for each in near)
    return f"No row has {said}; the nearest are {nearest}."


def shown(value: str) -> str:
    """Return a value in quotes, the beginning of a long one."""
    return repr(value if len(value) <= _SHOWN_CHARS else f"{value[:_SHOWN_CHARS]}…")
