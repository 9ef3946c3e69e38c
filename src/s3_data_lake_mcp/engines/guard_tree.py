"""The syntax tree of one query, walked with allow-lists: whatever is not known is refused.

The tree is the one that DuckDB's own parser made (`json_serialize_sql`), so there is no second
parser to disagree with it. Every node is visited, wherever it hides: LIMIT, HAVING, lambdas,
window frames, options. Table names are resolved in their scope as the binder resolves them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from s3_data_lake_mcp.engines.guard_words import (
    FUNCTIONS,
    GENERATORS,
    NEVER,
    OPERATORS,
    READERS,
)
from s3_data_lake_mcp.errors import (
    LakeError,
    LimitExceededError,
    NotAllowedError,
    NotReadOnlyError,
    SqlError,
)

TABLE: Final = "data"
MAX_CTES = 20
MAX_SET_OPERATIONS = 200
MAX_EXPANSION = 5_000
"""Table references of a query after its CTEs and stars are multiplied out, as the binder does."""

ONE_SELECT = "Write one SELECT over the table data."
READABLE = (
    "A query can read the table data and objects named as quoted s3:// URIs, bare or in read_csv, "
    "read_json or read_parquet."
)

_QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_PLAIN_REFS = {"SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT"}
_OTHER_TYPES = {
    *("ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"),
    *("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
}
_EXPRESSIONS = set(
    "BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT DEFAULT FUNCTION LAMBDA "
    "LAMBDA_REF OPERATOR PARAMETER POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW".split()
)
_SHOWN = {'"tables"', '"databases"', '"schemas"', "__show_tables_expanded"}
_CATALOGUE = ("duckdb_", "pg_", "pragma_", "sqlite_", "information_schema")
_LITERALS = {"list_value", "struct_pack", "row", "map", "array_value"}
_MAIN = 0

type Node = Mapping[str, Any]


class UnknownTableError(SqlError):
    """A query names a plain table that is not there; `name` and `position` say which."""

    def __init__(self, name: str, position: int) -> None:
        super().__init__(f"{quoted(name)} is not a table", hint=f"The table is called {TABLE}.")
        self.name = name
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What stands around a node: the tables that can be named there, and whose text it is.

    `tables` maps a CTE's name to its number, `recursive` are those being defined around here.
    `owner` is the number of the CTE that the node belongs to (0: the query itself), and `factor`
    how often the stars of the SELECTs around it repeat its columns.
    """

    tables: Mapping[str, int] = field(default_factory=dict)
    recursive: frozenset[str] = frozenset()
    owner: int = _MAIN
    factor: int = 1


@dataclass(slots=True)
class Tree:
    """Walks one statement, and remembers which tables it reads."""

    known_functions: frozenset[str]
    uris: dict[str, None] = field(default_factory=dict)
    uses_data: bool = False
    pivot_enums: list[str] = field(default_factory=list)
    _ctes: int = 0
    _set_operations: int = 0
    _reads: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _todo: list[tuple[Any, Scope]] = field(default_factory=list)

    def walk(self, node: Node) -> None:
        """Visit every node.

        Raises:
            NotReadOnlyError: If anything in it writes.
            NotAllowedError: If it names what may not be read or run.
            SqlError: If it cannot bind: an unknown table, a parameter.
            LimitExceededError: If planning it would cost too much.
        """
        self._push(node, Scope())
        while self._todo:
            self._visit(*self._todo.pop())
        self._check_expansion()

    def _push(self, node: object, scope: Scope) -> None:
        if isinstance(node, dict | list):
            self._todo.append((node, scope))

    def _push_all(self, nodes: Iterable[object], scope: Scope) -> None:
        # Reversed, so that the first is popped first: URIs come out in the order of the text.
        for node in reversed(list(nodes)):
            self._push(node, scope)

    def _visit(self, node: Node | list[Any], scope: Scope) -> None:
        if isinstance(node, list):
            self._push_all(node, scope)
        elif "class" in node:
            self._visit_expression(node, scope)
        elif isinstance(kind := node.get("type"), str):
            self._visit_typed(node, kind, scope)
        else:
            self._push_all(node.values(), scope)

    def _visit_typed(self, node: Node, kind: str, scope: Scope) -> None:
        if kind in _QUERY_NODES:
            self._visit_query(node, kind, scope)
        elif kind == "BASE_TABLE":
            self._visit_table(_path(node, "table_name"), node, scope)
        elif kind == "TABLE_FUNCTION":
            self._visit_table_function(node["function"], scope)
            self._push_all((v for k, v in node.items() if k != "function"), scope)
        elif kind == "SHOW_REF":
            self._visit_show(node, scope)
        elif kind in _PLAIN_REFS or kind in _OTHER_TYPES or kind.endswith("_TYPE_INFO"):
            if kind == "PIVOT":
                self.pivot_enums += [p["pivot_enum"] for p in node["pivots"] if p.get("pivot_enum")]
            self._push_all(node.values(), scope)
        elif kind.endswith("_NODE"):
            verb = kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
            message = f"{verb} inside a query is not read-only"
            raise NotReadOnlyError(message, hint=ONE_SELECT)
        else:
            message = f"A table reference of the kind {kind} is not allowed"
            raise NotAllowedError(message, hint=READABLE)

    def _visit_query(self, node: Node, kind: str, scope: Scope) -> None:
        if kind == "SET_OPERATION_NODE":
            self._count_set_operations(len(node.get("children") or (1, 1)) - 1)
        scope = self._with_ctes(node, scope)
        inner = scope
        if kind == "SELECT_NODE" and (stars := sum(map(_has_star, node["select_list"]))) > 1:
            inner = _changed(scope, factor=min(scope.factor * stars, MAX_EXPANSION + 1))
        if kind == "RECURSIVE_CTE_NODE" and (name := _lower(str(node.get("cte_name", "")))):
            # Only the recursive half sees the name; the first half still sees what is outside.
            recursive = scope.recursive | {name}
            inner = _changed(scope, tables={**scope.tables, name: scope.owner}, recursive=recursive)
        deeper = {"from_table", "right"}
        rest = [(v, inner if k in deeper else scope) for k, v in node.items() if k != "cte_map"]
        for value, seen in reversed(rest):
            self._push(value, seen)

    def _count_set_operations(self, count: int) -> None:
        self._set_operations += count
        if self._set_operations > MAX_SET_OPERATIONS:
            message = f"The query has more than {MAX_SET_OPERATIONS} set operations"
            raise LimitExceededError(message, hint="Use IN, VALUES or a glob in their place.")

    def _with_ctes(self, node: Node, scope: Scope) -> Scope:
        """Queue the CTEs of a query, each with what it can see, and return what the query sees."""
        for entry in (node.get("cte_map") or {}).get("map") or ():
            self._ctes += 1
            if self._ctes > MAX_CTES:
                message = f"The query has more than {MAX_CTES} common table expressions"
                raise LimitExceededError(message, hint="Split it, or nest fewer steps.")
            number = self._ctes
            self._push(entry["value"], _changed(scope, owner=number, factor=1))
            # Not visible in its own body: there the name still means what it meant outside.
            tables = {**scope.tables, _lower(str(entry["key"])): number}
            scope = _changed(scope, tables=tables)
        return scope

    def _visit_table(self, path: list[str], node: Node, scope: Scope) -> None:
        name = _lower(path[-1])
        if len(path) == 1 and name in scope.tables:
            self._note(scope, scope.tables[name])
        elif len(path) == 2 and _lower(path[0]) == "recurring" and name in scope.recursive:  # noqa: PLR2004 - schema and name
            self._note(scope, scope.owner)
        elif path == [path[-1]] and name == TABLE:
            self.uses_data = True
            self._note(scope, -1)
        elif len(path) == 1 and is_s3_uri(path[-1]):
            self.uris[path[-1]] = None
            self._note(scope, -1)
        else:
            raise _refused_table(path, int(node.get("query_location") or 0))
        self._push(node.get("at_clause"), scope)

    def _note(self, scope: Scope, table: int) -> None:
        self._reads.setdefault(scope.owner, []).append((table, scope.factor))

    def _visit_show(self, node: Node, scope: Scope) -> None:
        if node.get("query"):
            self._push(node["query"], scope)
            return
        path = _path(node, "table_name")
        if node.get("show_type") == "SHOW" and (
            _lower(path[-1]) in {TABLE, *scope.tables} or is_s3_uri(path[-1])
        ):
            self._visit_table(path, node, scope)
        elif node.get("show_type") != "SHOW_SPECIAL" or path[-1] not in _SHOWN:
            message = f"SHOW of {quoted(path[-1]) or 'a schema'} is not allowed"
            raise NotAllowedError(message, hint="Use SHOW TABLES, or DESCRIBE data.")

    def _visit_expression(self, node: Node, scope: Scope) -> None:
        kind = node["class"]
        if kind not in _EXPRESSIONS:
            message = f"An expression of the kind {kind} is not allowed"
            raise NotAllowedError(message, hint=ONE_SELECT)
        if kind == "PARAMETER":
            message = f"The query has a parameter ({quoted(str(node.get('identifier', '?')))})"
            raise SqlError(message, hint="Write the value itself in its place.")
        if kind in {"FUNCTION", "WINDOW"}:
            for name in {*_path(node, "function_name")[-1:], node.get("function_name", "")}:
                self._check_function(_lower(name), name)
        self._push_all(node.values(), scope)

    def _check_function(self, name: str, written: str) -> None:
        if not name or name in FUNCTIONS or name in OPERATORS:
            return
        if name in NEVER or name in self.known_functions or name.startswith("__"):
            message = f"The function {quoted(written)} is not allowed"
            raise NotAllowedError(message, hint="Functions can see their arguments only.")

    def _visit_table_function(self, node: Node, scope: Scope) -> None:
        path = _path(node, "function_name")
        name = _lower(path[-1])
        arguments = node.get("arguments") or []
        if _lower(str(node.get("function_name", ""))) != name or (
            name not in GENERATORS and name not in READERS
        ):
            message = f"The table function {quoted(path[-1])} is not allowed"
            raise NotAllowedError(message, hint=READABLE)
        if name in READERS:
            for uri in read_sources(name, arguments):
                self.uris[uri] = None
                self._note(scope, -1)
        self._push_all((v for k, v in node.items() if k != "arguments"), scope)
        self._push(arguments, scope)

    def _check_expansion(self) -> None:
        """Refuse CTEs that name each other so often that binding them would explode."""
        sizes = {-1: 1}
        for owner in sorted(self._reads, reverse=True):
            sizes.setdefault(owner, 0)
        # A CTE sees only those before it, so their numbers order them; nested ones come later
        # than the one around them, hence the repetition until nothing grows.
        for _ in range(len(self._reads) + 1):
            before = dict(sizes)
            for owner, reads in self._reads.items():
                total = sum(
                    factor * (1 if table == owner else sizes.get(table, 1))
                    for table, factor in reads
                )
                sizes[owner] = min(total, MAX_EXPANSION + 1)
            if sizes == before:
                break
        if max(sizes.values()) > MAX_EXPANSION:
            message = "The query multiplies out to too many tables and columns"
            raise LimitExceededError(
                message, hint="Name each common table expression fewer times, and use fewer *."
            )


def read_sources(function: str, arguments: list[Node]) -> list[str]:
    """Return the URIs that a reader such as `read_csv(…)` names.

    Raises:
        NotAllowedError: If a source is no literal `s3://` URI, or an option is not on the list.
    """
    sources: list[str] = []
    for position, argument in enumerate(arguments):
        option, value = _option(argument)
        if option:
            _check_option(function, option, value)
        elif position > 0:
            message = f"{function} takes one list of URIs"
            raise SqlError(message, hint=f"Write {function}(['s3://bucket/a', 's3://bucket/b']).")
        else:
            sources = _strings(value)
    bad = [text for text in sources if not is_s3_uri(text)]
    if bad or not sources:
        message = f"{function} of {quoted(bad[0]) if bad else 'no literal URI'} is not allowed"
        raise NotAllowedError(
            message, hint=f"Write the s3:// URI itself: {function}('s3://bucket/key')."
        )
    return sources


def is_s3_uri(text: str) -> bool:
    """Tell whether a text is an S3 URI with a bucket."""
    scheme, found, rest = text.partition("://")
    return bool(found) and _lower(scheme) in {"s3", "s3a", "s3n"} and bool(rest.strip("/"))


def quoted(name: str, limit: int = 60) -> str:
    """Return a name for use in a message: one line, and short."""
    line = " ".join(name.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _option(argument: Node) -> tuple[str, Node]:
    """Split a named argument: `name := x`, `name => x` and `name = x` all name an option."""
    expression = argument["expression"]
    if argument.get("name"):
        return _lower(argument["name"]), expression
    left = expression.get("left") or {}
    if expression.get("type") == "COMPARE_EQUAL" and left.get("class") == "COLUMN_REF":
        return _lower(left["column_names"][-1]), expression["right"]
    return "", expression


def _check_option(function: str, option: str, value: Node) -> None:
    if option not in READERS[function]:
        message = f"The option {quoted(option)} of {function} is not allowed"
        allowed = ", ".join(sorted(READERS[function]))
        raise NotAllowedError(message, hint=f"It can have: {allowed}.")
    if not _is_literal(value):
        message = f"The option {quoted(option)} of {function} is not a literal"
        raise NotAllowedError(message, hint="Write its value itself.")


def _is_literal(value: Node) -> bool:
    if value["class"] == "FUNCTION" and value["function_name"] in _LITERALS:
        return all(_is_literal(argument["expression"]) for argument in value["arguments"])
    # true and false are constants; a bare word such as `auto` is taken as text by DuckDB.
    return value["class"] in {"CONSTANT", "COLUMN_REF"}


def _strings(value: Node) -> list[str]:
    """Return the texts of a string literal or a list of them, or nothing."""
    if value["class"] == "FUNCTION" and value["function_name"] == "list_value":
        parts = [_strings(argument["expression"]) for argument in value["arguments"]]
        return [text for part in parts for text in part] if all(parts) else []
    literal = value.get("literal") or {}
    is_text = value["class"] == "CONSTANT" and literal.get("kind") == "STRING"
    return [str(literal["text"])] if is_text else []


def _refused_table(path: list[str], position: int) -> LakeError:
    name = ".".join(path)
    plain = len(path) == 1 and name.replace("_", "").replace(" ", "").isalnum()
    if plain and not _lower(name).startswith(_CATALOGUE):
        return UnknownTableError(name, position)
    return NotAllowedError(f"The table {quoted(name)} is not allowed", hint=READABLE)


def _path(node: Node, name: str) -> list[str]:
    return (node.get("qualified_name") or {}).get("path") or [str(node.get(name) or "")]


def _has_star(expression: Node) -> bool:
    todo: list[Any] = [expression]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict) and node.get("class") != "SUBQUERY":
            if node.get("class") == "STAR":
                return True
            todo += node.values()
    return False


def _changed(scope: Scope, **changes: Any) -> Scope:  # noqa: ANN401 - fields of Scope
    fields = {name: getattr(scope, name) for name in ("tables", "recursive", "owner", "factor")}
    return Scope(**(fields | changes))


def _lower(text: str) -> str:
    """Fold ASCII only, as DuckDB compares names: more would make names alike that are not."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)
