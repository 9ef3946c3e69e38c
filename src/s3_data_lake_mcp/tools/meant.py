"""What an argument of a wrong name or type was meant as; nothing where that is in doubt."""

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ByteSize, TypeAdapter

from s3_data_lake_mcp.engines.sqltext import identifier, literal
from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.storage.keys import place_of, split_uri

PAGE_SIZES = frozenset({"max_rows", "max_records", "max_keys", "max_buckets"})
PLACES = ("object_key", "prefix")
WITHOUT_HARM = PAGE_SIZES | {"offset", "columns", "has_header", "basis"}
"""Parameters whose default stands for any wrong value: of others it would be another question."""

_ALIASES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("limit", "count", "n", "top", "nrows", "page_size"), tuple(PAGE_SIZES)),
    **dict.fromkeys(("uri", "url", "s3_uri", "s3_url", "s3_path"), ("bucket_name",)),
    **dict.fromkeys(("key", "object_key", "path", "file", "file_path"), PLACES),
    **dict.fromkeys(("query", "statement"), ("sql",)),
    **dict.fromkeys(("filter", "predicate", "condition"), ("where",)),
    **dict.fromkeys(("fields", "select", "usecols", "column_names"), ("columns",)),
    **dict.fromkeys(("bucket_name", "name", "search"), ("name_contains",)),
    "prefix": (*PLACES, "name_contains"),
    **dict.fromkeys(("skip", "start"), ("offset",)),
    **dict.fromkeys(("sep", "separator"), ("delimiter",)),
    **dict.fromkeys(("glob",), ("pattern",)),
}
"""Names that other servers give to parameters, with ours, of which a tool has one."""

_CHOICES: Mapping[str, Sequence[str]] = {
    "=": ("==", "eq", "equal", "equals", "is"),
    "!=": ("<>", "ne", "neq", "notequal", "notequals"),
    "<": ("lt", "lessthan"),
    "<=": ("=<", "le", "lte"),
    ">": ("gt", "greaterthan"),
    ">=": ("=>", "ge", "gte"),
    "starts_with": ("beginswith", "prefix"),
    "ends_with": ("suffix",),
    "is_null": ("null", "isempty", "missing"),
    "not_null": ("isnotnull", "exists"),
    "exact": ("full",),
    "true": ("yes",),
    "false": ("no",),
}
"""Values of enumerations, by the words that are used for them elsewhere."""

_PREDICATES = {
    "like": "LIKE",
    "ilike": "ILIKE",
    "notlike": "NOT LIKE",
    "between": "BETWEEN",
    "notin": "NOT IN",
}
"""Operators that only SQL has."""

_ALIKE = 0.75
_NONE = ("", "null", "none")
_WORDS = {"true": True, "yes": True, "false": False, "no": False}
_NUMBER = re.compile(r"-?\d{1,3}(?:[,_]\d{3})+|-?\d+")
_SIZE = re.compile(r"\d+(?:\.\d+)?\s*(?:[KMGT]i?)?B", re.IGNORECASE)
_BYTES = TypeAdapter(ByteSize)
_ARN = "arn:aws:s3:::"
_BOUNDS = re.compile(r"\s*(?:,|\band\b)\s*", re.IGNORECASE)
_WHERE = re.compile(r"\s*where\s+", re.IGNORECASE)
_S3_URI = re.compile(r"(?i)\bs3[an]?://([a-z0-9.-]+)")


def meant_name(name: str, names: Sequence[str], value: object) -> str:
    """Return the parameter that is meant by a name which is none; empty if that is not said."""
    word = name.lower()
    near = [known for known in _ALIASES.get(word, (word,)) if known in names]
    if near and near[0] in PLACES and isinstance(value, str) and "://" in value:
        near = ["bucket_name"]
    near = near or difflib.get_close_matches(word, names, 1, 0.7)
    near = near or [known for known in names if word and word in known.split("_")]
    return near[0] if near else ""


def meant_values(value: object, default: object, choices: Sequence[str]) -> Iterator[object]:
    """Yield what a value of a wrong type may be meant as, the likeliest first.

    `default` is of the type of the parameter; `choices` are the values of an enumeration.
    """
    if choices:
        yield from _choice(json.dumps(value) if isinstance(value, bool) else str(value), choices)
    elif isinstance(value, str):
        yield from _read(value.strip(), default)
    elif isinstance(value, bool | int | float):
        yield json.dumps(value)
    elif isinstance(value, list) and isinstance(default, str):
        texts = [one if isinstance(one, str) else json.dumps(one) for one in value]
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(texts)
        yield texts[0] if len(texts) == 1 else line.getvalue()


def _read(text: str, default: object) -> Iterator[object]:
    if isinstance(default, list | tuple):
        if text.startswith("["):
            try:
                yield json.loads(text.replace("'", '"'))
            except ValueError:
                return
        elif text:
            yield [part.strip() for part in text.split(",") if part.strip()]
    elif isinstance(default, bool):
        yield _WORDS.get(text.lower())
    elif text.lower() in _NONE:
        yield default
    elif _NUMBER.fullmatch(text):
        yield int(re.sub("[,_]", "", text))
    elif _SIZE.fullmatch(text):
        yield int(_BYTES.validate_python(text))


def _choice(text: str, choices: Sequence[str]) -> Iterator[str]:
    folded = {_folded(choice): choice for choice in choices}
    folded |= {word: to for to, words in _CHOICES.items() if to in choices for word in words}
    word = _folded(text)
    near = [word] if word in folded else difflib.get_close_matches(word, folded, 1, _ALIKE)
    # Else `not_contains` would be its opposite.
    yield from (folded[one] for one in near if ("not" in one) == ("not" in word))


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]", "", text.lower())


def refused_predicate(
    message: str, name: str, arguments: Mapping[str, object], names: Sequence[str]
) -> InvalidArgumentError | None:
    """Return the error of a predicate under a name that a tool lacks, with the query that has it.

    None if it is none, or the tool, whose parameters are `names`, has it itself or reads no rows.
    """
    text = arguments[name]
    if not isinstance(text, str) or "where" not in _ALIASES.get(name.lower(), [name.lower()]):
        return None
    query: dict[str, object] | None = _query(_WHERE.sub("", text, count=1), arguments)
    if not query or "where" in names or not {"sql", "offset"} & set(names):
        return None
    others = arguments.keys() - {name}
    if "sql" in names:
        hint = "In sql it is SELECT * FROM data WHERE …."
        return InvalidArgumentError(
            message, hint=hint, repair=query if others <= {*names} else None
        )
    place = {given: arguments[given] for given in ("bucket_name", *PLACES) if given in arguments}
    # How the object is read, or where in it, is nothing that a query takes.
    fits = others <= {*place, *PAGE_SIZES, "columns"}
    return InvalidArgumentError(
        message,
        hint="query_csv_data takes it, as SELECT * FROM data WHERE ….",
        repair={**place, "sql": query["sql"]} if fits else None,
        repair_tool="query_csv_data" if fits else "",
    )


def meant_condition(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the SQL of a filter whose operator only SQL has; nothing if it is none, or unclear."""
    column, value = arguments.get("filter_column"), arguments.get("filter_value")
    operator = _PREDICATES.get(_folded(str(arguments.get("filter_operator"))), "")
    if not (operator and column and isinstance(column, str) and isinstance(value, str)):
        return {}
    values = [value]
    if operator == "BETWEEN":
        values = [one.strip("'") for one in _BOUNDS.split(value.strip())]
        if len(values) != len(("low", "high")):
            return {}
    elif operator == "NOT IN":
        values = next(csv.reader([value], skipinitialspace=True), [])
    texts = map(literal, values)
    written = f"({', '.join(texts)})" if operator == "NOT IN" else " AND ".join(texts)
    found = _query(f"{identifier(column)} {operator} {written}", arguments)
    return found and {**found, "filter_column": "", "filter_operator": "auto", "filter_value": ""}


def _query(predicate: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the SQL of a predicate over the columns asked for, in place of those arguments."""
    columns = arguments.get("columns") or []
    if arguments.get("sql") or not isinstance(columns, list) or not predicate:
        return {}
    listed = ", ".join(identifier(str(one)) for one in columns) or "*"
    sql = f"SELECT {listed} FROM data WHERE {predicate}"  # noqa: S608 - read by the guard
    return {"sql": sql, **({"columns": []} if columns else {})}


def meant_place(arguments: Mapping[str, object], place: str) -> dict[str, object]:
    """Return where a call without bucket_name is about: a URI stands for the key, or in the SQL."""
    key, sql = arguments.get(place), arguments.get("sql")
    if isinstance(key, str) and (place_of(key) or (_S3_URI.match(key) and split_uri(key))):
        return {"bucket_name": key, place: ""}
    found = _S3_URI.search(sql) if isinstance(sql, str) else None
    return {"bucket_name": found[1]} if found else {}


def meant_bucket(arguments: Mapping[str, str], place: str) -> dict[str, object]:
    """Return bucket and key where bucket_name is no name but holds one; nothing if it is one."""
    text, given = arguments["bucket_name"], arguments[place]
    bucket, _, key = text.strip().removeprefix(_ARN).partition("/")
    bucket = bucket.lower().replace("_", "-")
    if not bucket or ":" in bucket or text == bucket:
        return {}
    return {"bucket_name": bucket, place: joined(key, given)}


def joined(key: str, given: str) -> str:
    """Return the key that is meant by one beside the bucket, and another in its own argument.

    That is the second in the folder that the first names, unless one has the other in it.
    """
    if not key or given.startswith(f"{key.removesuffix('/')}/"):
        return given
    if key.endswith(given) or "." in key.rpartition("/")[2]:
        return key
    return f"{key.removesuffix('/')}/{given}"
