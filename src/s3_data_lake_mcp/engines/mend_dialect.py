"""Queries as other engines, and older ones, would take them, in DuckDB's own words."""

import re
from collections.abc import Sequence

from s3_data_lake_mcp.engines.guard_repair import with_words
from s3_data_lake_mcp.engines.guard_text import Token, tokens

_ARROW = "->"
_BARE_URI = re.compile(r"(?i)(\b(?:FROM|JOIN)\s+)(s3[an]?://[^\s'\"(),;]+)")
_NO_COLUMNS = (
    *("SELECT", "FROM", "WHERE", "HAVING", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "BY", "AS"),
    *("AND", "OR", "NOT", "IN", "IS", "LIKE", "BETWEEN", "CASE", "THEN", "ELSE", "NULL"),
    *("JOIN", "USING", "WITH", "DISTINCT", "ALL"),
)
_GROUPINGS = ("ALL", "ROLLUP", "CUBE", "GROUPING")
_BEHIND_GROUPS = ("HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET")
_NO_SECOND_WORDS = (*_NO_COLUMNS, *_BEHIND_GROUPS, "WHEN", "GROUP", "ON", "ASC", "DESC", "ILIKE")
_BEFORE_COLUMNS = ("SELECT", "DISTINCT", "BY", "WHERE", "HAVING", "AND", "OR", "NOT", "ON")
_BEFORE_COLUMN = frozenset("(,.=<>+-*/") | {"<=", ">=", "<>", "!=", "||"}


_QUOTED = r"('(?:[^']|'')*')"
_CONCAT = r"\bGROUP_CONCAT\s*\(\s*([^()]{1,300}?)(\s+ORDER\s+BY\s+[^()]{1,300}?)?"
_LISTED = r"\b(?:LISTAGG|STRING_AGG)\s*\(\s*([^()]{1,300}?)\)"
_ELSEWHERE = (
    (r"\A\s*```\w*\s(.*?)```\s*\Z", r"\1", "Give the SQL alone, without what fences it."),
    (
        r"\bCONVERT\s*\(\s*(\w+\s*\([\d, ]+\))\s*,\s*([^(),]{1,300})\)",
        r"CAST(\2 AS \1)",
        "In DuckDB it is CAST(… AS …).",
    ),
    (
        r"((?:[<>=]|\bBETWEEN|\bAND)\s*)(\d{1,3}),(\d{3})(?:,(\d{3}))?(?![\w,.])",
        r"\1\2\3\4",
        "Write numbers without commas.",
    ),
    (r"\bSAFE_CAST\s*\(", "TRY_CAST(", "In DuckDB it is TRY_CAST."),
    (
        rf"""([\w.]+|"[^"]+")\s+(NOT\s+)?(?:RLIKE|REGEXP)\s+{_QUOTED}""",
        r"\2regexp_matches(\1, \3)",
        "Write regexp_matches(text, pattern).",
    ),
    (
        rf"{_CONCAT}\s+SEPARATOR\s+{_QUOTED}\s*\)",
        r"string_agg(\1, \3\2)",
        "Write string_agg(text, ', ' ORDER BY text).",
    ),
    (
        rf"{_LISTED}\s*WITHIN\s+GROUP\s*\(\s*(ORDER\s+BY\s[^()]{{1,300}}?)\)",
        r"string_agg(\1 \2)",
        "Write string_agg(text, ', ' ORDER BY text).",
    ),
    (
        r"\bARRAY_AGG\s*\(\s*(DISTINCT\s+)?([\w.]+)\s+IGNORE\s+NULLS\s*\)",
        r"list(\1\2) FILTER (WHERE \2 IS NOT NULL)",
        "Write list(column) FILTER (WHERE column IS NOT NULL).",
    ),
    (
        r"""(?<![\w\])'"])\[([A-Za-z_][\w ]*)\]""",
        r'"\1"',
        "Names stand in double quotes, not in brackets.",
    ),
    (r"(\bGROUP\s+BY)\s+([^()]{1,300}?)\s+WITH\s+ROLLUP\b", r"\1 ROLLUP (\2)", "Write ROLLUP (…)."),
    (r"[\s]WITH\s*\(\s*NOLOCK\s*\)", "", "Nothing is locked here."),
    (r"\bMINUS\s+(SELECT|FROM)\b", r"EXCEPT \1", "Write EXCEPT."),
    (r"\s&&\s", " AND ", "Write AND."),
    (r"#(\d{4}-\d\d-\d\d)#", r"'\1'", "Dates stand in single quotes."),
    (r"\bSHOW\s+COLUMNS\s+(?:FROM|IN)\s", "DESCRIBE ", "Write DESCRIBE."),
    (r"\bFROM\s+s3object\s*\[\*\](?!\s*[.\[])", "FROM data", "The table is called data."),
    (r"\b(FROM|JOIN)\s+table\b", r"\1 data", "The table is called data."),
    (rf"\b(TIMESTAMP|DATETIME)\s*\(\s*{_QUOTED}\s*\)", r"TIMESTAMP \2", "Write TIMESTAMP '…'."),
    (r"\[(?:SAFE_)?OFFSET\s*\(\s*(\d+)\s*\)\]", r"[\1 + 1]", "Lists begin with 1."),
    (
        r"\(([^()]{1,300})\)\s+((?:IGNORE|RESPECT)\s+NULLS)\s+OVER\b",
        r"(\1 \2) OVER",
        "IGNORE NULLS stands behind the arguments, before the bracket.",
    ),
    (
        r"\sLATERAL\s+VIEW\s+EXPLODE\s*\(([^()]{1,300})\)\s+(\w+)\s+AS\s+(\w+)",
        r", UNNEST(\1) AS \2(\3)",
        "Write FROM data, UNNEST(list) AS t(item).",
    ),
)
"""What other engines would take, what to write for it, and what to say."""


def respelled(sql: str) -> tuple[str, str]:
    """Return a query that does not parse in DuckDB's words, and what was changed.

    Nothing is returned if it has none of what other engines have.
    """
    if limited := _limited(sql):
        return limited, "Write LIMIT count OFFSET start at the end."
    for pattern, new, hint in _ELSEWHERE:
        fixed = re.sub(pattern, new, sql, flags=re.IGNORECASE | re.DOTALL)
        if fixed != sql:
            return fixed, hint
    return "", ""


def _limited(sql: str) -> str:
    """Return a query with `TOP n` and `LIMIT a, b` as they are written here; "" if it has none."""
    sql = re.sub(r"(?i)\bTOP\s*\((\d+)\)", r"TOP \1", sql)
    words = tokens(sql)
    for at, word in enumerate(words[:-1]):
        behind = words[at + 1 :]
        if (
            word.says("TOP")
            and at
            and words[at - 1].says("SELECT", "DISTINCT")
            and _is_number(behind)
        ):
            share = behind[1:2] and behind[1].says("PERCENT")
            count, sign = (behind[1], "%") if share else (behind[0], "")
            limit = f"LIMIT {behind[0].text}{sign}"
            return f"{sql[: word.start]}{sql[count.stop :].lstrip()} {limit}"
        if word.says("LIMIT") and _is_number(behind[:1]):
            comma = [one.text for one in behind[1:2]] == [","]
            if not comma or not _is_number(behind[2:3]):
                continue
            limit = f"LIMIT {behind[2].text} OFFSET {behind[0].text}"
            return f"{sql[: word.start]}{limit}{sql[behind[2].stop :]}"
    return ""


def with_quotes(sql: str, position: int) -> tuple[str, str]:
    """Return a query that does not parse at a place with quotes around what stands there, and why.

    That is a keyword where a column is meant, the second word of one, a per cent sign behind one,
    or an S3 URI. Nothing is returned if it is none of these.

    `position` counts characters.
    """
    if any(uri.start() <= position < uri.end() for uri in _BARE_URI.finditer(sql)):
        return _BARE_URI.sub(r"\1'\2'", sql), "An S3 URI stands in quotes."
    words = tokens(sql)
    at = next((i for i, word in enumerate(words) if word.stop > position), len(words))
    if 1 < at < len(words) and _may_be_column(words, at - 1):
        first, second = words[at - 1], words[at]
        if second.text.isidentifier() and not second.says(*_NO_SECOND_WORDS):
            name = f'"{first.text} {second.text}"'
            hint = f"A column of two words stands in quotes: {name}."
            return sql[: first.start] + name + sql[second.stop :], hint
    signs = [i for i in (at - 1, at) if 1 < i < len(words) and words[i].text == "%"]
    if signs and _may_be_column(words, signs[0] - 1):
        written = sql[words[signs[0] - 1].start : words[signs[0]].stop]
        hint = f'A column with other signs stands in quotes: "{written}".'
        return sql.replace(written, f'"{written}"'), hint
    for place in (at, at - 1):
        if not 0 < place < len(words) or not _may_be_column(words, place):
            continue
        name = words[place].text
        places = [i for i, word in enumerate(words) if i and word.says(name.upper())]
        places = [i for i in places if _may_be_column(words, i)]
        hint = f'A column with the name of a keyword stands in quotes: "{name}".'
        return with_words(sql, words, places, f'"{name}"'), hint
    return "", ""


def _may_be_column(words: Sequence[Token], place: int) -> bool:
    """Whether a word stands where a column can, and begins or ends no clause."""
    word, before = words[place], words[place - 1]
    behind = words[place + 1] if place + 1 < len(words) else None
    return (
        word.text.isidentifier()
        and word.is_word
        and not word.says(*_NO_COLUMNS)
        and not (behind is not None and behind.says("BY", "JOIN"))
        and (before.says(*_BEFORE_COLUMNS) or before.text in _BEFORE_COLUMN)
    )


def with_group(sql: str, column: str) -> str:
    """Return a query that groups by one more column; nothing if it has more parts than one."""
    words = tokens(sql)
    if sum(word.says("SELECT", "FROM") for word in words) != len(("SELECT", "FROM")):
        return ""
    groups = [at for at, word in enumerate(words[:-1]) if word.says("GROUP")]
    if len(groups) == 1 and not words[groups[0] + 2].says(*_GROUPINGS):
        stop = words[groups[0] + 1].stop
        return f"{sql[:stop]} {column},{sql[stop:]}"
    behind = next((word.start for word in words if word.says(*_BEHIND_GROUPS)), len(sql))
    return "" if groups else f"{sql[:behind].rstrip()} GROUP BY ALL {sql[behind:]}".rstrip()


def with_qualify(sql: str) -> str:
    """Return a query with its one condition behind its windows; nothing if there are more."""
    words = tokens(sql)
    at = [i for i, word in enumerate(words) if word.says("WHERE")]
    if len(at) != 1 or any(w.says("AND", "OR", "GROUP", "HAVING", "QUALIFY") for w in words):
        return ""
    return with_words(sql, words, at, "QUALIFY")


def with_lambdas(sql: str) -> str:
    """Return a query with `x -> …` as `lambda x: …`; nothing if there is no such arrow."""
    words = tokens(sql)
    pieces, last = [], 0
    for at, word in enumerate(words):
        if word.text != _ARROW or (first := _parameters(words, at)) is None:
            continue
        names = [one.text for one in words[first:at] if one.is_word]
        pieces += [sql[last : words[first].start], f"lambda {', '.join(names)}:"]
        last = word.stop
    return "".join([*pieces, sql[last:]]) if pieces else ""


def _parameters(words: Sequence[Token], arrow: int) -> int | None:
    """Return where the parameters before an arrow begin; None if it takes a part of JSON."""
    first = arrow - 1
    behind = words[arrow + 1].text if arrow + 1 < len(words) else ""
    if not first or behind[:1] in {"'", *"0123456789"}:
        return None
    if words[first].text == ")":
        while first > 0 and words[first].text != "(":
            first -= 1
        inside = words[first + 1 : arrow - 1]
        if not all(one.is_word or one.text == "," for one in inside):
            return None
    elif not words[first].is_word:
        return None
    # A parameter is the first word of an argument.
    return first if first and words[first - 1].text in {"(", ","} else None


def _is_number(words: Sequence[Token]) -> bool:
    return bool(words) and words[0].text.isdigit()
