"""Lets one read-only query through and nothing else: the first two layers of the sandbox.

Text limits, then DuckDB's own parser, then its tree walked with allow-lists. The parser runs on a
connection of the guard's own, locked and without data. The other layers (a locked instance, a file
system that cannot write, a process that can be killed) hold without this one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from s3_data_lake_mcp.engines.guard_parser import (
    ONE_SELECT,
    is_no_select,
    near,
    syntax_error,
    the_parser,
)
from s3_data_lake_mcp.engines.guard_pivot import has_marks, marked_pivots
from s3_data_lake_mcp.engines.guard_repair import with_table
from s3_data_lake_mcp.engines.guard_text import Token, check_limits, quoted, tokens, trimmed
from s3_data_lake_mcp.engines.guard_tree import TABLE, Tree
from s3_data_lake_mcp.engines.mend_dialect import respelled, with_quotes
from s3_data_lake_mcp.errors import LakeError, NotAllowedError, NotReadOnlyError, SqlError

type Kind = Literal["select", "explain", "pivot"]

_KEPT = 64
_ALONE = "Write one SELECT, without what follows the semicolon."
_AROUND = re.compile(
    r"(?:SELECT\b.{1,300}?\bFROM\s+\w+\s+)?(?:WHERE\s+)?(.+?)"
    r"(?:\sLIMIT\s+\d+)?",
    re.IGNORECASE | re.DOTALL,
)
"""A predicate with what stands around it in a query."""

_EXPRESSION = "Write one SQL expression, as in amount > 10 AND country = 'DE'."


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedSql:
    """One statement that only reads.

    `sql` is the statement to run, without what follows it. `kind` says how it may be run: an
    `explain` cannot stand in a subquery; a `pivot` finds its columns in the data, which DuckDB does
    by several statements. `uris` are the S3 URIs read beside the table `data`, as written,
    `in_readers` those that a call of `read_csv` and the like names.
    """

    sql: str
    kind: Kind
    uris: tuple[str, ...]
    in_readers: frozenset[str]
    uses_data: bool


@lru_cache(maxsize=_KEPT)
def check_sql(sql: str) -> GuardedSql:
    """Return the one read-only query that a text holds; each page of an answer asks anew.

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
    # Only what is left is run, so only that need be judged.
    answer = the_parser().tree(text)
    if not answer["error"]:
        return _guarded(text, "select", _walk(answer["statements"]))
    if not is_no_select(answer):
        raise _respelled_error(answer, text)
    return _check_other(text)


def _respelled_error(answer: dict[str, Any], sql: str) -> LakeError:
    """Say why a text does not parse, and how it would if it is written as elsewhere."""
    error = syntax_error(answer, sql)
    new, hint = respelled(sql)
    position = str(answer.get("position", ""))
    if not new and position.isdigit():
        new, hint = with_quotes(sql, len(sql.encode()[: int(position)].decode(errors="ignore")))
    if not new:
        rows = f"SELECT * FROM {TABLE} WHERE {sql}"  # noqa: S608 - guarded below
        if the_parser().tree(rows)["error"]:
            return error
        new, hint = rows, "A predicate alone is no query."
    repair: dict[str, object] | None
    try:
        repair = {"sql": check_sql(new).sql}
    except LakeError as exc:
        # What is wrong besides may be mended as well.
        repair = exc.repair
    return SqlError(str(error), hint=hint, repair=repair) if repair else error


def check_predicate(where: str) -> str:
    """Return an SQL predicate that is one expression, without what follows it.

    It may stand between parentheses: the brackets in it are its own.

    Raises:
        SqlError: If it does not parse alone as one expression.
        NotAllowedError: If it reads anything but the table itself.
        LimitExceededError: If it is too long or too deep.
        InvalidArgumentError: If it is no valid Unicode.
    """
    check_limits(where)
    text = trimmed(where)
    if not text:
        raise SqlError("The predicate is empty", hint=_EXPRESSION)
    answer = the_parser().tree(f"SELECT [\n{text}\n]")
    if answer["error"]:
        raise _bad_predicate(answer, text)
    if not _is_one_element(answer["statements"]):
        raise SqlError("The predicate is more than one expression", hint=_EXPRESSION)
    tree = _walk(answer["statements"])
    if tree.uris:
        message = f"The predicate reads {quoted(next(iter(tree.uris)))}, which is not allowed"
        raise NotAllowedError(message, hint="Use query_csv_data to join other objects.")
    if tree.unknown_tables:
        raise _unknown_table(text, tree)
    return text


def _bad_predicate(answer: dict[str, Any], text: str) -> LakeError:
    found = _AROUND.fullmatch(text)
    if found and found[1] != text:
        begins = text[:5].upper() == "WHERE"
        message = (
            f"The predicate {'begins with WHERE' if begins else 'has other clauses beside it'}"
        )
        repair = {"where": found[1]}
        hint = "Write what follows WHERE alone: query_csv_data takes whole queries."
        return SqlError(message, hint=hint, repair=repair)
    if is_no_select(answer):
        return SqlError("The predicate is more than one expression", hint=_EXPRESSION)
    # Without our own bracket behind it, what is said is about the text alone.
    open_end = the_parser().tree(f"SELECT [\n{text}")
    what = "it closes a bracket that it does not open"
    if open_end["error"]:
        what = near(open_end, text, len("SELECT [ "))
    return SqlError(f"The predicate does not parse: {what}", hint=_EXPRESSION)


def _is_one_element(statements: Sequence[dict[str, Any]]) -> bool:
    """Tell whether `SELECT [ … ]` is still that, with one plain element.

    In square brackets no text can close the bracket and open it again without leaving another tree:
    a second element, a second column, an operator between two lists, a FROM.
    """
    node = statements[0]["node"] if len(statements) == 1 else {}
    selected = node.get("select_list") or [{}]
    arguments = selected[0].get("arguments") or []
    return (
        node.get("type") == "SELECT_NODE"
        and (node.get("from_table") or {}).get("type") == "EMPTY"
        and len(selected) == 1
        and selected[0].get("function_name") == "list_value"
        and not selected[0].get("alias")
        and len(arguments) == 1
        and not arguments[0].get("name")
        and arguments[0]["expression"]["class"] != "STAR"
    )


def _walk(statements: Sequence[dict[str, Any]]) -> Tree:
    if len(statements) != 1:
        raise NotReadOnlyError(f"The SQL has {len(statements) or 'no'} statements", hint=_ALONE)
    tree = Tree(the_parser().knows)
    tree.walk(statements[0]["node"])
    return tree


def _guarded(sql: str, kind: Kind, tree: Tree) -> GuardedSql:
    if tree.unknown_tables:
        raise _unknown_table(sql, tree)
    return GuardedSql(
        sql=sql,
        kind=kind,
        uris=tuple(tree.uris),
        in_readers=frozenset(uri for uri, in_reader in tree.uris.items() if in_reader),
        uses_data=tree.uses_data,
    )


def _unknown_table(sql: str, tree: Tree) -> SqlError:
    """Say that a table is not there, and what its query would be over the one that is."""
    unknown = tree.unknown_tables
    name = unknown[0].name
    message = f"There is no table {quoted(name)}"
    hint = "The table is called data; other objects are named as quoted s3:// URIs."
    if tree.uses_data or tree.uris or any(one.name != name for one in unknown):
        return SqlError(message, hint=hint)
    positions = [one.position for one in unknown]
    has_alias = any(one.alias for one in unknown)
    repaired = with_table(sql, name, positions, alias=has_alias)
    try:
        repair = {"sql": check_sql(repaired).sql}
    except LakeError:
        return SqlError(message, hint=hint)
    return SqlError(message, hint=hint, repair=repair)


def _check_other(sql: str) -> GuardedSql:
    """Judge what parses but is no plain SELECT: EXPLAIN and PIVOT may read, all else may not."""
    kinds = the_parser().kinds(sql)
    if len(kinds) != 1:
        raise NotReadOnlyError(f"The SQL has {len(kinds)} statements", hint=_ALONE)
    words = tokens(sql)
    if words[0].says("EXPLAIN"):
        return _check_explain(sql, words[1:])
    if kinds == ["MULTI"]:
        return _guarded(sql, "pivot", _pivot_tree(sql, words))
    verb = kinds[0] if words[0].says("WITH", "FROM") else words[0].text.upper()
    raise NotReadOnlyError(f"{quoted(verb)} is not a read-only query", hint=ONE_SELECT)


def _check_explain(sql: str, rest: Sequence[Token]) -> GuardedSql:
    """Judge what an EXPLAIN explains, and put the two together again."""
    options = ""
    hint = "Write EXPLAIN and one SELECT."
    if rest[0].says("ANALYZE", "ANALYSE"):
        raise NotReadOnlyError("EXPLAIN ANALYZE runs its statement", hint=hint)
    if rest[0].text == "(" and not _is_query(sql[rest[0].start :]):
        # The format is the one option that does not make EXPLAIN run its statement.
        end = next(i for i, word in enumerate(rest) if word.text == ")")
        if end != len(["(", "FORMAT", "json"]) or not rest[1].says("FORMAT"):
            raise NotReadOnlyError("EXPLAIN with options other than FORMAT", hint=hint)
        options = f"(FORMAT {rest[2].text}) "
        rest = rest[end + 1 :]
    try:
        inner = check_sql(sql[rest[0].start :])
    except NotReadOnlyError as exc:
        raise NotReadOnlyError(f"EXPLAIN of what is no read-only query: {exc}", hint=hint) from exc
    except SqlError as exc:
        repair = {"sql": f"EXPLAIN {options}{exc.repair['sql']}"} if exc.repair else None
        raise SqlError(str(exc), hint=exc.hint, repair=repair) from exc
    return replace(inner, sql=f"EXPLAIN {options}{inner.sql}", kind="explain")


def _is_query(sql: str) -> bool:
    answer = the_parser().tree(sql)
    return not answer["error"] or (is_no_select(answer) and the_parser().kinds(sql) == ["MULTI"])


def _pivot_tree(sql: str, words: Sequence[Token]) -> Tree:
    for marked, count in marked_pivots(sql, words):
        answer = the_parser().tree(marked)
        if answer["error"]:
            continue
        tree = _walk(answer["statements"])
        if has_marks(tree.pivot_enums, count):
            return tree
    message = "The SQL changes something, or is a PIVOT of a form that cannot be checked"
    raise NotReadOnlyError(message, hint="List the columns: PIVOT data ON a IN ('x', 'y') USING …")
