"""A question in a form that every side can put in its own words: SQL, polars, pandas.

Standard library only: the sides run in environments of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

type Filter = tuple[str, str, Any]
"""A dotted column, one of `= > >= <`, a value."""

type Aggregate = tuple[str, str, str]
"""One of `count sum avg min max`, a dotted column or `*`, the name of the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Rows that pass all filters, grouped and aggregated; the order of the groups is left open."""

    filters: Sequence[Filter] = ()
    group: Sequence[str] = ()
    aggregates: Sequence[Aggregate] = (("count", "*", "n"),)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the query that `to_json` wrote."""
        values: dict[str, Any] = {
            name: tuple(tuple_or(item) for item in items) for name, items in fields.items()
        }
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the query as plain values."""
        return asdict(self)

    @property
    def columns(self) -> list[str]:
        """The dotted columns that the query needs, each once."""
        used = [name for name, _, _ in self.filters]
        used.extend(self.group)
        used.extend(name for _, name, _ in self.aggregates if name != "*")
        return list(dict.fromkeys(used))

    def sql(self, source: str, words: str = "") -> str:
        """Return the query in DuckDB's SQL over a table or table function.

        Args:
            source: What stands behind FROM.
            words: A comment, which makes it another text.
        """
        shown = [f"{_quoted(name)} AS {leaf(name)}" for name in self.group]
        shown.extend(
            f"{function}({'*' if name == '*' else _quoted(name)}) AS {alias}"
            for function, name, alias in self.aggregates
        )
        text = f"SELECT {', '.join(shown)} FROM {source}"  # noqa: S608 - the benchmark's own words
        if self.filters:
            text += " WHERE " + " AND ".join(
                f"{_quoted(name)} {operator} {_literal(value)}"
                for name, operator, value in self.filters
            )
        if self.group:
            text += " GROUP BY " + ", ".join(_quoted(name) for name in self.group)
        return f"{text} -- {words}" if words else text


def tuple_or(item: object) -> object:
    """Return a list as a tuple, anything else as it is."""
    return tuple(item) if isinstance(item, list) else item


def leaf(name: str) -> str:
    """Return the last part of a dotted column."""
    return name.rpartition(".")[2]


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
