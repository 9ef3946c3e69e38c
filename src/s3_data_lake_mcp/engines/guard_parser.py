"""DuckDB's own parser, on a locked connection without data, and what it says of a text."""

import copy
import json
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import duckdb

from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.errors import LakeError, LimitExceededError, SqlError

MAX_TREE_CHARS: Final = 2 << 20
ONE_SELECT: Final = "Write one SELECT over the table data."
_CONDITION: Final = "SELECT NULL WHERE "
_LOCK = """
SET max_expression_depth=250; SET threads=1; SET memory_limit='256MB'; SET temp_directory='';
SET autoinstall_known_extensions=false; SET autoload_known_extensions=false;
SET allow_community_extensions=false; SET allow_extension_repositories='forbidden';
SET allow_persistent_secrets=false; SET secret_directory=''; SET python_enable_replacements=false;
SET enable_external_access=false; SET lock_configuration=true;
"""


class Parser:
    """A locked connection without data, used for its parser; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = _connect()
        self._functions: frozenset[str] | None = None
        self._last: tuple[str, dict[str, Any]] | None = None

    def tree(self, sql: str) -> dict[str, Any]:
        """Return the syntax trees of a text, or DuckDB's description of why there are none.

        The last is kept, for who looks at the query once more; it is not to be changed.

        Raises:
            LimitExceededError: If the trees are too large.
        """
        if (last := self._last) is not None and last[0] == sql:
            return last[1]
        try:
            with self._lock:
                row = self._connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        except duckdb.Error as exc:
            self._renew()
            raise _too_large() from exc
        text = row[0] if row else ""
        if len(text) > MAX_TREE_CHARS:
            raise _too_large()
        answer: dict[str, Any] = json.loads(text)
        self._last = (sql, answer)
        return answer

    def written(self, condition: Mapping[str, Any]) -> str:
        """Return the text of a condition, which is a part of a syntax tree.

        Raises:
            duckdb.Error: If it has none.
        """
        tree = copy.deepcopy(self.tree(_CONDITION + "true"))
        tree["statements"][0]["node"]["where_clause"] = condition
        try:
            with self._lock:
                sql = "SELECT json_deserialize_sql(?)"
                row = self._connection.execute(sql, [json.dumps(tree)]).fetchone()
        except duckdb.Error:
            self._renew()
            raise
        return str(row[0] if row else "").removeprefix(_CONDITION)

    def kinds(self, sql: str) -> list[str]:
        """Return the kind of each statement of a text that parses, UNKNOWN if it has no name."""
        try:
            with self._lock:
                found = self._connection.extract_statements(sql)
            return [statement.type.name for statement in found]
        except (duckdb.Error, ValueError):
            # UPDATE EXTENSIONS is one that the Python package does not know.
            self._renew()
            return ["UNKNOWN"]

    def knows(self, function: str) -> bool:
        """Tell whether DuckDB has a function of this name, written in lower case."""
        with self._lock:
            if self._functions is None:
                rows = self._connection.execute("SELECT function_name FROM duckdb_functions()")
                self._functions = frozenset(name.lower() for (name,) in rows.fetchall())
            return function in self._functions

    def _renew(self) -> None:
        """Start afresh: an internal error may have left the connection unusable."""
        with self._lock:
            self._connection.close()
            self._connection = _connect()


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(_LOCK)
    return connection


@cache
def the_parser() -> Parser:
    """Return the parser of this process."""
    return Parser()


def nodes_of(tree: object, *, subqueries: bool = True) -> Iterator[Mapping[str, Any]]:
    """Yield all nodes of a syntax tree, or of a list of them.

    Expressions that are subqueries come in any case, what is in them only with `subqueries`.
    """
    todo: list[Any] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            yield node
            if subqueries or node.get("class") != "SUBQUERY":
                todo += node.values()


def is_no_select(answer: Mapping[str, Any]) -> bool:
    """Tell whether a text parses, but as something that DuckDB shows no tree of."""
    return str(answer.get("error_message", "")).startswith("Only SELECT statements")


def _too_large() -> LimitExceededError:
    message = "The SQL has too many parts"
    return LimitExceededError(message, hint="Use fewer grouping sets and shorter expressions.")


def syntax_error(answer: Mapping[str, Any], sql: str) -> LakeError:
    """Say why and where a text does not parse."""
    message = str(answer.get("error_message", ""))
    if message.startswith("Max expression depth"):
        deep = "The SQL is nested too deeply"
        return LimitExceededError(deep, hint="Use IN or VALUES in place of long chains.")
    return SqlError(f"The SQL does not parse: {near(answer, sql)}", hint=ONE_SELECT)


def near(answer: Mapping[str, Any], sql: str, before: int = 0) -> str:
    """Describe a syntax error with line and column; `before` bytes stood before the text."""
    message = quoted(str(answer.get("error_message", "")), 200).rstrip(" .!:")
    if not (position := str(answer.get("position", ""))).isdigit():
        return message
    head = sql.encode()[: max(0, int(position) - before)].decode(errors="ignore")
    line, column = head.count("\n") + 1, len(head) - head.rfind("\n")
    return f"{message} (line {line}, column {column})"
