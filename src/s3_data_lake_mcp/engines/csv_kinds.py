"""The types of the columns of delimited text that objects of several layouts have together.

Of a column without a value in the heads, parts from all over the objects show the type. What they
show need not hold: another value is a misfit, as anywhere, and a column without a value at all has
only misfits. So a wrong guess costs a further run of the query, and no value.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice

from s3_data_lake_mcp.engines.casts import BLANK, TEXT, misfit_example
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_layout import SNIFF_BYTES, Group, Layout
from s3_data_lake_mcp.engines.opening import Opened
from s3_data_lake_mcp.engines.typed_select import MOST_SINGLE
from s3_data_lake_mcp.engines.used_fields import UsedFields
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders.compression import decoded_blocks
from s3_data_lake_mcp.loaders.csv_dialect import first_records
from s3_data_lake_mcp.loaders.csv_types import NULL_TOKENS

_SOUGHT = "sought"
_MOST_LAYOUTS = 4
_PARTS = 8
_PART_BYTES = 64 << 10
_DECODED_BYTES = 8 << 20
_UNIT_BYTES = 4
_MOST_RECORDS = 100_000
_TOGETHER = {
    frozenset({"BIGINT", "DOUBLE"}): "DOUBLE",
    frozenset({"TIMESTAMP", "TIMESTAMP_NS"}): "TIMESTAMP_NS",
    frozenset({"TIMESTAMPTZ", "TIMESTAMPTZ_NS"}): "TIMESTAMPTZ_NS",
}


def merged_kinds(groups: Iterable[Group]) -> dict[str, str]:
    """Return the type of each column, in lower case, that holds what all layouts hold.

    It is blank where none has a value.
    """
    seen: dict[str, set[str]] = {}
    for layout, _ in groups:
        for column, kind in layout.kinds.items():
            kinds = seen.setdefault(column.lower(), set())
            kinds.update(() if column in layout.empty else (kind,))
    return {column: _together(kinds) for column, kinds in seen.items()}


def _together(kinds: set[str]) -> str:
    if not kinds:
        return BLANK
    return next(iter(kinds)) if len(kinds) == 1 else _TOGETHER.get(frozenset(kinds), TEXT)


def blank_columns(groups: Iterable[Group], used: UsedFields | None) -> frozenset[str]:
    """Return the columns, in lower case, without a value so far, of those that a query uses."""
    kinds = merged_kinds(groups)
    blank = frozenset(column for column, kind in kinds.items() if kind == BLANK)
    named = blank if used is None else blank & {name for path in used for name in path}
    return blank if named and len(kinds) > MOST_SINGLE else named


def misfits(
    session: Session, source: str, columns: Mapping[str, tuple[str, str]], *, bare: bool
) -> Iterator[tuple[str, str]]:
    """Yield values that the columns cannot hold, of each a null token and another one.

    Args:
        session: Where the source can be read; all of it is.
        source: What stands behind FROM.
        columns: By name, SQL of the text and the type.
        bare: Whether the empty text is null.
    """
    typed = [
        (name, f"nullif({text}, '')" if bare else text, kind)
        for name, (text, kind) in columns.items()
        if kind != TEXT
    ]
    if 0 < len(typed) <= MOST_SINGLE:
        examples = [misfit_example(t, k, token=b) for _, t, k in typed for b in (True, False)]
        (values,) = session.execute(f"SELECT {', '.join(examples)} FROM {source}")  # noqa: S608 - all of it is quoted
        yield from ((typed[at // 2][0], v) for at, v in enumerate(values) if v is not None)
        return
    # The engine looks for what expressions have in common, in time that grows with their square.
    for kind in {kind for _, _, kind in typed}:
        alike = [(name, text) for name, text, its in typed if its == kind]
        texts = ", ".join(text for _, text in alike)
        cells = f"SELECT unnest([{texts}]) AS t, unnest(range({len(alike)})) AS i FROM {source}"  # noqa: S608 - as above
        examples = [misfit_example("t", kind, token=token) for token in (True, False)]
        sql = f"SELECT i, {', '.join(examples)} FROM ({cells}) GROUP BY i"  # noqa: S608 - as above
        for at, *found in session.execute(sql):
            yield from ((alike[at][0], value) for value in found if value is not None)


def seek_kinds(groups: Iterable[Group], blank: Collection[str], fact: str) -> None:
    """Give blank columns the types of the values in parts of objects, fetched side by side.

    `blank` are in lower case; `fact` is the name of the fact that is an object's layout.
    """
    left = set(blank)
    for layout, members in islice(groups, _MOST_LAYOUTS if blank else 0):
        wanted = {column for column in layout.empty if column.lower() in left}
        known = [m.opened for m in members if m.opened.facts.get(fact) is layout]
        if wanted and known:
            _seek(layout, known, wanted, f"{fact} {_SOUGHT}")
            left -= {column.lower() for column in wanted - layout.empty}


def _seek(layout: Layout, members: Sequence[Opened], wanted: Collection[str], sought: str) -> None:
    step = -(-len(members) // _PARTS)
    chosen = [m for m in members[::-step] if wanted - m.facts.setdefault(sought, set())]
    if not chosen:
        return
    with ThreadPoolExecutor(len(chosen)) as pool:
        count = max(1, _PARTS // len(chosen))
        parts = list(pool.map(lambda member: _parts(member, layout, count), chosen))
    rows = [row for part in chain.from_iterable(parts) for row in _rows(part, layout)]
    for at, column in enumerate(layout.columns):
        if column in wanted:
            found = {row[at] for row in rows} - NULL_TOKENS
            if values := {value for value in found if value is not None}:
                layout.settle(column, values)
    for member in chosen:
        member.facts[sought] |= wanted


def _parts(opened: Opened, layout: Layout, count: int) -> list[str]:
    """Return whole lines from places all over an object; of a compressed one, from its head."""
    dialect, start = layout.shape.dialect, layout.shape.start
    text = _decoded(opened, dialect.compression) if dialect.compression else None
    size = opened.info.size_bytes if text is None else len(text)
    places = [(start, size)]
    if size - start > count * _PART_BYTES:
        span = size - start - _PART_BYTES
        firsts = (span * at // count // _UNIT_BYTES * _UNIT_BYTES for at in range(1, count + 1))
        places = [(start + at, min(start + at + _PART_BYTES, size)) for at in firsts]
        places[-1] = (places[-1][0], size)
    bodies = (
        [text[a:b] for a, b in places] if text is not None else opened.reader().read_ranges(places)
    )
    return [
        _lines(body, dialect.encoding, first=at == start)
        for body, (at, _) in zip(bodies, places, strict=True)
    ]


def _decoded(opened: Opened, compression: str) -> bytes:
    """Return what the bytes that are here hold, decompressed, or the first megabytes of it."""
    head = opened.need_head(SNIFF_BYTES)
    source = opened.reader().holding(head)
    found = b""
    with contextlib.suppress(LakeError):  # it may be torn
        for block in decoded_blocks(source, compression, max_decoded_bytes=_DECODED_BYTES):
            found += block
    return found


def _lines(body: bytes, encoding: str, *, first: bool) -> str:
    """Return the lines that are whole, but for the last one of a text without its end."""
    text = body.decode(encoding, "replace")
    begin = 0 if first else min((at for at in map(text.find, "\r\n") if at >= 0), default=-1) + 1
    return text[begin : max(map(text.rfind, "\r\n")) + 1]


def _rows(text: str, layout: Layout) -> Iterator[list[str | None]]:
    """Yield the rows of a part; one that begins within quotes has none, or few, as wide as all."""
    dialect = layout.shape.dialect
    body = text.encode(dialect.encoding, "replace")
    records, _ = first_records(body, dialect, _MOST_RECORDS)
    return (one.fields for one in records if len(one.fields) == len(layout.columns))
