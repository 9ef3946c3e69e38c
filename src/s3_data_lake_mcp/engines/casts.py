"""Text columns as typed ones, exactly: a value that a cast would change stops the query instead.

DuckDB casts `1.5` to the integer 2 and `007` to 7. So text is read as text, and cast by an
expression that lets through what `loaders.csv_types` calls a value of the type. Any other value
raises an error that says which column has to become wider; the query is then run again.
"""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.loaders.csv_types import (
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    NULL_TOKENS,
    STAMP,
    TIME,
    ZONED,
)

TEXT = "VARCHAR"
BLANK = "BLANK"
"""In place of a type, of a column without a value so far: all but null tokens is a misfit."""

_MARK = f"lake-misfit-{secrets.token_hex(8)} "
_NO_NUMBER = "Conversion Error: Could not convert string '"
_RAISED = ("", "Invalid Input Error:", _NO_NUMBER.strip())
_FEW_FRACTION_DIGITS = r"\.[0-9]{7}"
_PATTERNS = {
    "BIGINT": INTEGER,
    "HUGEINT": "0|-?[1-9][0-9]{0,37}",
    "DOUBLE": FLOAT,
    "BOOLEAN": BOOLEAN,
    "DATE": DATE,
    "TIME": TIME,
    "TIMESTAMP": STAMP,
    "TIMESTAMP_NS": STAMP,
    "TIMESTAMPTZ": ZONED,
    "TIMESTAMPTZ_NS": ZONED,
}
_MICROSECONDS = frozenset({"TIMESTAMP", "TIMESTAMPTZ"})
_BOUNDS = {
    "DATE": ("0001-01-01", "9999-12-31"),
    "TIMESTAMP": ("0001-01-01", "9999-12-31 23:59:59.999999"),
}
_FIXED = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_WIDER = {
    "BIGINT": ("DOUBLE",),
    "HUGEINT": ("DOUBLE",),
    "TIMESTAMP": ("TIMESTAMP_NS",),
    "TIMESTAMPTZ": ("TIMESTAMPTZ_NS",),
}
_EXACT_DIGITS = 15
_MOST_DIGITS = 17
_CLIPPED_CHARS = 60
_ELEMENT, _INDEX = "lake_t", "lake_i"
_TOKENS = f"({', '.join(map(literal, sorted(NULL_TOKENS)))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A value that its column's type cannot hold as it is written."""

    table: int
    column: str
    value: str


def checked_cast(
    text: str,
    kind: str,
    place: tuple[int, str],
    *,
    tokens: bool = False,
    empty: bool = False,
    cents: bool = False,
) -> str:
    """Return the expression that casts a text expression, or raises a `Misfit`.

    Args:
        text: SQL of a text value.
        kind: A type that has a pattern here, or text, or blank.
        place: Number of the table and name of the column, for the error.
        tokens: Whether `NA` and the like are null.
        empty: Whether the empty text is null.
        cents: Whether most values are expected to have two fraction digits.
    """
    if kind == TEXT:
        return f"nullif({text}, '')" if empty else text
    null = _null(text, tokens=tokens, empty=empty)
    return _cast_or_error(text, kind, _mark(place), null, cents=cents and kind == "DOUBLE")


def checked_item(text: str, kind: str, place: tuple[int, str]) -> str:
    """Return what `checked_cast` does for a text that is no null token, for use in a lambda."""
    return _cast_or_error(text, kind, _mark(place), f"{text} IS NULL", inside=True)


def checked_json(value: str, kind: str, place: tuple[int, str], *, inside: bool = False) -> str:
    """Return the expression that casts a JSON value, as it casts the text of one.

    Args:
        value: SQL of a JSON value.
        kind: A type of numbers, or booleans.
        place: Number of the table and name of the column, for the error.
        inside: Whether the expression stands in a lambda.
    """
    written = f"CAST({value} AS VARCHAR)"
    found = _json_double(written) if kind == "DOUBLE" else _value(written, kind)
    checked = checked_item if inside else checked_cast
    return f"coalesce({found}, {checked(f"({value} ->> '$')", kind, place)})"


def _json_double(written: str) -> str:
    """Return the double of a short number, and null of what is longer, tiny, huge or no number.

    The engine writes doubles of up to 21 digits without an exponent, as if all of them counted.
    """
    # The parser has seen that it is a number; what is no number is in quotes or brackets.
    number = f"TRY_CAST({written} AS DOUBLE)"
    plain = f"{number} = 0 OR abs({number}) BETWEEN 1e-290 AND 1e290"
    short = f"length({written}) <= {_EXACT_DIGITS} OR suffix({written}, '.0')"
    return f"CASE WHEN ({short}) AND ({plain}) THEN {number} END"


def checked_list(
    columns: Sequence[tuple[str, str]], kind: str, table: int, *, tokens: bool, empty: bool
) -> str:
    """Return the expression that casts columns, given by name and text, to a list of one type.

    Args:
        columns: Names, for the error, and SQL of the texts.
        kind: A type that has a pattern here.
        table: Number of the table.
        tokens: See `checked_cast`.
        empty: See `checked_cast`.
    """
    marks = ", ".join(_mark((table, name)) for name, _ in columns)
    null = _null(_ELEMENT, tokens=tokens, empty=empty)
    mark = f"list_extract([{marks}], {_INDEX})"
    inner = _cast_or_error(_ELEMENT, kind, mark, null, inside=True)
    texts = ", ".join(text for _, text in columns)
    return f"list_transform([{texts}], lambda {_ELEMENT}, {_INDEX}: {inner})"


def _mark(place: tuple[int, str]) -> str:
    return literal(f"{_MARK}{json.dumps(place)} ")


def _cast_or_error(
    text: str, kind: str, mark: str, null: str, *, cents: bool = False, inside: bool = False
) -> str:
    raised = f"error({mark} || left({text}, {_CLIPPED_CHARS}))"
    if inside:
        # A lambda with error() is volatile: a subquery would be run anew for each row outside.
        raised = f"CAST(CAST({mark} || left({text}, {_CLIPPED_CHARS}) AS BIGINT) AS {TEXT})"
    if kind == BLANK:
        tokens = _value(text, kind)
        return f"CASE WHEN {null} THEN NULL ELSE coalesce({tokens}, CAST({raised} AS {TEXT})) END"
    failure = f"CAST({raised} AS {kind})"
    values = f"{_cents(text)}, {_value(text, kind)}" if cents else _value(text, kind)
    return f"coalesce({values}, CASE WHEN {null} THEN NULL ELSE {failure} END)"


def _cents(text: str) -> str:
    """Return the double of a text with two fraction digits, and null of any other.

    A double holds as many digits, and a hundred: their quotient is what the text is rounded to.
    """
    number = f"TRY_CAST({text} AS DECIMAL({_EXACT_DIGITS}, 2))"
    return f"CASE WHEN {_rewritten(number, text)} THEN CAST({number} AS DOUBLE) END"


def misfit_example(text: str, kind: str, *, token: bool) -> str:
    """Return the aggregate that finds a value that a type cannot hold, among null tokens or not."""
    among = f"{text} {'' if token else 'NOT '}IN {_TOKENS}"
    misfit = f"{text} IS NOT NULL AND {among} AND {_value(text, kind)} IS NULL"
    return f"min(left({text}, {_CLIPPED_CHARS})) FILTER ({misfit})"


def _null(text: str, *, tokens: bool, empty: bool) -> str:
    null = f"{text} IS NULL"
    null += f" OR {text} = ''" if empty else ""
    return null + (f" OR {text} IN {_TOKENS}" if tokens else "")


def _value(text: str, kind: str) -> str:
    """Return the value of a text that is one of the type, and null of any other."""
    if kind == BLANK:
        cases = (f"WHEN {literal(each)} THEN {literal(each)}" for each in sorted(NULL_TOKENS))
        return f"CASE {text} {' '.join(cases)} END"
    if kind == "BOOLEAN":
        # The engine would join with a list of six, whether or not the column is asked for.
        cases = (f"WHEN {literal(each)} THEN {each.lower()}" for each in BOOLEAN.split("|"))
        return f"CASE {text} {' '.join(cases)} END"
    return f"CASE WHEN {_fits(text, kind)} THEN TRY_CAST({text} AS {kind}) END"


def _fits(text: str, kind: str) -> str:
    """Return whether a value that can be cast is one of the type.

    What the engine writes for the value is compared with the text where that decides: it costs less
    than a regular expression. So it is tried first where others may be right too.
    """
    if kind == "BIGINT":
        return _rewritten(f"TRY_CAST({text} AS BIGINT)", text)
    matches = f"regexp_full_match({text}, {literal(_PATTERNS[kind])})"
    if kind in _MICROSECONDS:
        matches += f" AND NOT regexp_matches({text}, {literal(_FEW_FRACTION_DIGITS)})"
    if kind in _BOUNDS:
        # A condition on the value beside it would be a second cast.
        low, high = (f"{kind} {literal(bound)}" for bound in _BOUNDS[kind])
        value = f"greatest(least(TRY_CAST({text} AS {kind}), {high}), {low})"
        return f"({_rewritten(value, text)} OR {matches})"
    return _fits_double(text, matches) if kind == "DOUBLE" else matches


def _rewritten(value: str, text: str) -> str:
    return f"CAST({value} AS VARCHAR) = {text}"


def _fits_double(text: str, matches: str) -> str:
    number = f"TRY_CAST({text} AS DOUBLE)"
    digits, count = _digits(text), _count(text)
    tiny = f"format('{{:.{{}}e}}', {number}, greatest({count} - 1, 0))"
    exact = (
        f"isfinite({number}) AND ({number} = 0) = ({digits} = '') AND "
        f"CASE WHEN {count} <= {_EXACT_DIGITS} THEN {digits} = '' OR "
        f"abs({number}) > 1e-290 OR {_digits(tiny)} = {digits} "
        f"WHEN {count} = {_EXACT_DIGITS + 1} "
        f"THEN {_digits(_written(number, _EXACT_DIGITS))} = {digits} "
        f"WHEN {count} = {_MOST_DIGITS} "
        f"THEN {_digits(_written(number, _MOST_DIGITS - 1))} = {digits} ELSE false END"
    )
    short = f"length({text}) <= {_EXACT_DIGITS} AND NOT regexp_matches({text}, '[eE]')"
    others = f"{matches} AND CASE WHEN {short} THEN true ELSE {exact} END"
    plain = f"length({text}) <= {_EXACT_DIGITS} AND regexp_full_match({text}, {literal(_FIXED)})"
    # Within these bounds the engine writes as few digits as tell doubles apart.
    told = f"abs({number}) BETWEEN 1e-290 AND 1e15 AND {_rewritten(number, text)}"
    return f"CASE WHEN {plain} THEN true WHEN {told} THEN true ELSE {others} END"


def _written(number: str, precision: int) -> str:
    return f"format('{{:.{precision}e}}', {number})"


def _digits(text: str) -> str:
    """Return the SQL of a number's digits, without zeros at both ends."""
    mantissa = f"regexp_replace({text}, '[eE].*', '')"
    return f"trim(regexp_replace({mantissa}, '[-.]', '', 'g'), '0')"


def _count(text: str) -> str:
    """Return the SQL of how many digits of a number count: those of integers all do."""
    written = f"regexp_replace({text}, '(\\.[0-9]*?)?0*([eE].*)?$', '\\1')"
    whole = f"regexp_replace({text}, '[.eE].*', '')"
    counted = f"CASE WHEN contains({text}, '.') THEN {written} ELSE {whole} END"
    return f"length(ltrim(regexp_replace({counted}, '[-.]', '', 'g'), '0'))"


def misfit_of(error: duckdb.Error) -> Misfit | None:
    """Return the misfit that an error reports, if it is one of ours."""
    before, mark, rest = str(error).partition(_MARK)
    # Errors of other kinds may quote the SQL, and the mark in it.
    if not mark or before.strip() not in _RAISED:
        return None
    try:
        (table, column), end = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        return None
    value = rest[end + 1 :].partition("\n")[0]
    if before == _NO_NUMBER:
        value = value.rpartition("' to INT")[0] or value
    return Misfit(table=int(table), column=str(column), value=value)


def is_huge(value: str) -> bool:
    """Whether it is an integer of up to 38 digits."""
    return bool(re.fullmatch(_PATTERNS["HUGEINT"], value))


def widened(kind: str, value: str, *, huge: bool = False) -> str:
    """Return the narrowest type that holds what `kind` holds, and a value, without loss.

    `huge` allows integers of up to 38 digits, which delimited text keeps as text.
    """
    candidates: tuple[str, ...] = _WIDER.get(kind, ())
    if huge and kind == "BIGINT":
        candidates = ("HUGEINT", *candidates)
    for wider in candidates:
        if re.fullmatch(_PATTERNS[wider], value) and len(value) < _CLIPPED_CHARS:
            return wider
    return TEXT
