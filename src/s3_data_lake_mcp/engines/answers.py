"""Answers that are remembered: asked again of the same versions, a query reads nothing.

Who reads page after page of an answer gets them all from one run of its query: they are as
consistent as they are quick. An answer belongs to the versions of all objects that it is made of;
one that another object, or another time, would change is not kept.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from s3_data_lake_mcp.engines import Query, QueryResult
from s3_data_lake_mcp.engines.guard_parser import nodes_of, the_parser
from s3_data_lake_mcp.engines.guard_words import CHANCE, CLOCKS, VARYING

_LEAST_BYTES = 4 << 10
_WORD = re.compile(r"\w+")
_DRAWING = CHANCE | {"sample", "tablesample"}
_SHOWN = ("select_list", "modifiers")
"""The parts of a query that change no more than what its rows hold, and their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows of an answer, from the row `start` on, and all else that there is to say.

    `result` holds them; `is_all` says that no row is behind them, `is_unsorted` that they come as
    the engine happened to give them, and so can be shown all at once alone.
    """

    result: QueryResult
    start: int
    is_all: bool
    is_unsorted: bool = False

    @property
    def size_bytes(self) -> int:
        """What it takes of memory, roughly."""
        return int(self.result.table.nbytes) + _LEAST_BYTES

    def page(self, offset: int, max_rows: int) -> QueryResult | None:
        """Return the rows from `offset` on, one more than `max_rows`; None if some are missing."""
        table = self.result.table
        stop = self.start + table.num_rows
        if self.is_unsorted and (offset or max_rows < table.num_rows):
            return None
        if offset < self.start or (not self.is_all and offset + max_rows + 1 > stop):
            return None
        total = self.result.total_rows
        if self.is_all and (table.num_rows or self.start == 0):
            total = stop
        rows = table.slice(min(offset, stop) - self.start, max_rows + 1)
        return replace(self.result, table=rows, total_rows=total)


class Answers:
    """The last answers, within a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._answers: OrderedDict[Query, Answer] = OrderedDict()

    def find(self, query: Query, identity: str) -> QueryResult | None:
        """Return the page that a query asks for, if it was answered from the same versions."""
        key = _question(query, identity)
        found = self._answers.get(key)
        if found is None:
            return None
        self._answers.move_to_end(key)
        return found.page(query.offset, query.max_rows)

    def keep(self, query: Query, identity: str, answer: Answer) -> None:
        """Remember an answer, and forget what was not asked for longest."""
        if answer.size_bytes > self._most_bytes or not is_lasting(query):
            return
        self._answers[_question(query, identity)] = answer
        while sum(one.size_bytes for one in self._answers.values()) > self._most_bytes:
            self._answers.popitem(last=False)


def _question(query: Query, identity: str) -> Query:
    """Return what a query asks, whichever page of it."""
    return replace(query, max_rows=0, offset=0, identity=identity)


def is_lasting(query: Query) -> bool:
    """Whether only the objects decide the answer, and it takes reading them to find it."""
    if query.format == "parquet" or not (query.sql or query.filter):
        return False
    if not VARYING.intersection(_WORD.findall(query.sql.lower())):
        return True
    # The words of chance and time may be names of columns, too.
    answer = the_parser().tree(query.sql)
    return not answer["error"] and not any(map(_is_varying, nodes_of(answer["statements"])))


def is_drawn(sql: str) -> bool:
    """Whether chance decides which rows there are, and not only what they hold."""
    if not _DRAWING.intersection(_WORD.findall(sql.lower())):
        return False
    answer = the_parser().tree(sql)
    if answer["error"]:
        return False
    node = answer["statements"][0]["node"]
    return any(
        str(one.get("function_name")).lower() in CHANCE or one.get("repeatable") is False
        for one in nodes_of([part for name, part in node.items() if name not in _SHOWN])
    )


def _is_varying(node: Mapping[str, Any]) -> bool:
    names: list[str] = node.get("column_names") or []
    is_clock = len(names) == 1 and names[0].lower() in CLOCKS
    function = str(node.get("function_name") or "").lower()
    return is_clock or bool(node.get("sample")) or function in VARYING
