"""What went wrong with a query, in words that let an agent write the next one.

DuckDB's messages are for people at a prompt: they propose settings, extensions and files that are
not to be had here. What they say of the query itself is kept, and turned into the query that was
probably meant, if there is only one.
"""

import re
from collections.abc import Mapping, Sequence

import duckdb

from s3_data_lake_mcp.engines.guard import check_sql
from s3_data_lake_mcp.engines.guard_repair import quoted_name, with_whole_names
from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.engines.guard_tree import TABLE
from s3_data_lake_mcp.engines.mend_dialect import with_group, with_lambdas, with_qualify
from s3_data_lake_mcp.engines.mend_fields import spread_field
from s3_data_lake_mcp.engines.mend_functions import is_date_part, own_calls
from s3_data_lake_mcp.engines.mend_names import (
    Mended,
    Schema,
    mend_column,
    mend_field,
    mend_function,
    mend_pattern,
    mend_qualifier,
)
from s3_data_lake_mcp.engines.mend_types import (
    mend_arguments,
    mend_comparison,
    mend_conversion,
    mend_flip,
    mend_type,
)
from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    LakeError,
    LimitExceededError,
    MalformedDataError,
    NotAllowedError,
    NotFoundError,
    SqlError,
    UnknownColumnError,
)

_END_CHARS = 4_000
"""What is read of each end of a message: between them is a value, however long."""

_PREFIX = re.compile(r"^(?:[A-Za-z][\w /-]{0,40}? Error): ?")
_ADVICE = re.compile(
    r"(?:[.,;!]?\s*(?:or |Or )?(?:Please |Try )?(?:use |Use |set |by )?\"?SET \w+\s*=.*$)"
    r"|(?:\s*Please try installing.*$)|(?:\s*LINE \d+:.*$)",
    re.DOTALL,
)
_HOST_PATH = re.compile(r"(?<![\w:/.])~?/(?:[^\s/\"']+/)+[^\s/\"',;]*|\b[A-Za-z]:\\[^\s\"']+")
_INTERNAL_NAME = re.compile(r'(?<!")"*(?:temp|memory)"*\."*main"*\."*data"*')
_COLUMN = (
    re.compile(r'(?s)Referenced column "(?P<name>.+?)" (?:not found in FROM|was not found)'),
    # In QUALIFY, where names have quotes only if they need them.
    re.compile(r'(?s)Referenced column (?:(?:"[^"]+"|\w+)\.)?"?(?P<name>.+?)"? not found in FROM'),
    re.compile(
        r'(?s)(?:Values list|Table) "(?P<table>.+?)" does not have a column named "(?P<name>.+?)"'
    ),
    re.compile(r'(?s)Column "(?P<name>.+?)" in \w+ list not found'),
    re.compile(r'(?s)Column "(?P<name>.+?)" does not exist on (?P<side>left|right) side of join'),
    re.compile(r'(?s)Column "(?P<name>.+?)" (?:referenced in UNPIVOT|was selected) but '),
)
_UNGROUPED = re.compile(
    r'(?s)(?:column "(?=.+ must appear in the GROUP BY)|Could not ORDER BY column "(?=[^"]+":))'
    r'(.+?)"'
)
_FIELD = re.compile(r'(?s)Could not find key "(.+?)" in struct')
_NO_STRUCT = re.compile(r"(?s)Cannot extract field '(.+?)' from expression")
_QUALIFIER = re.compile(r'(?s)Referenced table "(.+?)" not found')
_FUNCTION = re.compile(r'(?s)Function with name "?(.+?)"? (?:does not exist|is not in the catalog)')
_ARGUMENTS = re.compile(
    r"No function matches the given name and argument types '(?P<name>.+?)\((?P<types>.*?)\)'\."
    r"(?P<candidates>.*?)(?:LINE \d|$)",
    re.DOTALL,
)
_TYPE = re.compile(r"Type with name (\w+) does not exist")
_PATTERN = re.compile(r'No matching columns found that match regex "(.+)"')
_MACRO = re.compile(r"Macro (\w+)\(\) does not support the supplied arguments")
_COMPARISON = re.compile(
    r"Cannot (?:compare|mix) values of type (?P<left>\S+) and (?:type )?(?P<right>\S+)"
)
_FLIP = re.compile(
    r"CSV Error on Line: (?P<line>\d+)\n.*?Error when converting column \"(?P<column>.*?)\"\. "
    r"Could not convert string \"(?P<value>.*?)\" to '(?P<type>.*?)'",
    re.DOTALL,
)
_OLD_LAMBDA = "Deprecated lambda arrow"
_NO_FILES = re.compile(r'No files found that match the pattern "(s3[an]?://.*?)"', re.IGNORECASE)
_MALFORMED = ("No magic bytes found", "Malformed JSON in file", "CSV Error on Line", "Invalid Parq")
_TOO_LONG = "Cannot create a string of size"
_LIMITS = ("Pivot column limit", "Max expression depth", "Maximum recursion")
_DESCRIBE = "DESCRIBE data shows the columns and their types."
_NOT_UTF8 = "FROM 's3://…' finds Windows-1252; ignore_errors=true leaves out what is not UTF-8."
_GROUP = "must appear in the GROUP BY"
_WINDOWED = "WHERE clause cannot contain window functions"
_HINTS = {
    _GROUP: "Add it to GROUP BY, or use any_value() of it.",
    "Ambiguous reference": "Give each table an alias, and write columns as alias.column.",
    "cannot contain aggregates": "Use HAVING in place of WHERE for aggregates.",
    "Window functions are not": "Add OVER (…), or use QUALIFY in place of WHERE.",
    "support the encoding": "It takes utf-8, utf-16 and latin-1; FROM data finds it by itself.",
    "not latin-1 encoded": _NOT_UTF8,
    "not utf-8 encoded": _NOT_UTF8,
    "Division by zero": "Divide by nullif(…, 0), which gives NULL.",
    "Overflow in": "Cast to HUGEINT or DOUBLE first.",
    "More than one row returned": "Use IN, an aggregate, or LIMIT 1.",
    "same number of result columns": "Select as many columns on each side.",
    "according to format specifier": "try_strptime gives NULL for what does not fit the format.",
    "it is not a struct": f"{_DESCRIBE} Of text that is JSON, column->>'$.field' gives a field.",
    "Malformed JSON": "json_valid(…) tells which values are JSON.",
}


def mend(error: Exception, sql: str, columns: Mapping[str, Sequence[tuple[str, str]]]) -> LakeError:
    """Turn what a query failed with into an error of the contract.

    `columns` are the tables of the query, with the names and types of their columns as DuckDB
    writes them. A repair that comes with the error has passed the guard.
    """
    text = str(error)
    if len(text) > 2 * _END_CHARS:
        text = f"{text[:_END_CHARS]}…{text[-_END_CHARS:]}"
    if failed := _of_kind(error):
        return failed
    schema = Schema.of(columns)
    mended = _unquoted(text, sql, schema) or _of_elsewhere(text, sql, schema)
    mended = mended or _misplaced(text, sql, schema) or _mended(error, text, sql, schema)
    if mended is None:
        return _plain(text)
    return mended.kind(
        mended.message, hint=mended.hint or _DESCRIBE, repair=_repair(mended.sql, sql)
    )


def _of_kind(error: Exception) -> LakeError | None:
    """Mend what its class alone tells all about."""
    if isinstance(error, duckdb.InterruptException):
        message = "The query took too long and was stopped"
        return DeadlineExceededError(
            message, hint="Filter earlier, or read fewer columns or files."
        )
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return LimitExceededError(
            "The query needs more memory than it may use",
            hint="Filter or aggregate earlier, sort and join less, or select fewer columns.",
        )
    if isinstance(error, duckdb.PermissionException):
        message = "The query reads or changes what it may not"
        return NotAllowedError(message, hint="Read the table data, or objects by their s3:// URI.")
    if _TOO_LONG in str(error):
        message = "The query makes a text of more than 4 GiB"
        return LimitExceededError(message, hint="Shorten texts before they are joined.")
    if isinstance(error, duckdb.InternalException | duckdb.FatalException):
        message = "The query could not be run as it is written"
        return SqlError(message, hint="Write it in another way, in smaller steps.")
    return None


def _mended(error: Exception, text: str, sql: str, schema: Schema) -> Mended | None:
    """Mend what DuckDB says about names and types, or return None."""
    mended = None
    if named := _missing_column(text, schema):
        mended = mend_column(*named, text, sql, schema)
    elif _OLD_LAMBDA in text:
        message = "A lambda is written with an arrow, as older versions have it"
        hint = "Write lambda x: x + 1 in place of x -> x + 1."
        mended = Mended(message=message, hint=hint, sql=with_lambdas(sql))
    elif found := _FIELD.search(text):
        mended = mend_field(found[1], text, sql)
    elif found := _QUALIFIER.search(text):
        mended = mend_qualifier(found[1], text, sql, schema)
    elif found := _FUNCTION.search(text):
        mended = mend_function(found[1], text, sql)
    elif found := _ARGUMENTS.search(text):
        mended = mend_arguments(found, sql, schema)
    elif found := _COMPARISON.search(text):
        mended = mend_comparison(found, sql, schema)
    elif found := _FLIP.search(text):
        mended = mend_flip(found)
    elif isinstance(error, duckdb.ConversionException):
        mended = mend_conversion(scrubbed(text), sql)
    return mended


def _unquoted(text: str, sql: str, schema: Schema) -> Mended | None:
    """Mend a column of several words, or with other signs, that stands without its quotes."""
    missing, function = _missing_column(text, schema), _FUNCTION.search(text)
    name = missing[0] if missing else function[1] if function else ""
    if not name or not (new := with_whole_names(sql, name, schema.types)):
        return None
    message = f"{TABLE} has no column {quoted(name)}"
    hint = "A column of more than one word, or with other signs in its name, stands in quotes."
    return Mended(message=message, hint=hint, sql=new, kind=UnknownColumnError)


def _of_elsewhere(text: str, sql: str, schema: Schema) -> Mended | None:
    """Mend what other engines have, functions and types, and patterns of names."""
    if kind := _TYPE.search(text):
        return mend_type(kind[1], sql)
    if pattern := _PATTERN.search(text):
        return mend_pattern(pattern[1], sql, schema)
    found = _FUNCTION.search(text) or _MACRO.search(text) or _ARGUMENTS.search(text)
    missing = None if found else _missing_column(text, schema)
    if found is None and not (missing and is_date_part(missing[0])):
        return None
    new, calls = own_calls(sql)
    name = found[1].lower() if found else next(iter(calls), "")
    if name not in calls:
        return None
    hint = f"In DuckDB it is {quoted(calls[name], 100)}."
    if missing:
        message = f"{TABLE} has no column {quoted(missing[0])}"
        return Mended(message=message, hint=hint, sql=new, kind=UnknownColumnError)
    message = f"There is no function {quoted(name)}"
    if not _FUNCTION.search(text):
        message = f"{quoted(name)} does not take these arguments"
    return Mended(message=message, hint=hint, sql=new)


def _misplaced(text: str, sql: str, schema: Schema) -> Mended | None:
    """Mend columns that stand beside aggregates, windows in WHERE, and fields of lists."""
    if _WINDOWED in text:
        message = "WHERE comes before the window functions of a query"
        hint = "Write QUALIFY in place of WHERE for what a window function gives."
        return Mended(message=message, hint=hint, sql=with_qualify(sql))
    if field := _NO_STRUCT.search(text):
        hint, new = spread_field(field[1], sql, schema.types)
        message = f"A list of structs has no field {quoted(field[1])}"
        return Mended(message=message, hint=hint, sql=new) if hint else None
    found = _UNGROUPED.search(text) if _GROUP in text else None
    if found is None or not schema.type_of(found[1]):
        return None
    message = f"{quoted(found[1])} is neither in GROUP BY nor in an aggregate"
    return Mended(message=message, hint=_HINTS[_GROUP], sql=with_group(sql, quoted_name(found[1])))


def _missing_column(text: str, schema: Schema) -> tuple[str, str] | None:
    """Return the name of a column that is not there, and what does not have it, if that is said."""
    if found := next(filter(None, (pattern.search(text) for pattern in _COLUMN)), None):
        named = found.groupdict()
        side = named.get("side")
        return named["name"], f"The {side} side of the join" if side else named.get("table") or ""
    found = _UNGROUPED.search(text)
    return (found[1], "") if found and not schema.type_of(found[1]) else None


def _repair(sql: str, failed: str) -> dict[str, str] | None:
    """Return the repaired query if it is another one, and one that the guard lets through."""
    try:
        return {"sql": check_sql(sql).sql} if sql != failed else None
    except LakeError:
        return None


def _plain(text: str) -> LakeError:
    message = scrubbed(text)
    if found := _NO_FILES.search(text):
        return NotFoundError(f"{quoted(found[1], 200)} matches no object", hint="List the prefix.")
    if "ArrowSchema" in text:
        message = "The answer nests lists and structs too deeply"
        return LimitExceededError(message, hint="Select what is inside, or to_json(…) of it.")
    if message.startswith(_LIMITS):
        return LimitExceededError(message, hint="Make the query smaller.")
    hint = next((hint for words, hint in _HINTS.items() if words in text), "")
    if message.startswith(_MALFORMED):
        hint = hint or "get_file_metadata tells what the object is."
        return MalformedDataError(message, hint=hint)
    return SqlError(message, hint=hint or _DESCRIBE)


def scrubbed(text: str) -> str:
    """Return the first sentence of DuckDB's message, without what is of no use to an agent.

    No advice on settings or extensions, no path of the host, no names of our own inside.
    """
    # One blank in place of many, which the patterns would try from each.
    first = " ".join(_PREFIX.sub("", text.strip()).split("\n", 1)[0].split())
    first = _INTERNAL_NAME.sub("data", _ADVICE.sub("", first))
    return quoted(_HOST_PATH.sub("…", first), 300).rstrip(" .!:") or "The query failed"
