"""Keys below a prefix that pass a filter, page by page, each looked at once."""

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.catalog.filters import KeyFilter
from s3_data_lake_mcp.fence import row
from s3_data_lake_mcp.loaders.formats import format_of
from s3_data_lake_mcp.models.discovery import Object
from s3_data_lake_mcp.storage import ListedObject, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.fanout import OutOfTimeError, walk_wide

_ENVELOPE_BYTES = 1_280
"""What an answer needs beside its keys: counts, notices, fence, the next call, a short cursor."""

_PAGE_KEYS = 1_000
_PROGRESS_KEYS = 5_000


@dataclass(slots=True)
class FoundObjects:
    """One page of keys; `last` is the last one looked at.

    `truncated_by` is the limit that was reached; the contract knows none for time, so that
    `out_of_time` stands beside it.
    """

    objects: list[Object] = field(default_factory=list)
    common_prefixes: list[str] = field(default_factory=list)
    keys_scanned: int = 0
    last: str = ""
    truncated_by: str = ""
    out_of_time: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def truncated(self) -> bool:
        """Whether keys follow that were not looked at."""
        return bool(self.truncated_by) or self.out_of_time

    def run_out(self) -> None:
        """Say that time ran out."""
        self.out_of_time = True
        self.notices.append(
            f"Time ran out after {self.keys_scanned:,} keys; the cursor goes on behind them."
        )

    def __len__(self) -> int:
        return len(self.objects) + len(self.common_prefixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where and what to look for, how much of it, and behind which key to start."""

    bucket: str
    prefix: str
    delimiter: str
    wanted: KeyFilter
    max_keys: int
    room_bytes: int
    start_after: str = ""

    @property
    def one_page(self) -> bool:
        """Whether one page of the store's holds all keys that are to be looked at."""
        return self.wanted.is_empty and self.max_keys < _PAGE_KEYS


def find_objects(
    store: ObjectStore,
    meter: ScanMeter,
    search: Search,
    progress: Callable[[int, int], None] | None = None,
) -> FoundObjects:
    """Return the next keys that pass the filter, in key order.

    Reads one match more than asked for, to know whether more follow. Stops ahead of the deadline,
    with a notice.
    """
    found = FoundObjects(last=search.start_after)
    if search.wanted.narrowed(search.prefix) is None:
        found.notices.append("No key can both start with prefix and match pattern.")
        return found
    with closing(_entries(store, meter, search)) as entries:
        try:
            _fill(found, entries, search, meter, progress)
        except OutOfTimeError as late:
            found.last = max(found.last, late.behind)
            found.run_out()
    if found.common_prefixes and not search.wanted.is_empty:
        found.notices.append(
            "common_prefixes are not filtered: the keys below them were not looked at."
        )
    return found


def _fill(
    found: FoundObjects,
    entries: Iterable[ListedObject | str],
    search: Search,
    meter: ScanMeter,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Take entries until the page is full, or time runs out."""
    room = search.room_bytes - _ENVELOPE_BYTES - _asked_bytes(search)
    for entry in entries:
        name = entry if isinstance(entry, str) else entry.key
        wanted = isinstance(entry, str) or search.wanted.accepts(entry)
        if wanted and len(found) == search.max_keys:
            found.truncated_by = "max_keys"
            return
        room -= _add(found, entry) if wanted else 0
        if room < _encoded_bytes(name) and len(found) > wanted:
            if wanted:
                _drop(found, entry)
            found.truncated_by = "max_bytes"
            return
        if not wanted and meter.spare_seconds() < 0:
            found.run_out()
            return
        found.last = name
        found.keys_scanned += 1
        if progress and found.keys_scanned % _PROGRESS_KEYS == 0:
            progress(found.keys_scanned, 0)


def _asked_bytes(search: Search) -> int:
    """Return what an answer repeats of the question, in plain and in its cursor."""
    plain = max(compact_size(search.prefix), len(row([search.prefix]).encode()))
    return plain + _encoded_bytes(search.prefix) + _encoded_bytes(search.wanted.pattern)


def _encoded_bytes(text: str) -> int:
    """Return the most that a text takes in a cursor, where it is packed and written as base64."""
    return len(text.encode("utf-8", "replace")) * 4 // 3 + 4


def _entries(
    store: ObjectStore, meter: ScanMeter, search: Search
) -> Generator[ListedObject | str, None, None]:
    """Yield objects and common prefixes in the order of their names."""
    prefix = search.wanted.narrowed(search.prefix) or search.prefix
    if search.delimiter or search.one_page:
        yield from _folded(store, prefix, meter, search)
        return
    yield from walk_wide(
        store,
        search.bucket,
        prefix,
        meter,
        glob=search.wanted.pattern,
        start_after=search.start_after,
        hesitant=True,
        late=lambda: meter.spare_seconds() < 0,
    )


def _folded(
    store: ObjectStore, prefix: str, meter: ScanMeter, search: Search
) -> Iterator[ListedObject | str]:
    """Yield what a delimiter leaves of the keys, or the few that are asked for."""
    # A page of a filter may hold no match, so it is asked for whole.
    size = search.max_keys + 1 if search.one_page else _PAGE_KEYS
    token = ""
    while True:
        page = store.list_page(
            search.bucket,
            prefix,
            meter,
            delimiter=search.delimiter,
            start_after="" if token else search.start_after,
            token=token,
            max_keys=size,
        )
        # A listing that starts behind a common prefix folds the keys below it once more.
        folders = (folder for folder in page.common_prefixes if folder != search.start_after)
        entries: list[Iterable[ListedObject | str]] = [page.objects, folders]
        yield from heapq.merge(*entries, key=_order)
        token = page.next_token
        if not token:
            return


def _order(entry: ListedObject | str) -> bytes:
    return (entry if isinstance(entry, str) else entry.key).encode("utf-8", "surrogatepass")


def _add(found: FoundObjects, entry: ListedObject | str) -> int:
    """Add an entry and return the bytes that it takes, as JSON or as text, whichever are more."""
    if isinstance(entry, str):
        found.common_prefixes.append(entry)
        return max(compact_size(entry), len(row([entry]).encode("utf-8", "replace"))) + 1
    shown = Object(
        key=entry.key,
        size_bytes=entry.size_bytes,
        last_modified=entry.last_modified.isoformat(),
        storage_class=entry.storage_class,
        etag=entry.etag,
        format=format_of(entry.key),
    )
    found.objects.append(shown)
    values = shown.model_dump()
    return max(compact_size(values), len(row(values.values()).encode("utf-8", "replace"))) + 1


def _drop(found: FoundObjects, entry: ListedObject | str) -> None:
    if isinstance(entry, str):
        found.common_prefixes.pop()
    else:
        found.objects.pop()
