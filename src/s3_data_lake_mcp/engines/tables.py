"""What tables of all formats share: paths in the scope, partitions as columns, learning."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines.casts import TEXT
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.engines.places import Member, Place, paths_of
from s3_data_lake_mcp.engines.sqltext import struct
from s3_data_lake_mcp.engines.watched import WATCHED_BYTES
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.csv_types import typed_column
from s3_data_lake_mcp.storage.filesystem import STREAM_SCHEME
from s3_data_lake_mcp.storage.readahead import BUFFER_BYTES
from s3_data_lake_mcp.storage.scope import Readable, Scope
from s3_data_lake_mcp.wire import numbered

ALL_MEMBERS = 64
"""Tables of more objects than this are known by a sample; what differs is found when it is read."""

_HEAD_THREADS = 16
_SAMPLED_MEMBERS = 12
_MORE = 4

_MODEST_MEMBERS = 1_000
_NAMED = 5

_TYPES = {
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
    pa.timestamp("us"): "TIMESTAMP",
    pa.timestamp("ns"): "TIMESTAMP_NS",
    pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
    pa.timestamp("ns", "UTC"): "TIMESTAMPTZ_NS",
}


type Mode = Literal["plain", "transcoded", "cleaned"]
"""How text gets to the engine: as it is, in UTF-8, or record by record as the loader reads it."""


class Table(ABC):
    """Objects on their way to being a view of the engine.

    `brief` is the number of rows, if only the first few are wanted: then text is read by the
    loader's own reader, which fetches no more than it needs. Text of more than `most_cached_bytes`
    passes by the engine's cache. `members` are the objects by the paths under which the last view
    reads them.

    `number` names it in errors. `narrowing` is a condition on its partitions: of the objects that
    do not fit, the view has nothing. Of the objects `beside` those that are read, only the columns
    count.
    """

    def __init__(self, number: int, name: str, place: Place) -> None:
        self.number = number
        self.name = name
        self.place = place
        self.brief: int | None = None
        self.most_cached_bytes = 0
        self.narrowing = ""
        self.members: Mapping[str, Member] = {}
        self._partitions = partition_types(place)
        self._focus = sampled(place.members)
        self.beside: Sequence[Member] = ()
        self._nearest = 1
        # Plain text is looked at as it passes.
        self._is_watched = place.size_bytes <= WATCHED_BYTES

    def focus(self, members: Sequence[Member]) -> None:
        """Say which objects are going to be read: their columns count, of very many some."""
        self._focus = sampled(members)

    @property
    def is_cut(self) -> bool:
        """Whether objects behind the first rows are not in the view."""
        return False

    @property
    def read(self) -> list[Member]:
        """The objects that are going to be read, of very many some, as far as is known."""
        beside = set(map(id, self.beside))
        return [member for member in self._focus if id(member) not in beside]

    def _named(self, path: str) -> Member | None:
        """Return the object that an error names."""
        return next((one for one in self.place.members if str(one.info.ref) == path), None)

    def _around(self, member: Member) -> Sequence[Member]:
        """Return one that surprised and those around it, each time four times as many.

        Where one object is not like the others, or not as its head shows, more may not be: also
        before it, for several are read at once.
        """
        members = self.place.members
        at = next(i for i, one in enumerate(members) if one is member)
        found = members[max(0, at - self._nearest + 1) : at + self._nearest]
        self._nearest *= _MORE
        return found

    def _hidden(self, stored: Iterable[str]) -> list[str]:
        """Say which columns of the objects are not shown: those that partitions are called like."""
        names = {name.lower() for name in stored}
        found = [quoted(name) for name in self._partitions if name.lower() in names]
        listed = first_of(found, _NAMED)
        said = f"Columns that are partitions, too, have the values of the folders: {listed}."
        return [said] if found else []

    def read_ahead(self, session: Session, members: Iterable[Member] | None = None) -> None:
        """Have the objects that are going to be read, or all, fetched before the engine gets there.

        They are read in the order of their paths, and what the engine has in its cache is not.
        """
        if len(self.members) == 1:
            return
        wanted = None if members is None else {id(member) for member in members}
        scope, cached = session.scope, session.cached()
        scope.read_ahead(
            {
                path: min(member.info.size_bytes, BUFFER_BYTES)
                for path, member in self.members.items()
                if (wanted is None or id(member) in wanted)
                and not cached.holds(path, 0, scope.find(path).size_bytes)
            }
        )

    @abstractmethod
    def select(self, session: Session) -> str:
        """Return the SELECT that the view stands for, its paths put into the session's scope."""

    @abstractmethod
    def learn(self, error: duckdb.Error, failure: Exception | None) -> bool:
        """Take from an error how to read better; False if it says nothing about this table."""

    @abstractmethod
    def notices(self) -> Sequence[str]:
        """Return what there is to say of how it was read."""

    @property
    @abstractmethod
    def columns(self) -> Sequence[str]:
        """The columns of the view, once it was selected."""


def need_heads(members: Sequence[Member], length: int) -> None:
    """Have the first bytes of several objects, fetched side by side; who needs one gets it."""
    if len(members) > 1:
        with ThreadPoolExecutor(_HEAD_THREADS) as pool:
            list(pool.map(lambda member: member.opened.need_head(length), members))


def type_name(kind: pa.DataType) -> str:
    """Return the engine's name of a type that text columns have."""
    return _TYPES.get(kind, TEXT)


@dataclass(slots=True)
class Paths:
    """Puts objects into a scope and gives the path, or pattern, that names them all.

    `members` tells whose path one is.
    """

    scope: Scope
    table: int
    sets: int = 0
    members: dict[str, Member] = field(default_factory=dict)

    def add(
        self,
        members: Sequence[Member],
        make: Callable[[Member], Readable],
        *,
        cached: bool = True,
        variant: str = "",
    ) -> str:
        """Add members, which share a bucket, each as `make` reads it.

        What is not `cached` by the engine is read from start to end, and again by each query.
        """
        scheme = "s3" if cached else STREAM_SCHEME
        if cached and not variant:
            paths = [member.path for member in members]
        else:
            paths = paths_of([member.info.ref for member in members], scheme, variant=variant)
        for path, member in zip(paths, members, strict=True):
            self.scope.add(path, make(member))
            self.members[path] = member
        if len(paths) == 1:
            return paths[0]
        self.sets += 1
        pattern = f"{scheme}://{members[0].info.ref.bucket}/.set-{self.table}-{self.sets}/*"
        self.scope.add_set(pattern, paths)
        return pattern


def partition_types(place: Place) -> dict[str, str]:
    """Return the partitions of a place with the types that hold all their values."""
    found = zip(place.partitions, zip(*(m.values for m in place.members), strict=True), strict=True)
    return {name: type_name(partition_column(values).type) for name, values in found}


def partition_column(values: Sequence[str | None]) -> "pa.Array[Any]":
    """Return the values of a partition, typed; of what is null elsewhere, the engine knows NULL."""
    column, tokens = typed_column(values)
    return column if tokens <= {"NULL", "null"} else pa.array(values, pa.string())


def partition_options(types: Mapping[str, str]) -> dict[str, str]:
    """Return the options that make partitions columns of these types."""
    if not types:
        return {"hive_partitioning": "false"}
    return {"hive_partitioning": "true", "hive_types": struct(types)}


def sampled(members: Sequence[Member]) -> list[Member]:
    """Return all members, or of more than `ALL_MEMBERS` some, the first and the last among them."""
    if len(members) <= ALL_MEMBERS:
        return list(members)
    step = (len(members) - 1) / (_SAMPLED_MEMBERS - 1)
    return [members[round(step * at)] for at in range(_SAMPLED_MEMBERS)]


def misses_name(error: duckdb.Error) -> bool:
    """Whether a query names a column, or a field of one, that is not there."""
    return isinstance(error, duckdb.BinderException) and any(
        phrase in str(error)
        for phrase in ("not found", "does not have a column", "Could not find key")
    )


def is_modest(place: Place) -> bool:
    """Whether looking at all objects is worth it, to find a column that most of them lack."""
    return len(place.members) <= _MODEST_MEMBERS


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that differ in more than case, which SQL does not tell; numbered where not."""
    return numbered(names, str.lower)


def numbered_notice(names: Iterable[str]) -> str:
    """Say that columns have other names in SQL."""
    listed = ", ".join(islice(names, _NAMED))
    return f"Columns whose names differ only in case were numbered: {listed}."


def raw_paths(table: Table, scope: Scope) -> None:
    """Let a reader in the SQL read a table's objects as they are, under the name it gives them."""
    columnar = table.place.format == "parquet"
    paths = []
    for member in table.place.members:
        one = table.place.kind == "object"
        paths.append(table.name if one else member.raw_path)
        scope.add(paths[-1], member.opened.pinned("columns" if columnar else "scan"))
    if table.place.kind != "object":
        scope.add_set(table.name, paths)
