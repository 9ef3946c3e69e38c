"""Names in a query that are not there, and the nearest that are."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from s3_data_lake_mcp.engines.guard_repair import places_of, plain_name, quoted_name, with_words
from s3_data_lake_mcp.engines.guard_text import Token, ascii_lower, quoted, tokens
from s3_data_lake_mcp.engines.guard_tree import TABLE
from s3_data_lake_mcp.engines.guard_words import FUNCTIONS
from s3_data_lake_mcp.engines.mend_fields import CLAUSES, field_named, folded, spread
from s3_data_lake_mcp.engines.sqltext import literal
from s3_data_lake_mcp.errors import SqlError, UnknownColumnError
from s3_data_lake_mcp.fence import first_of

NEAR: Final = 0.6
CLEAR: Final = 0.1
_VERY_NEAR = 0.8
_LISTED = 20
COMPARISONS: Final = ("=", "==", "<>", "!=", "<", ">", "<=", ">=")
_FILENAME = "A reader of the objects has it: FROM read_csv('s3://bucket/*.csv', filename = true)."
_FILENAMES = ("filename", "$path", "_file_name", "metadata$filename", "input_file_name")
"""What engines call the key of the object that a row is from."""

_BY_PART = (
    *("DATE_DIFF", "DATEDIFF", "DATE_PART", "DATEPART"),
    *("DATE_SUB", "DATESUB", "DATE_TRUNC", "DATETRUNC"),
)
"""Functions whose first argument is a text, which other dialects write as a word."""

_INTERNAL = "temp.main."
_NAMES = re.compile(r'"((?:[^"]|"")*)"')
_ELSEWHERE = {
    "approx_quantiles": "quantile_cont",
    "date_format": "strftime",
    "date_parse": "strptime",
    "dateadd": "date + INTERVAL 1 DAY",
    "format_date": "strftime",
    "parse_date": "strptime",
    "regexp_count": "len(regexp_extract_all(…))",
    "str_to_date": "strptime",
    "substring_index": "split_part",
    "to_char": "strftime",
    "to_date": "strptime",
}
"""What functions of other dialects are called in DuckDB, where a call is not turned into one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What to say of an error, and the query that was probably meant ("" if unclear)."""

    message: str
    hint: str = ""
    sql: str = ""
    kind: type[SqlError | UnknownColumnError] = SqlError


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The columns that a query can name, with their types; of equal names the first."""

    types: Mapping[str, str]

    @classmethod
    def of(cls, tables: Mapping[str, Sequence[tuple[str, str]]]) -> "Schema":
        """Put the columns of all tables together."""
        types: dict[str, str] = {}
        for columns in tables.values():
            for name, kind in columns:
                types.setdefault(name, kind)
        return cls(types=types)

    def described(self, names: Iterable[str]) -> str:
        """List columns with their types where these are known."""
        return ", ".join(
            f"{quoted(name)} ({quoted(self.types[name], 40)})"
            if name in self.types
            else quoted(name)
            for name in names
        )

    def type_of(self, name: str) -> str:
        """Return a column's type, its name compared as DuckDB does; "" if there is none."""
        lowered = ascii_lower(name)
        return next((t for n, t in self.types.items() if ascii_lower(n) == lowered), "")


def mend_column(name: str, table: str, text: str, sql: str, schema: Schema) -> Mended:
    """Mend a column that is not there."""
    if "FROM clause is missing" in text:
        return _mend_missing_from(name, sql, schema)
    bindings = _listed(text, "Candidate bindings:")
    words = tokens(sql)
    places = places_of(words, name)
    # What a column is compared with is sooner a text without its quotes than another column.
    least = _VERY_NEAR if any(_is_compared_with(words, i) for i in places) else NEAR
    others = dict.fromkeys(one for one in schema.types if not table or one != name)
    near = _ranked(name, {**dict.fromkeys(bindings), **others}, least)
    is_of_data = all(binding in schema.types for binding in bindings)
    subject = quoted(table) or (TABLE if is_of_data else "The query")
    message = f"{subject} has no column {quoted(name)}"
    if ascii_lower(name) in _FILENAMES and not _ranked(name, schema.types, _VERY_NEAR):
        return Mended(message=message, hint=_FILENAME, kind=UnknownColumnError)
    in_a_list, spread_out = spread(name, sql, schema.types)
    if is_of_data and (field := field_named(name, schema.types)):
        hint, new = f"It is a field: {field}.", field
    elif is_of_data and in_a_list:
        return Mended(message=message, hint=in_a_list, sql=spread_out, kind=UnknownColumnError)
    elif not near and any(_is_compared(words, i) for i in places):
        new = literal(name)
        hint = f"Text goes in single quotes: {quoted(new)}. Columns: {_some(schema)}."
    else:
        listed = _some(schema) if is_of_data else schema.described(bindings)
        owner = "The tables have" if table and not bindings else "It has"
        hint = f"Nearest: {schema.described(near)}." if near else f"{owner}: {listed}."
        # What DuckDB lists is in scope at that place; in a query of parts a column need not be.
        found = _clear_match(name, bindings)
        if not found and (not bindings or sum(word.says("FROM") for word in words) == 1):
            found = _clear_match(name, schema.types)
        new = quoted_name(found) if found else ""
    repaired = _renamed(sql, words, name, new) if new else ""
    return Mended(message=message, hint=hint, sql=repaired, kind=UnknownColumnError)


def _mend_missing_from(name: str, sql: str, schema: Schema) -> Mended:
    message = f"The column {quoted(name)} stands where there is no FROM"
    if any(word.says("FROM") for word in tokens(sql)):
        return Mended(message=message, hint="Write a number there.", kind=UnknownColumnError)
    repaired = f"{sql} FROM {TABLE}" if schema.type_of(name) else ""
    return Mended(message=message, hint="Add FROM data.", sql=repaired, kind=UnknownColumnError)


def mend_field(name: str, text: str, sql: str) -> Mended:
    """Mend a field that a struct does not have."""
    fields = _listed(text, "Candidate Entries:")
    new = _clear_match(name, fields)
    repaired = _renamed(sql, tokens(sql), name, quoted_name(new)) if new else ""
    message = f"The struct has no field {quoted(name)}"
    hint = f"It has: {', '.join(quoted(field) for field in fields[:_LISTED])}." if fields else ""
    return Mended(message=message, hint=hint, sql=repaired, kind=UnknownColumnError)


def mend_pattern(pattern: str, sql: str, schema: Schema) -> Mended:
    """Mend a pattern of COLUMNS that no name matches."""
    name = re.sub(r"\W|\(\?i\)", "", pattern)
    new, written = _clear_match(name, schema.types), literal(pattern)
    near = _ranked(name, schema.types, NEAR)
    words = tokens(sql)
    places = [i for i, word in enumerate(words) if word.text == written]
    fixed = literal(pattern.replace(name, re.escape(new)))
    return Mended(
        message=f"{TABLE} has no column that matches {quoted(written)}",
        hint=f"Nearest: {schema.described(near)}." if near else f"It has: {_some(schema)}.",
        sql=with_words(sql, words, places, fixed) if new and name in pattern else "",
        kind=UnknownColumnError,
    )


def mend_qualifier(name: str, text: str, sql: str, schema: Schema) -> Mended:
    """Mend what stands before a dot and is neither a table of the query nor a column."""
    tables = [name.removeprefix(_INTERNAL) for name in _listed(text, "Candidate tables:")]
    words = tokens(sql)
    places = [i for i in places_of(words, name) if _follows(words, i) == "."]
    behind = [plain_name(words[i + 2]) for i in places if i + 2 < len(words)]
    if (undotted := _undotted(sql, words, places, schema)) != sql:
        message = f"The query has no table {quoted(name)}"
        hint = "A column with a dot in its name stands in quotes."
        return Mended(message=message, hint=hint, sql=undotted)
    column = _clear_match(name, schema.types)
    if column and not all(map(schema.type_of, behind)):
        message = f"{TABLE} has no column {quoted(name)}"
        hint = f"Nearest: {schema.described([column])}."
        repaired = with_words(sql, words, places, quoted_name(column))
        return Mended(message=message, hint=hint, sql=repaired, kind=UnknownColumnError)
    hint, repaired = spread(name, sql, schema.types)
    if field := field_named(name, schema.types, ")"):
        hint, repaired = f"It is a field: {field}.", with_words(sql, words, places, field)
    if hint:
        message = f"{TABLE} has no column {quoted(name)}"
        return Mended(message=message, hint=hint, sql=repaired, kind=UnknownColumnError)
    message = f"The query has no table {quoted(name)}"
    hint = f"It has: {', '.join(map(quoted, tables))}." if tables else ""
    # DuckDB lists the tables that are like it, not all of them.
    table = tables[0] if _has_one_table(words) and tables else _clear_match(name, tables)
    if not table or not all(map(schema.type_of, behind)):
        return Mended(message=message, hint=hint)
    repaired = with_words(sql, words, places, quoted_name(table))
    return Mended(message=message, hint=hint, sql=repaired)


def _undotted(sql: str, words: Sequence[Token], places: Sequence[int], schema: Schema) -> str:
    """Put the names with a dot that are columns in quotes."""
    for place in reversed([place for place in places if place + 2 < len(words)]):
        table, field = words[place], words[place + 2]
        dotted = ascii_lower(f"{plain_name(table)}.{plain_name(field)}")
        if whole := next((one for one in schema.types if ascii_lower(one) == dotted), ""):
            sql = sql[: table.start] + quoted_name(whole) + sql[field.stop :]
    return sql


def mend_function(name: str, text: str, sql: str) -> Mended:
    """Mend a function that DuckDB does not have."""
    message = f"There is no function {quoted(name)}"
    lowered = ascii_lower(name)
    words = tokens(sql)
    places = [i for i in places_of(words, name) if _follows(words, i) == "("]
    if other := _ELSEWHERE.get(lowered):
        return Mended(message=message, hint=f"In DuckDB it is {other}.")
    if lowered in _FILENAMES:
        return Mended(message=message, hint=_FILENAME)
    near = [] if "extension" in text else _ranked(name, FUNCTIONS, near=0.7)
    if not near:
        return Mended(
            message=message, hint="Use DuckDB's own functions; it has no extensions here."
        )
    new = _clear_match(name, FUNCTIONS, near=0.75)
    repaired = with_words(sql, words, places, new) if new else ""
    return Mended(message=message, hint=f"Nearest: {', '.join(near)}.", sql=repaired)


def _ranked(name: str, names: Iterable[str], near: float) -> list[str]:
    """Return up to three names like one, the nearest first."""
    return [other for score, other in _scored(name, names)[:3] if score >= near]


def _clear_match(name: str, names: Iterable[str], near: float = NEAR) -> str:
    """Return the one name that must have been meant, or nothing if there is doubt."""
    scored = _scored(name, names)
    if not scored or scored[0][0] < near:
        return ""
    if len(scored) > 1 and scored[0][0] - scored[1][0] < CLEAR:
        return ""
    return scored[0][1]


def _scored(name: str, names: Iterable[str]) -> list[tuple[float, str]]:
    sought = folded(name)
    scored = [
        (SequenceMatcher(a=sought, b=folded(other), autojunk=False).ratio(), other)
        for other in names
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1]))


def _listed(text: str, heading: str) -> list[str]:
    """Return the quoted names behind a heading of DuckDB's message."""
    _, found, rest = text.partition(heading)
    names = _NAMES.findall(rest.split("\n", 1)[0]) if found else []
    return [name.replace('""', '"') for name in names]


def _renamed(sql: str, words: Sequence[Token], name: str, new: str) -> str:
    """Replace a name wherever it is used as a column, unless the query defines it itself."""
    places = places_of(words, name)
    if any(i > 0 and words[i - 1].says("AS") for i in places):
        return ""
    places = [i for i in places if _follows(words, i) != "("]
    return with_words(sql, words, places, new) if places else ""


def _is_compared(words: Sequence[Token], place: int) -> bool:
    """Whether a name that is no column may be meant as text: it is quoted, or compared with."""
    return words[place].text.startswith('"') or _is_compared_with(words, place)


def _is_compared_with(words: Sequence[Token], place: int) -> bool:
    if place > 1 and words[place - 1].text == "(" and words[place - 2].says(*_BY_PART):
        return True
    while place > 1 and words[place - 1].text == ",":
        place -= 2
    if place > 1 and words[place - 1].text == "(" and words[place - 2].says("IN"):
        return True
    before = words[place - 1] if place else words[place]
    if before.says("WHEN"):
        return _follows(words, place).upper() == "THEN"
    return before.text in COMPARISONS or before.says("LIKE", "ILIKE")


def _has_one_table(words: Sequence[Token]) -> bool:
    froms = [place for place, word in enumerate(words) if word.says("FROM")]
    behind = words[froms[-1] + 1 :] if froms else []
    stop = next((i for i, word in enumerate(behind) if word.says(*CLAUSES)), len(behind))
    return len(froms) == 1 and not any(w.text == "," or w.says("JOIN") for w in behind[:stop])


def _follows(words: Sequence[Token], place: int) -> str:
    return words[place + 1].text if place + 1 < len(words) else ""


def _some(schema: Schema) -> str:
    names = list(schema.types)
    return first_of([schema.described([name]) for name in names[:_LISTED]], _LISTED, len(names))
