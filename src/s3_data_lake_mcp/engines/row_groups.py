"""Row groups of Parquet objects: where their column chunks lie, and which of them scans may skip.

Places come from the footers, at next to no cost; statistics from the engine, which compares them as
it does when it scans. That is one pass over all column chunks, made only where a filter compares a
column with a value.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.parquet_table import footer_of
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.pruning import Scan, listed
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.loaders.parquet_plan import stored_range

if TYPE_CHECKING:
    from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter

_COMPARED = re.compile(r"(\"(?:[^\"]|\"\")+\"|\w+) (=|>=|<=|>|<) ([^()]+)")
_IN = re.compile(r"(\"(?:[^\"]|\"\")+\"|\w+) IN \(([^()]+)\)")
_PIECE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"| AND | OR |, |.", re.DOTALL)
_KEPT = {"=": "{low} <= {v} AND {high} >= {v}", ">": "{high} > {v}", ">=": "{high} >= {v}"}
_KEPT |= {"<": "{low} < {v}", "<=": "{low} <= {v}"}


def stored_chunks(
    member: Member, parts: Sequence[str], groups: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield where the chunks of some columns lie in an object whose footer is known."""
    footer = footer_of(member)
    # pyarrow ends the process when it is asked about a chunk that is encrypted.
    readable = [leaf for leaf in _leaves(footer, set(parts)) if leaf not in footer.encrypted]
    for group in groups:
        row_group = footer.metadata.row_group(group)
        for leaf in readable:
            yield stored_range(row_group.column(leaf))


def _leaves(footer: "ParquetFooter", parts: Collection[str]) -> Iterator[int]:
    for name, own, mine in zip(footer.names, footer.schema.names, footer.leaves, strict=True):
        # Of names that repeat, the engine numbers the later ones in its own way.
        if name != own:
            continue
        if name in parts:
            yield from mine
        elif inside := tuple(f"{path}." for path in parts if path.startswith(f"{name}.")):
            paths = ((leaf, f"{footer.metadata.schema.column(leaf).path}.") for leaf in mine)
            yield from (leaf for leaf, path in paths if path.startswith(inside))


def has_page_index(member: Member) -> bool:
    """Whether the engine can read less than whole chunks of an object whose footer is known."""
    footer = footer_of(member)
    metadata = footer.metadata
    if not metadata.num_row_groups or footer.encrypted:
        return False
    first = metadata.row_group(0)
    return any(first.column(at).has_offset_index for at in range(metadata.num_columns))


def kept_groups(
    session: Session, members: Sequence[Member], scans: Sequence[Scan]
) -> Mapping[str, Sequence[int]]:
    """Return by path the row groups that statistics do not rule out for all of the scans.

    Raises:
        duckdb.Error: If the engine cannot compare them.
    """
    counts = {m.path: footer_of(m).metadata.num_row_groups for m in members}
    everything = {path: range(count) for path, count in counts.items()}
    # Of each scan, columns and what their chunks must fit, for filters that compare with values.
    tests = [[t for f in listed(scan.get("Filters")) for t in _conjuncts(f)] for scan in scans]
    if not members or not tests or not all(tests):
        return everything
    columns = {name for each in tests for name, _ in each}
    misses = (
        " OR ".join(f"(path_in_schema = {literal(n)} AND NOT coalesce({t}, true))" for n, t in each)
        for each in tests
    )
    shown = ", ".join(f"({miss}) AS miss_{at}" for at, miss in enumerate(misses))
    paths = ", ".join(literal(path) for path in counts)
    named = ", ".join(map(literal, sorted(columns)))
    rows = session.execute(
        f"SELECT file_name, row_group_id, {shown} FROM parquet_metadata([{paths}]) "  # noqa: S608 - quoted, and the engine's own text
        f"WHERE path_in_schema IN ({named})"
    )
    missed: dict[tuple[str, int], list[bool]] = {}
    for path, group, *found in rows:
        known = missed.setdefault((path, group), [False] * len(tests))
        missed[path, group] = [a or b for a, b in zip(known, found, strict=True)]
    return {
        path: [group for group in groups if not all(missed.get((path, group), [False]))]
        for path, groups in everything.items()
    }


def groups_or_all(
    session: Session, members: Sequence[Member], scans: Sequence[Scan]
) -> Mapping[str, Sequence[int]]:
    """Return the same; all row groups where the engine cannot compare."""
    try:
        return kept_groups(session, members, scans)
    except duckdb.Error:
        return kept_groups(session, members, ())


def _conjuncts(text: str) -> Iterator[tuple[str, str]]:
    parts = _split(_bare(text), " AND ")
    if len(parts) > 1:
        for part in parts:
            yield from _conjuncts(part)
    elif (test := _disjuncts(parts[0])) is not None:
        yield test


def _disjuncts(text: str) -> tuple[str, str] | None:
    """Return a column and the test for values of it of which one must be there; None if unclear."""
    if found := _IN.fullmatch(text):
        parts = [f"{found[1]} = {value}" for value in _split(found[2], ", ")]
    else:
        parts = _split(text, " OR ")
    if len(parts) == 1:
        return _comparison(parts[0])
    each = [list(_conjuncts(part)) for part in parts]
    names = {name for tests in each for name, _ in tests}
    if len(names) > 1 or not all(each):
        return None
    anded = (" AND ".join(test for _, test in tests) for tests in each)
    return names.pop(), " OR ".join(f"({one})" for one in anded)


def _comparison(text: str) -> tuple[str, str] | None:
    found = _COMPARED.fullmatch(text)
    if found is None or found[3].startswith("'nan'"):
        return None
    value = found[3]
    low, high = (f"TRY_CAST(stats_{which}_value AS {_kind(value)})" for which in ("min", "max"))
    test = _KEPT[found[2]].format(low=low, high=high, v=value)
    return found[1].strip('"').replace('""', '"'), test


def _bare(text: str) -> str:
    """Return a condition without the brackets around it, and without the engine's own remark."""
    text = text.strip().removeprefix("optional: ")
    while text.startswith("(") and _split(text[1:], ")")[1:] == [""]:
        text = text[1:-1].removeprefix("optional: ")
    return text


def _split(text: str, mark: str) -> list[str]:
    """Split a text where a mark stands outside of quotes and brackets."""
    parts, depth = [""], 0
    for piece in _PIECE.findall(text):
        if piece == mark and not depth:
            parts.append("")
            continue
        depth += (piece == "(") - (piece == ")")
        parts[-1] += piece
    return parts


def _kind(value: str) -> str:
    """Return the type of a literal as the engine writes it."""
    if "::" in value:
        return value.rpartition("::")[2]
    if value.startswith("'"):
        return "VARCHAR"
    return "DOUBLE" if re.search(r"[.eE]", value) else "HUGEINT"
