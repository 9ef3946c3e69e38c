"""Values of the wrong type in a query, and the cast that helps."""

import re
from collections.abc import Iterator
from typing import Final

from s3_data_lake_mcp.engines.guard_repair import places_of, plain_name, quoted_name, with_words
from s3_data_lake_mcp.engines.guard_text import Token, quoted, tokens
from s3_data_lake_mcp.engines.mend_names import COMPARISONS, Mended, Schema
from s3_data_lake_mcp.engines.sqltext import literal

_TEXT: Final = "VARCHAR"
_NUMBERS = re.compile(r"(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DECIMAL|DOUBLE|FLOAT|REAL)\b.*")
_TIMES = re.compile(r"(?:DATE|TIMESTAMP|TIME)\b.*")
_FIRST_TEXT = re.compile(rf"\((?:\w+ )?{_TEXT}, ")
_JOINED = (f"{_TEXT}, STRING_LITERAL", f"STRING_LITERAL, {_TEXT}")
_GROUPED = re.compile(r"'-?\d{1,3}(?:,\d{3})+(?:\.\d+)?'")

_TYPES = {
    "datetime2": "TIMESTAMP",
    "float64": "DOUBLE",
    "number": "DECIMAL",
    "timestamp_ltz": "TIMESTAMPTZ",
    "timestamp_ntz": "TIMESTAMP",
}
"""What types of other dialects are called in DuckDB."""

_TARGETS = {"DOUBLE": "numbers", "TIMESTAMP": "dates"}
"""What text may be taken for, by the type to cast it to."""


def mend_arguments(found: re.Match[str], sql: str, schema: Schema) -> Mended:
    """Mend a function that takes no values of these types; `found` is what DuckDB says of it."""
    function, types, candidates = found["name"], found["types"], found["candidates"]
    if types.startswith("STRING_LITERAL"):
        # It is the part of a date, or its format: what is cast is another argument.
        candidates = _FIRST_TEXT.sub("(", candidates)
    written = types.replace("_LITERAL", "")
    message = f"{quoted(function)} does not take ({quoted(written)})"
    words = tokens(sql)
    if function == "+" and types in _JOINED:
        joins = [i for i, word in enumerate(words) if word.text == "+" and _is_by_text(words, i)]
        new = with_words(sql, words, joins, "||")
        return Mended(message=message, hint="Text is joined with ||.", sql=new)
    places = [(i, schema.type_of(plain_name(words[i]))) for i in _arguments(words, function)]
    texts = [place for place, kind in places if kind == _TEXT]
    kinds = [kind for kind in _TARGETS if kind in candidates]
    # Intervals are added to dates alone.
    target = "TIMESTAMP" if "INTERVAL" in types else next(iter(kinds), "")
    whole = [quoted_name(plain_name(words[i])) for i, kind in places if kind == "BIGINT"]
    if target == "TIMESTAMP" and whole and not texts:
        hint = (
            f"{whole[0]} is a number; since 1970 it counts milliseconds for epoch_ms({whole[0]}), "
            f"seconds for to_timestamp({whole[0]})."
        )
        return Mended(message=message, hint=hint)
    if _TEXT in candidates or not texts or not target:
        return Mended(message=message, hint="Look at the types with DESCRIBE data, and cast.")
    name = quoted_name(plain_name(words[texts[0]]))
    cast = f"TRY_CAST({name} AS {target})"
    hint = f"{name} is text; for {_TARGETS[target]} in it write {cast}."
    return Mended(message=message, hint=hint, sql=with_words(sql, words, texts[:1], cast))


def mend_comparison(found: re.Match[str], sql: str, schema: Schema) -> Mended:
    """Mend a comparison of two types that cannot be compared."""
    left, right = _plain_type(found["left"]), _plain_type(found["right"])
    message = f"{left} and {right} cannot be compared"
    if _TEXT in {left, right}:
        number = left if right == _TEXT else right
        target = "DOUBLE" if _NUMBERS.fullmatch(number) else number
        words = tokens(sql)
        texts = [
            place
            for place in range(len(words))
            if schema.type_of(plain_name(words[place])) == _TEXT and _is_compared(words, place)
        ]
        names = list(dict.fromkeys(quoted_name(plain_name(words[place])) for place in texts))
        cast = f"TRY_CAST({names[0] if names else 'column'} AS {target})"
        repaired = with_words(sql, words, texts, cast) if len(names) == 1 else ""
        return Mended(message=message, hint=f"Cast the text: {cast}.", sql=repaired)
    if _TIMES.fullmatch(left) or _TIMES.fullmatch(right):
        hint = "Write the value as a literal: DATE '2026-01-31', TIMESTAMP '2026-01-31 12:00:00'."
        return Mended(message=message, hint=hint)
    if "INTERVAL" in {left, right}:
        hint = "epoch(INTERVAL …) gives its seconds, which can be compared with a number."
        return Mended(message=message, hint=hint)
    return Mended(message=message, hint=f"Cast one of them: CAST(… AS {left}).")


def mend_flip(found: re.Match[str]) -> Mended:
    """Say how to read a CSV file whose column changes its type; `found` is what DuckDB says."""
    value, column = quoted(found["value"]), quoted(found["column"])
    return Mended(
        message=f"Line {int(found['line']):,} of the CSV file has {value!r} in the column "
        f"{column}, which is no {found['type']}",
        hint=f"Read it as text: read_csv(…, types={{{literal(column)}: 'VARCHAR'}}).",
    )


def mend_type(name: str, sql: str) -> Mended:
    """Mend a type that DuckDB does not have."""
    message, new = f"There is no type {quoted(name)}", _TYPES.get(name.lower(), "")
    if not new:
        return Mended(message=message)
    words = tokens(sql)
    places = places_of(words, name)
    hint = f"In DuckDB it is {new}."
    if new == "DECIMAL":
        # Without its digits, NUMBER has as many as each engine likes.
        places = [i for i in places if [w.text for w in words[i + 1 : i + 2]] == ["("]]
        hint = "In DuckDB it is DECIMAL, with its digits: DECIMAL(18, 2)."
    return Mended(
        message=message, hint=hint, sql=with_words(sql, words, places, new) if places else ""
    )


def mend_conversion(message: str, sql: str) -> Mended:
    """Mend a value that is not of the type that it is cast to."""
    words = tokens(sql)
    if casts := _calls(words, "cast"):
        hint = "TRY_CAST(… AS …) gives NULL for what cannot be converted."
        return Mended(message=message, hint=hint, sql=with_words(sql, words, casts, "TRY_CAST"))
    if (found := _GROUPED.search(message)) and found[0] in sql:
        plain = found[0].strip("'").replace(",", "")
        hint = "Write numbers without commas."
        return Mended(message=message, hint=hint, sql=sql.replace(found[0], plain))
    hint = (
        "Compare with a value of the column's type, or use TRY_CAST(column AS …), "
        "which gives NULL for what cannot be converted."
    )
    return Mended(message=message, hint=hint)


def _calls(words: list[Token], function: str) -> list[int]:
    """Return the places of a function's name where a bracket follows it."""
    followed = {i for i, word in enumerate(words, start=-1) if word.text == "("}
    return [i for i in places_of(words, function) if i in followed]


def _arguments(words: list[Token], function: str) -> list[int]:
    """Return the places of words that stand as an argument alone, or beside an operator."""
    if function.isidentifier():
        return [place for call in _calls(words, function) for place in _alone(words, call + 1)]
    beside = [i for i, word in enumerate(words) if word.text == function]
    return [j for i in beside for j in (i - 1, i + 1) if 0 <= j < len(words)]


def _alone(words: list[Token], opening: int) -> Iterator[int]:
    """Yield the places of single words between the commas of a call's brackets."""
    depth = 0
    for place in range(opening, len(words) - 2):
        depth += {"(": 1, ")": -1}.get(words[place].text, 0)
        if not depth:
            return
        around = words[place].text, words[place + 2].text
        if depth == 1 and around[0] in {"(", ","} and around[1] in {")", ","}:
            yield place + 1


def _is_by_text(words: list[Token], place: int) -> bool:
    return any(one.text.startswith("'") for one in words[max(place - 1, 0) : place + 2])


def _is_compared(words: list[Token], place: int) -> bool:
    around = [words[i].text for i in (place - 1, place + 1) if 0 <= i < len(words)]
    return any(text in COMPARISONS for text in around)


def _plain_type(name: str) -> str:
    return name.strip("'\",.").replace("_LITERAL", "")
