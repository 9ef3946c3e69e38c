"""In which order the rows of a query come, read off its syntax tree, and putting them in one.

Rows of a scan come as they are stored. Those of a GROUP BY, a DISTINCT, a window, or a common
table that is read twice come as the engine's threads make them, and so do those of a join, and
those that an ORDER BY leaves even: asked again, it gives them in another order. Who reads page
after page would get some of them twice and others never.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_parser import nodes_of
from s3_data_lake_mcp.engines.guard_text import Token

_LOCATIONS = ("query_location", "query_location_length", "alias")
_DIRECTIONS = {"ORDER_DEFAULT": "", "ASCENDING": " ASC", "DESCENDING": " DESC"}
_NULLS = {"ORDER_DEFAULT": "", "NULLS FIRST": " NULLS FIRST", "NULLS LAST": " NULLS LAST"}
_CHOICES = (
    "relation_name",
    "expr",
    "exclude_list",
    "qualified_exclude_list",
    "replace_list",
    "rename_list",
)
_ROW = "lake_row"
_UNKNOWN: "Node" = {"expression": {"class": "UNKNOWN"}}
"""A term of ORDER BY that sorts by nobody knows what."""

type Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowOrder:
    """How the rows of a query come.

    `gathers` says that they are made of many rows, in no order of their own: no row comes before
    all was read; `is_loose`, that they come as they are found, in no order either. `orders` are the
    terms of its ORDER BY, empty if there is none; `selected` are the expressions of its SELECT.
    """

    gathers: bool = False
    is_loose: bool = False
    orders: Sequence[Node] = ()
    selected: Sequence[Node] = ()

    @property
    def is_open(self) -> bool:
        """Whether the engine may give the rows in another order the next time."""
        return self.gathers or self.is_loose or bool(self.orders)

    @property
    def gives_all(self) -> bool:
        """Whether to ask for all rows costs the engine no more than to ask for a few."""
        return self.gathers and not self.orders

    def settled(
        self, session: Session, table: pa.Table, altered: Sequence[bool]
    ) -> pa.Table | None:
        """Return all rows of an answer in an order that is always the same, that of the query.

        `altered` says of each column whether it came in another type, which may sort
        otherwise.

        Returns:
            The rows; None if their order cannot be told from their values.

        Raises:
            duckdb.InterruptException: If the call must stop: that says nothing about the order.
        """
        width = table.num_columns
        names = [f"lake_c{at}" for at in range(width)]
        terms: list[str] = []
        for order in self.orders:
            places = self._places(order["expression"], table.column_names)
            if places is None or any(altered[at] for at in places):
                return None
            direction = _DIRECTIONS[order["type"]] + _NULLS[order["null_order"]]
            terms += [names[at] + direction for at in places]
        keys = table.rename_columns(names).append_column(
            _ROW, pa.chunked_array([range(table.num_rows)])
        )
        try:
            found = session.cursor.from_arrow(keys).order(", ".join([*terms, *names]))
            rows = found.project(_ROW).to_arrow_table()
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, pa.ArrowException):
            return None  # of a type that cannot be sorted
        return table.take(rows.column(0))

    def _places(self, expression: Node, names: Sequence[str]) -> Sequence[int] | None:
        """Return the columns of the answer by which a term of ORDER BY sorts."""
        width = len(names)
        match expression["class"]:
            case "STAR":
                # COLUMNS(…) sorts by those of `data` that it chooses, ALL by all of the answer.
                return None if any(expression[choice] for choice in _CHOICES) else range(width)
            case "CONSTANT":
                text = str(expression.get("literal", {}).get("text", ""))
                return [int(text) - 1] if text.isdecimal() and 0 < int(text) <= width else None
            case "COLUMN_REF" if len(expression["column_names"]) == 1:
                wanted = expression["column_names"][0].lower()
                found = [at for at, name in enumerate(names) if name.lower() == wanted]
                return found if len(found) == 1 else None
        if any(one["class"] == "STAR" for one in self.selected):
            return None
        same = (at for at, one in enumerate(self.selected) if _bare(one) == _bare(expression))
        found = [at for at in same if at < width][:1]
        return found or None


def row_order(node: Node) -> RowOrder:
    """Return how the rows of a query come."""
    orders = [
        order
        for one in node.get("modifiers", ())
        if one["type"] == "ORDER_MODIFIER"
        for order in one["orders"]
    ]
    if not orders and any(map(_is_sorted, _within(node))):
        orders = [_UNKNOWN]
    return RowOrder(
        gathers=_gathers(node),
        is_loose=_is_loose(node),
        orders=orders,
        selected=node.get("select_list", ()),
    )


def pivot_order(words: Sequence[Token]) -> RowOrder:
    """Return how the rows of a PIVOT come, of which there is no tree."""
    return RowOrder(gathers=True, orders=[_UNKNOWN] if any(w.says("ORDER") for w in words) else ())


def _is_sorted(node: Node) -> bool:
    return any(one["type"] == "ORDER_MODIFIER" for one in node.get("modifiers", ()))


def _is_loose(node: Node) -> bool:
    """Whether rows are looked up in others: which of them is found first is chance."""
    clauses = [node.get("where_clause"), node.get("qualify"), node.get("select_list")]
    return (
        _is_joined(node.get("from_table") or {"type": "EMPTY"})
        or any(one.get("class") == "SUBQUERY" for one in nodes_of(clauses, subqueries=False))
        or any(map(_is_loose, _within(node)))
    )


def _is_joined(table: Node) -> bool:
    """Whether rows come from a join; one by their positions gives them in order."""
    return table["type"] == "JOIN" and (
        table["ref_type"] != "POSITIONAL" or _is_joined(table["left"]) or _is_joined(table["right"])
    )


def _within(node: Node) -> Iterator[Node]:
    """Yield the queries that the rows of one come through."""
    for cte in (node.get("cte_map") or {}).get("map", ()):
        yield cte["value"]["query_node"]
    yield from _sources(node.get("from_table") or {"type": "EMPTY"})
    yield from node.get("children") or ()
    yield from (node[side] for side in ("left", "right") if node.get(side))


def _is_kept(node: Node) -> bool:
    """Whether a common table is stored before it is read: in the order in which threads come."""
    tables = (node.get("cte_map") or {}).get("map")
    if not tables:
        return False
    read = Counter(str(one.get("table_name")).lower() for one in nodes_of(node))
    return any(
        cte["value"]["materialized"] == "CTE_MATERIALIZE_ALWAYS" or read[cte["key"].lower()] > 1
        for cte in tables
    )


def _gathers(node: Node) -> bool:
    if _is_kept(node):
        return True
    if node["type"] == "SELECT_NODE":
        modifiers = [one["type"] for one in node["modifiers"]]
        return (
            bool(node["group_expressions"])
            or node["aggregate_handling"] != "STANDARD_HANDLING"
            or "DISTINCT_MODIFIER" in modifiers
            or any(
                one.get("class") == "WINDOW"
                for one in nodes_of([node["select_list"], node["qualify"]], subqueries=False)
            )
            or any(map(_gathers, _within(node)))
        )
    if node["type"] == "SET_OPERATION_NODE" and node["setop_type"] == "UNION" and node["setop_all"]:
        return any(map(_gathers, _within(node)))
    return True


def _sources(table: Node) -> Iterator[Node]:
    """Yield the queries that stand behind FROM; of what is not understood, one that gathers."""
    match table["type"]:
        case "SUBQUERY":
            yield table["subquery"]["node"]
        case "JOIN":
            yield from _sources(table["left"])
            yield from _sources(table["right"])
        case "PIVOT":
            yield {"type": "PIVOT"}


def _bare(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an expression without where it stands and what it is called."""
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key not in _LOCATIONS}
    return [_bare(one) for one in node] if isinstance(node, list) else node
