"""What a query would read, told by the engine's plan, the listing and the footers: no data read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_table import CsvTable
from s3_data_lake_mcp.engines.opening import HEAD_BYTES
from s3_data_lake_mcp.engines.parquet_table import ParquetTable, knows_footer
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.pruning import (
    READERS,
    PlanNode,
    Scan,
    all_nodes,
    listed,
    scans_in,
    survivors,
)
from s3_data_lake_mcp.engines.row_groups import groups_or_all, stored_chunks
from s3_data_lake_mcp.engines.tables import Table


def plan_of(
    session: Session, tables: Sequence[Table], nodes: Sequence[PlanNode] | None, head_bytes: int
) -> Mapping[str, Any]:
    """Return the plan of a dry run.

    `nodes` are what the engine plans, None if it cannot tell, so that all is read. Of text,
    `head_bytes` are read at most, or all of it if that is 0.
    """
    objects = bytes_total = bytes_estimated = 0
    row_groups: int | None = None
    columns: dict[str, None] = {}
    scans = None if nodes is None else list(scans_in(nodes))
    is_empty = any(node["name"] == "EMPTY_RESULT" for node in all_nodes(nodes or ()))
    if scans == []:
        head_bytes = HEAD_BYTES
    for table in tables:
        reader = READERS[table.place.format]
        mine = None if scans is None else [s for s in scans if s["Function"] == reader]
        read = table.place.members if mine is None else survivors(session, table, mine)
        parts = {n: [n] for n in table.columns} if mine is None else parts_read(table, mine)
        columns |= dict.fromkeys(parts)
        objects += len(read)
        size = sum(member.info.size_bytes for member in read)
        bytes_total += size
        if isinstance(table, ParquetTable):
            groups, estimated = _chunks(session, read, list(chain(*parts.values())), mine or [])
            row_groups = (row_groups or 0) + (0 if is_empty and not mine else groups)
            bytes_estimated += estimated
        else:
            bytes_estimated += min(size, head_bytes) if head_bytes else size
    return {
        "objects": objects,
        "bytes_total": bytes_total,
        "bytes_estimated": bytes_estimated,
        "row_groups": row_groups,
        "columns": list(columns),
    }


def parts_read(table: Table, scans: Iterable[Scan]) -> Mapping[str, Sequence[str]]:
    """Return what scans read of each column, in the table's order: itself, or paths to fields."""
    named: set[str] = set()
    text = ""
    for scan in scans:
        named.update(listed(scan.get("Projections")))
        text += " ".join(listed(scan.get("Filters")))
    inner = table.inner_names if isinstance(table, CsvTable) else {}
    columns = {name: inner.get(name, name) for name in table.columns}
    # The engine does not quote: what is the name of a column is not taken for a path.
    fields = sorted(named.difference(columns.values()))
    found: dict[str, Sequence[str]] = {}
    for name, spelt in columns.items():
        # Patterns of thousands of columns would take longer to make than to search for.
        is_filtered = spelt in text and re.search(rf"(?<!\w){re.escape(spelt)}(?!\w)", text)
        if spelt in named or is_filtered:
            found[name] = [name]
        elif inside := [path for path in fields if path.startswith(f"{spelt}.")]:
            found[name] = inside
    return found


def _chunks(
    session: Session, members: Sequence[Member], parts: Sequence[str], scans: Sequence[Scan]
) -> tuple[int, int]:
    """Return how many row groups statistics do not rule out, and the bytes of the columns read.

    Many objects are judged by some.
    """
    # A footer that is too long to be remembered is read again.
    looked_at = list(filter(knows_footer, members)) or members[:1]
    if not looked_at:
        return 0, 0
    kept = groups_or_all(session, looked_at, scans)
    groups = sum(map(len, kept.values()))
    chunks = (c for m in looked_at for c in stored_chunks(m, parts, kept[m.path]))
    size = sum(stop - start for start, stop in chunks)
    share = len(members) / len(looked_at)
    return round(groups * share), round(size * share)
