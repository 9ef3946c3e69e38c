"""What a query would read, told by the engine's plan, the listing and the footers: no data read."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_table import CsvTable
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.pruning import READERS, Scan, survivors
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.engines.tables import Table

_COMPARED = re.compile(r"\(*(\"(?:[^\"]|\"\")+\"|\w+) (=|>=|<=|>|<) ([^()]+?)\)*")
_KEPT = {"=": "{low} <= {v} AND {high} >= {v}", ">": "{high} > {v}", ">=": "{high} >= {v}"}
_KEPT |= {"<": "{low} < {v}", "<=": "{low} <= {v}"}


@dataclass(slots=True)
class _Chunks:
    """Row groups of a table that its filters leave, and the bytes of the columns read."""

    groups: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Sum:
    objects: int = 0
    bytes_total: int = 0
    bytes_estimated: int = 0
    row_groups: int | None = None
    columns: dict[str, None] = field(default_factory=dict)


def plan_of(
    session: Session, tables: Sequence[Table], scans: Sequence[Scan] | None, head_bytes: int
) -> Mapping[str, Any]:
    """Return the plan of a dry run.

    Args:
        session: Where the tables are views.
        tables: What the query reads.
        scans: What the engine plans; None if it cannot tell, so that all is read.
        head_bytes: Most bytes of text that are read; 0: all of them.
    """
    total = _Sum()
    for table in tables:
        mine = None if scans is None else [s for s in scans if _is_of(s, table)]
        read = table.place.members if mine is None else survivors(session, table, mine)
        columns = list(table.columns) if mine is None else list(column_names(table, mine))
        total.columns |= dict.fromkeys(columns)
        total.objects += len(read)
        total.bytes_total += sum(member.info.size_bytes for member in read)
        if isinstance(table, ParquetTable):
            chunks = _chunks(session, read, columns, mine or [])
            total.row_groups = (total.row_groups or 0) + chunks.groups
            total.bytes_estimated += chunks.bytes
        else:
            size = sum(member.info.size_bytes for member in read)
            total.bytes_estimated += min(size, head_bytes) if head_bytes else size
    return {
        "objects": total.objects,
        "bytes_total": total.bytes_total,
        "bytes_estimated": total.bytes_estimated,
        "row_groups": total.row_groups,
        "columns": list(total.columns),
    }


def _is_of(scan: Scan, table: Table) -> bool:
    return bool(scan["Function"] == READERS[table.place.format])


def column_names(table: Table, scans: Iterable[Scan]) -> Iterator[str]:
    """Yield the columns that scans read, in the table's order."""
    named: set[str] = set()
    text = ""
    for scan in scans:
        named.update(_listed(scan.get("Projections")))
        text += " ".join(_listed(scan.get("Filters")))
    inner = table.inner_names if isinstance(table, CsvTable) else {}
    for name in table.columns:
        spelt = inner.get(name, name)
        if spelt in named or re.search(rf"(?<!\w){re.escape(spelt)}(?!\w)", text):
            yield name


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(v) for v in value] if value else []  # type: ignore[attr-defined] # a list in the engine's JSON


def _chunks(
    session: Session, members: Sequence[Member], columns: Sequence[str], scans: Sequence[Scan]
) -> _Chunks:
    """Return the row groups that statistics do not rule out; many objects are judged by some."""
    looked_at = [member for member in members if "footer" in member.opened.facts]
    if not looked_at:
        return _Chunks()
    paths = ", ".join(literal(member.path) for member in looked_at)
    source = f"parquet_metadata([{paths}])"
    wanted = ", ".join(literal(name) for name in columns) or "''"
    top = "split_part(path_in_schema, ', ', 1)"
    sql = (
        f"SELECT count(DISTINCT (file_name, row_group_id)), "  # noqa: S608 - quoted, and the engine's own text
        f"coalesce(sum(total_compressed_size) FILTER ({top} IN ({wanted})), 0) "
        f"FROM {source} AS chunk WHERE {kept_groups(scans, source)}"
    )
    try:
        ((groups, size),) = session.execute(sql)
    except duckdb.Error:
        everything = f"SELECT count(DISTINCT (file_name, row_group_id)) FROM {source}"  # noqa: S608 - as above
        groups, size = session.execute(everything)[0][0], sum(m.info.size_bytes for m in looked_at)
    share = len(members) / len(looked_at)
    return _Chunks(round(groups * share), round(size * share))


def kept_groups(scans: Sequence[Scan], source: str) -> str:
    """Return the condition on rows of `parquet_metadata` that statistics do not rule out."""
    conditions = [" AND ".join(_conditions(scan, source)) or "true" for scan in scans]
    return " OR ".join(f"({condition})" for condition in conditions or ["true"])


def _conditions(scan: Scan, source: str) -> Iterator[str]:
    """Yield what row groups must fit, for those filters that compare a column with a value."""
    for text in _listed(scan.get("Filters")):
        for part in text.split(" AND "):
            found = _COMPARED.fullmatch(part.strip())
            if found is None:
                continue
            name = found[1].strip('"').replace('""', '"')
            value = found[3]
            low, high = (
                f"TRY_CAST(stats_{which}_value AS {_kind(value)})" for which in ("min", "max")
            )
            test = _KEPT[found[2]].format(low=low, high=high, v=value)
            yield (
                f"(file_name, row_group_id) NOT IN (SELECT (file_name, row_group_id) "  # noqa: S608 - quoted, and the engine's own text
                f"FROM {source} WHERE path_in_schema = {literal(name)} "
                f"AND NOT coalesce({test}, true))"
            )


def _kind(value: str) -> str:
    """Return the type of a literal as the engine writes it."""
    if "::" in value:
        return value.rpartition("::")[2]
    if value.startswith("'"):
        return "VARCHAR"
    return "DOUBLE" if re.search(r"[.eE]", value) else "HUGEINT"
