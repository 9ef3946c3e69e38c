"""What a query is going to read for certain, asked for before the engine comes to it.

Of Parquet, column chunks: the engine reads ahead by a few row groups at a time, so that each few
cost a round trip. Where its plan shows that all of them are going to be read, one round trip does,
or of very many bytes the connections are never idle. Of text, all: the first blocks need not be
read one by one. What is fetched is what the engine would fetch, no byte more: not what it has in
its cache.

Small objects of Parquet are told whether little of them is read: else the first read fetches all.
"""

from collections.abc import Sequence
from itertools import chain, islice

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.parquet_table import ParquetTable, footer_of, knows_footer
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.plans import parts_read
from s3_data_lake_mcp.engines.pruning import (
    READERS,
    PlanNode,
    Scan,
    all_nodes,
    plan_tree,
    scans_in,
    survivors,
)
from s3_data_lake_mcp.engines.row_groups import has_page_index, kept_groups, stored_chunks
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.tables import ALL_MEMBERS, Table
from s3_data_lake_mcp.storage.pinned import WHOLE_BYTES, comes_apart
from s3_data_lake_mcp.storage.readahead import BUFFER_BYTES, HELD_BYTES

_FEW_BYTES = 8 << 20
_FEW_GROUPS = 2
_APART_BYTES = 1 << 20
_FACT = "prefetched"
_MOST_NOTED = 200
_AGGREGATES = {"HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY", "UNGROUPED_AGGREGATE"}
_PARTIAL = {"TOP_N", "RESERVOIR_SAMPLE", "STREAMING_SAMPLE", "CTE", "RECURSIVE_CTE"}
_PLAIN = {"PARQUET_SCAN", "READ_PARQUET", "PROJECTION", "FILTER"}


def prefetch(session: Session, tables: Sequence[Table], statement: Statement) -> None:
    """Begin to fetch what a statement is going to read, if that is worth it.

    Of Parquet, a statement that was looked at is not looked at again: what it needs is in the
    engine's cache.
    """
    parquet = [table for table in tables if isinstance(table, ParquetTable)]
    mine = parquet if not all(_was_seen(session, one, statement) for one in parquet) else []
    text = [
        table
        for table in tables
        if table.place.format != "parquet"
        # Of one object that is shorter, all comes with the first read.
        and (len(table.place.members) > 1 or table.place.size_bytes > BUFFER_BYTES)
    ]
    if not mine and not text:
        return
    plan = plan_tree(session, statement)
    kinds = {node["name"] for node in all_nodes(plan)}
    whole = all(map(_ends_all, plan)) and not ("HASH_JOIN" in kinds and kinds & _PARTIAL)
    needle = kinds <= _PLAIN
    if whole:
        session.scope.expect_all()
    scans = list(scans_in(plan))
    for table in text:
        _read_ahead(session, table, scans)
    scans = [scan for scan in scans if scan["Function"] == READERS["parquet"]]
    for one in mine:
        _spare(one, scans)
    if not whole and not needle:
        return
    for one in mine:
        read = survivors(session, one, scans) if one.brief is None else one.leading
        if len(read) <= ALL_MEMBERS and all(map(knows_footer, read)):
            _fetch(session, one, read, scans, needle=needle)


def _read_ahead(session: Session, table: Table, scans: Sequence[Scan]) -> None:
    """Have the next objects of a set fetched while one is read, if it is known which are read."""
    read = survivors(session, table, scans)
    reader = READERS[table.place.format]
    are_some = [bool(scan.get("File Filters")) for scan in scans if scan["Function"] == reader]
    if len(read) < len(table.place.members) or not all(are_some):
        table.read_ahead(session, read)


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


def _spare(table: ParquetTable, scans: Sequence[Scan]) -> None:
    """Let little be fetched of small objects of which scans read little.

    Where the footer is not known, the others tell.
    Of a statement that was seen nothing is told: what it reads is in the engine's cache.
    """
    parts = list(chain(*parts_read(table, scans).values()))
    known = islice(filter(knows_footer, table.place.members), ALL_MEMBERS)
    small = [member for member in known if member.info.size_bytes <= WHOLE_BYTES]
    sparse = {member.path: _comes_apart(member, parts) for member in small}
    are_most = 2 * sum(sparse.values()) > len(sparse)
    for path, one in table.objects.items():
        one.is_sparse = sparse.get(path, are_most)


def _comes_apart(member: Member, parts: Sequence[str]) -> bool:
    groups = range(footer_of(member).metadata.num_row_groups)
    return comes_apart(stored_chunks(member, parts, groups), member.info.size_bytes)


def _ends_all(node: PlanNode) -> bool:
    """Whether each scan is below an aggregate that gets all its rows, not the first few."""
    below = node.get("children", ())
    if node["name"] in _AGGREGATES:
        return not any("LIMIT" in one["name"] for one in all_nodes(below))
    return bool(below) and all(map(_ends_all, below))


def _fetch(
    session: Session,
    table: ParquetTable,
    members: Sequence[Member],
    scans: Sequence[Scan],
    *,
    needle: bool,
) -> None:
    parts = list(chain(*parts_read(table, scans).values()))
    if not parts:
        return
    try:
        kept = kept_groups(session, members, scans)
    except duckdb.Error:
        return
    by_path = {m.path: list(stored_chunks(m, parts, kept[m.path])) for m in members}
    size = sum(stop - start for chunks in by_path.values() for start, stop in chunks)
    groups = sum(map(len, kept.values()))
    filtered = any(scan.get("Filters") for scan in scans)
    # Of many row groups the first may hold all rows of the page, but of few bytes they lie apart.
    most = _FEW_BYTES if groups <= _FEW_GROUPS else _APART_BYTES * filtered
    if needle and (size > most or any(map(has_page_index, members))):
        return
    # One object is fetched as far ahead as may be held; of many, each would hold as much. Behind a
    # filter the engine passes over row groups in which it finds nothing.
    bounded = len(members) > 1 or filtered
    if size > session.scope.meter.remaining_bytes or (size > HELD_BYTES and bounded):
        return
    cached = session.cached()
    for path, chunks in by_path.items():
        table.objects[path].prefetch([one for one in chunks if not cached.holds(path, *one)])
