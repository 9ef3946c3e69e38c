"""What is odd about a data set, in sentences: sizes, gaps, mixtures, archives, age."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from s3_data_lake_mcp.fence import first_of, plural
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.groups import (
    CARRIERS,
    MOST_VALUES,
    SMALL_BYTES,
    Group,
)
from s3_data_lake_mcp.profiling.series import Series
from s3_data_lake_mcp.storage.keys import NULL_PARTITION

_LEAST_FOR_SMALL = 10
_SMALL_SHARE = 0.5
_LATE_INTERVALS = 3
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PADDED = re.compile(r"-?0[0-9].*")
_SPANS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "quarter": timedelta(days=92),
    "year": timedelta(days=366),
}


def warnings_of(group: Group, others: Mapping[str, int]) -> list[str]:
    """Return the warnings on one group; `others` counts like-named objects of other formats."""
    said = [*_size_warnings(group)]
    if group.archived:
        said.append(
            f"{group.archived:,} of {group.objects:,} objects are archived (Glacier) and cannot be "
            "read unless they are restored"
        )
    for name, count in others.items():
        many = plural(count, "object")
        said.append(f"Mixed formats: {many} of {name} beside these under like names")
    for label, series in group.series:
        if series.missing_total:
            said.append(_missing(label, series))
        if gaps := list(group.crossings.gaps(label, chars=series.chars)):
            said.append(f"Missing in {_carrier(label)} of some: {'; '.join(gaps)}")
    for column, values in group.partitions.items():
        if NULL_PARTITION in values:
            said.append(f"Partition column {column} is null in some objects ({NULL_PARTITION})")
        if len(values) >= MOST_VALUES:
            said.append(
                f"Partition column {column} has at least {MOST_VALUES:,} values; only those were "
                "looked at"
            )
    return said


def freshness(group: Group, now: datetime) -> str:
    """Return the newest object, the usual interval, and whether it is late; empty if irregular."""
    said = ""
    for label, series in group.series:
        run = "run" if label in CARRIERS else "runs"
        said += (
            f", {label} {run} from {series.first} to {series.last}, usually every {series.interval}"
        )
        if _late(series, now):
            said += f" (nothing for more than {_LATE_INTERVALS} intervals)"
    newest = group.newest.isoformat() if group.newest else "unknown"
    return f"newest object of {newest}{said}" if said else ""


def partition_json(values: set[str]) -> Json:
    """Return `values`, `min` and `max` of a partition column.

    Numbers are compared as numbers and returned as such; all else, dates too, as text. Where one
    begins with a zero, such as `01`, they are text, as in SQL: so they stand in the keys.
    """
    present = values - {NULL_PARTITION, ""}
    count = len(values)
    if not present:
        return {"values": count, "min": None, "max": None}
    if all(map(_NUMBER.fullmatch, present)):
        low, high = min(present, key=Decimal), max(present, key=Decimal)
        if any(map(_PADDED.fullmatch, present)):
            return {"values": count, "min": low, "max": high}
        return {"values": count, "min": _number(low), "max": _number(high)}
    return {"values": count, "min": min(present), "max": max(present)}


def _number(text: str) -> int | float | str:
    # Beyond 15 digits a double-only JSON parser would round the number.
    if len(text) > 15:  # noqa: PLR2004
        return text
    return float(text) if "." in text else int(text)


def _size_warnings(group: Group) -> list[str]:
    said: list[str] = []
    if group.empty:
        named = first_of(group.empty_keys, len(group.empty_keys), group.empty)
        objects = plural(group.empty, "object", "is", "are")
        said.append(f"{objects} empty (0 bytes): {named}")
    if group.objects >= _LEAST_FOR_SMALL and group.small >= _SMALL_SHARE * group.objects:
        mean = group.bytes // group.objects
        said.append(
            f"Small files: {group.small:,} of {group.objects:,} objects are smaller than "
            f"{SMALL_BYTES >> 20} MiB (mean {mean:,} bytes), and a full read pays a request for "
            "each"
        )
    return said


def _missing(label: str, series: Series) -> str:
    named = first_of(series.missing, len(series.missing), series.missing_total)
    return (
        f"Missing in {_carrier(label)}: {named} ({series.entries:,} entries from {series.first} to "
        f"{series.last}, usually every {series.interval})"
    )


def _carrier(label: str) -> str:
    return f"the {label}" if label in CARRIERS else f"partition {label}"


def _late(series: Series, now: datetime) -> bool:
    padded = {"year": "-01-01", "month": "-01", "week": "-1", "day": ""}
    if series.unit == "quarter":
        last = datetime(int(series.last[:4]), int(series.last[5:]) * 3 - 2, 1, tzinfo=UTC)
    elif series.unit in ("hour", "minute"):
        last = datetime.fromisoformat(f"{series.last}+00:00")
    else:
        day = date.fromisoformat(series.last + padded[series.unit])
        last = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return now - last > (_LATE_INTERVALS + 1) * series.step * _SPANS[series.unit]
