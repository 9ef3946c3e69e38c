"""What there is to profile below a prefix: one object, a glob, or the only data set; or why not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from s3_data_lake_mcp.engines.places import dominant_format
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression, first_text
from s3_data_lake_mcp.loaders.formats import (
    READ_TOOLS,
    detect_format,
    detect_format_by_name,
    format_of,
)
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.keeping import is_locked
from s3_data_lake_mcp.profiling.stock import KEPT_OBJECTS, Stock
from s3_data_lake_mcp.storage import (
    ListedObject,
    ObjectInfo,
    ObjectRef,
    ObjectStore,
    ScanMeter,
    is_archived,
)
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader

_NAMED = 3
_TEXT_BYTES_PER_SECOND = 60e6
_PARQUET_BYTES_PER_SECOND = 40e6
_COMPRESSED_BYTES_PER_SECOND = 25e6
_FORMATS = {tool: name for name, tool in READ_TOOLS.items()}
_SECONDS_PER_OBJECT = 0.01
_SPREAD = 32
_DECODED_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Objects of one format that a profile is made of; of very many, some from all over them.

    `archived` counts those beside them that cannot be read.
    """

    bucket: str
    key: str
    format: str
    objects: tuple[ListedObject, ...]
    objects_total: int
    size_bytes: int
    archived: int = 0

    @property
    def uri(self) -> str:
        """The place as a URI."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def infos(self) -> list[ObjectInfo]:
        """The versions that were listed."""
        return [one.info(self.bucket) for one in self.objects]

    @property
    def refs(self) -> list[ObjectRef]:
        """The objects' names."""
        return [info.ref for info in self.infos]

    @property
    def seed(self) -> str:
        """What random choices follow: the same for the same versions of the same objects."""
        return "".join(one.etag for one in (self.objects[0], self.objects[-1]))

    @property
    def scan_seconds(self) -> float:
        """About how long reading all of it takes, judged by what two cores decode."""
        opening = self.objects_total * _SECONDS_PER_OBJECT
        rate = _PARQUET_BYTES_PER_SECOND if self.format == "parquet" else _TEXT_BYTES_PER_SECOND
        if detect_format_by_name(self.objects[0].key)[1]:
            rate = _COMPRESSED_BYTES_PER_SECOND
        return opening + self.size_bytes / rate


def find_subject(store: ObjectStore, stock: Stock, meter: ScanMeter) -> tuple[Subject | None, str]:
    """Return what to profile, or None and the reason as a notice (empty for an empty bucket).

    An object whose name does not tell its format costs a look at its first bytes.
    """
    if not stock.kept:
        empty = not stock.inventory.objects
        hidden = " that is not hidden" if stock.grouper.hidden else ""
        return None, "" if empty else f"No profile: there is no object with data{hidden}."
    readable = [one for one in stock.kept if not is_archived(one.storage_class)]
    if not readable and _is_restored(store, stock, meter):
        readable = stock.kept
    if not readable:
        return None, (
            f"No profile: {stock.kept[0].key} is archived ({stock.kept[0].storage_class}); restore "
            "it first (S3 RestoreObject), which takes minutes to hours."
        )
    if stock.kind == "object":
        return _object(store, stock, readable[0], meter)
    return _many(store, stock, readable, meter)


def _is_restored(store: ObjectStore, stock: Stock, meter: ScanMeter) -> bool:
    """Whether the first archived object is restored, which its listing does not tell."""
    try:
        head = store.head(ObjectRef(bucket=stock.bucket, key=stock.kept[0].key), meter)
    except LakeError:
        return False
    return not is_locked(head)


def named_wrongly(
    store: ObjectStore, stock: Stock, subject: Subject, meter: ScanMeter, refusal: LakeError
) -> Subject | None:
    """Return the subject by the content of its only object; None if it is what its name says.

    A refusal that names the tool which reads the object has looked at it already.

    Raises:
        LakeError: If the object cannot be read.
    """
    if stock.kind != "object":
        return None
    name = _FORMATS.get(refusal.repair_tool) or _by_content(store, subject.refs[0], meter)
    if name == subject.format or name not in READ_TOOLS:
        return None
    return replace(subject, format=name)


def _many(
    store: ObjectStore, stock: Stock, readable: list[ListedObject], meter: ScanMeter
) -> tuple[Subject | None, str]:
    if not stock.inventory.complete:
        return None, "No profile: not all objects are known."
    key = stock.prefix
    if stock.kind == "prefix":
        found = stock.grouper.datasets()
        if len(found) > 1:
            return None, _several(found)
        key = str(found[0]["uri"]).split("/", 3)[3]
    counts = Counter(format_of(one.key) for one in readable)
    if not any(name in READ_TOOLS for name in counts):
        # Names of parts often tell nothing: what the first holds, the others hold too.
        name = _by_content(store, ObjectRef(bucket=stock.bucket, key=readable[0].key), meter)
        if name in READ_TOOLS:
            said = f"The names tell no format that is read; the content of the first is {name}."
            return _of_format(stock, key, name, readable, readable), said
        return None, "No profile: there is no CSV, JSON or Parquet."
    name = dominant_format(counts)
    chosen = [one for one in readable if format_of(one.key) == name]
    others = len(readable) - len(chosen)
    said = f"The profile is of the {len(chosen):,} {name} objects, not of {others:,} others."
    whole = len(stock.kept) < KEPT_OBJECTS
    return _of_format(stock, key, name, readable, chosen), said if others and whole else ""


def _object(
    store: ObjectStore, stock: Stock, listed: ListedObject, meter: ScanMeter
) -> tuple[Subject | None, str]:
    name = format_of(listed.key)
    if name not in READ_TOOLS:
        name = _by_content(store, ObjectRef(bucket=stock.bucket, key=listed.key), meter)
    if name not in READ_TOOLS:
        return None, f"No profile: {listed.key} is {name}, not CSV, JSON or Parquet."
    return _subject(stock, listed.key, name, [listed], 1, listed.size_bytes), ""


def _by_content(store: ObjectStore, ref: ObjectRef, meter: ScanMeter) -> str:
    source = ObjectReader.open_head(store, ref, meter)
    head = source.read_range(0, HEAD_BYTES)
    if compression := detect_compression(head):
        head = first_text(decoded_blocks(source, compression, max_decoded_bytes=_DECODED_BYTES))
    return detect_format(source.info, head)[0]


def _several(datasets: Sequence[Json]) -> str:
    tabular = [str(one["uri"]) for one in datasets if one["format"] in READ_TOOLS]
    if not tabular:
        return "No profile: there is no CSV, JSON or Parquet."
    return (
        f"No profile: there are {len(datasets):,} datasets. Summarize one, by its uri as prefix: "
        f"{first_of(tabular, _NAMED)}"
    )


def _of_format(
    stock: Stock,
    key: str,
    name: str,
    readable: Sequence[ListedObject],
    chosen: list[ListedObject],
) -> Subject:
    if len(stock.kept) >= KEPT_OBJECTS:
        return _spread(stock, key, name, chosen)
    size = sum(one.size_bytes for one in chosen)
    found = _subject(stock, key, name, chosen, len(chosen), size)
    return replace(found, archived=len(stock.kept) - len(readable))


def _spread(stock: Stock, key: str, name: str, first: Sequence[ListedObject]) -> Subject:
    """Return the subject of very many objects of a format, some from all over each data set."""
    told = format_of(first[0].key)
    groups = [one for one in stock.grouper.groups() if format_of(one.first.key) == told]
    each = max(2, _SPREAD // len(groups))
    chosen = [one for group in groups for one in group.samples.spread(each)]
    known = [one for one in chosen if one.size_bytes and not is_archived(one.storage_class)]
    readable = known or list(first[:_SPREAD])
    archived = sum(group.archived for group in groups)
    total = sum(group.objects for group in groups) - archived
    size = sum(group.bytes for group in groups)
    return replace(_subject(stock, key, name, readable, total, size), archived=archived)


def _subject(
    stock: Stock,
    key: str,
    name: str,
    objects: list[ListedObject],
    total: int,
    size_bytes: int,
) -> Subject:
    return Subject(
        bucket=stock.bucket,
        key=key,
        format=name,
        objects=tuple(objects),
        objects_total=total,
        size_bytes=size_bytes,
    )
