"""From the arguments of a query to one guarded statement."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.connection import Kept, Session
from s3_data_lake_mcp.engines.guard import GuardedSql, Kind, check_predicate, check_sql
from s3_data_lake_mcp.engines.guard_parser import nodes_of, the_parser
from s3_data_lake_mcp.engines.guard_text import tokens
from s3_data_lake_mcp.engines.inputs import DATA, uri_place
from s3_data_lake_mcp.engines.row_order import RowOrder, pivot_order, row_order
from s3_data_lake_mcp.engines.simple_form import Statement, build
from s3_data_lake_mcp.engines.sqltext import literal, names
from s3_data_lake_mcp.engines.stored_types import is_in_order
from s3_data_lake_mcp.engines.used_fields import UsedFields, used_fields
from s3_data_lake_mcp.errors import LakeError, NotAllowedError
from s3_data_lake_mcp.loaders.unknown_column import pick
from s3_data_lake_mcp.storage.keys import place_of

_PATH = re.compile(
    r"""(\b(?:FROM|JOIN)\s+|\bread_\w+\s*\(\s*\[?\s*)['"]([^'"]*[./][^'"]*)['"]""", re.IGNORECASE
)
"""What is read by a path: what stands before it, and the path."""

_FEW_ROWS = 50
"""Of more, the engine finds out where they are stored before it reads any."""

_ROW_BY_ROW = {"STAR", "COLUMN_REF", "CONSTANT", "CAST", "TYPE"}
_STAR = {"class": "STAR", "type": "STAR", "columns": False}
_NAN = re.compile(r"\b(?:is)?nan\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A query whose text has passed the guard.

    `sql` and `where` are what the guard has left of the query's. `wanted` are the tables that it
    reads: name, bucket and key; `in_readers` are names of those that stand in a call of `read_csv`
    and the like, which reads the objects with its own options.
    """

    query: Query
    sql: str
    kind: Kind
    wanted: tuple[tuple[str, str, str], ...]
    where: str = ""
    in_readers: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        """Whether it asks for the rows as they come."""
        return not (self.sql or self.where or self.query.filter)

    @property
    def counts(self) -> bool:
        """Whether the answer says how many row groups were read."""
        return self.query.format == "parquet"

    @property
    def first_rows(self) -> int | None:
        """How many rows of `data` it gives, as they are stored; None if others."""
        query = self.query
        named = [name for name, _, _ in self.wanted]
        if query.filter or self.where or named != [DATA] or self.in_readers:
            return None
        rows = query.offset + query.max_rows + 1
        if not self.sql:
            return rows
        node = the_parser().tree(self.sql)["statements"][0]["node"] if self.kind == "select" else {}
        if node.get("type") != "SELECT_NODE" or not is_in_order(node):
            return None
        if not {one.get("class", "STAR") for one in nodes_of(node["select_list"])} <= _ROW_BY_ROW:
            return None
        limits = [(one["limit"] or {}).get("literal", {}) for one in node["modifiers"]]
        return min([rows, *(int(one["text"]) for one in limits if one.get("text", "").isdecimal())])

    @property
    def takes_all(self) -> bool:
        """Whether it is `SELECT *`, and nothing is done to the star."""
        tree = the_parser().tree(self.sql) if self.kind == "select" and self.sql else {}
        chosen = [one["node"].get("select_list", ()) for one in tree.get("statements", ())]
        return [[_bare(one) for one in listed] for listed in chosen] == [[_STAR]]

    @property
    def kept(self) -> Kept | None:
        """Which of the engine's connections it is for, if not for one of its own."""
        if self.counts:
            return "counting"
        rows = self.first_rows
        return "brief" if rows is not None and rows <= _FEW_ROWS else None

    @property
    def seeks_nan(self) -> bool:
        """Whether it asks for what is not a number."""
        sought = self.query.filter.value if self.query.filter else ""
        return bool(_NAN.search(f"{self.sql} {self.where} {sought}"))

    @property
    def reads(self) -> bool:
        """Whether it is sure to read rows, if it is right."""
        tells = self.sql and tokens(self.sql)[0].says("DESCRIBE", "DESC", "SHOW")
        return self.kind != "explain" and not tells

    def row_order(self) -> RowOrder:
        """Return in which order the rows come; those of the simple form, as they are stored."""
        if self.kind == "pivot":
            return pivot_order(tokens(self.sql))
        sql = f"FROM data WHERE (\n{self.where}\n)" if self.where else self.sql
        if self.kind != "select" or not sql:
            return RowOrder()
        order = row_order(the_parser().tree(sql)["statements"][0]["node"])
        # Who gives a predicate can add no ORDER BY: all its rows are put in an order.
        return replace(order, gathers=order.is_loose) if self.where else order

    def used_fields(self) -> UsedFields | None:
        """Return the fields of columns that it names; None if it may use others, too."""
        if self.kind != "select" or not self.sql:
            return None
        return used_fields(the_parser().tree(self.sql)["statements"])

    def used_columns(self) -> UsedFields | None:
        """Return the names of columns that it uses; None if it may use others, too."""
        query = self.query
        if self.sql or self.where or not query.columns:
            return self.used_fields()
        sought = [query.filter.column] if query.filter else []
        return frozenset((name.lower(),) for name in [*query.columns, *sought])

    def statement(self, session: Session, columns: list[tuple[str, str]]) -> Statement:
        """Return the statement to run; `columns` are those of `data`."""
        if self.sql:
            return Statement(texts=(self.sql,))
        query = self.query
        if self.where:
            before, behind = self._around(columns)
            return Statement(texts=(before + self.where + behind,))
        return build(session, columns, query.columns, query.filter)

    def _around(self, columns: list[tuple[str, str]]) -> tuple[str, str]:
        listed = names(pick(DATA, dict(columns), self.query.columns)) or "*"
        # On lines of their own, for a comment in the predicate would hide the bracket.
        return f"SELECT {listed} FROM data WHERE (\n", "\n)"  # noqa: S608 - quoted identifiers

    def readable(self, error: LakeError) -> LakeError:
        """Keep of an error the columns that can be read, if asking for those alone would help."""
        asked = self.query.columns
        told: Any = (error.repair or {}).get("columns", [])
        free = [name for name in told if not asked or name in asked]
        helps = not self.sql and self._sought() <= {str(name).lower() for name in free}
        error.repair = {"columns": free} if helps and free else None
        return error

    def _sought(self) -> set[str]:
        """Return the columns that the filter, or the predicate, names."""
        condition = self.query.filter
        tree = the_parser().tree(f"SELECT (\n{self.where or 'NULL'}\n)")
        refs = (node.get("column_names") for node in nodes_of(tree))
        named = {str(path[0]).lower() for path in refs if path}
        return named | ({condition.column.lower()} if condition else set())

    def repaired(self, error: LakeError, columns: list[tuple[str, str]]) -> LakeError:
        """Turn the repaired SQL of an error into a repaired argument of the query."""
        if self.where and " WHERE " in error.hint:
            error.hint = "A predicate is about single rows: query_csv_data takes whole queries."
        fixed = (error.repair or {}).get("sql")
        if self.sql or not isinstance(fixed, str):
            return error
        error.repair = None
        if self.where:
            before, behind = self._around(columns)
            if fixed.startswith(before) and fixed.endswith(behind):
                error.repair = {"where": fixed[len(before) : len(fixed) - len(behind)]}
        return error


def _bare(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an expression says, without where it stands."""
    return {k: v for k, v in node.items() if v not in ("", None, []) and "location" not in k}


def _guarded(query: Query) -> GuardedSql:
    try:
        return check_sql(query.sql)
    except NotAllowedError as exc:
        whole = _PATH.sub(partial(_uri, query), query.sql)
        with contextlib.suppress(LakeError):
            exc.repair = {"sql": check_sql(whole).sql}
        raise


def _uri(query: Query, found: re.Match[str]) -> str:
    """Return what names an object by its path, or its web address, with its URI."""
    path = found[2]
    bucket, key = place_of(path) or (query.bucket, path.removeprefix("/"))
    if "://" in key:
        return found[0]
    key = query.key if f"/{query.key}".endswith(f"/{key}") else key
    return found[1] + literal(f"s3://{bucket}/{key}")


def ask(query: Query) -> Asked:
    """Check the text of a query and say what it reads.

    Raises:
        LakeError: What the guard raises.
    """
    data = (DATA, query.bucket, query.key)
    if query.sql:
        guarded = _guarded(query)
        sql, wanted = guarded.sql, [data] if guarded.uses_data else []
        for uri in guarded.uris:
            sql = sql.replace(literal(uri), literal(_readable(uri)))
            wanted.append(uri_place(_readable(uri)))
        in_readers = frozenset(map(_readable, guarded.in_readers))
        return Asked(query, sql, guarded.kind, tuple(wanted), in_readers=in_readers)
    where = check_predicate(query.where) if query.where else ""
    return Asked(query, "", "select", (data,), where)


def _readable(uri: str) -> str:
    """Return a URI with its scheme in lower case: under another the engine finds no file system."""
    scheme, mark, rest = uri.partition(":")
    return f"{scheme.lower()}{mark}{rest}"
