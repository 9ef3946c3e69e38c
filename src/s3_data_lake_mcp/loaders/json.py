"""JSON and JSON Lines: only as much of the object as the page needs."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.cursors import count_in
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.loaders import LoadRequest, LoadResult, Position, RowNotice, told_nothing
from s3_data_lake_mcp.loaders.json_open import DOCUMENT, Scan, open_position, open_start
from s3_data_lake_mcp.loaders.json_outline import OUTLINE, fits, outline
from s3_data_lake_mcp.loaders.json_path import look_up, nearest_keys, unknown_keys, unmarked_values
from s3_data_lake_mcp.loaders.json_scan import DOCUMENT_BYTES, Item, check_depth
from s3_data_lake_mcp.loaders.json_table import table_of
from s3_data_lake_mcp.loaders.page_size import Filling, PageSize
from s3_data_lake_mcp.loaders.unknown_column import pick
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.wire import Clipper, json_value
from s3_data_lake_mcp.wire.values import MAX_LEVELS

MAX_KEYS = 1_000
"""Most keys that a result names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRequest:
    """Which records to read; `position`, from an earlier `resume`, wins over `offset`.

    `path` is a JMESPath expression. An object or scalar whose compact JSON is longer than
    `max_outline_bytes` comes as an outline. `page_size` spares the records that have no room.
    """

    max_records: int
    offset: int = 0
    path: str = ""
    position: Position | None = None
    max_decoded_bytes: int = 8 << 30
    max_outline_bytes: int = 48 << 10
    page_size: PageSize | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonResult:
    """One page of records, or one value.

    `layout` is `array`, `lines`, `object` or `scalar`. `records` holds up to `max_records + 1`
    values, fewer if a page has room for fewer: the last is there only to prove that there is more.
    `data` is the object or scalar. `keys` are the object's, or those of the records.
    `total_records` is exact or None. `resume(n)` is the position behind the first `n` records, for
    `0 < n <= len(records)`; `told(n)` are the notices about these, `notices` all others.
    `truncated` says that `data` is an outline.
    """

    layout: str
    keys: Sequence[str]
    resume: Callable[[int], Position]
    records: Sequence[object] = ()
    data: object = None
    offset: int = 0
    total_records: int | None = None
    notices: Sequence[str] = ()
    told: Callable[[int], Sequence[RowNotice]] = told_nothing
    truncated: bool = False


class JsonLoader:
    """Reads JSON documents and JSON Lines, in UTF-8 or with a Unicode byte order mark."""

    def read(self, source: ObjectReader, request: JsonRequest) -> JsonResult:
        """Read one page of records, or the value that `path` leads to.

        Open `source` by its first `FIRST_BYTES` for a first page. With a `position` its head is not
        looked at: one range, at the position, is fetched (compressed objects are decoded from their
        start). An `offset` reads and checks what is before the page: about 3 µs for a record of 200
        bytes.

        Raises:
            MalformedDataError: If the bytes are not JSON.
            InvalidArgumentError: If `path` or `position` is not valid.
            LimitExceededError: If a value is too long or too deep, or a budget is spent.
        """
        if request.path:
            return _read_path(source, request)
        budget = request.max_decoded_bytes
        if request.position:
            opened = open_position(source, request.position, budget, request.max_records)
        else:
            opened = open_start(source, budget)
        with closing(opened) as scan:
            if scan.layout not in ("object", "scalar"):
                return _page(scan, request)
            return _value_result(next(scan.items).value, request, [*map(str, _told(scan))])

    def load(self, source: ObjectReader, request: LoadRequest) -> LoadResult:
        """Load records as rows: keys as columns, other values in a column `value`."""
        result = self.read(
            source,
            JsonRequest(
                max_records=request.max_rows,
                offset=request.offset,
                position=request.position,
                max_decoded_bytes=request.max_decoded_bytes,
                max_outline_bytes=DOCUMENT_BYTES * 8,
            ),
        )
        single = result.layout in ("object", "scalar")
        table = table_of([result.data] if single else result.records, str(source.ref))
        if request.columns:
            types = {one.name: one.type for one in table.schema}
            table = table.select(pick(str(source.ref), types, request.columns))
        return LoadResult(
            table=table,
            offset=result.offset,
            resume=result.resume,
            total_rows=1 if single else result.total_records,
            notices=result.notices,
            told=result.told,
            details={"json": {"layout": result.layout, "keys": list(result.keys)}},
        )


def json_layout(source: ObjectReader, *, max_decoded_bytes: int) -> tuple[str, str]:
    """Return `array`, `lines`, `object` or `scalar`, and the encoding, judged by the beginning.

    Costs what the first value costs: of arrays and announced JSON Lines, the head.

    Raises:
        MalformedDataError: If the object does not begin like JSON.
        LimitExceededError: If it begins with an object of more than 64 MiB.
    """
    with closing(open_start(source, max_decoded_bytes)) as scan:
        return scan.layout, scan.window.encoding


def _page(scan: Scan, request: JsonRequest) -> JsonResult:
    skipped = 0
    offset = scan.record
    if not request.position:
        skipped = scan.skip(request.offset)
        offset = request.offset
    items: list[Item] = []
    # What lies behind the last record is told with the next page, which begins there.
    found: list[tuple[int, int]] = []
    filling = _filling(request)
    full, at = False, scan.window.byte
    for item in islice(scan.items, request.max_records + 1):
        items.append(item)
        found.append((scan.bad.count, len(scan.decoder.duplicates)))
        if full:
            break
        full = filling is not None and filling.is_full(item.value, item.byte - at)
        at = item.byte
    else:
        full = False
    short = len(items) <= request.max_records and not full
    total = (
        (offset + len(items) if items or skipped == request.offset else skipped) if short else None
    )
    records = [item.value for item in items]

    def told(count: int) -> list[RowNotice]:
        return _told(scan, *found[count - 1]) if count < len(items) else _told(scan)

    notices = []
    if short and not items and request.offset > skipped:
        notices.append(f"offset {request.offset:,} is behind the last of {skipped:,} records.")

    def resume(count: int) -> Position:
        return scan.position(items[count - 1], offset + count)

    return JsonResult(
        layout=scan.layout,
        keys=_keys(records[: request.max_records]),
        records=records,
        offset=offset,
        resume=resume,
        total_records=total,
        notices=notices,
        told=told,
    )


def _filling(request: JsonRequest) -> Filling[object] | None:
    size = request.page_size
    if size is None:
        return None
    clipper = Clipper(size.max_cell_chars)
    return Filling(size.max_bytes, lambda value: compact_size(json_value(value, clipper)))


def _read_path(source: ObjectReader, request: JsonRequest) -> JsonResult:
    with closing(open_start(source, request.max_decoded_bytes)) as scan:
        document = _whole(source, scan)
    found = look_up(document, request.path, str(source.ref))
    notices = [*map(str, _told(scan))]
    if found is None:
        near = nearest_keys(document, request.path)
        notices.append(f"path {request.path!r} leads to nothing or null. {near}")
    if found == [] and (
        said := unmarked_values(request.path) or unknown_keys(document, request.path)
    ):
        notices.append(f"path {request.path!r} fits nothing. {said}")
    elif found and (said := unmarked_values(request.path, document)):
        notices.append(f"path {request.path!r} compares with a key. {said}")
    if not isinstance(found, list):
        return _value_result(found, request, notices)
    offset = request.offset
    if request.position:
        offset = count_in(request.position, "record", DOCUMENT)
    if offset > len(found):
        notices.append(f"offset {offset:,} is behind the last of {len(found):,} records.")
    records = found[offset : offset + request.max_records + 1]
    check_depth(records, MAX_LEVELS, str(source.ref))
    return JsonResult(
        layout="array",
        keys=_keys(records[: request.max_records]),
        records=records,
        offset=offset,
        resume=lambda count: {"record": offset + count},
        total_records=len(found),
        notices=notices,
    )


def _whole(source: ObjectReader, scan: Scan) -> object:
    """Return the whole document; JSON Lines as the list of their values."""
    if scan.layout in ("object", "scalar"):
        return next(scan.items).value
    too_long = not scan.compression and source.size_bytes > DOCUMENT_BYTES
    values: list[object] = []
    for item in () if too_long else scan.items:
        if item.byte > DOCUMENT_BYTES:
            too_long = True
            break
        values.append(item.value)
    if too_long:
        message = f"{source.ref} is longer than {DOCUMENT_BYTES:,} bytes, too long for a `path`"
        raise LimitExceededError(
            message,
            hint="Page through its records without `path`. Or use query_csv_data.",
            repair={"path": ""},
        )
    return values


def _value_result(value: object, request: JsonRequest, notices: list[str]) -> JsonResult:
    truncated = not fits(value, request.max_outline_bytes)
    if truncated:
        notices.append(OUTLINE)
    return JsonResult(
        layout="object" if isinstance(value, dict) else "scalar",
        keys=_keys([value]),
        data=outline(value, request.max_outline_bytes) if truncated else value,
        resume=lambda _count: {},
        notices=notices,
        truncated=truncated,
    )


def _keys(values: Sequence[object]) -> list[str]:
    return list(dict.fromkeys(key for one in values if isinstance(one, dict) for key in one))


def _told(scan: Scan, lines: int | None = None, keys: int | None = None) -> list[RowNotice]:
    """Say what was found, or only so many lines and keys of it, the first."""
    lines = scan.bad.count if lines is None else lines
    notices = [scan.bad.notice(lines)] if lines else []
    if names := ", ".join(islice(scan.decoder.duplicates, keys)):
        notices.append(RowNotice(f"Objects repeat keys; the last value of each was kept: {names}"))
    return notices
