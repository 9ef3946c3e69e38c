"""Selects text columns as typed ones: one cast each, or of very many, one for each list of them.

The engine binds every expression anew for every query, and looks for what expressions have in
common in time that grows with the square of their number: with thousands of casts that takes longer
than all else. A cast of a list costs as much as one of a value, so columns of a type that stand
together are cast as a list; the lists are short, so that those which a query does not name are not
read.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched

from s3_data_lake_mcp.engines import Written
from s3_data_lake_mcp.engines.casts import BLANK, TEXT, checked_cast, checked_list
from s3_data_lake_mcp.engines.sqltext import identifier

MOST_SINGLE = 100
"""Of more columns, lists are cast: of some that a query does not name, too."""

_WRITTEN = f"lake_{secrets.token_hex(8)}_"
_LIST_COLUMNS = 25
_MOST_LISTS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumn:
    """A column to be cast.

    `name` is its name in misfits, `text` the SQL of its text, `kind` the type; `tokens` and `empty`
    say what is null, `cents` how it is written, see `checked_cast`.
    """

    name: str
    text: str
    kind: str
    tokens: bool = False
    empty: bool = False
    cents: bool = False


@dataclass(slots=True)
class Texts:
    """The texts of columns that are cast, beside their values, and what turns one into the other.

    `found` tells the names of both, by column; `casts` are the expressions, of a text `t`, by name.
    """

    found: dict[str, Written] = field(default_factory=dict)
    casts: dict[str, str] = field(default_factory=dict)

    def add(self, at: int, column: TextColumn, table: int) -> str:
        """Return what to select to have the text of a column, too."""
        written = Written(text=f"{_WRITTEN}t{at}", value=f"{_WRITTEN}v{at}")
        self.found[column.name] = written
        self.casts[written.value] = _value(replace(column, text="t"), table)
        return f"{column.text} AS {written.text}"


def typed_select(
    fields: Mapping[str, TextColumn | str], table: int, source: str, texts: Texts | None = None
) -> str:
    """Return a SELECT of fields by name: columns to cast, or SQL that is right as it is.

    `texts` takes the texts, if they are wanted; of very many columns there are none.
    """
    wanted = [f for f in fields.values() if isinstance(f, TextColumn) and f.kind != TEXT]
    lists = list(_lists(wanted)) if len(wanted) > MOST_SINGLE else []
    inner: dict[str, str] = {}
    elements: dict[str, str] = {}
    for at, columns in enumerate(lists):
        inner[f"lake_l{at}"] = _list_of(columns, table)
        elements |= {c.name: f"lake_l{at}[{i}]" for i, c in enumerate(columns, start=1)}
    listed = []
    for at, (name, one) in enumerate(fields.items()):
        if isinstance(one, TextColumn) and one.name in elements:
            value = elements[one.name]
        elif lists:
            value = f"lake_o{at}"
            inner[value] = _value(one, table)
        else:
            value = _value(one, table)
        listed.append(f"{value} AS {identifier(name)}")
    if texts is not None and not lists:
        for at, one in enumerate(fields.values()):
            # Of what has become text, a statement that runs again may name the text.
            if not isinstance(one, TextColumn):
                continue
            if one.kind not in (TEXT, BLANK) or one.name in texts.found:
                listed.append(texts.add(at, one, table))
    if lists:
        within = ", ".join(f"{value} AS {name}" for name, value in inner.items())
        source = f"(SELECT {within} FROM {source})"  # noqa: S608 - all of it is quoted
    return f"SELECT {', '.join(listed)} FROM {source}"  # noqa: S608 - all of it is quoted


def list_casts(columns: Sequence[TextColumn]) -> list[str]:
    """Return expressions that raise where one of the columns is a misfit, of no table by name."""
    return [_list_of(some, 0) for some in _lists(columns)]


def _lists(columns: Sequence[TextColumn]) -> Iterator[Sequence[TextColumn]]:
    alike: dict[tuple[str, bool, bool], list[TextColumn]] = {}
    for column in columns:
        alike.setdefault((column.kind, column.tokens, column.empty), []).append(column)
    for some in alike.values():
        yield from batched(some, max(_LIST_COLUMNS, len(some) // _MOST_LISTS))


def _list_of(columns: Sequence[TextColumn], table: int) -> str:
    first = columns[0]
    return checked_list(
        [(column.name, column.text) for column in columns],
        first.kind,
        table,
        tokens=first.tokens,
        empty=first.empty,
    )


def _value(field: TextColumn | str, table: int) -> str:
    if isinstance(field, str):
        return field
    return checked_cast(
        field.text,
        field.kind,
        (table, field.name),
        tokens=field.tokens,
        empty=field.empty,
        cents=field.cents,
    )
