"""Whether a side's answer is right: compared with what the generator says, value by value."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?"
)
_RELATIVE: Final = 1e-9
_DISTINCT: Final = 0.25
"""How far an approximate count of distinct values may be off, as a share; two more are allowed."""
_SAMPLED: Final = 0.1
"""How far the mean of a sample may be off, as a share of the column's range."""


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no closer type
    """Return a value as JSON has it, moments as ISO text."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return moment.isoformat()
    return value.isoformat() if isinstance(value, date) else value


def same(truth: object, told: object) -> bool:
    """Whether a value says what the truth says, in whatever JSON type a side puts it."""
    if truth is None:
        return told is None or told == "" or (isinstance(told, float) and math.isnan(told))
    if isinstance(truth, Mapping | list):
        return _same_nested(truth, told)
    if isinstance(truth, bool):
        return str(told).lower() in {str(truth).lower(), str(float(truth))}
    if isinstance(truth, int | float):
        return _same_number(truth, told)
    if truth == str(told):
        return True
    return _MOMENT.fullmatch(str(truth)) is not None and _moment(truth) == _moment(told)


def _same_nested(truth: Mapping[str, Any] | list[Any], told: object) -> bool:
    if isinstance(truth, Mapping):
        return isinstance(told, Mapping) and all(
            same(value, told.get(name)) for name, value in truth.items()
        )
    return isinstance(told, list) and len(told) == len(truth) and all(map(same, truth, told))


def _same_number(truth: float, told: object) -> bool:
    try:
        number = Decimal(str(told))
    except InvalidOperation:
        return False
    return number.is_finite() and math.isclose(truth, float(number), rel_tol=_RELATIVE)


def _moment(value: object) -> str:
    found = _MOMENT.fullmatch(str(value))
    if found is None:
        return str(value)
    day, time, fraction, zone = found.groups()
    if zone not in {None, "Z", "+00", "+00:00", "+0000"}:
        return str(value)
    digits = (fraction or "").rstrip("0")
    return f"{day}T{time or '00:00:00'}{'.' + digits if digits else ''}"


def check_rows(truth: Mapping[str, Any], told: Mapping[str, Any], *, ordered: bool) -> str:
    """Return what is wrong with a table or records, "" if nothing is."""
    if "records" in told:
        columns = list(truth["columns"])
        rows = [[record.get(name) for name in columns] for record in told["records"]]
    else:
        columns, rows = list(told["columns"]), [list(row) for row in told["rows"]]
    if columns != list(truth["columns"]):
        return f"columns {columns}"
    expected = [list(row) for row in truth["rows"]]
    if len(rows) != len(expected):
        return f"{len(rows):,} rows instead of {len(expected):,}"
    if not ordered:
        rows, expected = sorted(rows, key=_order), sorted(expected, key=_order)
    wrong: dict[str, str] = {}
    for row, good in zip(rows, expected, strict=True):
        for name, value, right in zip(columns, row, good, strict=True):
            if not same(right, value):
                wrong.setdefault(name, f"{name}: {value!r} instead of {right!r}")
    return "; ".join(wrong.values())


def _order(row: Sequence[object]) -> list[str]:
    # Groups are told apart by their texts and counts; a mean may differ in its last digits.
    return [f"{value:.6g}" if isinstance(value, float) else str(value) for value in row]


def check_profile(truth: Mapping[str, Any], told: Mapping[str, Any], *, sampled: bool) -> str:
    """Return what is wrong with a profile; figures that a side does not give are not missed."""
    if not sampled and told["rows"] != truth["rows"]:
        return f"{told['rows']:,} rows instead of {truth['rows']:,}"
    wrong = []
    for name, right in truth["columns"].items():
        column = told["columns"].get(name)
        if column is None:
            if not sampled:
                wrong.append(f"{name} is missing")
            continue
        check = _sampled_column if sampled else _exact_column
        wrong.extend(f"{name}: {fault}" for fault in check(right, column, truth["rows"]))
    return "; ".join(wrong[:4])


def _exact_column(right: Mapping[str, Any], column: Mapping[str, Any], rows: int) -> list[str]:
    faults = []
    for figure in ("min", "max", "mean"):
        value = column.get(figure)
        if value is not None and right.get(figure) is not None and not same(right[figure], value):
            faults.append(f"{figure} {value!r} instead of {right[figure]!r}")
    # SUMMARIZE tells nulls as a percentage of two digits.
    slack = rows * 0.0001 if column.get("nulls_rounded") else 0
    if "nulls" in column and abs(column["nulls"] - right["nulls"]) > slack:
        faults.append(f"{column['nulls']} nulls instead of {right['nulls']}")
    distinct, known = right.get("distinct"), column.get("distinct")
    if distinct and known is not None and abs(int(known) - distinct) > 2 + _DISTINCT * distinct:
        faults.append(f"{known} distinct instead of {distinct}")
    return faults


def _sampled_column(right: Mapping[str, Any], column: Mapping[str, Any], _: int) -> list[str]:
    mean, known = column.get("mean"), right.get("mean")
    if mean is None or known is None:
        return []
    span = float(right["max"]) - float(right["min"])
    if abs(float(mean) - known) > _SAMPLED * span:
        return [f"mean {mean} instead of {known}"]
    return []
