"""The columns of JSON records: a tree of types for each, read as text and cast exactly."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from s3_data_lake_mcp.engines.casts import (
    BLANK,
    TEXT,
    checked_cast,
    checked_item,
    checked_json,
    is_huge,
    widened,
)
from s3_data_lake_mcp.engines.guard_text import ascii_lower
from s3_data_lake_mcp.engines.sqltext import identifier, literal
from s3_data_lake_mcp.engines.tables import type_name
from s3_data_lake_mcp.engines.used_fields import UsedFields, fields_behind
from s3_data_lake_mcp.loaders.csv_types import guess

_SCALARS = {
    "bigint": "BIGINT",
    "ubigint": "BIGINT",
    "hugeint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}
"""The types that the engine finds, as the narrowest that may do; values that do not fit widen it.

It takes integers for huge already where some are negative and some are not.
"""

RAW = {"BIGINT", "HUGEINT", "DOUBLE", "BOOLEAN"}
"""What is read as JSON: of a number, the engine makes that sooner than text."""

_STAMPS = {"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMPTZ", "TIMESTAMPTZ_NS"}
_MOST_LEVELS = 20
_MOST_FIELDS = 2_000
_PATH = "."
_ALONE = "lake_alone"


@dataclass(slots=True)
class Node:
    """A type: a scalar's name, or `LIST` with one child, or `STRUCT` with named ones.

    It is `blank` where no value was seen: text for want of anything better. `mixed` says that among
    its numbers are fractions as well as integers of more than 64 bits, as far as is known.
    """

    kind: str
    children: dict[str, "Node"] = field(default_factory=dict)
    blank: bool = False
    mixed: bool = False

    def read_type(self, *, raw: bool = False) -> str:
        """Return the type to read: text for every scalar, or JSON for what is `RAW`, if `raw`."""
        if not self.children:
            return "JSON" if raw and self.kind in RAW else TEXT
        if self.kind == "LIST":
            return f"{self.children[''].read_type(raw=raw)}[]"
        fields = (f"{identifier(n)} {c.read_type(raw=raw)}" for n, c in self.children.items())
        return f"STRUCT({', '.join(fields)})"

    def is_text(self) -> bool:
        """Whether nothing in it has to be cast."""
        if not self.children:
            return self.kind == TEXT and not self.blank
        return all(child.is_text() for child in self.children.values())

    def cast(
        self,
        value: str,
        table: int,
        path: str,
        level: int = 0,
        *,
        raw: bool = False,
        alone: bool = False,
    ) -> str:
        """Return the expression that turns a value of `read_type` into this type, or raises.

        `alone` gives each scalar a lambda, which names the value once: wherever a field is named,
        the engine makes room for the whole of its struct, and each of many fields has many places.
        """
        if self.is_text():
            return value
        if not self.children:
            if not alone:
                return self._scalar(value, (table, path), raw=raw, inside=level > 0)
            inner = self._scalar(_ALONE, (table, path), raw=raw, inside=True)
            return f"list_transform([{value}], lambda {_ALONE}: {inner})[1]"
        if self.kind == "LIST":
            element = f"lake_e{level}"
            of_list, below = self.children[""], f"{path}{_PATH}"
            inner = of_list.cast(element, table, below, level + 1, raw=raw, alone=alone)
            return f"list_transform({value}, lambda {element}: {inner})"
        fields = []
        for name, child in self.children.items():
            inner = f"struct_extract({value}, {literal(name)})"
            below = f"{path}{_PATH}{name}"
            cast = child.cast(inner, table, below, level, raw=raw, alone=alone)
            fields.append(f"{identifier(name)} := {cast}")
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(fields)}) END"

    def _scalar(self, value: str, place: tuple[int, str], *, raw: bool, inside: bool) -> str:
        checked = checked_item if inside else checked_cast
        if self.blank:
            unseen = checked(value, BLANK, place)
            return f"CASE WHEN {value} = '{{}}' THEN {value} ELSE {unseen} END"
        if raw and self.kind in RAW:
            return checked_json(value, self.kind, place, inside=inside)
        return checked(value, self.kind, place)

    def widen(self, path: str, value: str) -> bool:
        """Make room for a value at a path below this node."""
        if not self.children:
            if path or self.kind == TEXT or (self.kind == "HUGEINT" and is_huge(value)):
                return False
            wider = widened(self.kind, value, huge=True)
            if self.kind == "DOUBLE" and not self.mixed and is_huge(value):
                # The engine takes them for doubles.
                wider = "HUGEINT"
            elif self.mixed and wider == "DOUBLE":
                wider = TEXT
            self.mixed = self.mixed or {self.kind, wider} == {"DOUBLE", "HUGEINT"}
            self.kind = wider
            return True
        return any(child.widen(rest, value) for child, rest in self._below(path))

    def blanks(self, path: str) -> Iterator["Node"]:
        """Yield what has no value at a path below this node."""
        if not self.children and self.blank and not path:
            yield self
        for child, rest in self._below(path):
            yield from child.blanks(rest)

    def _below(self, path: str) -> Iterator[tuple["Node", str]]:
        """Yield the children that a path may lead to: names may hold the mark."""
        for name, child in self.children.items():
            head = f"{_PATH}{name}"
            if path.startswith(head):
                yield child, path[len(head) :]

    def narrowed(self, fields: Sequence[tuple[str, ...]]) -> "Node":
        """Return it with these fields only, named from here on in lower case; all if one is not."""
        found = {}
        for name, child in self.children.items():
            deeper = [path[1:] for path in fields if path[0] == name.lower()]
            if deeper:
                found[name] = child.narrowed(deeper) if all(deeper) else child
        known = {name.lower() for name in found}
        is_known = self.kind == "STRUCT" and all(path[0] in known for path in fields)
        return Node(self.kind, found) if is_known else self

    def parted(self) -> "Node":
        """Return it with text for structs with fields that SQL cannot tell apart, by their case."""
        if not self.children:
            return self
        if _differ_in_case(self.children):
            return Node(TEXT)
        parts = {name: child.parted() for name, child in self.children.items()}
        return Node(self.kind, parts)

    def refine(self, values: Iterable[object]) -> None:
        """See of text whether its values are timestamps, or whether there are none.

        The engine takes for timestamps only what is all written in one way, and for doubles what
        are integers of more than 64 bits.
        """
        found = [value for value in values if value is not None]
        if self.kind == "LIST" and self.children:
            self.children[""].refine(v for one in found if isinstance(one, list) for v in one)
        elif self.children:
            objects = [one for one in found if isinstance(one, dict)]
            for name, child in self.children.items():
                child.refine(one[name] for one in objects if name in one)
        elif self.kind == TEXT:
            texts = {value for value in found if isinstance(value, str)}
            kind = type_name(guess(texts)) if all(isinstance(v, str) for v in found) else TEXT
            self.kind = kind if kind in _STAMPS else TEXT
            self.blank = all(value == {} for value in found)
        elif self.kind == "DOUBLE":
            self.mixed = not all(type(value) is int for value in found)
            self.kind = "DOUBLE" if self.mixed else "HUGEINT"

    def keep_stamps(self, other: "Node") -> None:
        """Take text for the timestamps that another look has found in it."""
        if not self.children and self.kind == TEXT and other.kind in _STAMPS:
            self.kind = other.kind
        for name in self.children.keys() & other.children.keys():
            self.children[name].keep_stamps(other.children[name])

    def new_texts(self, value: str, known: "Node | None") -> Iterator[tuple[str, "Node"]]:
        """Yield the texts of which an earlier look has seen no value, and the SQL of one."""
        if self.kind == TEXT and (known is None or known.blank):
            yield value, self
        for name, child in self.children.items():
            at = "1" if self.kind == "LIST" else literal(name)
            yield from child.new_texts(f"({value})[{at}]", known and known.children.get(name))


def narrowed(nodes: Mapping[str, Node], used: UsedFields | None) -> dict[str, Node]:
    """Return columns with those of their fields only that a query uses, and SQL can tell apart."""
    found = {}
    for name, node in nodes.items():
        fields = fields_behind(used, name) if used is not None and node.children else None
        found[name] = (node if fields is None else node.narrowed(fields)).parted()
    return found


def has_twins(values: Iterable[object]) -> bool:
    """Whether names in objects, at one place in all values, differ only in case."""
    inside: dict[str, list[object]] = {}
    for value in values:
        if isinstance(value, dict):
            for name, inner in value.items():
                inside.setdefault(name, []).append(inner)
        elif isinstance(value, list):
            inside.setdefault("", []).extend(value)
    return _differ_in_case(inside) or any(map(has_twins, inside.values()))


def _differ_in_case(names: Collection[str]) -> bool:
    return len({ascii_lower(name) for name in names}) < len(names)


def node_of(kind: Any) -> Node:  # noqa: ANN401 - DuckDB's type objects have no types
    """Return the tree of a type that the engine found; what is too deep or wide is text."""
    node = _node(kind, 1)
    return Node(TEXT) if sum(1 for _ in leaves(node)) > _MOST_FIELDS else node


def _node(kind: Any, level: int) -> Node:  # noqa: ANN401 - as above
    if level > _MOST_LEVELS:
        return Node(TEXT)
    if kind.id == "list":
        return Node("LIST", {"": _node(kind.children[0][1], level + 1)})
    if kind.id == "struct":
        fields = {name: _node(child, level + 1) for name, child in kind.children}
        return Node("STRUCT", fields)
    return Node(_SCALARS.get(kind.id, TEXT))


def leaves(node: Node) -> Iterator[Node]:
    """Yield the scalars of a tree."""
    if not node.children:
        yield node
    for child in node.children.values():
        yield from leaves(child)


def together(one: Node, other: Node) -> Node:
    """Return the type that holds what both hold."""
    if one.blank or other.blank:
        return other if one.blank else one
    if one.children and other.children and one.kind == other.kind:
        names = dict.fromkeys([*one.children, *other.children])
        return Node(one.kind, {name: _either(one, other, name) for name in names})
    if one.children or other.children:
        return Node(TEXT)
    if one.kind == other.kind:
        return Node(one.kind, mixed=one.mixed or other.mixed)
    pair = {one.kind, other.kind}
    if pair <= {"BIGINT", "HUGEINT", "DOUBLE"}:
        doubles = [node for node in (one, other) if node.kind == "DOUBLE"]
        # The engine calls integers of more than 64 bits doubles, too.
        unsure = "HUGEINT" in pair and any(not node.mixed for node in doubles)
        kind = "DOUBLE" if doubles and not unsure else "HUGEINT"
        return Node(kind, mixed=unsure or one.mixed or other.mixed)
    finer = max(one.kind, other.kind)
    is_finer = finer in _STAMPS and finer == f"{min(one.kind, other.kind)}_NS"
    return Node(finer if is_finer else TEXT)


def _either(one: Node, other: Node, name: str) -> Node:
    mine, theirs = one.children.get(name), other.children.get(name)
    if mine is None or theirs is None:
        found = mine or theirs
        return found if found is not None else Node(TEXT)
    return together(mine, theirs)
