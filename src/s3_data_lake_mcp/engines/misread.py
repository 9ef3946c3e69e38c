"""Text that a query takes for numbers or dates, and that is not written as those are."""

import contextlib
import itertools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines.absent_values import (
    CHEAP_BYTES,
    named_column,
    names_of,
    shown,
    text_of,
    wrong_literals,
)
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_parser import nodes_of, the_parser
from s3_data_lake_mcp.engines.guard_repair import quoted_name
from s3_data_lake_mcp.engines.guard_text import quoted, tokens
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.spellings import HAS_DIGITS, ways
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.engines.tables import Table
from s3_data_lake_mcp.errors import LakeError

_CASTS = re.compile(r"(?i)\btry_cast\b")
_TEXT = re.compile(r"'[^']*'")
_ZEROTH = re.compile(r"[\w\"\])]\s*\[\s*0\s*\]")
_DAY = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:.*)?"
_BOUNDS = re.compile(rf"[<>]=?\s*'(?:[+-]?\d*\.?\d+|{_DAY})'")
_BOUND = re.compile(rf"[+-]?\d*\.?\d+|{_DAY}")
_ORDERS = {f"COMPARE_{side}THAN{end}" for side in ("GREATER", "LESS") for end in ("", "OREQUALTO")}
_EQUALS = ("=", "==", "<>", "!=")
_MOST_VALUES = 2_000
UNREAD_BYTES = 8 << 20
"""Most bytes of objects that an error may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidCast:
    """A cast that gives null for each value, and what does not, where that is known."""

    written: str
    sentence: str
    better: str


def remarks(
    session: Session, tables: Sequence[Table], statement: Statement, answer: pa.Table
) -> list[str]:
    """Say which values of the tables were not what a query takes them for."""
    is_empty = not _says_something(answer)
    has_void = is_empty or any(one.null_count == answer.num_rows for one in answer.columns)
    sql, said = statement.shown, list[str]()
    if has_void and _ZEROTH.search(_TEXT.sub("''", sql)):
        said.append("Lists begin with 1: their element [0] is null.")
    said += _operators(sql)
    for table in tables:
        said += wrong_literals(session, table, statement) if is_empty else []
        most_bytes = sys.maxsize if has_void else CHEAP_BYTES
        said += [void.sentence for void in void_casts(session, table, sql, most_bytes)]
        said += text_bounds(session, table, sql)
    return list(dict.fromkeys(said))


def may_say_casts(sql: str) -> bool:
    """Whether remarks may be about casts in a query."""
    return bool(_CASTS.search(sql))


def _operators(sql: str) -> Iterator[str]:
    """Yield a sentence for each operator that does something else than in other places."""
    words = tokens(sql)
    for word, behind in itertools.pairwise(words):
        if word.text in _EQUALS and behind.says("NULL"):
            yield f"{word.text} NULL is never true: write IS NULL or IS NOT NULL."
        if word.text == "@" and behind.is_word and behind.start == word.stop:
            yield f"@{quoted(behind.text)} is an absolute value here, no parameter."


def _says_something(table: pa.Table) -> bool:
    """Whether a result is more than no row, or one of nulls and counts that are all zero."""
    if table.num_rows != 1:
        return bool(table.num_rows)
    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(
        column[0].is_valid and (column[0].as_py() or not any(test(column.type) for test in numeric))
        for column in table.columns
    )


def void_casts(session: Session, table: Table, sql: str, most_bytes: int) -> Iterator[VoidCast]:
    """Yield each TRY_CAST of a column that gives null for all of its first values.

    Reads nothing if the table's objects have more than `most_bytes`, of large ones a few rows.
    """
    if not may_say_casts(sql) or table.place.size_bytes > most_bytes:
        return
    with contextlib.suppress(duckdb.Error, LakeError):
        # This is a courtesy: the query itself has its answer.
        found = dict.fromkeys(_casts(table, sql))
        for written, text, kind, column in found:
            rows = _first_rows(table, column)
            if (sample := _misfit(session, rows, kind)) is None:
                continue
            better = ways(session, rows, sample, text, kind)
            said = f"{quoted(written)} is null for all of its values, such as {shown(sample)}"
            yield VoidCast(
                written=written,
                sentence=f"{said}: write {' or '.join(better)}." if better else f"{said}.",
                better=better[0] if len(better) == 1 else "",
            )


def text_bounds(session: Session, table: Table, sql: str) -> Iterator[str]:
    """Yield a sentence for each text column that is ordered against a number or a day."""
    if not _BOUNDS.search(sql):
        return
    with contextlib.suppress(duckdb.Error, LakeError):
        kinds = dict(session.describe(identifier(table.name)))
        for name, value in dict.fromkeys(_bounds(table, sql)):
            if kinds.get(name) != "VARCHAR":
                continue
            kind, way = "number", ""
            if re.fullmatch(_DAY, value):
                rows = _first_rows(table, name)
                if (sample := _misfit(session, rows, "TIMESTAMP")) is None:
                    continue
                better = ways(session, rows, sample, quoted_name(name), "DATE")
                kind, way = "date", f": write {' or '.join(better)}" if better else ""
            yield (
                f"{quoted(name)} is text: it was compared with {value!r} letter by letter, "
                f"not as a {kind}{way}."
            )


def _casts(table: Table, sql: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the casts of columns as they are written: whole, the text, the type, the column."""
    tree, raw = the_parser().tree(sql).get("statements"), sql.encode()
    tables = names_of(table, tree)
    for node in nodes_of(tree):
        if node.get("class") == "CAST" and node.get("try_cast"):
            column = named_column(table, tables, node.get("child"))
            if column is not None:
                places = (node, node["child"], node["type_expr"])
                written, text, kind = (_written(raw, place) for place in places)
                yield written, text, kind, column


def _written(raw: bytes, node: Mapping[str, Any]) -> str:
    start = node["query_location"]
    return raw[start : start + node["query_location_length"]].decode()


def _bounds(table: Table, sql: str) -> Iterator[tuple[str, str]]:
    tree = the_parser().tree(sql).get("statements")
    tables = names_of(table, tree)
    for node in nodes_of(tree):
        if node.get("type") in _ORDERS:
            sides = [node["left"], node["right"]]
            for side, other in (sides, reversed(sides)):
                column = named_column(table, tables, side)
                value = text_of(other)
                if column is not None and value is not None and _BOUND.fullmatch(value):
                    yield column, value


def _first_rows(table: Table, column: str) -> str:
    rows = f"SELECT {identifier(column)} AS v FROM {identifier(table.name)}"  # noqa: S608 - quoted
    if table.place.size_bytes > CHEAP_BYTES:
        # There may be no other value in all the rest.
        rows = f"{rows} LIMIT {_MOST_VALUES}"
    return f"SELECT v FROM ({rows}) WHERE v IS NOT NULL LIMIT {_MOST_VALUES}"  # noqa: S608 - guarded


def _misfit(session: Session, rows: str, kind: str) -> str | None:
    """Return one of a column's first texts, with digits if there is one, if none is of the type."""
    found = session.execute(
        f"SELECT count(TRY_CAST(v AS {kind})), first(v), first(v) FILTER ({HAS_DIGITS}) "  # noqa: S608 - guarded
        f"FROM ({rows})"
    )
    fitting, *samples = found[0]
    sample = samples[1] or samples[0]
    return sample if isinstance(sample, str) and not fitting else None
