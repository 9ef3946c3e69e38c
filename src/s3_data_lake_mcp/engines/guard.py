"""Lets one read-only query through and nothing else: the first two layers of the sandbox.

Text limits, then DuckDB's own parser, then its tree walked with allow-lists. The parser runs on a
connection of the guard's own, locked and without data. The other layers (a locked instance, a file
system that cannot write, a process that can be killed) hold without this one.
"""

import json
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import duckdb

from s3_data_lake_mcp.engines.guard_pivot import has_marks, marked_pivots
from s3_data_lake_mcp.engines.guard_text import Token, check_limits, tokens, trimmed
from s3_data_lake_mcp.engines.guard_tree import ONE_SELECT, Tree, quoted
from s3_data_lake_mcp.errors import (
    LimitExceededError,
    NotAllowedError,
    NotReadOnlyError,
    SqlError,
)

MAX_TREE_CHARS: Final = 8 << 20
_LOCK = """
SET max_expression_depth=250; SET threads=1; SET memory_limit='256MB'; SET temp_directory='';
SET autoinstall_known_extensions=false; SET autoload_known_extensions=false;
SET allow_community_extensions=false; SET allow_extension_repositories='forbidden';
SET allow_persistent_secrets=false; SET secret_directory=''; SET python_enable_replacements=false;
SET enable_external_access=false; SET lock_configuration=true;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedSql:
    """One statement that only reads.

    `sql` is the statement to run, without what follows it. `kind` says how it may be run: an
    `explain` cannot stand in a subquery; a `pivot` finds its columns in the data, which DuckDB does
    by several statements. `uris` are the S3 URIs read beside the table `data`, as written.
    """

    sql: str
    kind: Literal["select", "explain", "pivot"]
    uris: tuple[str, ...]
    uses_data: bool


class _Parser:
    """A locked connection without data, used for its parser; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = duckdb.connect()
        self._connection.execute(_LOCK)
        rows = self._connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()")
        self.functions = frozenset(name.lower() for (name,) in rows.fetchall())

    def tree(self, sql: str) -> dict[str, Any]:
        """Return the syntax trees of a text, or DuckDB's description of why there are none."""
        with self._lock:
            row = self._connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        text = row[0] if row else "{}"
        if len(text) > MAX_TREE_CHARS:
            message = "The SQL has too many parts"
            raise LimitExceededError(message, hint="Use fewer grouping sets and expressions.")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def statement_kinds(self, sql: str) -> list[str]:
        """Return the kind of each statement of a text that parses."""
        with self._lock:
            try:
                found = self._connection.extract_statements(sql)
                return [_kind(statement) for statement in found]
            except duckdb.Error:
                return ["UNKNOWN"]


def _kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type.name)
    except ValueError:
        # A kind that the Python package has no name for, such as UPDATE EXTENSIONS.
        return "UNKNOWN"


@cache
def _parser() -> _Parser:
    return _Parser()


def check_sql(sql: str) -> GuardedSql:
    """Return the one read-only query that a text holds.

    Raises:
        SqlError: If it does not parse, is empty, or cannot bind.
        NotReadOnlyError: If it parses, but is anything else than one read-only query.
        NotAllowedError: If it names what may not be read, or a function that is no calculation.
        LimitExceededError: If it is too long, too deep or multiplies out too far.
        InvalidArgumentError: If it is no valid Unicode.
    """
    check_limits(sql)
    text = trimmed(sql)
    if not text:
        raise SqlError("The SQL is empty", hint=ONE_SELECT)
    answer = _parser().tree(text)
    if not answer["error"]:
        tree = _walk(answer["statements"], text)
        return _guarded(text, "select", tree)
    if not str(answer.get("error_message")).startswith("Only SELECT statements"):
        raise syntax_error(answer, text)
    return _check_other(text)


def check_predicate(where: str) -> str:
    """Return an SQL predicate that is one expression, without what follows it.

    It may stand between parentheses: the brackets in it are its own.

    Raises:
        SqlError: If it does not parse alone as one expression.
        NotAllowedError: If it reads anything but the table itself.
    """
    check_limits(where)
    text = trimmed(where)
    if not text:
        raise SqlError("The predicate is empty", hint="Write it as in amount > 10.")
    hint = "Write one SQL expression, as in amount > 10 AND country = 'DE'."
    if text == where.rstrip() and text.split(None, 1)[0].upper() == "WHERE":
        raise SqlError("The predicate begins with WHERE", hint="Write what follows WHERE alone.")
    answer = _parser().tree(f"SELECT [\n{text}\n]")
    if answer["error"]:
        raise SqlError(f"The predicate does not parse: {_near(answer, text, 9)}", hint=hint)
    # In a list literal nothing can close the bracket but us: what closed and opened it again would
    # leave something else than one list of one plain element.
    statements = answer["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    selected = node.get("select_list") or [{}]
    arguments = selected[0].get("arguments") or [{}]
    if (
        node.get("type") != "SELECT_NODE"
        or (node.get("from_table") or {}).get("type") != "EMPTY"
        or len(selected) != 1
        or selected[0].get("function_name") != "list_value"
        or selected[0].get("alias")
        or len(arguments) != 1
        or arguments[0].get("name")
    ):
        raise SqlError("The predicate is more than one expression", hint=hint)
    tree = _walk(statements, text)
    if tree.uris:
        message = f"The predicate reads {quoted(next(iter(tree.uris)))}, which is not allowed"
        raise NotAllowedError(message, hint="Use query_csv_data to join other objects.")
    return text


def syntax_error(answer: dict[str, Any], sql: str) -> SqlError | LimitExceededError:
    """Say where a text does not parse."""
    message = str(answer.get("error_message", ""))
    if message.startswith("Max expression depth"):
        deep = "The SQL is nested too deeply"
        return LimitExceededError(deep, hint="Use IN or VALUES in place of long chains.")
    return SqlError(f"The SQL does not parse: {_near(answer, sql)}", hint=ONE_SELECT)


def _near(answer: dict[str, Any], sql: str, before: int = 0) -> str:
    """Describe a syntax error with its line and column; `before` bytes stood before the text."""
    message = quoted(str(answer.get("error_message", "")), 200)
    if not (position := str(answer.get("position", ""))).isdigit():
        return message
    head = sql.encode()[: max(0, int(position) - before)].decode(errors="ignore")
    line, column = head.count("\n") + 1, len(head) - head.rfind("\n")
    return f"{message} (line {line}, column {column})"


def _walk(statements: list[dict[str, Any]], sql: str) -> Tree:
    if len(statements) != 1:
        kinds = _parser().statement_kinds(sql)
        message = f"The SQL has {len(kinds) or 'no'} statements"
        raise NotReadOnlyError(message, hint="Write one SELECT, without what follows the `;`.")
    tree = Tree(known_functions=_parser().functions)
    try:
        tree.walk(statements[0]["node"])
    except RecursionError as exc:
        message = "The SQL is nested too deeply"
        raise LimitExceededError(message, hint="Use a WITH clause.") from exc
    return tree


def _guarded(sql: str, kind: Literal["select", "explain", "pivot"], tree: Tree) -> GuardedSql:
    return GuardedSql(sql=sql, kind=kind, uris=tuple(tree.uris), uses_data=tree.uses_data)


def _check_other(sql: str) -> GuardedSql:
    """Judge what parses but is no plain SELECT: EXPLAIN and PIVOT may read, all else may not."""
    kinds = _parser().statement_kinds(sql)
    if len(kinds) != 1:
        message = f"The SQL has {len(kinds)} statements"
        raise NotReadOnlyError(message, hint="Write one SELECT, without what follows the `;`.")
    words = tokens(sql)
    if words[0].says("EXPLAIN"):
        return _check_explain(sql, words)
    if kinds == ["MULTI"]:
        return _guarded(sql, "pivot", _pivot_tree(sql, words))
    verb = words[0].text.upper()
    raise NotReadOnlyError(f"{quoted(verb)} is not a read-only query", hint=ONE_SELECT)


def _check_explain(sql: str, words: list[Token]) -> GuardedSql:
    """Judge what an EXPLAIN explains, and put the two together again."""
    rest = words[1:]
    options = ""
    hint = "Write EXPLAIN and one SELECT."
    if rest[0].says("ANALYZE", "ANALYSE"):
        raise NotReadOnlyError("EXPLAIN ANALYZE runs its statement", hint=hint)
    if rest[0].text == "(" and not _is_query(sql[rest[0].start :]):
        # Only the format can be chosen: every other option makes EXPLAIN run the statement.
        if not (rest[1].says("FORMAT") and rest[3].text == ")" and len(rest) > 4):
            raise NotReadOnlyError("EXPLAIN with options other than FORMAT", hint=hint)
        options = f"(FORMAT {rest[2].text}) "
        rest = rest[4:]
    try:
        inner = check_sql(sql[rest[0].start :])
    except NotReadOnlyError as exc:
        message = f"EXPLAIN of what is not one read-only query: {exc}"
        raise NotReadOnlyError(message, hint=hint) from exc
    explained = f"EXPLAIN {options}{inner.sql}"
    return GuardedSql(sql=explained, kind="explain", uris=inner.uris, uses_data=inner.uses_data)


def _is_query(sql: str) -> bool:
    return not _parser().tree(sql)["error"] or _parser().statement_kinds(sql) == ["MULTI"]


def _pivot_tree(sql: str, words: list[Token]) -> Tree:
    for marked, count in marked_pivots(sql, words):
        answer = _parser().tree(marked)
        if answer["error"] or len(answer["statements"]) != 1:
            continue
        tree = _walk(answer["statements"], marked)
        if has_marks(tree.pivot_enums, count):
            return tree
    message = "The SQL changes something, or is a PIVOT of a form that cannot be checked"
    raise NotReadOnlyError(message, hint="List the columns: PIVOT data ON a IN ('x', 'y') USING …")
