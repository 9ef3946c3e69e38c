"""Other spellings of a query: one name in it written differently, everything else left alone."""

import re
from collections.abc import Iterable, Sequence

from s3_data_lake_mcp.engines.guard_parser import the_parser
from s3_data_lake_mcp.engines.guard_text import Token, ascii_lower, tokens
from s3_data_lake_mcp.engines.guard_tree import TABLE
from s3_data_lake_mcp.engines.sqltext import identifier

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted_name(name: str) -> str:
    """Return a name as it is written in SQL, in quotes if it needs them to be a column."""
    if _PLAIN_NAME.fullmatch(name) and _stands_alone(name):
        return name
    return identifier(name)


def _stands_alone(name: str) -> bool:
    answer = the_parser().tree(f"SELECT {name}")
    statements = answer.get("statements") or [{"node": {"select_list": [{}]}}]
    selected = statements[0]["node"].get("select_list") or [{}]
    return bool(selected[0].get("column_names") == [name])


def plain_name(word: Token) -> str:
    """Return the name that a word of SQL stands for, or nothing if it is none."""
    if not word.is_word:
        return ""
    for mark in ('"', "`"):
        if word.text.startswith(mark) and word.text.endswith(mark) and len(word.text) > 1:
            return word.text[1:-1].replace(mark * 2, mark)
    return word.text


def places_of(words: Sequence[Token], name: str) -> list[int]:
    """Return which words are this name, compared as DuckDB compares names."""
    lowered = ascii_lower(name)
    return [i for i, word in enumerate(words) if ascii_lower(plain_name(word)) == lowered]


def with_words(sql: str, words: Sequence[Token], places: Iterable[int], new: str) -> str:
    """Return the text with the words at these places replaced."""
    pieces, last = [], 0
    for place in sorted(places):
        pieces += [sql[last : words[place].start], new]
        last = words[place].stop
    return "".join([*pieces, sql[last:]])


def with_whole_names(sql: str, part: str, names: Iterable[str]) -> str:
    """Return the text with quotes around the names of more words than one that this is a part of.

    Nothing is returned if none of them stands there.
    """
    sought = [(tokens(name), name) for name in names if not _PLAIN_NAME.fullmatch(name)]
    sought = [(parts, name) for parts, name in sought if places_of(parts, part)]
    for parts, name in sorted(sought, key=lambda pair: -len(pair[0])):
        asked = [ascii_lower(one.text) for one in parts]
        words = tokens(sql)
        written = [ascii_lower(plain_name(word) or word.text) for word in words]
        found = [i for i in range(len(words)) if written[i : i + len(asked)] == asked]
        if len(asked) == 1 or not found:
            continue
        for place in reversed(found):
            last = words[place + len(asked) - 1]
            sql = sql[: words[place].start] + identifier(name) + sql[last.stop :]
        return sql
    return ""


def with_table(sql: str, name: str, positions: Sequence[int], *, alias: bool) -> str:
    """Return the text with a table's name, where it stands as a table, replaced by that of `data`.

    `positions` are byte offsets, -1 where unknown; then it must stand once. If columns are
    qualified by the old name, it stays as an alias unless the table has one. Nothing is returned
    if the places cannot be told.
    """
    words = tokens(sql)
    named = places_of(words, name)
    if -1 in positions:
        places = named if len(named) == len(positions) else []
    else:
        starts = {len(sql.encode()[:position].decode(errors="ignore")) for position in positions}
        places = [place for place in named if words[place].start in starts]
        places = places if len(places) == len(positions) else []
    qualifies = any(following.text == "." for following in (words[i + 1] for i in named[:-1]))
    new = f"{TABLE} AS {quoted_name(name)}" if qualifies and not alias else TABLE
    return with_words(sql, words, places, new) if places else ""
