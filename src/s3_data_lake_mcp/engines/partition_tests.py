"""What a query asks of the partitions of a table, where the engine does not pass it to the scan.

A comparison that may fail stays above the view: a cast may, and `month = 5` has one where folders
are called `month=05`. So its view leaves out the partitions that do not fit.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_parser import nodes_of, the_parser
from s3_data_lake_mcp.engines.pruning import fitting
from s3_data_lake_mcp.engines.sqltext import identifier, literal
from s3_data_lake_mcp.engines.tables import Table, partition_types

_CLASSES = {"BETWEEN", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "OPERATOR"}
_FUNCTIONS = {"concat", "make_date", "strptime"}
"""Functions, besides operators, that have the same value whenever they are asked."""

type Node = Mapping[str, Any]


def narrowing(session: Session, table: Table, sql: str, most: int) -> str:
    """Return the condition on its partitions outside of which a query needs no row of a table.

    It is empty where that cannot be told, or where it leaves no fewer than `most` objects.
    """
    if most <= 1:
        return ""
    tree = the_parser().tree(sql)
    node = _only_reader(table.name, tree)
    tests = list(_tests(node, table)) if node is not None else []
    if not tests:
        return ""
    try:
        kept = fitting(session, table.place, _written(tests))
    except duckdb.Error:
        return ""
    if sum(map(len, kept.values())) >= most:
        return ""
    types = partition_types(table.place)
    used = {str(one["column_names"][-1]).lower() for one in nodes_of(tests) if _is_column(one)}
    conditions = []
    for at, (name, kind) in enumerate(types.items()):
        if name.lower() in used:
            found = dict.fromkeys(values[at] for values in kept)
            cells = [f"CAST({literal(one)} AS {kind})" for one in found if one is not None]
            fits = [f"{identifier(name)} IN ({', '.join(cells)})"] if cells else []
            fits += [f"{identifier(name)} IS NULL"] if None in found else []
            conditions.append(f"({' OR '.join(fits) or 'false'})")
    return " AND ".join(conditions)


def _only_reader(name: str, tree: Node) -> Node | None:
    """Return the SELECT that alone reads a table, and nothing beside it."""
    nodes = list(nodes_of(tree))
    named = [one for one in nodes if str(one.get("table_name")).lower() == name.lower()]
    tables = [one for one in nodes if str(one.get("key")).lower() == name.lower()]
    if len(named) != 1 or tables or named[0].get("type") != "BASE_TABLE":
        return None
    return next((one for one in nodes if one.get("from_table") is named[0]), None)


def _tests(node: Node, table: Table) -> Iterator[Node]:
    """Yield the conditions of a SELECT that are about partitions alone."""
    source = node["from_table"]
    if source["sample"] or source["column_name_alias"] or node.get("sample"):
        return
    tables = {str(source["alias"] or table.name).lower()}
    shown = {str(one.get("alias")).lower() for one in node["select_list"]}
    names = {name.lower() for name in table.place.partitions} - shown
    for test in _conjuncts(node.get("where_clause")):
        found = list(nodes_of(test))
        paths = [[p.lower() for p in one["column_names"]] for one in found if _is_column(one)]
        fits = (path[-1] in names and set(path[:-1]) <= tables for path in paths)
        if paths and all(fits) and all(map(_is_steady, found)):
            yield test


def _conjuncts(node: Node | None) -> Iterator[Node]:
    if node is not None and node.get("type") == "CONJUNCTION_AND":
        for one in node["children"]:
            yield from _conjuncts(one)
    elif node is not None:
        yield node


def _is_column(node: Node) -> bool:
    return node.get("class") == "COLUMN_REF"


def _is_steady(node: Node) -> bool:
    """Whether a part of a condition has one value for each row, always the same."""
    kind = node.get("class")
    if kind == "FUNCTION":
        return bool(node["is_operator"]) or node["function_name"] in _FUNCTIONS
    return kind is None or kind == "TYPE" or kind in _CLASSES


def _written(tests: Sequence[Node]) -> str:
    """Return conditions as one, in SQL, with the bare names of columns."""
    bare = copy.deepcopy(list(tests))
    for node in nodes_of(bare):
        if _is_column(node):
            node["column_names"][:] = node["column_names"][-1:]
    return " AND ".join(f"({the_parser().written(one)})" for one in bare)
