"""Filters on the keys of a listing: glob, format, size, date."""

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.loaders.formats import FORMAT_NAMES, format_of
from s3_data_lake_mcp.storage import ListedObject
from s3_data_lake_mcp.storage.keys import glob_prefix, glob_regex


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFilter:
    """Which keys are wanted; sizes are inclusive, dates `after <= last_modified < before`."""

    pattern: str = ""
    format: str = ""
    min_size_bytes: int = 0
    max_size_bytes: int = 0
    after: datetime | None = None
    before: datetime | None = None

    @classmethod
    def read(
        cls,
        *,
        pattern: str,
        format: str,  # noqa: A002 - the tool's own name
        min_size_bytes: int,
        max_size_bytes: int,
        modified_after: str,
        modified_before: str,
    ) -> "KeyFilter":
        """Return the filter of a tool's arguments.

        Raises:
            InvalidArgumentError: If a format or date is not known as one, or a range is empty.
        """
        after = _moment("modified_after", modified_after)
        before = _moment("modified_before", modified_before)
        if after and before and after >= before:
            message = "modified_after is not before modified_before"
            raise InvalidArgumentError(message, hint="Nothing lies between them; swap them.")
        if 0 < max_size_bytes < min_size_bytes:
            message = "min_size_bytes is above max_size_bytes"
            raise InvalidArgumentError(message, hint="Nothing lies between them; swap them.")
        if pattern:
            glob_regex(pattern)
        return cls(
            pattern=pattern,
            format=_format(format),
            min_size_bytes=min_size_bytes,
            max_size_bytes=max_size_bytes,
            after=after,
            before=before,
        )

    @property
    def is_empty(self) -> bool:
        """Whether every key passes."""
        return self == KeyFilter()

    def narrowed(self, prefix: str) -> str | None:
        """Return the prefix that all wanted keys below `prefix` share; None if there are none."""
        literal = glob_prefix(self.pattern)
        if prefix.startswith(literal):
            return prefix
        return literal if literal.startswith(prefix) else None

    def accepts(self, listed: ListedObject) -> bool:
        """Whether an object passes."""
        size, modified = listed.size_bytes, listed.last_modified
        return (
            size >= self.min_size_bytes
            and (not self.max_size_bytes or size <= self.max_size_bytes)
            and (self.after is None or modified >= self.after)
            and (self.before is None or modified < self.before)
            and (not self.pattern or self._fits(listed.key))
            and (not self.format or format_of(listed.key) == self.format)
        )

    def _fits(self, key: str) -> bool:
        return key == self.pattern or bool(glob_regex(self.pattern).fullmatch(key))


def _format(text: str) -> str:
    name = text.strip().lower().removeprefix(".")
    if not name or name in FORMAT_NAMES:
        return name
    if (by_suffix := format_of(f"x.{name}")) != "unknown":
        return by_suffix
    message = f"format {text!r} is not known"
    near = difflib.get_close_matches(name, FORMAT_NAMES, 1)
    raise InvalidArgumentError(
        message,
        hint=f"Formats are: {', '.join(FORMAT_NAMES)}.",
        repair={"format": near[0] if near else ""},
    )


def _moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        message = f"{name} {text!r} is not an ISO 8601 date or time"
        raise InvalidArgumentError(
            message, hint="Write 2026-01-31 or 2026-01-31T12:00:00Z."
        ) from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
