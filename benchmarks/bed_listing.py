"""What the stand-in lists: the keys of a directory, page by page, in S3's XML."""

import hashlib
import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

MOST_KEYS: Final = 1_000
SYNTHETIC: Final = ".keys.tsv"
"""File in a bucket's folder: `key TAB size` a line, keys that are listed but hold no bytes."""

_ALIAS: Final = re.compile(r"run-\d+/")
_HEADER: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE: Final = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_LAST: Final = "\U0010ffff"
_SYNTHETIC_MODIFIED: Final = 1_760_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object: the same in LIST, HEAD and GET."""

    size: int
    modified: float
    etag: str
    path: Path


def error_xml(code: str) -> str:
    """Return the body of an error."""
    return f"{_HEADER}<Error><Code>{code}</Code><Message>{code}</Message></Error>"


def _etag(key: str, size: int, modified_ns: int) -> str:
    # Not the MD5 of the bytes, as for an object that was uploaded in parts.
    digest = hashlib.md5(f"{key}\0{size}\0{modified_ns}".encode(), usedforsecurity=False)
    return f"{digest.hexdigest()}-2"


def _split_alias(key: str) -> tuple[str, str]:
    found = _ALIAS.match(key)
    return (found[0], key[found.end() :]) if found else ("", key)


class Buckets:
    """The folders of a directory as buckets."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._keys: dict[str, tuple[Sequence[str], Mapping[str, int]]] = {}

    def entry(self, bucket: str, key: str) -> Entry | None:
        """Return what stands behind a key, None if nothing does."""
        path = self._root / bucket / _split_alias(key)[1]
        try:
            status = path.stat()
        except OSError:
            return None
        if not path.is_file():
            return None
        return Entry(
            size=status.st_size,
            modified=status.st_mtime,
            etag=_etag(key, status.st_size, status.st_mtime_ns),
            path=path,
        )

    def list_buckets(self, query: Mapping[str, str]) -> str:
        """Answer ListBuckets, in pages if they are asked for."""
        prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
        folders = sorted(path.name for path in self._root.iterdir() if path.is_dir())
        names = [name for name in folders if name.startswith(prefix) and name > after]
        most = int(query.get("max-buckets", "10000"))
        shown = "".join(
            f"<Bucket><Name>{escape(name)}</Name><BucketRegion>us-east-1</BucketRegion>"
            "<CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>"
            for name in names[:most]
        )
        more = len(names) > most
        token = f"<ContinuationToken>{escape(names[most - 1])}</ContinuationToken>" if more else ""
        return (
            f"{_HEADER}<ListAllMyBucketsResult {_NAMESPACE}><Owner><ID>bed</ID></Owner>"
            f"<Buckets>{shown}</Buckets>{token}</ListAllMyBucketsResult>"
        )

    def list_objects(self, bucket: str, query: Mapping[str, str]) -> str:
        """Answer ListObjectsV2."""
        alias, prefix = _split_alias(query.get("prefix", ""))
        delimiter = query.get("delimiter", "")
        most = min(int(query.get("max-keys") or MOST_KEYS), MOST_KEYS)
        # What a page ended with is its continuation token, and works like start-after.
        after = query.get("continuation-token") or query.get("start-after", "")
        page = self._page(bucket, prefix, delimiter, most, _split_alias(after)[1])
        encode = quote if query.get("encoding-type") == "url" else escape
        contents = "".join(
            self._contents(bucket, f"{alias}{key}", size, encode(f"{alias}{key}"))
            for key, size in page.keys
        )
        prefixes = "".join(
            f"<CommonPrefixes><Prefix>{encode(alias + name)}</Prefix></CommonPrefixes>"
            for name in page.prefixes
        )
        count = len(page.keys) + len(page.prefixes)
        fields = {
            "Name": escape(bucket),
            "Prefix": encode(f"{alias}{prefix}"),
            "Delimiter": encode(delimiter) if delimiter else None,
            "EncodingType": query.get("encoding-type"),
            "StartAfter": encode(query["start-after"]) if query.get("start-after") else None,
            "KeyCount": str(count),
            "MaxKeys": str(most),
            "IsTruncated": "true" if page.last else "false",
            "NextContinuationToken": escape(f"{alias}{page.last}") if page.last else None,
        }
        shown = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items() if text)
        listed = f"{shown}{contents}{prefixes}"
        return f"{_HEADER}<ListBucketResult {_NAMESPACE}>{listed}</ListBucketResult>"

    def _contents(self, bucket: str, key: str, size: int, shown: str) -> str:
        entry = self.entry(bucket, key)
        etag = entry.etag if entry else _etag(key, size, 0)
        modified = entry.modified if entry else _SYNTHETIC_MODIFIED
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(modified))
        return (
            f"<Contents><Key>{shown}</Key><LastModified>{stamp}</LastModified>"
            f"<ETag>&quot;{etag}&quot;</ETag><Size>{entry.size if entry else size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )

    def _index(self, bucket: str) -> tuple[Sequence[str], Mapping[str, int]]:
        """Return the keys of a bucket in S3's order, and the sizes of the synthetic ones."""
        known = self._keys.get(bucket)
        if known is None:
            folder = self._root / bucket
            files = (path for path in folder.rglob("*") if path.is_file())
            sizes = {path.relative_to(folder).as_posix(): -1 for path in files}
            if sizes.pop(SYNTHETIC, None) is not None:
                lines = (folder / SYNTHETIC).read_text().splitlines()
                sizes |= {key: int(size) for key, _, size in (x.partition("\t") for x in lines)}
            known = self._keys[bucket] = (sorted(sizes, key=str.encode), sizes)
        return known

    def _page(self, bucket: str, prefix: str, delimiter: str, most: int, after: str) -> "_Page":
        keys, sizes = self._index(bucket)
        page = _Page([], [], "")
        at = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
        while most and at < len(keys) and keys[at].startswith(prefix):
            if len(page.keys) + len(page.prefixes) >= most:
                return _Page(page.keys, page.prefixes, keys[at - 1])
            key = keys[at]
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                page.keys.append((key, sizes[key]))
                at += 1
                continue
            common = key[: cut + len(delimiter)]
            at = bisect_left(keys, common + _LAST)
            # A page that ended inside a common prefix must not show it a second time.
            if not after.startswith(common):
                page.prefixes.append(common)
        return page


@dataclass(frozen=True, slots=True)
class _Page:
    """Keys with sizes, common prefixes, and the last key that the page covers if there is more."""

    keys: list[tuple[str, int]]
    prefixes: list[str]
    last: str
