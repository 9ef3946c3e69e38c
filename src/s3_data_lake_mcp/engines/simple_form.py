"""The simple form: one predicate over one column, its value bound, the same for each format."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from s3_data_lake_mcp.engines import Filter
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.sqltext import identifier, literal, names
from s3_data_lake_mcp.errors import InvalidArgumentError, UnknownColumnError
from s3_data_lake_mcp.loaders.unknown_column import finder, pick

_TEXTS = ("VARCHAR", "JSON", "ENUM")
_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
_INTEGERS |= {"INTEGER", "UINTEGER"}
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_DECIMAL = re.compile(r"\s*[+-]?([0-9]*)\.?([0-9]*)\s*")
_DATED = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_COMPARISONS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NULLS = {"is_null": "IS NULL", "not_null": "IS NOT NULL"}
_OF_NULLS = {"=": "is_null", "<>": "not_null"}
_NOTHING = ("", "null", "none")
_BASE64 = re.compile(r"base64:(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NAME = re.compile(r'"((?:[^"]|"")*)"')
_NO_FILTER = {"filter_column": "", "filter_operator": "auto", "filter_value": ""}
_SEARCHES = ("contains", "starts_with", "ends_with")
_SIGMA, _FINAL_SIGMA = "\u03c3", "\u03c2"
_DECIMAL_DIGITS = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL between its parameters: one text more than there are values."""

    texts: tuple[str, ...]
    values: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The SQL to run with the values bound."""
        return "?".join(self.texts)

    @property
    def shown(self) -> str:
        """The SQL with its values written in, to be read."""
        pairs = zip(map(literal, self.values), self.texts[1:], strict=True)
        return self.texts[0] + "".join(value + text for value, text in pairs)


def build(
    session: Session,
    columns: Sequence[tuple[str, str]],
    wanted: Sequence[str],
    condition: Filter | None,
) -> Statement:
    """Return the query of the simple form over the table `data`.

    `columns` are those of `data` with their types; of `wanted` columns none means all.

    Raises:
        UnknownColumnError: If there is no column of a name.
        InvalidArgumentError: If the value is not of the column's type.
    """
    types = dict(columns)
    listed = names(pick("data", types, wanted)) or "*"
    base = f"SELECT {listed} FROM data"  # noqa: S608 - only quoted identifiers go in
    if condition is None:
        return Statement(texts=(base,))
    _check_unicode(condition.value)
    try:
        (name,) = pick("data", types, [condition.column], "filter_column")
    except UnknownColumnError as exc:
        if (field := _field(session, types, condition.column)) is not None:
            exc.hint = f"{condition.column} is a field: SQL writes it {field[0]}."
            sql = _where(session, base, *field, condition).shown
            exc.repair = {"sql": sql, "columns": [], **_NO_FILTER}
        raise
    return _where(session, base, identifier(name), types[name], condition)


def _field(session: Session, types: Mapping[str, str], path: str) -> tuple[str, str] | None:
    """Return a field of a column as SQL, and its type, if a path with dots leads to one."""
    column, *fields = path.split(".")
    if not fields or (name := finder(types)(column)) is None:
        return None
    written = ".".join(map(identifier, [name, *fields]))
    try:
        kind = session.execute(f"DESCRIBE SELECT {written} FROM data")[0][1]  # noqa: S608 - quoted
    except duckdb.Error:
        return None
    return written, str(kind)


def _where(session: Session, base: str, column: str, kind: str, condition: Filter) -> Statement:
    where = f"{base} WHERE "
    operator = condition.operator
    if operator == "auto":
        operator = "contains" if _is_text(kind) else "="
    if operator in _NULLS:
        return Statement(texts=(f"{where}{column} {_NULLS[operator]}",))
    if operator in _SEARCHES:
        around = _search(where, column, kind, operator, condition.value)
        return Statement(texts=around, values=(condition.value,))
    if operator == "in":
        values = _listed(condition.value)
        alone = len(values) == 1
        tests = [_comparison(session, column, kind, "=", one, alone=alone) for one in values]
        inner = [one + " OR " + other for (_, one), (other, _) in pairwise(tests)]
        texts = (f"{where}({tests[0][0]}", *inner, f"{tests[-1][1]})")
        return Statement(texts=texts, values=tuple(values))
    before, after = _comparison(session, column, kind, _COMPARISONS[operator], condition.value)
    return Statement(texts=(where + before, after), values=(condition.value,))


def _search(where: str, column: str, kind: str, operator: str, value: str) -> tuple[str, str]:
    """Return what stands before and behind the value in a search of a column's text."""
    same = [("lower(", ")")]
    if kind.startswith("TIMESTAMP") and not kind.endswith("]"):
        # Written with a blank by the engine, and with a T in answers.
        same.append(("replace(", ", ' ', 't')"))
    if {_SIGMA, _FINAL_SIGMA} & set(value.lower()):
        # A capital has two small letters, of which `lower` gives one.
        same.append(("replace(", f", '{_FINAL_SIGMA}', '{_SIGMA}')"))
    before = "".join(one for one, _ in reversed(same))
    behind = "".join(other for _, other in same)
    text = column if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    return f"{where}{operator}({before}{text}{behind}, {before}", f"{behind})"


def _check_unicode(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        message = f"filter_value has a lone surrogate at character {exc.start + 1}"
        raise InvalidArgumentError(message, hint="Send the text as UTF-8.") from exc


def _listed(value: str) -> list[str]:
    """Return the values of a list as CSV has it; a line's end outside of quotes is a comma, too."""
    lines = io.StringIO(value, newline="")
    try:
        rows = list(csv.reader(lines, skipinitialspace=True))
    except csv.Error as exc:
        message = f"filter_value is no comma-separated list: {exc}"
        raise InvalidArgumentError(message, hint='Quote what has commas: "a, b", c.') from exc
    return [one for row in rows for one in row] or [""]


def _is_text(kind: str) -> bool:
    return kind.startswith(_TEXTS) and not kind.endswith("]")


def _comparison(
    session: Session, column: str, kind: str, operator: str, value: str, *, alone: bool = True
) -> tuple[str, str]:
    """Return what stands before and behind the value in a comparison of a column with it."""
    if _is_text(kind):
        return (
            f"CAST({column} AS VARCHAR) {operator} "
            if kind != "VARCHAR"
            else f"{column} {operator} ",
            "",
        )
    if kind == "BLOB" and _BASE64.fullmatch(value):
        # As answers show bytes.
        return f"{column} {operator} from_base64(substr(", ", 8))"
    target = _target(kind, value)
    found = session.execute(f"SELECT TRY_CAST(? AS {target})", [value])
    if found[0][0] is None:
        written = ".".join(_NAME.findall(column)).replace('""', '"')
        message = f"filter_value {value!r} is no {kind}, the type of column {written}"
        form = "Write it as 2026-01-31" if kind in _DATED else f"Give a value of the type {kind}"
        hint = f"{form}, or use contains to search its text."
        repair: dict[str, object] | None = None
        if operator in _OF_NULLS and value.strip().lower() in _NOTHING:
            hint = "is_null and not_null find what is missing, and what is not."
            repair = {"filter_operator": _OF_NULLS[operator], "filter_value": ""} if alone else None
        elif alone and _GROUPED.fullmatch(value):
            hint, repair = "Write numbers without commas.", {"filter_value": value.replace(",", "")}
        raise InvalidArgumentError(message, hint=hint, repair=repair)
    wide = target == "DOUBLE" and kind not in {"DOUBLE", "FLOAT"}
    left = f"CAST({column} AS DOUBLE)" if wide else column
    return f"{left} {operator} CAST(", f" AS {target})"


def _target(kind: str, value: str) -> str:
    """Return the type in which a value is compared: one that does not round it."""
    if kind in _INTEGERS:
        return "HUGEINT" if _WHOLE.fullmatch(value) else "DOUBLE"
    if kind.startswith("DECIMAL"):
        digits = _DECIMAL.fullmatch(value)
        if digits and len(digits[1]) + len(digits[2]) <= _DECIMAL_DIGITS:
            return f"DECIMAL({_DECIMAL_DIGITS}, {len(digits[2])})"
        return "DOUBLE"
    return "TIMESTAMP" if kind == "DATE" and ":" in value else kind
