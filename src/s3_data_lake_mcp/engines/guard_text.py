"""The text of a query before it is parsed: limits, tokens, and where a statement ends.

Limits come first and look at characters alone, so that nothing can be hidden from them in quotes
or comments; they keep what reaches the parser below what makes it slow. Tokens are DuckDB's own.
Nothing is judged by its tokens: they only say where to cut, and what is cut out is parsed again.
"""

import re
import string
from dataclasses import dataclass
from typing import Final

import duckdb

from s3_data_lake_mcp.errors import InvalidArgumentError, LimitExceededError, SqlError

MAX_CHARS: Final = 10_000
MAX_DEPTH: Final = 100
MAX_DOTS: Final = 2_000
MAX_GROUPINGS: Final = 16
_GROUPINGS = re.compile(r"\b(?:cube|rollup|sets)\b", re.IGNORECASE)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, literal or operator, by its place in the text (in characters)."""

    start: int
    stop: int
    text: str
    is_word: bool

    def says(self, *words: str) -> bool:
        """Tell whether it is one of these unquoted words."""
        return self.is_word and self.text.upper() in words


def check_limits(sql: str) -> None:
    """Refuse text that the parser should not be given.

    Raises:
        LimitExceededError: If it is too long or nested too deeply.
        InvalidArgumentError: If it is no valid Unicode.
        SqlError: If it holds a NUL character.
    """
    if len(sql) > MAX_CHARS:
        message = f"The SQL is {len(sql):,} characters long; {MAX_CHARS:,} are allowed"
        raise LimitExceededError(message, hint="Shorten it, or split it into several queries.")
    try:
        sql.encode()
    except UnicodeEncodeError as exc:
        message = f"The SQL has a lone surrogate at character {exc.start + 1}, not valid Unicode"
        raise InvalidArgumentError(message, hint="Send the text as UTF-8.") from exc
    if "\0" in sql:
        message = f"The SQL has a NUL character at character {sql.index(chr(0)) + 1}"
        raise SqlError(message, hint="Take it out.")
    if _depth(sql) > MAX_DEPTH:
        message = f"The SQL has more than {MAX_DEPTH} brackets inside each other"
        raise LimitExceededError(message, hint="Nest less, or name the steps in a WITH clause.")
    if sql.count(".") > MAX_DOTS:
        message = f"The SQL has more than {MAX_DOTS:,} dots"
        raise LimitExceededError(message, hint="Name columns as column or table.column.")
    if len(_GROUPINGS.findall(sql)) > MAX_GROUPINGS:
        # Each can stand for 65,535 grouping sets, which the parser writes out.
        message = f"The SQL has more than {MAX_GROUPINGS} CUBE, ROLLUP or GROUPING SETS"
        raise LimitExceededError(message, hint="Group by fewer columns at a time.")


def tokens(sql: str) -> list[Token]:
    """Return the tokens of a text, comments left out."""
    encoded = sql.encode()
    found = duckdb.tokenize(sql)
    stops = [*(start for start, _ in found[1:]), len(encoded)]
    result = []
    for (start, kind), stop in zip(found, stops, strict=False):
        if kind is duckdb.token_type.comment:
            continue
        text = encoded[start:stop].decode().rstrip()
        begin = len(encoded[:start].decode())
        is_word = kind in {duckdb.token_type.identifier, duckdb.token_type.keyword}
        result.append(Token(start=begin, stop=begin + len(text), text=text, is_word=is_word))
    return result


def trimmed(sql: str) -> str:
    """Return a text without the semicolons and comments behind its last statement."""
    words = tokens(sql)
    while words and words[-1].text == ";":
        words.pop()
    return sql[: words[-1].stop] if words else ""


def quoted(name: str, limit: int = 60) -> str:
    """Return foreign text for use in a message: on one line, and short."""
    line = " ".join(name.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def ascii_lower(name: str) -> str:
    """Fold ASCII letters only, as DuckDB compares names.

    `str.lower` would make names alike that are not (the Kelvin sign and k).
    """
    return name.translate(_LOWER)


def _depth(sql: str) -> int:
    depth = deepest = 0
    for character in sql:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(0, depth - 1)
    return deepest
