"""How the tree of a PIVOT that finds its columns in the data is seen at all.

DuckDB makes several statements of such a PIVOT and shows the tree of none. `ON a` is short for
`ON a IN <an enum type made from the data>`; so that is written out, with an enum's name of our own,
and DuckDB shows the tree of that. Every other word stays where it was, and the tree counts only if
all the names come out in it as such enums: then what is left without them is the query given.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice, pairwise, product
from typing import Final

from s3_data_lake_mcp.engines.guard_text import Token

MAX_TRIES: Final = 24
_MARK: Final = "__guard_pivot_"
_PIVOTS = ("PIVOT", "PIVOT_WIDER")
_ENDS = ("USING", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT")

type Span = tuple[int, int]


def marked_pivots(sql: str, words: Sequence[Token]) -> Iterator[tuple[str, int]]:
    """Propose texts in which each PIVOT names an enum, with the number of names put in.

    Which ON belongs to a PIVOT, and not to a join before it, only the parser can tell: the
    likeliest comes first.
    """
    for spans in islice(_proposals(words), MAX_TRIES):
        yield _marked(sql, spans), len(spans)


def has_marks(enums: Sequence[str], count: int) -> bool:
    """Tell whether the enums of a tree's PIVOTs hold every name that was put in, once."""
    ours = sorted(name for name in enums if name.startswith(_MARK))
    return ours == sorted(f"{_MARK}{number}" for number in range(count))


def _proposals(words: Sequence[Token]) -> Iterator[list[Span]]:
    choices = [
        [*_entries_after(words, place), []]
        for place, word in enumerate(words)
        if word.says(*_PIVOTS)
    ]
    for chosen in product(*choices):
        spans = sorted(chain.from_iterable(chosen))
        if spans and all(before[1] <= after[0] for before, after in pairwise(spans)):
            yield spans


def _entries_after(words: Sequence[Token], place: int) -> list[list[Span]]:
    """Return, for each ON that follows, the places of the comma-separated expressions behind it."""
    level = _same_level(words, place + 1)
    found = []
    for index in [i for i in level[:-1] if words[i].says("ON")]:
        behind = [i for i in level if i > index]
        stop = next((i for i in behind[:-1] if words[i].says(*_ENDS)), behind[-1])
        cuts = [index, *(i for i in behind if i < stop and words[i].text == ","), stop]
        if all(before + 1 < after for before, after in pairwise(cuts)):
            found.append([(words[a + 1].start, words[b - 1].stop) for a, b in pairwise(cuts)])
    return found


def _same_level(words: Sequence[Token], start: int) -> list[int]:
    """Return the words from a place on that are in no inner brackets, and where they end."""
    depth = 0
    level: list[int] = []
    for index in range(start, len(words)):
        if words[index].text in {")", "]", "}"}:
            depth -= 1
        if depth < 0 or words[index].text == ";":
            return [*level, index]
        if depth == 0:
            level.append(index)
        if words[index].text in {"(", "[", "{"}:
            depth += 1
    return [*level, len(words)]


def _marked(sql: str, spans: Sequence[Span]) -> str:
    pieces, last = [], 0
    for number, (start, stop) in enumerate(spans):
        # The line ends a comment that the expression may end in.
        pieces += [sql[last:start], "(", sql[start:stop], f"\n) IN {_MARK}{number} "]
        last = stop
    return "".join([*pieces, sql[last:]])
