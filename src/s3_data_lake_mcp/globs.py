"""Settings that are lists: their entries, and globs of buckets in them.

In a glob `*` stands for any characters, nothing else is special.
"""

import re
from dataclasses import dataclass

from s3_data_lake_mcp.errors import InvalidArgumentError

BUCKET = re.compile(r"[a-z0-9.*-]+")
"""A glob of buckets."""


def entries(text: str) -> list[str]:
    """Return the comma-separated entries of a setting; spaces around commas don't count."""
    return [entry for part in text.split(",") if (entry := part.strip())]


def matches(glob: str, text: str) -> bool:
    """Whether `text` as a whole fits a glob of `*`s: linear, as each part is found leftmost."""
    first, *rest = glob.split("*")
    if not rest:
        return text == glob
    *middle, last = rest
    at, end = len(first), len(text) - len(last)
    if not (text.startswith(first) and text.endswith(last)) or at > end:
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a map of buckets holds.

    Attributes:
        setting: The setting that it is read from.
        value: A pattern of its values.
        form: What a value is, in words.
    """

    setting: str
    value: re.Pattern[str]
    form: str


class BucketMap:
    """A value for some buckets: comma-separated `bucket-glob=value`, the first that fits holds.

    A value alone stands for `*=value`; spaces around commas and `=` don't count.

    Raises:
        InvalidArgumentError: If an entry cannot be read.
    """

    def __init__(self, text: str, kind: Kind) -> None:
        # Commas alone are no entry, and must not pass for a setting that is left out.
        given = entries(text) or ([text] if text else [])
        self._entries = tuple(_entry(entry, kind) for entry in given)

    def of(self, bucket: str) -> str:
        """Return the bucket's value; empty if it has none."""
        return next((value for glob, value in self._entries if matches(glob, bucket)), "")

    def named(self) -> tuple[str, ...]:
        """Return the buckets that are named in full."""
        return tuple(sorted({glob for glob, _ in self._entries if "*" not in glob}))


def _entry(text: str, kind: Kind) -> tuple[str, str]:
    left, equals, right = (part.strip() for part in text.partition("="))
    glob, value = (left, right) if BUCKET.fullmatch(left) and equals else ("*", text)
    if not kind.value.fullmatch(value):
        message = f"{kind.setting}: {text!r} is not bucket-glob={kind.form}"
        hint = f"Write bucket-glob={kind.form}, separated by commas."
        raise InvalidArgumentError(message, hint=hint)
    return glob, value
