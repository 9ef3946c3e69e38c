"""What a query is going to read for certain, asked for before the engine comes to it.

Of Parquet, column chunks: the engine reads ahead by a few row groups at a time, so that each few
cost a round trip. Where its plan shows that all of them are going to be read, and they are not too
many bytes, one round trip does. Of text, all: the first blocks need not be read one by one. What is
fetched is what the engine would fetch, no byte more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.plans import column_names, kept_groups
from s3_data_lake_mcp.engines.pruning import PlanNode, Scan, plan_tree, scans_in, survivors
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.engines.tables import ALL_MEMBERS, Table
from s3_data_lake_mcp.storage.pinned import WHOLE_BYTES

_MOST_BYTES = 96 << 20
_FEW_BYTES = 8 << 20
_FEW_GROUPS = 2
_FACT = "prefetched"
_MOST_NOTED = 200
_AGGREGATES = {"HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY", "UNGROUPED_AGGREGATE"}
_PARTIAL = {"TOP_N", "RESERVOIR_SAMPLE", "STREAMING_SAMPLE", "CTE", "RECURSIVE_CTE"}
_PLAIN = {"PARQUET_SCAN", "READ_PARQUET", "PROJECTION", "FILTER"}


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A column chunk: where it lies in the object at a path."""

    path: str
    group: int
    column: str
    start: int
    stop: int


def prefetch(session: Session, tables: Sequence[Table], statement: Statement) -> None:
    """Begin to fetch what a statement is going to read, if that is worth it.

    Of Parquet, a statement that was looked at is not looked at again: what it needs is in the
    engine's cache.
    """
    parquet = [table for table in tables if isinstance(table, ParquetTable)]
    mine = parquet if not all(_was_seen(session, one, statement) for one in parquet) else []
    text = [t for t in tables if t.place.format != "parquet" and t.place.size_bytes > WHOLE_BYTES]
    if not mine and not text:
        return
    plan = plan_tree(session, statement)
    kinds = {node["name"] for node in _all(plan)}
    whole = all(map(_ends_all, plan)) and not ("HASH_JOIN" in kinds and kinds & _PARTIAL)
    needle = kinds <= _PLAIN
    if whole:
        session.scope.expect_all()
    if not whole and not needle:
        return
    scans = [scan for scan in scans_in(plan) if scan["Function"] == "READ_PARQUET"]
    for table in mine:
        read = survivors(session, table, scans)
        if len(read) <= ALL_MEMBERS and all("footer" in m.opened.facts for m in read):
            _fetch(session, table, read, scans, needle=needle)


def _was_seen(session: Session, table: Table, statement: Statement) -> bool:
    """Whether the same instance has seen a statement over the same objects; notes that it has."""
    key = (session.generation, statement.shown)
    facts = [member.opened.facts.setdefault(_FACT, set()) for member in table.place.members]
    seen = all(key in fact for fact in facts)
    for fact in facts:
        if len(fact) > _MOST_NOTED:
            fact.clear()
        fact.add(key)
    return seen


def _all(nodes: Iterable[PlanNode]) -> Iterator[PlanNode]:
    for node in nodes:
        yield node
        yield from _all(node.get("children", ()))


def _ends_all(node: PlanNode) -> bool:
    """Whether each scan is below an aggregate that gets all its rows, not the first few."""
    below = node.get("children", ())
    if node["name"] in _AGGREGATES:
        return not any("LIMIT" in one["name"] for one in _all(below))
    return bool(below) and all(map(_ends_all, below))


def _fetch(
    session: Session,
    table: ParquetTable,
    members: Sequence[Member],
    scans: Sequence[Scan],
    *,
    needle: bool,
) -> None:
    names = list(column_names(table, scans))
    if not names:
        return
    chunks = _chunks(session, members, names, scans)
    size = sum(chunk.stop - chunk.start for chunk in chunks)
    groups = {(chunk.path, chunk.group) for chunk in chunks}
    if needle and (size > _FEW_BYTES or len(groups) > _FEW_GROUPS or _has_page_index(members)):
        return
    if size > min(_MOST_BYTES, session.scope.meter.remaining_bytes):
        return
    for member in members:
        ranges = [(chunk.start, chunk.stop) for chunk in chunks if chunk.path == member.path]
        table.objects[member.path].prefetch(ranges)


def _has_page_index(members: Sequence[Member]) -> bool:
    """Whether the engine can read less than whole chunks."""
    return any(
        "offset_index" in chunk
        for member in members
        for group in member.opened.facts["footer"].fields.row_groups[:1]
        for chunk in group.get("chunks", ())
    )


def _chunks(
    session: Session, members: Sequence[Member], names: Sequence[str], scans: Sequence[Scan]
) -> list[_Chunk]:
    paths = ", ".join(literal(member.path) for member in members)
    source = f"parquet_metadata([{paths}])"
    wanted = ", ".join(map(literal, names))
    sql = (
        "SELECT file_name, row_group_id, path_in_schema, "  # noqa: S608 - quoted, and the engine's own text
        "CASE WHEN dictionary_page_offset BETWEEN 4 AND data_page_offset "
        "THEN dictionary_page_offset ELSE data_page_offset END, total_compressed_size "
        f"FROM {source} AS chunk WHERE ({kept_groups(scans, source)}) "
        f"AND split_part(path_in_schema, ', ', 1) IN ({wanted})"
    )
    try:
        rows = session.execute(sql)
    except duckdb.Error:
        return []
    return [_Chunk(path, group, name, at, at + size) for path, group, name, at, size in rows]
