"""What an argument or URI names: the objects of a table, their format and their partitions."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from urllib.parse import quote, unquote

from s3_data_lake_mcp.engines.opening import Opened, Opener
from s3_data_lake_mcp.errors import LimitExceededError, NotFoundError, UnsupportedFormatError
from s3_data_lake_mcp.fence import first_of, plural
from s3_data_lake_mcp.loaders.formats import READ_TOOLS, format_of
from s3_data_lake_mcp.storage import ListedObject, ObjectInfo, ObjectRef
from s3_data_lake_mcp.storage.keys import (
    NULL_PARTITION,
    PARTITION,
    glob_prefix,
    is_private,
    table_of,
)
from s3_data_lake_mcp.storage.lookup import locate

_MAX_OBJECTS = 100_000
_NAMED = 3
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_\-./=% +@,:;~()\u00a1-\uffff]*")
_MISREAD = re.compile(r"(?s)=.*[?\\\n]|[?\\\n].*=|=[^/]*=|(?:^|/)\.\.(?:/|$)")
"""In a key, what the engine takes for other folders than are there."""


@dataclass(slots=True, kw_only=True)
class Member:
    """One object of a table. `path` is how the engine names it; `values` are its partition's."""

    info: ObjectInfo
    path: str
    values: tuple[str | None, ...] = ()
    opened: Opened

    @property
    def raw_path(self) -> str:
        """How a reader in the SQL names it: as its `filename` shows, and is compared with."""
        return self.path if _MISREAD.search(self.info.ref.key) else self.info.ref.uri


@dataclass(slots=True, kw_only=True)
class Place:
    """The objects that a key, prefix or glob names, all of one format."""

    bucket: str
    key: str
    kind: str
    format: str
    members: list[Member]
    partitions: tuple[str, ...] = ()
    notices: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """The place as a URI."""
        return ObjectRef(bucket=self.bucket, key=self.key).uri

    @property
    def size_bytes(self) -> int:
        """The sum of the objects' sizes."""
        return sum(member.info.size_bytes for member in self.members)

    @property
    def whole(self) -> ObjectInfo:
        """The place as one source."""
        if self.kind == "object":
            return self.members[0].info
        dates = [m.info.last_modified for m in self.members if m.info.last_modified]
        return ObjectInfo(
            ref=ObjectRef(bucket=self.bucket, key=self.key),
            size_bytes=self.size_bytes,
            etag="",
            last_modified=max(dates, default=None),
        )


def layout_fact(place: Place) -> str:
    """Return the name of the fact that is an object's layout among those that it is read with.

    Objects that begin alike share one, and its types are of the values of all: by itself, or among
    others, each of them may be of other types.
    """
    versions = hash(tuple((member.info.ref, member.info.etag) for member in place.members))
    return f"{place.format} {versions}"


def find_place(opener: Opener, bucket: str, key: str, asked: str) -> Place:
    """Look up what a key names: an object, or by listing a prefix or glob.

    `asked` is the only format to take; if it is empty, the one that most objects have is taken.

    Raises:
        NotFoundError: If nothing is there.
        UnsupportedFormatError: If what is there cannot be queried.
    """
    found = locate(opener.store, bucket, key, opener.meter)
    if found.kind == "object":
        place = _one(opener, ObjectRef(bucket=bucket, key=key), asked)
        place.notices += found.notices
        return place
    listed = list(islice(found.objects, _MAX_OBJECTS + 1))
    uri = f"s3://{bucket}/{key}"
    if len(listed) > _MAX_OBJECTS:
        message = f"{uri} holds more than {_MAX_OBJECTS:,} objects"
        raise LimitExceededError(message, hint="Name a narrower prefix or a glob.")
    named = glob_prefix(key) if found.kind == "glob" else key
    hidden = {one.key for one in listed if is_hidden(one.key, named)}
    seen = [one for one in listed if one.key not in hidden]
    # Consoles write text into some of their folder markers.
    folders = [one.key for one in seen if one.key.endswith("/")]
    data = [one for one in seen if one.size_bytes and not one.key.endswith("/")]
    if not data:
        message = f"{uri} holds no objects with data" if listed else f"{uri} matches no object"
        raise NotFoundError(message, bucket=bucket, key=key)
    place = _many(opener, bucket, key, found.kind, data, asked)
    empty = [one.key for one in seen if not one.size_bytes]
    concealed = [one.key for one in listed if one.size_bytes and one.key in hidden]
    for keys, why in ((empty, "empty"), (concealed, "hidden")):
        place.notices += left_out([key for key in keys if format_of(key) == place.format], why)
    place.notices += left_out(folders, "named as a folder")
    tables = dict(filter(None, (table_of(one.key) for one in listed)))
    for root in islice((root for root in tables if root.startswith(named)), _NAMED):
        place.notices.append(
            f"s3://{bucket}/{root} is a{tables[root]} table: its log or metadata says which of its "
            "objects are current, and all of them are read."
        )
    return place


def left_out(keys: Sequence[str], why: str) -> list[str]:
    """Return the notice of objects that are not read, if there are any."""
    said = plural(len(keys), "object", "is", "are")
    return [f"{said} {why} and left out: {first_of(keys, _NAMED)}."] if keys else []


def is_hidden(key: str, below: str) -> bool:
    """Whether engines pass over a key: `_SUCCESS`, `_delta_log/`, `.part-0.crc` and the like.

    What was named hides nothing: that is the text that all keys begin with.
    """
    first, *parts = key.removeprefix(below).split("/")
    begun = bool(below) and not below.endswith("/")
    return any(map(is_private, parts if begun else (first, *parts)))


def _one(opener: Opener, ref: ObjectRef, asked: str) -> Place:
    opened = opener.open(ref)
    name = opened.format
    if asked and name != asked:
        message = f"{ref} is {name}, not {asked}"
        raise UnsupportedFormatError(
            message, hint="query_csv_data reads it.", repair_tool="query_csv_data"
        )
    member = Member(info=opened.info, path=paths_of([ref])[0], opened=opened)
    return Place(bucket=ref.bucket, key=ref.key, kind="object", format=name, members=[member])


def _many(
    opener: Opener, bucket: str, key: str, kind: str, data: Sequence[ListedObject], asked: str
) -> Place:
    names = {one.key: format_of(one.key) for one in data}
    counts = Counter(names.values())
    name = asked or dominant_format(counts)
    unnamed = [key for key, known in names.items() if known == "unknown"]
    if not (name or unnamed):
        unnamed = list(names)
    if unnamed and name not in counts:
        found = opener.open(ObjectRef(bucket=bucket, key=unnamed[0])).format
        name = name or found
        names |= dict.fromkeys(unnamed, found)
    taken = [one for one in data if names[one.key] == name]
    uri = f"s3://{bucket}/{key}"
    if not taken:
        message = f"{uri} holds no object of the format {name}"
        raise UnsupportedFormatError(
            message, hint="query_csv_data reads CSV and JSON too.", repair_tool="query_csv_data"
        )
    place = Place(bucket=bucket, key=key, kind=kind, format=name, members=[])
    if left := [one.key for one in data if names[one.key] != name]:
        read = f"{len(taken):,} {name} objects" if len(taken) > 1 else f"{name} object"
        rest = plural(len(left), "other", "was", "were")
        place.notices.append(
            f"Only the {read} of {uri} {'were' if len(taken) > 1 else 'was'} read; "
            f"{rest} left out: {first_of(left, _NAMED)}."
        )
    refs = [ObjectRef(bucket=bucket, key=one.key) for one in taken]
    place.members = [
        Member(info=(info := one.info(bucket)), path=path, opened=opener.listed(info, name))
        for path, one in zip(paths_of(refs), taken, strict=True)
    ]
    _partition(place)
    return place


def dominant_format(counts: Mapping[str, int]) -> str:
    """Return the format that most of many objects have, empty if none can be queried."""
    found = [name for name in READ_TOOLS if counts.get(name)]
    return max(found, key=lambda name: counts[name], default="")


def partition_of(key: str) -> dict[str, str | None]:
    """Return the `name=value` folders of a key, decoded as Hive writes them."""
    found: dict[str, str | None] = {}
    for folder in key.split("/")[:-1]:
        if matched := PARTITION.fullmatch(folder):
            value = unquote(matched[2])
            found[matched[1]] = None if value == NULL_PARTITION else value
    return found


def _partition(place: Place) -> None:
    parts = [partition_of(member.info.ref.key) for member in place.members]
    names = tuple(parts[0])
    if any(tuple(part) != names for part in parts):
        place.notices.append(
            "The objects lie in folders with different partition names, "
            "so partitions are not columns."
        )
        return
    place.partitions = names
    for member, part in zip(place.members, parts, strict=True):
        member.values = tuple(part.values())


def paths_of(refs: Sequence[ObjectRef], scheme: str = "s3", *, variant: str = "") -> list[str]:
    """Return paths in the order of the objects, as a rule that of their keys.

    The engine reads the files of a set in the order of their paths. An object has the same one in
    every set, so that the engine's cache serves them all.
    """
    plain = not variant and all(_is_plain(ref.key) for ref in refs)
    make = _uri if plain else partial(_hidden, variant=variant)
    paths = [make(ref, scheme) for ref in refs]
    if paths == sorted(paths):
        return paths
    return [_hidden(ref, scheme, variant=variant, at=f"{at:09}-") for at, ref in enumerate(refs)]


def _is_plain(key: str) -> bool:
    """Whether the engine takes a key for no pattern, and changes nothing of it."""
    return bool(_PLAIN_KEY.fullmatch(key)) and not any(
        part in ("", ".", "..") or part.count("=") > 1 for part in key.split("/")
    )


def _uri(ref: ObjectRef, scheme: str) -> str:
    return f"{scheme}://{ref.bucket}/{ref.key}"


def _hidden(ref: ObjectRef, scheme: str, *, variant: str, at: str = "") -> str:
    """Return another path for an object: for an odd key, or for other views of the same bytes.

    Paths of a variant are in the order of `at`, or else of the bytes of the keys.
    """
    digest = hashlib.sha256(variant.encode()).hexdigest()[:20]
    key = ref.key.encode("utf-8", "surrogatepass").hex()
    folders = "".join(f"{folder}/" for folder in _plain_partitions(ref.key))
    return f"{scheme}://{ref.bucket}/.{at}{digest}/{key}/{folders}object"


def _plain_partitions(key: str) -> Iterable[str]:
    """Yield the partitions of a key; of their values, what the engine may misread is encoded."""
    for folder in key.split("/")[:-1]:
        found = PARTITION.fullmatch(folder)
        if found is not None and _PLAIN_KEY.fullmatch(found[1]):
            plain = (
                c if _PLAIN_KEY.fullmatch(c) and c != "=" else quote(c, safe="") for c in found[2]
            )
            yield f"{found[1]}={''.join(plain)}"
