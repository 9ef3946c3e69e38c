"""Which objects of a partitioned table a query reads: asked of the engine before any is opened."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.inputs import Inputs
from s3_data_lake_mcp.engines.places import Member, Place
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.sqltext import identifier, literal
from s3_data_lake_mcp.engines.tables import Table, partition_types
from s3_data_lake_mcp.loaders.formats import READ_TOOLS

READERS = {name: f"READ_{name.upper()}" for name in READ_TOOLS}
"""How the engine's plan calls the readers of the formats."""

_QUOTED_OR_ONE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|.", re.DOTALL)

type Scan = Mapping[str, Any]
type PlanNode = Mapping[str, Any]
type Read = Mapping[str, Sequence[Member]]
"""The objects that are read, by the names of their tables."""


def plan_tree(session: Session, statement: Statement) -> list[PlanNode]:
    """Return the engine's plan of a statement; nothing is read."""
    rows = session.execute(f"EXPLAIN (FORMAT json) {statement.sql}", statement.values)
    return [node for kind, text in rows if kind == "physical_plan" for node in json.loads(text)]


def scans_in(nodes: Iterable[PlanNode]) -> Iterator[Scan]:
    """Yield what a plan says of each scan."""
    for node in all_nodes(nodes):
        extra = node.get("extra_info") or {}
        if "Function" in extra:
            yield extra


def all_nodes(nodes: Iterable[PlanNode]) -> Iterator[PlanNode]:
    """Yield the nodes of a plan, each before those below it."""
    for node in nodes:
        yield node
        yield from all_nodes(node.get("children", ()))


def listed(value: object) -> list[str]:
    """Return what a plan lists, which it writes as one text if it is one."""
    return [value] if isinstance(value, str) else [str(v) for v in value] if value else []  # type: ignore[attr-defined] # a list in the engine's JSON


def prunable(inputs: Inputs) -> list[Table]:
    """Return the tables of which a query may read only some objects."""
    return [t for t in inputs.tables if t.place.partitions and len(t.place.members) > 1]


def read_by(session: Session, statement: Statement, tables: Iterable[Table]) -> Read:
    """Return the objects of tables that a statement reads."""
    scans = list(scans_in(plan_tree(session, statement)))
    return {table.name: survivors(session, table, scans) for table in tables}


def survivors(session: Session, table: Table, scans: Sequence[Scan]) -> list[Member]:
    """Return the objects of a table that the scans read; all, if that cannot be told."""
    everything = table.place.members
    reader = READERS[table.place.format]
    filters = [scan.get("File Filters") for scan in scans if scan["Function"] == reader]
    if not filters or not all(isinstance(one, str) and one for one in filters):
        return everything
    quoted = [_with_quotes(str(one), table.place.partitions) for one in filters]
    condition = " OR ".join(f"({_conjoined(one)})" for one in quoted)
    try:
        kept = fitting(session, table.place, condition)
    except duckdb.Error:
        return everything
    found = [member for members in kept.values() for member in members]
    expected = {str(scan.get("Scanning Files", "")).partition("/")[0] for scan in scans}
    if len(filters) == 1 and expected != {str(len(found))}:
        return everything
    return found


def fitting(
    session: Session, place: Place, condition: str
) -> Mapping[tuple[str | None, ...], Sequence[Member]]:
    """Return the partitions, by their values, that fit a condition, and their objects.

    Raises:
        duckdb.Error: If the condition is about anything else, or fails.
    """
    parts: dict[tuple[str | None, ...], list[Member]] = {}
    for member in place.members:
        parts.setdefault(member.values, []).append(member)
    kept = session.execute(_matching(place, list(parts), condition))
    each = list(parts.items())
    return dict(each[at] for (at,) in kept)


def _with_quotes(conditions: str, names: Iterable[str]) -> str:
    """Quote odd names where a condition begins with one: the engine's plan does not."""
    for name in names:
        if not name.isidentifier():
            conditions = conditions.replace(f"({name} ", f"({identifier(name)} ")
    return conditions


def _conjoined(conditions: str) -> str:
    """Return conditions that the engine's plan lists in brackets, one behind the other, as one."""
    parts: list[str] = []
    depth = 0
    for found in _QUOTED_OR_ONE.finditer(conditions):
        if found[0] == "(" and depth == 0 and parts:
            parts.append(" AND ")
        depth += (found[0] == "(") - (found[0] == ")")
        parts.append(found[0])
    return "".join(parts)


def _matching(place: Place, parts: Sequence[tuple[str | None, ...]], condition: str) -> str:
    """Return the SQL that numbers the partitions which fit a condition."""
    columns = []
    for at, (name, kind) in enumerate(partition_types(place).items()):
        cells = (part[at] for part in parts)
        values = ", ".join("NULL" if cell is None else literal(cell) for cell in cells)
        columns.append(f"CAST(unnest([{values}]::VARCHAR[]) AS {kind}) AS {identifier(name)}")
    numbers = f"unnest(range({len(parts)})) AS lake_part"
    inner = f"SELECT {', '.join([numbers, *columns])}"
    return f"SELECT lake_part FROM ({inner}) WHERE {condition} ORDER BY lake_part"  # noqa: S608 - quoted, and the engine's own text
