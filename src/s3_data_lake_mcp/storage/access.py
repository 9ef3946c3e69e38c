"""The allow-list: which buckets and keys the server may read at all.

The setting is a comma-separated list; spaces around commas don't count, `*` stands for any
characters (also `/`) and nothing else is special. An entry is one of

- `bucket`, `bucket/`, `bucket/*`: the whole bucket
- `bucket/dir/`: every key that begins with `dir/`
- `bucket/dir/*.csv`, `bucket/2026-*`: every key that the glob matches as a whole
- `bucket/dir/file.csv`: that key alone

The bucket may be a glob, and `s3://` may stand in front. Keys are compared literally, undecoded.
"""

import re
from dataclasses import dataclass

from s3_data_lake_mcp.errors import InvalidArgumentError, NotAllowedError
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.globs import BUCKET, entries, matches

_SCHEME = re.compile(r"\As3://", re.IGNORECASE)
_SHOWN = 10
_HINT = "Write it as bucket or bucket/prefix*, separated by commas; leave it out to allow all."


@dataclass(frozen=True, slots=True)
class _Rule:
    text: str
    bucket: str
    key: str

    @property
    def head(self) -> str:
        """What every allowed key begins with."""
        return self.key.partition("*")[0]

    def may_hold(self, prefix: str) -> bool:
        """Whether an allowed key can begin with `prefix`."""
        if "*" not in self.key:
            return self.key.startswith(prefix)
        return prefix.startswith(self.head) or self.head.startswith(prefix)


class AllowList:
    """What the setting `allowed` permits; empty permits everything.

    Raises:
        InvalidArgumentError: If it cannot be read; nothing is then permitted, as nothing starts.
    """

    def __init__(self, text: str) -> None:
        self._rules = tuple(map(_rule, entries(text)))
        self._all = not text
        if text and not self._rules:
            raise InvalidArgumentError("S3_DATA_LAKE_ALLOWED names no bucket", hint=_HINT)

    def permits(self, bucket: str, key: str) -> bool:
        """Whether the object may be read."""
        return self._all or any(matches(rule.key, key) for rule in self._of(bucket))

    def permits_bucket(self, bucket: str) -> bool:
        """Whether anything in the bucket may be read."""
        return self._all or bool(self._of(bucket))

    def permits_listing(self, bucket: str, prefix: str) -> bool:
        """Whether a listing below `prefix` stays below what an entry allows."""
        return self._all or any(
            prefix.startswith(rule.head) and rule.may_hold(prefix) for rule in self._of(bucket)
        )

    def permits_folder(self, bucket: str, prefix: str) -> bool:
        """Whether an allowed key can begin with `prefix`."""
        return self._all or any(rule.may_hold(prefix) for rule in self._of(bucket))

    def bucket_names(self) -> tuple[str, ...]:
        """Return the buckets that are named in full, for where buckets may not be listed."""
        return tuple(sorted({rule.bucket for rule in self._rules if "*" not in rule.bucket}))

    def prefixes(self, bucket: str) -> tuple[str, ...]:
        """Return the prefixes of the bucket that may be listed; one empty one: all of it."""
        heads = {""} if self._all else {rule.head for rule in self._of(bucket)}
        return tuple(sorted(heads))

    def require(self, bucket: str, key: str) -> None:
        """Refuse what may not be read: a `NotAllowedError`."""
        if not self.permits(bucket, key):
            raise self._refusal(bucket, f"s3://{bucket}/{key}")

    def require_bucket(self, bucket: str) -> None:
        """Refuse a bucket of which nothing may be read: a `NotAllowedError`."""
        if not self.permits_bucket(bucket):
            raise self._refusal(bucket, f"s3://{bucket}")

    def require_listing(self, bucket: str, prefix: str) -> None:
        """Refuse a listing of more than may be read: a `NotAllowedError`."""
        if not self.permits_listing(bucket, prefix):
            raise self._refusal(bucket, f"s3://{bucket}/{prefix}")

    def _of(self, bucket: str) -> list[_Rule]:
        return [rule for rule in self._rules if matches(rule.bucket, bucket)]

    def _refusal(self, bucket: str, subject: str) -> NotAllowedError:
        here = self._of(bucket)
        texts = [
            f"s3://{bucket}/{rule.key}" if here else f"s3://{rule.text}"
            for rule in here or self._rules
        ]
        hint = f"Allowed are {first_of(texts, _SHOWN)} (S3_DATA_LAKE_ALLOWED)."
        return NotAllowedError(f"{subject} is outside what this server may read", hint=hint)


def _rule(entry: str) -> _Rule:
    bare = _SCHEME.sub("", entry)
    bucket, _, key = bare.partition("/")
    if not BUCKET.fullmatch(bucket):
        raise InvalidArgumentError(f"S3_DATA_LAKE_ALLOWED: {entry!r} names no bucket", hint=_HINT)
    whole = not key or key.endswith("/")
    return _Rule(text=bare, bucket=bucket, key=f"{key}*" if whole else key)
