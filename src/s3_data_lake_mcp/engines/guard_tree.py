"""The syntax tree of one query, walked with allow-lists: whatever is not known is refused.

The tree is the one that DuckDB's own parser made (`json_serialize_sql`), so there is no second
parser to disagree with it. Every node is visited, wherever it hides: LIMIT, HAVING, lambdas,
window frames, options. Table names are resolved in their scope, as the binder resolves them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from s3_data_lake_mcp.engines.guard_cost import MAIN, MAX_EXPANSION, SOURCE, Cost
from s3_data_lake_mcp.engines.guard_parser import ONE_SELECT, nodes_of
from s3_data_lake_mcp.engines.guard_readers import is_s3_uri, read_sources
from s3_data_lake_mcp.engines.guard_text import ascii_lower, quoted
from s3_data_lake_mcp.engines.guard_words import FUNCTIONS, GENERATORS, NEVER, OPERATORS, READERS
from s3_data_lake_mcp.errors import (
    LimitExceededError,
    NotAllowedError,
    NotReadOnlyError,
    SqlError,
)

TABLE: Final = "data"
MAX_NAME_PARTS: Final = 20
_COLUMNS = "DESCRIBE data shows the columns and their types."
READABLE: Final = (
    "A query reads the table data, and objects named as quoted s3:// URIs, bare or in read_csv, "
    "read_json or read_parquet."
)

_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_PLAIN = {
    *("SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT"),
    *("ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"),
    *("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
}
_EXPRESSIONS = {
    *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION"),
    *("CONSTANT", "DEFAULT", "FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR", "PARAMETER"),
    *("POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"),
}
_SHOWN = {'"tables"', '"databases"', '"schemas"', "__show_tables_expanded"}
_CATALOGUE = ("duckdb_", "pg_", "pragma_", "sqlite_", "information_schema")

type Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTable:
    """A plain name in place of a table, where it stands (in bytes, -1 if not known)."""

    name: str
    alias: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What stands around a node.

    `tables` are the CTEs that can be named there, by number; `recursive` those being defined.
    `owner` is the CTE whose text it is, `factor` how often the stars above it repeat its columns.
    """

    tables: Mapping[str, int] = field(default_factory=dict)
    recursive: frozenset[str] = frozenset()
    owner: int = MAIN
    factor: int = 1


class Tree:
    """Walks one statement, and keeps what it reads.

    `knows` tells whether DuckDB has a function. `uris` tells of each whether a call of `read_csv`
    and the like names it. `unknown_tables` are names that would not bind.
    """

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self.uris: dict[str, bool] = {}
        self.uses_data = False
        self.pivot_enums: list[str] = []
        self.unknown_tables: list[UnknownTable] = []
        self._knows = knows
        self._cost = Cost()
        self._todo: list[tuple[Any, _Scope]] = []

    def walk(self, node: Node) -> None:
        """Visit every node.

        Raises:
            NotReadOnlyError: If anything in it writes.
            NotAllowedError: If it names what may not be read or run.
            SqlError: If it has parameters.
            LimitExceededError: If planning it would cost too much.
        """
        _refuse_writes(node)
        self._push(node, _Scope())
        while self._todo:
            self._visit(*self._todo.pop())
        self._cost.check()

    def _push(self, node: object, scope: _Scope) -> None:
        if isinstance(node, dict | list):
            self._todo.append((node, scope))

    def _push_all(self, nodes: Iterable[object], scope: _Scope) -> None:
        # The first is popped first: URIs come out in the order of the text.
        for node in reversed(list(nodes)):
            self._push(node, scope)

    def _visit(self, node: Node | list[Any], scope: _Scope) -> None:
        if isinstance(node, list):
            self._push_all(node, scope)
        elif "class" in node:
            self._visit_expression(node, scope)
        elif isinstance(kind := node.get("type"), str):
            self._visit_kind(node, kind, scope)
        else:
            self._push_all(node.values(), scope)

    def _visit_kind(self, node: Node, kind: str, scope: _Scope) -> None:
        if kind in _QUERIES:
            self._visit_query(node, kind, scope)
        elif kind == "BASE_TABLE":
            self._visit_table(_path(node, "table_name"), node, scope)
        elif kind == "TABLE_FUNCTION":
            self._visit_table_function(node["function"], scope)
            self._push_all((v for k, v in node.items() if k != "function"), scope)
        elif kind == "SHOW_REF":
            self._visit_show(node, scope)
        elif kind in _PLAIN or kind.endswith("_TYPE_INFO"):
            if kind in {"EMPTY", "EXPRESSION_LIST"}:
                self._note(scope, SOURCE)
            for pivot in node.get("pivots") or ():
                self.pivot_enums += [pivot["pivot_enum"]] if pivot.get("pivot_enum") else []
            self._push_all(node.values(), scope)
        else:
            message = f"A table reference of the kind {kind} is not allowed"
            raise NotAllowedError(message, hint=READABLE)

    def _visit_query(self, node: Node, kind: str, scope: _Scope) -> None:
        self._cost.add_set_operations(max(0, len(node.get("children") or ()) - 1))
        scope = self._with_ctes(node, scope)
        below = scope
        stars = sum(map(_has_star, node.get("select_list") or ()))
        if stars > 1:
            below = replace(scope, factor=min(scope.factor * stars, MAX_EXPANSION + 1))
        if kind == "RECURSIVE_CTE_NODE":
            # The first half does not see the name: there it means what it meant outside.
            name = ascii_lower(node["cte_name"])
            tables = {**scope.tables, name: scope.owner}
            below = replace(scope, tables=tables, recursive=scope.recursive | {name})
        for key in reversed([key for key in node if key != "cte_map"]):
            self._push(node[key], below if key in {"from_table", "right"} else scope)

    def _with_ctes(self, node: Node, scope: _Scope) -> _Scope:
        """Queue the CTEs of a query, each with what it sees, and return what the query sees."""
        for entry in (node.get("cte_map") or {}).get("map") or ():
            number = self._cost.add_cte()
            # Its own body does not see it, nor does any before it.
            self._push(entry["value"], replace(scope, owner=number, factor=1))
            scope = replace(scope, tables={**scope.tables, ascii_lower(entry["key"]): number})
        return scope

    def _visit_table(self, path: list[str], node: Node, scope: _Scope) -> None:
        *schema, name = path
        lowered = ascii_lower(name)
        if not schema and lowered in scope.tables:
            self._note(scope, scope.tables[lowered])
        elif schema == ["recurring"] and lowered in scope.recursive:
            self._note(scope, scope.owner)
        elif not schema and (lowered == TABLE or is_s3_uri(name)):
            self.uses_data |= lowered == TABLE
            if lowered != TABLE:
                self.uris.setdefault(name, False)
            self._note(scope, SOURCE)
        elif not schema and _is_plain(lowered):
            position = int(node.get("query_location") or 0)
            known = position if position < 1 << 31 else -1
            alias = str(node.get("alias") or "")
            self.unknown_tables.append(UnknownTable(name=name, alias=alias, position=known))
        else:
            message = f"The table {quoted('.'.join(path))} is not allowed"
            if ascii_lower(path[0]).startswith(_CATALOGUE):
                repair = {"sql": f"DESCRIBE {TABLE}"}
                raise NotAllowedError(message, hint=_COLUMNS, repair=repair)
            raise NotAllowedError(message, hint=READABLE)
        self._push(node.get("at_clause"), scope)
        self._push(node.get("sample"), scope)

    def _note(self, scope: _Scope, table: int) -> None:
        self._cost.add_read(scope.owner, table, scope.factor)

    def _visit_show(self, node: Node, scope: _Scope) -> None:
        path = _path(node, "table_name")
        name = path[-1]
        if node.get("query"):
            self._push(node["query"], scope)
        elif node["show_type"] == "SHOW" and (
            ascii_lower(name) in {TABLE, *scope.tables} or is_s3_uri(name)
        ):
            self._visit_table(path, node, scope)
        elif node["show_type"] != "SHOW_SPECIAL" or name not in _SHOWN:
            message = f"SHOW {quoted(name) or 'of a schema'} is not allowed"
            raise NotAllowedError(message, hint="Use SHOW TABLES, or DESCRIBE data.")
        else:
            self.uses_data = True

    def _visit_expression(self, node: Node, scope: _Scope) -> None:
        kind = node["class"]
        if kind not in _EXPRESSIONS:
            message = f"An expression of the kind {kind} is not allowed"
            raise NotAllowedError(message, hint=ONE_SELECT)
        if kind == "PARAMETER":
            message = f"The SQL has a parameter, {quoted(str(node.get('identifier')))}"
            raise SqlError(message, hint="Write the value itself in its place.")
        if kind in {"FUNCTION", "WINDOW"}:
            for name in {_path(node, "function_name")[-1], str(node.get("function_name") or "")}:
                self._check_function(name)
        if len(node.get("column_names") or _path(node, "")) > MAX_NAME_PARTS:
            message = f"A name in the SQL has more than {MAX_NAME_PARTS} parts"
            raise LimitExceededError(message, hint="Name columns as column or table.column.")
        self._push_all(node.values(), scope)

    def _check_function(self, name: str) -> None:
        lowered = ascii_lower(name)
        if not lowered or lowered in FUNCTIONS or lowered in OPERATORS:
            return
        # One that DuckDB does not know either fails when it binds, and says what is like it.
        if lowered in NEVER or lowered.startswith("__") or self._knows(lowered):
            message = f"The function {quoted(name)} is not allowed"
            raise NotAllowedError(message, hint="Use functions of the columns alone.")

    def _visit_table_function(self, node: Node, scope: _Scope) -> None:
        names = {_path(node, "function_name")[-1], str(node.get("function_name") or "")}
        name = ascii_lower(max(names))
        if len(names) > 1 or (name not in GENERATORS and name not in READERS):
            message = f"The table function {quoted(max(names))} is not allowed"
            raise NotAllowedError(message, hint=READABLE)
        arguments = node.get("arguments") or []
        if name in READERS:
            self.uris |= dict.fromkeys(read_sources(name, arguments), True)
        self._note(scope, SOURCE)
        self._push_all(node.values(), scope)


def _refuse_writes(tree: Node) -> None:
    """Look for nodes that are no query before all else: what writes is called that."""
    for node in nodes_of(tree):
        kind = node.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _QUERIES:
            verb = kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
            raise NotReadOnlyError(f"{verb} inside a query is not read-only", hint=ONE_SELECT)


def _is_plain(name: str) -> bool:
    words = name.replace("_", "").replace(" ", "").replace("-", "")
    return words.isalnum() and not name.startswith(_CATALOGUE)


def _path(node: Node, name: str) -> list[str]:
    return (node.get("qualified_name") or {}).get("path") or [str(node.get(name) or "")]


def _has_star(expression: Node) -> bool:
    return any(one.get("class") == "STAR" for one in nodes_of(expression, subqueries=False))
