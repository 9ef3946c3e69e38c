"""What a key names in a bucket: an object, all below a prefix, or what a glob matches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from s3_data_lake_mcp.errors import NotAllowedError
from s3_data_lake_mcp.storage import ListedObject, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.fanout import walk_wide
from s3_data_lake_mcp.storage.keys import glob_prefix, glob_regex, is_glob
from s3_data_lake_mcp.storage.readahead import download_threads

_HADOOP = "_$folder$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a key names: one object, or the many below a prefix or behind a glob.

    `objects` yields the many, empty folder markers left out; for an object it is empty.
    """

    kind: Literal["object", "prefix", "glob"]
    objects: Iterator[ListedObject]
    notices: Sequence[str] = ()


def marked_folder(key: str, size_bytes: int) -> str:
    """Return the folder for which consoles and Hadoop write such an object; "" if it is none."""
    if size_bytes or not key.endswith(("/", _HADOOP)):
        return ""
    return f"{key.removesuffix(_HADOOP).removesuffix('/')}/"


def is_folder_marker(listed: ListedObject) -> bool:
    """Whether an object is there for a folder alone."""
    return bool(marked_folder(listed.key, listed.size_bytes))


def is_object(first: Sequence[ListedObject], key: str) -> bool:
    """Whether a listing begins with the object that a key names, be it a prefix or glob as well."""
    return bool(first) and first[0].key == key and not is_folder_marker(first[0])


def hiding_notices(first: Sequence[ListedObject], bucket: str) -> list[str]:
    """Return the notice of an object that is named as a folder, if anything is in that folder.

    `first` is what a listing of its key as a prefix begins with: the object, and what comes next.
    """
    if len(first) == 1 or not first[0].key.endswith("/"):
        return []
    notice = (
        f"s3://{bucket}/{first[0].key} is itself an object; what is below it was not looked at, "
        f"such as {first[1].key}: {first[0].key}** names that."
    )
    return [notice]


def locate(store: ObjectStore, bucket: str, key: str, meter: ScanMeter) -> Found:
    """Tell whether a key names an object, a prefix (it is empty or ends in `/`), or a glob.

    An object with exactly the key of a prefix or glob wins; that of a glob is looked up beside the
    first keys. Long listings are fetched side by side.
    """
    first: list[ListedObject] = []
    if not key or key.endswith("/"):
        below = walk_wide(store, bucket, key, meter)
        first += islice(below, 2)
        if is_object(first, key):
            notices = hiding_notices(first, bucket)
            return Found(kind="object", objects=iter(()), notices=notices)
        return Found(kind="prefix", objects=_data(chain(first, below)))
    if not is_glob(key):
        return Found(kind="object", objects=iter(()))
    looked_up = download_threads().submit(store.list_page, bucket, key, meter, max_keys=1)
    below = walk_wide(store, bucket, glob_prefix(key), meter, glob=key)
    refused: NotAllowedError | None = None
    try:
        first += islice(below, 1)
    except NotAllowedError as exc:
        # The one object may be allowed where what begins like it is not.
        refused = exc
    if is_object(looked_up.result().objects, key):
        return Found(kind="object", objects=iter(()))
    if refused is not None:
        raise refused
    pattern = glob_regex(key)
    objects = _data(one for one in chain(first, below) if pattern.fullmatch(one.key))
    return Found(kind="glob", objects=objects)


def _data(objects: Iterator[ListedObject]) -> Iterator[ListedObject]:
    return (one for one in objects if one.size_bytes or not one.key.endswith("/"))
