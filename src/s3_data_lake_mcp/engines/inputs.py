"""The tables of one query: the table `data`, and the objects that its SQL names."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb

from s3_data_lake_mcp.engines import Written
from s3_data_lake_mcp.engines.connection import Reads, Session
from s3_data_lake_mcp.engines.csv_table import CsvTable
from s3_data_lake_mcp.engines.json_table import JsonTable
from s3_data_lake_mcp.engines.opening import Opener
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.places import Place, find_place
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.engines.tables import Table, raw_paths
from s3_data_lake_mcp.engines.typed_select import Texts
from s3_data_lake_mcp.errors import (
    InvalidArgumentError,
    LakeError,
    MalformedDataError,
    ObjectChangedError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, check_versions
from s3_data_lake_mcp.storage.keys import split_uri

DATA = "data"
TEXTS = "texts"
_OPEN_THREADS = 8
_CACHED_SHARE = 0.75
"""Largest share of the cache that one table of text may take."""

_BEGUN_BYTES = 16 << 20
_MOST_BEGUN = 16
"""Texts up to this are fetched before a query is known to be right: if not, it was for nothing."""

_FACT = "begun"
_DIGEST_CHARS = 16


@dataclass(slots=True)
class Inputs:
    """The tables of a query, `data` first if the query uses it.

    `in_readers` are the names of those that readers in the SQL read, with their own options.
    """

    tables: list[Table]
    in_readers: frozenset[str]

    @property
    def data(self) -> Table | None:
        """The table `data`, if the query uses it."""
        first = self.tables[0] if self.tables else None
        return first if first is not None and first.name == DATA else None

    def want_texts(self) -> None:
        """Have the texts of delimited columns at hand, if one object has them all."""
        if isinstance(self.data, CsvTable) and len(self.data.place.members) == 1:
            self.data.texts = Texts()

    def seek_nan(self) -> None:
        """Look for what is not a number, of which statistics do not tell."""
        for table in self.tables:
            if isinstance(table, ParquetTable):
                table.seeks_nan = True

    @property
    def written(self) -> Mapping[str, Written]:
        """How the columns of `data` are written whose texts are at hand, by name."""
        texts = _texts_of(self.data)
        return texts.found if texts is not None else {}

    @property
    def learners(self) -> list[Table]:
        """The tables that an error may be about: what a reader of the SQL reads is its own."""
        return [table for table in self.tables if table.name not in self.in_readers]

    @property
    def places(self) -> list[Place]:
        """What the tables are made of."""
        return [table.place for table in self.tables]

    @property
    def reads(self) -> Reads:
        """What reading them is like."""
        columnar = any(table.place.format == "parquet" for table in self.tables)
        return "columns" if columnar else "text"

    def infos(self) -> Iterator[ObjectInfo]:
        """Yield all objects, in order, each once."""
        seen = set()
        for place in self.places:
            for member in place.members:
                if member.info.ref not in seen:
                    seen.add(member.info.ref)
                    yield member.info

    @property
    def identity(self) -> str:
        """A short digest of all versions."""
        digest = hashlib.sha256()
        for info in self.infos():
            digest.update(f"{info.ref} {info.etag} {info.size_bytes}\n".encode())
        return digest.hexdigest()[:_DIGEST_CHARS]

    def create_views(self, session: Session, *, begins: bool = False) -> None:
        """Make every table a view, and let readers in the SQL read its objects.

        If it `begins`, short texts are going to be read: they are fetched meanwhile.
        """
        for table in self.tables:
            if table.name in self.in_readers:
                raw_paths(table, session.scope)
            try:
                _create_view(table, session, begins=begins and table.name not in self.in_readers)
            except (LakeError, duckdb.Error) as exc:
                if table.name not in self.in_readers:
                    raise
                failure, session.scope.failure = session.scope.failure, None
                if isinstance(exc, duckdb.Error) and table.learn(exc, failure):
                    with contextlib.suppress(LakeError, duckdb.Error):
                        _create_view(table, session)

    def columns(self, session: Session) -> dict[str, list[tuple[str, str]]]:
        """Return the columns of each table that is a view."""
        found: dict[str, list[tuple[str, str]]] = {}
        for table in self.tables:
            try:
                found[table.name] = session.describe(identifier(table.name))
            except duckdb.Error:
                continue
        return found

    def place_notices(self) -> list[str]:
        """Return what there is to say of which objects are read."""
        return [notice for table in self.tables for notice in table.place.notices]

    def notices(self) -> list[str]:
        """Return what there is to say of how the objects are read: text not, if by a reader."""
        said = self.place_notices()
        for table in self.tables:
            if table.name not in self.in_readers or table.place.format == "parquet":
                said += table.notices()
        return list(dict.fromkeys(said))


def _changed(place: str) -> ObjectChangedError:
    message = f"{place} has changed since the cursor was made"
    return ObjectChangedError(message, hint="Start again without a cursor.")


def _texts_of(table: Table | None) -> Texts | None:
    return table.texts if isinstance(table, CsvTable) else None


def _create_view(table: Table, session: Session, *, begins: bool = False) -> None:
    select = table.select(session)
    if begins and isinstance(table, CsvTable):
        _begin(table, session)
    texts = _texts_of(table)
    if texts is not None and texts.found:
        session.execute(f"CREATE OR REPLACE TEMP VIEW {TEXTS} AS {select}")
        for name, cast in texts.casts.items():
            session.execute(f"CREATE OR REPLACE TEMP MACRO {name}(t) AS ({cast})")
        hidden = ", ".join(written.text for written in texts.found.values())
        select = f"SELECT * EXCLUDE ({hidden}) FROM {TEXTS}"  # noqa: S608 - names of our own
    if table.narrowing:
        select = f"SELECT * FROM ({select}) WHERE {table.narrowing}"  # noqa: S608 - quoted
    session.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(table.name)} AS {select}")


def _begin(table: CsvTable, session: Session) -> None:
    """Have a short text fetched, unless the engine has it: once by every instance.

    Short JSON has been read by then, to find the keys of all its records.
    """
    if table.place.size_bytes > _BEGUN_BYTES or len(table.members) > _MOST_BEGUN:
        return
    cached, read = session.cached(), set(map(id, table.read))
    for path, member in table.members.items():
        if id(member) not in read:
            continue
        begun = member.opened.facts.setdefault(_FACT, set())
        if session.generation not in begun:
            begun.add(session.generation)
            pinned = session.scope.find(path)
            if not cached.holds(path, 0, pinned.size_bytes):
                pinned.begin()


def open_inputs(
    opener: Opener,
    wanted: Sequence[tuple[str, str, str]],
    settings: Settings,
    *,
    in_readers: frozenset[str] = frozenset(),
    asked: str = "",
    identity: str = "",
) -> Inputs:
    """Look up the objects of a query.

    Args:
        opener: Opens objects of the call.
        wanted: Name of the table, bucket and key of each.
        settings: The limits.
        in_readers: Names of those that readers in the SQL read.
        asked: The format that `data` must have; empty: any.
        identity: The digest of the versions that an earlier page was read from; empty: none was.

    Raises:
        ObjectChangedError: If an earlier page was read from other versions.
    """
    folded = [name.lower() for name, _, _ in wanted]
    if len(set(folded)) < len(folded):
        message = (
            "The SQL names objects that differ only in case, which one query cannot tell apart"
        )
        raise InvalidArgumentError(message, hint="Query them one after the other.")

    def find(name: str, bucket: str, key: str) -> Place:
        try:
            return find_place(opener, bucket, key, asked if name == DATA else "")
        except (MalformedDataError, UnsupportedFormatError) as exc:
            if not identity:
                raise
            raise _changed(f"s3://{bucket}/{key}") from exc

    if len(wanted) == 1:
        places = [find(*wanted[0])]
    else:
        with ThreadPoolExecutor(_OPEN_THREADS) as pool:
            places = [future.result() for future in [pool.submit(find, *one) for one in wanted]]
        # Two tables may have met two versions of an object: one would be read as the other.
        check_versions(member.info for place in places for member in place.members)
    tables = [
        _table(number, name, place, settings)
        for number, ((name, _, _), place) in enumerate(zip(wanted, places, strict=True))
    ]
    inputs = Inputs(tables, in_readers)
    if identity and identity != inputs.identity:
        raise _changed(places[0].uri if len(places) == 1 else "What the query reads")
    return inputs


def _table(number: int, name: str, place: Place, settings: Settings) -> Table:
    table: Table
    if place.format == "parquet":
        table = ParquetTable(number, name, place)
    elif place.format == "json":
        table = JsonTable(number, name, place, settings.max_decoded_bytes)
    else:
        table = CsvTable(number, name, place, settings.max_decoded_bytes)
    table.most_cached_bytes = int(settings.cache_bytes * _CACHED_SHARE)
    return table


def uri_place(uri: str) -> tuple[str, str, str]:
    """Return the name, bucket and key of a table that the SQL names by a URI."""
    found = split_uri(uri)
    if found is None:
        raise InvalidArgumentError(f"{uri} is no s3:// URI", hint="Write s3://bucket/key.")
    return uri, *found
