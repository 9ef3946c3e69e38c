"""Which columns of an answer are columns of the table `data`, and nothing else.

Read off the syntax tree: names, qualified names and stars, also through subqueries, common table
expressions and joins. Where it cannot be told, a column counts as computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DATA = "data"
_CHANGES = ("qualified_exclude_list", "replace_list", "rename_list", "columns")

type Node = Mapping[str, Any]
type Column = tuple[str, int | None]
"""A name, in lower case, and the place in `data` if that is where the values come from."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What stands behind FROM, under a name; columns that are not known may follow."""

    name: str
    columns: Sequence[Column]

    def place(self, name: str) -> int | None:
        """Return the place of a column that has a name of its own."""
        found = [place for other, place in self.columns if other == name.lower()]
        return found[0] if len(found) == 1 else None


def references(node: Node, names: Sequence[str], width: int) -> dict[int, int]:
    """Return places of columns in an answer of `width` columns with their places in `data`.

    `names` are those of the first columns of `data`; others may follow.
    """
    data = _Source(_DATA, [(name.lower(), at) for at, name in enumerate(names)])
    columns = _columns(node, {_DATA: data}, width)
    found = enumerate(columns if columns is not None else ())
    return {at: place for at, (_, place) in found if place is not None}


def _columns(
    node: Node, tables: Mapping[str, _Source], width: int | None
) -> Sequence[Column] | None:
    """Return the columns of a query, whose number is known or not; None if it cannot be told."""
    if node.get("type") != "SELECT_NODE":
        return None
    for cte in node["cte_map"]["map"]:
        name, value = cte["key"].lower(), cte["value"]
        inside = _source_of(name, value["query_node"], tables, value["aliases"])
        tables = {**tables, name: inside}
    sources = _sources(node["from_table"], tables)
    found: list[Column] = []
    stars = [one for one in node["select_list"] if one["class"] == "STAR"]
    single = len(node["select_list"]) - len(stars)
    for one in node["select_list"]:
        if one["class"] != "STAR":
            found.append(_named(one, sources))
            continue
        expanded = _expanded(one, sources) if len(stars) == 1 else None
        if expanded is None:
            return None
        rest = 0 if width is None else width - single - len(expanded)
        # Columns beside a star stand behind those of it that are not known.
        if rest < 0 or (width is None and single):
            return None
        found += [*expanded, *[("", None)] * rest]
    return found if width is None or len(found) == width else None


def _source_of(
    name: str, node: Node, tables: Mapping[str, _Source], aliases: Sequence[str] = ()
) -> _Source:
    columns = _columns(node, tables, None) if not aliases else None
    return _Source(name, columns or ())


def _sources(node: Node, tables: Mapping[str, _Source]) -> list[_Source]:
    """Return what can be named; what is not understood has no columns."""
    kind, alias = node["type"], str(node.get("alias") or "").lower()
    if node.get("column_name_alias"):
        return [_Source(alias, ())]
    if kind == "BASE_TABLE":
        name = node["table_name"].lower()
        known = tables.get(name)
        columns = known.columns if known is not None else ()
        return [_Source(alias or name, columns)]
    if kind == "SUBQUERY":
        return [_source_of(alias, node["subquery"]["node"], tables)]
    if kind == "JOIN":
        return [*_sources(node["left"], tables), *_sources(node["right"], tables)]
    return [_Source(alias, ())]


def _named(one: Node, sources: Sequence[_Source]) -> Column:
    """Return a column that is selected by itself."""
    path = one["column_names"] if one["class"] == "COLUMN_REF" else []
    name = str(one.get("alias") or (path[-1] if path else "")).lower()
    if len(path) == 1 and len(sources) == 1:
        return name, sources[0].place(path[0])
    # What stands before a dot may be a column with fields, too.
    if len(path) == 2 and not any(  # noqa: PLR2004 - a table and a column
        other == path[0].lower() for source in sources for other, _ in source.columns
    ):
        owners = [source for source in sources if source.name == path[0].lower()]
        if len(owners) == 1:
            return name, owners[0].place(path[1])
    return name, None


def _expanded(star: Node, sources: Sequence[_Source]) -> list[Column] | None:
    """Return the columns of a star that are known, the first of it; None if it cannot be told."""
    if any(star[change] for change in _CHANGES):
        return None
    named = str(star["relation_name"] or "").lower()
    chosen = [source for source in sources if not named or source.name == named]
    if len(chosen) != 1 or not chosen[0].columns:
        return None
    left_out = {str(name).lower() for name in star["exclude_list"]}
    return [column for column in chosen[0].columns if column[0] not in left_out]
