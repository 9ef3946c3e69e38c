"""Taking stock of a prefix: one walk over its keys that counts and groups them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Literal

from s3_data_lake_mcp.errors import AccessDeniedError, LakeError, NotFoundError
from s3_data_lake_mcp.fence import plural
from s3_data_lake_mcp.profiling.datasets import DatasetGrouper
from s3_data_lake_mcp.profiling.inventory import Inventory
from s3_data_lake_mcp.storage import ListedObject, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.fanout import OutOfTimeError, walk_wide
from s3_data_lake_mcp.storage.keys import glob_prefix, glob_regex, is_glob
from s3_data_lake_mcp.storage.lookup import hiding_notices, is_object

KEPT_OBJECTS = 1_001
_LAST_SECONDS = 12.0
_SHARE_OF_TIME = 0.3
_PROGRESS_KEYS = 5_000
_CHECKED_KEYS = 500


@dataclass(slots=True, kw_only=True)
class Stock:
    """What lies below a prefix. `kept` are the first data objects, `KEPT_OBJECTS` at most."""

    bucket: str
    prefix: str
    kind: Literal["object", "prefix", "glob"]
    inventory: Inventory
    grouper: DatasetGrouper
    kept: list[ListedObject] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """The place as a URI."""
        return f"s3://{self.bucket}/{self.prefix}"

    def add(self, listed: ListedObject) -> None:
        """Count one object."""
        self.inventory.add(listed)
        self.grouper.add(listed)
        room = len(self.kept) < KEPT_OBJECTS
        if room and listed.size_bytes and not self.grouper.is_hidden(listed.key):
            self.kept.append(listed)


@dataclass(slots=True, kw_only=True)
class _Walk:
    """The keys below a prefix, until time runs out; `stopped` is the last key looked at then."""

    keys: Iterator[ListedObject]
    late: Callable[[], bool]
    progress: Callable[[int, int], None]
    looked_at: int = 0
    stopped: str = ""

    def __iter__(self) -> Iterator[ListedObject]:
        try:
            for listed in self.keys:
                yield listed
                self.looked_at += 1
                if self.looked_at % _PROGRESS_KEYS == 0:
                    self.progress(self.looked_at, 0)
                if self.looked_at % _CHECKED_KEYS == 0 and self.late():
                    self.stopped = listed.key
                    return
        except OutOfTimeError as exc:
            self.stopped = exc.behind


def take_stock(
    store: ObjectStore,
    bucket: str,
    prefix: str,
    meter: ScanMeter,
    progress: Callable[[int, int], None],
) -> Stock:
    """Count and group all objects that a key, prefix or glob names; an object with that key wins.

    Stops ahead of the deadline, so that there is time for an answer that says so.

    Raises:
        NotFoundError: If nothing is there; an empty bucket is no error.
    """

    def late() -> bool:
        return meter.spare_seconds(_LAST_SECONDS, _SHARE_OF_TIME) < 0

    if is_glob(prefix) and not prefix.endswith("/"):
        found = store.list_page(bucket, prefix, meter, max_keys=1).objects
        if is_object(found, prefix):
            return _only(bucket, found[0])
        pattern = glob_regex(prefix)
        below = walk_wide(store, bucket, glob_prefix(prefix), meter, glob=prefix, late=late)
        walk = _Walk(keys=below, late=late, progress=progress)
        matching = (listed for listed in walk if pattern.fullmatch(listed.key))
        return _filled(_new_stock(bucket, prefix, "glob"), walk, matching)
    keys = walk_wide(store, bucket, prefix, meter, late=late)
    try:
        first = list(islice(keys, 2))
    except AccessDeniedError as exc:
        # Whoever may read an object need not be allowed to list its bucket.
        return _only(bucket, _headed(store, ObjectRef(bucket=bucket, key=prefix), meter, exc))
    if is_object(first, prefix):
        stock = _only(bucket, first[0])
        stock.notices += hiding_notices(first, bucket)
        return stock
    stock = _new_stock(bucket, prefix, "prefix")
    walk = _Walk(keys=chain(first, keys), late=late, progress=progress)
    return _filled(stock, walk, walk)


def _new_stock(bucket: str, prefix: str, kind: Literal["object", "prefix", "glob"]) -> Stock:
    grouper = DatasetGrouper(bucket, within=glob_prefix(prefix) if kind == "glob" else prefix)
    return Stock(bucket=bucket, prefix=prefix, kind=kind, inventory=Inventory(), grouper=grouper)


def _only(bucket: str, listed: ListedObject) -> Stock:
    stock = _new_stock(bucket, listed.key, "object")
    stock.add(listed)
    return stock


def _filled(stock: Stock, walk: _Walk, objects: Iterable[ListedObject]) -> Stock:
    for listed in objects:
        stock.add(listed)
    if walk.stopped:
        _break_off(stock, walk)
    elif not stock.inventory.objects and stock.prefix:
        message = f"{stock.uri} names no object and no prefix of one"
        raise NotFoundError(message, bucket=stock.bucket, key=stock.prefix)
    if stock.kind == "prefix" and (logs := stock.grouper.drop_table_metadata()):
        stock.kept = [one for one in stock.kept if not stock.grouper.is_table_metadata(one.key)]
        stock.notices.append(
            f"{logs:,} objects of metadata of Iceberg tables are in the inventory but in no "
            "dataset."
        )
    if hidden := stock.grouper.hidden:
        said = plural(hidden, "hidden object", "is", "are")
        stock.notices.append(f"{said} in the inventory but in no dataset (names with _ or .).")
    return stock


def _break_off(stock: Stock, walk: _Walk) -> None:
    stock.inventory.complete = False
    stock.grouper.complete = False
    folder = walk.stopped.rpartition("/")[0]
    onward = f"prefix {folder + '/'!r} and those behind it" if folder else "narrower prefixes"
    stock.notices.append(
        f"Incomplete: time ran out after {walk.looked_at:,} keys, behind {walk.stopped}. All "
        f"counts are of those keys alone; go on with {onward}."
    )


def _headed(
    store: ObjectStore, ref: ObjectRef, meter: ScanMeter, refused: AccessDeniedError
) -> ListedObject:
    if not ref.key or ref.key.endswith("/"):
        raise refused
    try:
        head = store.head(ref, meter)
    except LakeError:
        raise refused from None
    return ListedObject(
        key=ref.key,
        size_bytes=head.info.size_bytes,
        etag=head.info.etag,
        last_modified=head.info.last_modified or datetime(1970, 1, 1, tzinfo=UTC),
        storage_class=head.storage_class,
    )
