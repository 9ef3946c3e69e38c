"""Queries as other engines, and older ones, would take them, in DuckDB's own words."""

from collections.abc import Sequence

from s3_data_lake_mcp.engines.guard_text import Token, tokens

_ARROW = "->"


def respelled(sql: str) -> str:
    """Return a query that does not parse with `TOP n` and `LIMIT a, b` as they are written here.

    Nothing is returned if it has neither.
    """
    words = tokens(sql)
    for at, word in enumerate(words[:-1]):
        behind = words[at + 1 :]
        if (
            word.says("TOP")
            and at
            and words[at - 1].says("SELECT", "DISTINCT")
            and _is_number(behind)
        ):
            count = behind[0]
            return f"{sql[: word.start]}{sql[count.stop :].lstrip()} LIMIT {count.text}"
        if word.says("LIMIT") and _is_number(behind) and _texts(behind[1:2]) == [","]:
            if not _is_number(behind[2:3]):
                continue
            limit = f"LIMIT {behind[2].text} OFFSET {behind[0].text}"
            return f"{sql[: word.start]}{limit}{sql[behind[2].stop :]}"
    return ""


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


def _texts(words: Sequence[Token]) -> list[str]:
    return [word.text for word in words]
