"""Parquet as a view: one file as it is, many with the union of their columns by name."""

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.parquet_columns import (
    aliases_of,
    common_types,
    exact_types,
    numbered_names,
    one_of_each,
    split_names,
)
from s3_data_lake_mcp.engines.parquet_notices import (
    computed_notices,
    legacy_notices,
    mixed_notices,
)
from s3_data_lake_mcp.engines.places import Member, Place
from s3_data_lake_mcp.engines.sqltext import call, literal
from s3_data_lake_mcp.engines.tables import (
    Paths,
    Table,
    distinct,
    is_modest,
    misses_name,
    numbered_notice,
    partition_options,
)
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter, open_footer
from s3_data_lake_mcp.storage.pinned import PinnedObject
from s3_data_lake_mcp.storage.scope import SurpriseError

_FACT = "footer"
_LEAVES = "leaves"
_FOOTER_THREADS = 24
_LEADING = 24
"""Objects at most that are looked at to find those which hold the first rows."""

_KEPT_FOOTER_BYTES = 256 << 10
_HELD_FOOTER_BYTES = 16 << 20
"""Longer footers of a table, together, that stay for the call: parsed, they take six times that."""

_END_BYTES = 8
"""Behind a footer: its length, and the magic number."""

_KEPT_MEMBERS = 8
"""Small objects that stay in memory for the whole of a query: 64 MiB at most."""


def footer_of(member: Member) -> ParquetFooter:
    """Return an object's footer, checked; it is read once for each version if it is not long.

    A long one is parsed once for each call; its bytes are kept, for the engine too, if there is
    room for them.

    Raises:
        MalformedDataError: If there is none.
    """
    opened = member.opened
    found: ParquetFooter | None = opened.facts.get(_FACT) or opened.footer
    if found is None:
        tail = opened.need_tail()
        found = open_footer(opened.reader())
        if len(found.data) <= _KEPT_FOOTER_BYTES:
            opened.facts[_FACT] = found
        elif len(found.data) <= opened.footer_room:
            opened.footer = found
            opened.tail = max(tail, found.data + tail[-_END_BYTES:], key=len)
            opened.memory.keep(opened.info, "tail", opened.tail)
    return found


def knows_footer(member: Member) -> bool:
    """Whether an object's footer is here, so that `footer_of` reads nothing."""
    return _FACT in member.opened.facts or member.opened.footer is not None


def _leaves(metadata: pq.FileMetaData) -> frozenset[str]:
    """Return the columns, those inside of others too, each with its type."""
    columns = map(metadata.schema.column, range(metadata.num_columns))
    return frozenset(f"{c.path.lower()} {c.physical_type} {c.logical_type}" for c in columns)


def _remembered(member: Member) -> ParquetFooter:
    """Return an object's footer, and remember its columns: its end is not looked at again."""
    footer = footer_of(member)
    if _LEAVES not in member.opened.facts:
        member.opened.facts[_LEAVES] = _leaves(footer.metadata)
    return footer


def _leaves_of(member: Member) -> frozenset[str]:
    facts = member.opened.facts
    if _LEAVES not in facts:
        _remembered(member)
    found: frozenset[str] = facts[_LEAVES]
    return found


class ParquetTable(Table):
    """A table of Parquet objects.

    `stored` are its first columns, each with its type if all files have the same. `seeks_nan` says
    that what is not a number is looked for: statistics do not tell of it, and the engine takes them
    at their word unless told not to. If it is `brief`, only the `leading` objects,
    which hold as many rows, are in the view.
    """

    def __init__(self, number: int, name: str, place: Place) -> None:
        super().__init__(number, name, place)
        self.seeks_nan = False
        self.leading: Sequence[Member] = place.members
        self.objects: dict[str, PinnedObject] = {}
        self._leaves: frozenset[str] = frozenset()
        self._notices: list[str] = []
        self.stored: Sequence[tuple[str, pa.DataType | None]] = ()
        for member in place.members:
            member.opened.footer_room = _HELD_FOOTER_BYTES // len(place.members)

    def select(self, session: Session) -> str:
        """Return the SELECT over all objects, with the columns that those in focus have."""
        paths = Paths(session.scope, self.number)
        with ThreadPoolExecutor(_FOOTER_THREADS) as pool:
            footers = list(pool.map(footer_of, self._focus))
            self.leading = self._holding(pool)
            if not self.is_known:
                self._leaves = frozenset().union(*map(_leaves_of, self._focus))
                odd = [member for member in self.place.members if not self._fits(member)]
                self._focus = [*self._focus, *odd]
                footers += pool.map(footer_of, odd)
        self._notices = list(dict.fromkeys(said for one in footers for said in one.notices))
        if numbered := dict.fromkeys(numbered_names(footers)):
            self._notices.append(numbered_notice(numbered))
        types = common_types(footers)
        mixed = {name for name, kind in types.items() if kind is None}
        self._notices += [*legacy_notices(footers), *mixed_notices(footers, mixed)]
        self._notices += self._hidden(name for one in footers for name in one.names)
        source = paths.add(self.leading, self._object)
        unlike = one_of_each(self._focus, footers)
        for member in unlike:
            if member.path not in paths.members:
                paths.add([member], self._object)
        self.members = paths.members
        options = partition_options(self._partitions)
        if self.seeks_nan:
            options["can_have_nan"] = "true"
        aliases, shown = aliases_of(footers), distinct(footers[0].names)
        if len(self.place.members) > 1 and (fields := self._schema(session, unlike, footers)):
            each = ", ".join(_field(literal(name), literal(kind)) for name, kind in fields.items())
            options["schema"] = f"MAP {{{each}}}"
            shown = shown if aliases else tuple(fields)
        self.stored = [(n, None if n in self._partitions else types.get(n.lower())) for n in shown]
        reader = call("read_parquet", source, options)
        return f"SELECT * FROM {reader}{aliases}"  # noqa: S608 - all is quoted

    def _holding(self, pool: ThreadPoolExecutor) -> Sequence[Member]:
        """Return the first objects that hold the rows which are read; all, if that is not known.

        The engine opens many at once, and those of up to 2 MiB whole.
        """
        members = self.place.members
        if self.brief is None:
            return members
        likely = 1 + self.brief // max(1, _remembered(members[0]).num_rows)
        known = pool.map(_remembered, members[: min(likely + 1, _LEADING)])
        for at, rows in enumerate(accumulate(one.num_rows for one in known), 1):
            if rows >= self.brief:
                return members[:at]
        return members

    def _object(self, member: Member) -> PinnedObject:
        few = len(self.place.members) <= _KEPT_MEMBERS
        check = partial(self._check, member)
        made = member.opened.pinned("columns", check=check, keep=few)
        self.objects[member.path] = made
        return made

    def _fits(self, member: Member) -> bool:
        """Whether the view has the columns of an object, in their types, as far as is known."""
        told = _leaves_of(member) if knows_footer(member) else member.opened.facts.get(_LEAVES, ())
        return self._leaves.issuperset(told)

    def _check(self, member: Member, tail: bytes) -> None:
        """Look at the columns of an object that nobody looked at before."""
        if any(member is known for known in self._focus):
            return
        with contextlib.suppress(pa.ArrowException, OSError, ValueError):
            # The engine need not read its footer again, so what it says is remembered.
            member.opened.facts[_LEAVES] = _leaves(pq.read_metadata(pa.BufferReader(tail)))
            if not self._fits(member):
                raise SurpriseError(member.path)

    def _schema(
        self, session: Session, unlike: Sequence[Member], footers: Sequence[ParquetFooter]
    ) -> dict[str, str]:
        """Return the union of the columns with their types: with it the reader opens no object.

        Of objects that hold nothing but what their folders tell it is empty.
        """
        listed = ", ".join(literal(member.path) for member in unlike)
        reader = f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"
        columns = session.describe(reader)
        exact = exact_types(footers)
        return {n: exact.get((n.lower(), t), t) for n, t in columns if n not in self._partitions}

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the objects that were looked at, and the partitions."""
        stored = (name for member in self._focus for name in footer_of(member).names)
        return list(dict.fromkeys([*stored, *self._partitions]))

    @property
    def locked(self) -> Sequence[str]:
        """The columns that are encrypted in one of the objects that were looked at, or more."""
        footers = map(footer_of, self._focus)
        return list(dict.fromkeys(one.names[at] for one in footers for at in sorted(one.locked)))

    @property
    def unreadable(self) -> Sequence[str]:
        """The columns of fixed length in an encoding that the loader reads, and the engine not."""
        footers = map(footer_of, self._focus)
        return list(dict.fromkeys(name for one in footers for name in split_names(one)))

    def read_stored(self, rows: tuple[int, int], place: int) -> "pa.ChunkedArray[Any]":
        """Return a column of a table of one object as the loader reads it.

        `rows` are the number of the first row, and how many.
        """
        (member,) = self.place.members
        footer = footer_of(member)
        start, count = rows
        if not count:
            return pa.Table.from_batches([], footer.schema).column(place)
        request = LoadRequest(max_rows=count, offset=start, columns=(footer.names[place],))
        found = ParquetLoader().load(member.opened.reader(), request)
        return found.table.column(0).slice(0, count)

    def learn(self, error: duckdb.Error, failure: Exception | None) -> bool:
        """Look at all objects, if some were not."""
        if len(self._focus) == len(self.place.members):
            return False
        odd = isinstance(error, duckdb.ConversionException) or isinstance(failure, SurpriseError)
        if not odd and not (misses_name(error) and is_modest(self.place)):
            return False
        self._focus, self.beside = list(self.place.members), ()
        return True

    def notices(self) -> Sequence[str]:
        """Return what the footers say of the columns."""
        return [*self._notices, *computed_notices(self.stored)]

    @property
    def is_cut(self) -> bool:
        """Whether objects behind the first rows are not in the view."""
        return len(self.leading) < len(self.place.members)

    @property
    def is_known(self) -> bool:
        """Whether the footers of all objects were read."""
        return len(self._focus) == len(self.place.members)

    @property
    def num_rows(self) -> int:
        """Rows of the objects that were looked at."""
        return sum(footer_of(member).num_rows for member in self._focus)

    def details(self) -> Mapping[str, Any]:
        """Return the `parquet` part of an answer, from the footers of the objects in focus."""
        footers = [footer_of(member) for member in self._focus]
        read = list(map(footer_of, self.read))
        return {
            "num_rows": sum(footer.num_rows for footer in read),
            "num_row_groups": sum(footer.metadata.num_row_groups for footer in read),
            "created_by": footers[0].created_by,
            "compression": footers[0].compression,
            "encrypted": any(footer.encrypted for footer in footers),
        }


def _field(name: str, kind: str) -> str:
    return f"{name}: {{name: {name}, type: {kind}, default_value: NULL}}"
