"""The nearest existing names of what is missing: a few listings after a `not_found`, no more."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from s3_data_lake_mcp.errors import LakeError, NotFoundError
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.storage import ListPage, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.keys import glob_prefix, glob_regex, is_glob
from s3_data_lake_mcp.storage.readahead import download_threads

_CUTOFF = 0.6
_COMPARED_CHARS = 128
_COMPARED_NAMES = 50
_SHOWN_NAMES = 5
_SHOWN_CHARS = 100


def explain_missing(store: ObjectStore, exc: NotFoundError, meter: ScanMeter) -> NotFoundError:
    """Return the error with the nearest existing names in its hint, and a call that would work.

    Costs one to a few listings; where they fail, the error comes back as it was.

    An empty `key` of the error means the bucket.
    """
    if exc.repair is not None or not exc.bucket:
        return exc
    try:
        if not exc.key:
            return _explain_bucket(store, exc, meter)
        found = _explain_bare(store, exc, meter) or _explain_glob(store, exc, meter)
        return found or _explain_key(store, exc, meter)
    except NotFoundError as missing:
        if missing.key or not exc.key:
            return exc
        return explain_missing(store, missing, meter)
    except LakeError:
        return exc


def close_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names most like one, best first; upper and lower case count alike."""
    wanted = name[-_COMPARED_CHARS:].lower()
    matcher = difflib.SequenceMatcher(b=wanted, autojunk=False)
    rough: list[tuple[float, str]] = []
    for candidate in names:
        matcher.set_seq1(candidate[-_COMPARED_CHARS:].lower())
        if (score := matcher.quick_ratio()) >= _CUTOFF:
            rough.append((score, candidate))
    exact: list[tuple[float, str]] = []
    for _, candidate in sorted(rough, reverse=True)[:_COMPARED_NAMES]:
        matcher.set_seq1(candidate[-_COMPARED_CHARS:].lower())
        if (score := matcher.ratio()) >= _CUTOFF:
            exact.append((score, candidate))
    return [candidate for _, candidate in sorted(exact, key=lambda found: -found[0])]


@dataclass(frozen=True, slots=True)
class _Folder:
    """What stands directly below a prefix."""

    prefix: str
    keys: tuple[str, ...]
    folders: tuple[str, ...]
    complete: bool

    @classmethod
    def of(cls, prefix: str, page: ListPage) -> "_Folder":
        keys = tuple(listed.key for listed in page.objects if listed.key != prefix)
        return cls(prefix, keys, page.common_prefixes, not page.next_token)

    def __bool__(self) -> bool:
        return bool(self.keys or self.folders)

    def near(self, name: str, names: Sequence[str]) -> list[str]:
        """Return the names most like one; what all begin with makes none like another."""
        bare = (one.removeprefix(self.prefix) for one in names)
        found = close_names(name.removeprefix(self.prefix), bare)
        return [self.prefix + one for one in found]


def _explain_bucket(store: ObjectStore, exc: NotFoundError, meter: ScanMeter) -> NotFoundError:
    names = [bucket.name for bucket in store.list_buckets(meter)]
    close = close_names(exc.bucket, names)
    if not close:
        return _enriched(exc, f"The buckets are {_shown(sorted(names))}.") if names else exc
    return _enriched(exc, f"Nearest: {_shown(close)}.", {"bucket_name": close[0]})


def _explain_bare(store: ObjectStore, exc: NotFoundError, meter: ScanMeter) -> NotFoundError | None:
    """Name the key without the slash or the bucket that was put before it, if it is there so."""
    bucket, key = exc.bucket, exc.key
    for bare in (key.lstrip("/"), key.removeprefix(f"{bucket}/")):
        if bare in ("", key):
            continue
        found = store.list_page(bucket, glob_prefix(bare), meter, max_keys=1).objects
        if found and (found[0].key == bare or bare.endswith("/") or is_glob(bare)):
            repair = {"bucket_name": bucket, "object_key": bare}
            return _enriched(exc, f"Nearest: {bare}.", repair)
    return None


def _explain_glob(store: ObjectStore, exc: NotFoundError, meter: ScanMeter) -> NotFoundError | None:
    """Name the glob that fits what lies in deeper folders, if some does."""
    head, slash, last = exc.key.rpartition("/")
    if "*" not in last or "**" in exc.key:
        return None
    deeper = f"{head}{slash}**/{last}"
    listed = store.list_page(exc.bucket, glob_prefix(exc.key), meter).objects
    keys = [one.key for one in listed if one.size_bytes]
    if any(map(glob_regex(exc.key).fullmatch, keys)):
        return None
    if not any(map(glob_regex(deeper).fullmatch, keys)):
        return None
    repair = {"bucket_name": exc.bucket, "object_key": deeper}
    return _enriched(exc, f"* does not cross /, ** does: {deeper}.", repair)


def _explain_key(store: ObjectStore, exc: NotFoundError, meter: ScanMeter) -> NotFoundError:
    bucket, key = exc.bucket, exc.key
    parent = _parent(key)
    folder = _around(store, bucket, _look(store, bucket, parent, meter), key, meter)
    name = key.removesuffix("/") + "/"
    if name in folder.folders:
        ending = "end it with / where a tool takes many objects"
        told = "list_s3_objects shows what is below it" if name == key else ending
        return _listing(exc, f"s3://{bucket}/{name} is a prefix: {told}.", name)
    if not folder:
        return _explain_parent(store, exc, meter)
    if key in folder.keys:
        return exc
    close, folders = folder.near(key, folder.keys), folder.near(name, folder.folders)
    if folders and (name == key or not close):
        return _listing(exc, f"Nearest: {_shown(folders)}.", folders[0])
    if close:
        repair = {"bucket_name": bucket, "object_key": close[0]}
        return _enriched(exc, f"Nearest: {_shown(close)}.", repair)
    return _enriched(exc, f"s3://{bucket}/{parent} has {_names_in(folder)}.")


def _explain_parent(store: ObjectStore, exc: NotFoundError, meter: ScanMeter) -> NotFoundError:
    """Go up to the nearest prefix that exists, and name what is below it."""
    bucket, key = exc.bucket, exc.key
    folder = _deepest(store, bucket, _parent(key), meter)
    if not folder:
        return _enriched(exc, f"s3://{bucket} is empty.")
    prefix = folder.prefix
    missing, _, rest = key.removeprefix(prefix).partition("/")
    folder = _around(store, bucket, folder, prefix + missing, meter)
    there = f"s3://{bucket}/{prefix} has no {missing}/"
    if f"{prefix}{missing}/" in folder.folders:
        return _enriched(exc, f"s3://{bucket}/{prefix}{missing}/ is an empty folder.")
    close = folder.near(f"{prefix}{missing}/", folder.folders)
    if not close:
        return _enriched(exc, f"{there}; it has {_names_in(folder)}.")
    candidate = close[0] + rest
    found = store.list_page(bucket, candidate, meter, max_keys=1).objects
    if found and found[0].key == candidate:
        repair = {"bucket_name": bucket, "object_key": candidate}
        return _enriched(exc, f"Nearest: {candidate}.", repair)
    return _listing(exc, f"{there}; nearest: {_shown(close)}.", close[0])


def _deepest(store: ObjectStore, bucket: str, prefix: str, meter: ScanMeter) -> _Folder:
    """Return the deepest prefix above one that exists; found by halving, as all above it do."""
    levels = ["", *(prefix[: at + 1] for at, letter in enumerate(prefix) if letter == "/")]
    low, high = 0, len(levels) - 2
    best = _Folder("", (), (), complete=True)
    while low <= high:
        middle = (low + high + 1) // 2
        folder = _look(store, bucket, levels[middle], meter)
        if folder:
            best, low = folder, middle + 1
        else:
            high = middle - 1
    return best


def _look(
    store: ObjectStore, bucket: str, prefix: str, meter: ScanMeter, after: str = ""
) -> _Folder:
    page = store.list_page(bucket, prefix, meter, delimiter="/", start_after=after)
    return _Folder.of(prefix, page)


def _around(
    store: ObjectStore, bucket: str, folder: _Folder, name: str, meter: ScanMeter
) -> _Folder:
    """Return a folder of more than one page together with what is behind a name's first letters."""
    if folder.complete:
        return folder
    given, keys, folders = len(folder.prefix), [*folder.keys], [*folder.folders]
    letters = len(name) - given

    def look(alike: int) -> _Folder:
        return _look(store, bucket, folder.prefix, meter, name[: given + alike])

    # Those that differ late in the name stand far behind those that differ early.
    for behind in download_threads().map(look, (max(1, letters // 3), letters * 3 // 4)):
        keys += behind.keys
        folders += behind.folders
    return _Folder(
        folder.prefix, tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(folders)), complete=False
    )


def _parent(key: str) -> str:
    """Return the prefix above a key or prefix, with its slash; empty for the bucket itself."""
    head, slash, _ = key.removesuffix("/").rpartition("/")
    return head + slash


def _names_in(folder: _Folder) -> str:
    names = [name.removeprefix(folder.prefix) for name in (*folder.folders, *folder.keys)]
    return _shown(names) if folder.complete else f"{_shown(names[:_SHOWN_NAMES])} and others"


def _shown(names: Sequence[str]) -> str:
    shown = [
        name if len(name) <= _SHOWN_CHARS else f"…{name[-_SHOWN_CHARS:]}"
        for name in names[:_SHOWN_NAMES]
    ]
    return first_of(shown, _SHOWN_NAMES, len(names))


def _listing(exc: NotFoundError, hint: str, prefix: str) -> NotFoundError:
    return _enriched(exc, hint, {"bucket_name": exc.bucket, "prefix": prefix}, "list_s3_objects")


def _enriched(
    exc: NotFoundError,
    hint: str,
    repair: Mapping[str, object] | None = None,
    repair_tool: str = "",
) -> NotFoundError:
    return NotFoundError(
        str(exc),
        hint=hint,
        repair=repair,
        repair_tool=repair_tool,
        bucket=exc.bucket,
        key=exc.key,
    )
