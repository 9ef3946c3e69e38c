"""Delimited text as a view: the dialect, names and types that the CSV loader finds, exactly."""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import duckdb

from s3_data_lake_mcp.engines.casts import TEXT, checked_cast, misfit_example, misfit_of
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_layout import (
    SNIFF_BYTES,
    Layout,
    find_layout,
    merged_kinds,
    reader_options,
)
from s3_data_lake_mcp.engines.csv_regular import passed
from s3_data_lake_mcp.engines.csv_stream import (
    Irregular,
    batched,
    cleaned,
    decoded,
    transcoded,
)
from s3_data_lake_mcp.engines.places import Member, Place
from s3_data_lake_mcp.engines.sqltext import call, identifier, struct
from s3_data_lake_mcp.engines.streams import DecodedStream
from s3_data_lake_mcp.engines.tables import (
    Paths,
    is_modest,
    misses_name,
    partition_options,
    partition_types,
    sampled,
)
from s3_data_lake_mcp.storage.pinned import Access, PinnedObject
from s3_data_lake_mcp.storage.scope import SurpriseError

_FACT = "csv"
_INNER = "lake_c"
_SNIFF_THREADS = 16
_SURVEYED_MISFITS = 3
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)


class CsvTable:
    """A table of delimited text.

    Args:
        number: Its number, which names it in errors.
        name: The view's name.
        place: Its objects.
        max_decoded_bytes: Budget of decompressed bytes for each of them.
    """

    def __init__(self, number: int, name: str, place: Place, max_decoded_bytes: int) -> None:
        self.number = number
        self.name = name
        self.place = place
        self.brief: int | None = None
        self.most_cached_bytes = 0
        self._budget = max_decoded_bytes
        self._partitions = partition_types(place)
        self._irregular: dict[str, list[Irregular]] = {}
        self._guessed: dict[str, Member] = {}
        self._misfits = 0
        self.members: Mapping[str, Member] = {}
        self._focus = sampled(place.members)

    def focus(self, members: Sequence[Member]) -> None:
        """Look at these objects before they are read, of very many at some."""
        self._focus = sampled(members)

    def select(self, session: Session) -> str:
        """Return the SELECT over all objects, those of a shape read together."""
        self._irregular.clear()
        groups = self._groups()
        kinds = merged_kinds(layout for layout, _ in groups)
        paths = Paths(session.scope, self.number)
        self.members = paths.members
        if self._misfits >= _SURVEYED_MISFITS:
            self._survey(session, groups, kinds, paths)
            kinds = merged_kinds(layout for layout, _ in groups)
        parts = [self._part(layout, members, kinds, paths) for layout, members in groups]
        return " UNION ALL BY NAME ".join(parts)

    def _survey(
        self,
        session: Session,
        groups: Sequence[tuple[Layout, list[Member]]],
        kinds: Mapping[str, str],
        paths: Paths,
    ) -> None:
        """Look through all typed columns at once: one misfit after the other would take longer."""
        self._misfits = 0
        names = self.inner_names
        for layout, members in groups:
            typed = [c for c in layout.columns if kinds[c.lower()] != TEXT]
            examples = [
                misfit_example(names[column], kinds[column.lower()], token=token)
                for column in typed
                for token in (True, False)
            ]
            if examples:
                source = self._source(layout, members, paths)
                (found,) = session.execute(f"SELECT {', '.join(examples)} FROM {source}")  # noqa: S608 - all of it is quoted
                for at, value in enumerate(found):
                    if value is not None:
                        self._widen(typed[at // 2], value)

    def _groups(self) -> list[tuple[Layout, list[Member]]]:
        """Return the objects by layout; of very many, some are only thought to be like others."""
        members = self.place.members
        self._look_at([member for member in self._focus if _FACT not in member.opened.facts])
        groups: dict[int, tuple[Layout, list[Member]]] = {}
        layout: Layout = self._focus[0].opened.facts[_FACT]
        for member in members:
            known = member.opened.facts.get(_FACT)
            if known is None:
                self._guessed[member.path] = member
            layout = known or layout
            groups.setdefault(id(layout), (layout, []))[1].append(member)
        return list(groups.values())

    def _look_at(self, members: Sequence[Member]) -> None:
        """Find the layouts of members; those that begin alike share one."""
        if len(members) > 1:
            with ThreadPoolExecutor(_SNIFF_THREADS) as pool:
                list(pool.map(lambda member: member.opened.need_head(SNIFF_BYTES), members))
        known: list[Layout] = [
            member.opened.facts[_FACT]
            for member in self.place.members
            if _FACT in member.opened.facts
        ]
        for member in members:
            alike = (one for one in known if one.begins_alike(member.opened))
            layout = next(alike, None) or find_layout(member.opened, self._budget)
            known.append(layout)
            member.opened.facts[_FACT] = layout

    def _part(
        self, layout: Layout, members: Sequence[Member], kinds: Mapping[str, str], paths: Paths
    ) -> str:
        fields = []
        names = self.inner_names
        for column in layout.columns:
            if column not in self._partitions:
                kind, place = kinds[column.lower()], (self.number, column)
                tokens = column in layout.tokens
                value = checked_cast(names[column], kind, place, tokens=tokens)
                fields.append(f"{value} AS {identifier(column)}")
        fields += map(identifier, self._partitions)
        source = self._source(layout, members, paths)
        # The engine takes a blank line in a file of one column for a row.
        only = names[layout.columns[0]]
        where = f" WHERE {only} IS NOT NULL" if len(layout.columns) == 1 else ""
        return f"SELECT {', '.join(fields)} FROM {source}{where}"  # noqa: S608 - all of it is quoted

    def _source(self, layout: Layout, members: Sequence[Member], paths: Paths) -> str:
        """Return the call that reads objects of a layout, every column as text."""
        names = self.inner_names
        source, options = self._reading(layout, members, paths)
        options |= partition_options(self._partitions)
        options["columns"] = struct({names[column]: TEXT for column in layout.columns})
        return call("read_csv", source, options)

    def _reading(
        self, layout: Layout, members: Sequence[Member], paths: Paths
    ) -> tuple[str, dict[str, str]]:
        """Return the path and the options that describe the bytes under it."""
        plain = layout.mode == "plain" and not self.brief
        own_marks = plain or (not self.brief and (layout.passes or layout.mode == "transcoded"))
        options = reader_options(layout, plain=plain, own_marks=own_marks)
        if not plain:
            return paths.add(members, lambda m: self._stream(m, layout), cached=False), options
        start = layout.shape.start
        if layout.shape.dialect.has_header and layout.shape.line == 2:  # noqa: PLR2004 - the header is line 1
            options["header"], start = "true", 0
        variant = f"from {start}" if start else ""
        cached = sum(member.info.size_bytes for member in members) <= self.most_cached_bytes
        access: Access = "scan" if cached else "stream"
        make = lambda m: self._plain(m, layout, start, access)  # noqa: E731 - a closure for one call
        return paths.add(members, make, cached=cached, variant=variant), options

    def _plain(self, member: Member, layout: Layout, skip: int, access: Access) -> PinnedObject:
        def check(data: bytes) -> None:
            if not data.startswith(layout.header[: len(data)]):
                raise SurpriseError(member.path)

        stores = member.opened.stores
        return PinnedObject(
            stores.passing if access == "stream" else stores.plain,
            member.info,
            member.opened.meter,
            access=access,
            head=member.opened.head,
            skip=skip,
            check=check if member.path in self._guessed else None,
        )

    def _stream(self, member: Member, layout: Layout) -> DecodedStream:
        found = self._irregular.setdefault(str(member.info.ref), [])

        def blocks() -> Iterator[bytes]:
            source = member.opened.decoding_reader()
            if layout.mode == "transcoded" and not self.brief:
                return transcoded(source, layout.shape, self._budget)
            found.append(Irregular())
            if layout.passes and not self.brief:
                shape, limit = layout.shape, self._budget
                text = decoded(source, shape, limit)
                return passed(text, shape, str(source.ref), found[-1])
            records = cleaned(source, layout.shape, self._budget, found[-1])
            return batched(islice(records, self.brief))

        return DecodedStream(blocks, f"{member.info.etag} {layout.mode}")

    @property
    def columns(self) -> Sequence[str]:
        """The columns of all objects, by name."""
        found = dict.fromkeys(c for layout, _ in self._groups() for c in layout.columns)
        return list(found | dict.fromkeys(self._partitions))

    @property
    def inner_names(self) -> Mapping[str, str]:
        """How the engine calls the columns."""
        return {column: f"{_INNER}{at}" for at, column in enumerate(self.columns)}

    def learn(self, error: duckdb.Error, failure: Exception | None) -> bool:
        """Widen a column, look at what differs, or clean what the engine cannot read."""
        if isinstance(failure, SurpriseError):
            return self._look_again(failure.path)
        if misses_name(error) and is_modest(self.place):
            more = len(self._focus) < len(self.place.members)
            self._focus = list(self.place.members)
            return more
        if (misfit := misfit_of(error)) is not None:
            if misfit.table != self.number:
                return False
            self._misfits += 1
            return self._widen(misfit.column, misfit.value)
        return self._clean(str(error))

    def _look_again(self, name: str) -> bool:
        """Look at an object that is not like the others, or parse all of one."""
        if (member := self._guessed.pop(name, None)) is not None:
            self._look_at([member])
            return True
        for member in self.place.members:
            layout: Layout | None = member.opened.facts.get(_FACT)
            if str(member.info.ref) == name and layout is not None and not layout.strict:
                member.opened.facts[_FACT] = layout.cleaned(strict=True)
                return True
        return False

    def _widen(self, column: str, value: str) -> bool:
        layouts = [layout for layout, _ in self._groups()]
        changed = [layout.widen(column, value) for layout in layouts]
        return any(changed)

    def _clean(self, text: str) -> bool:
        named = _FILE.search(text)
        member = self.members.get(named[1].strip()) if named else None
        if "CSV" not in text or member is None:
            return False
        if _FACT not in member.opened.facts:
            self._look_at([member])
        layout: Layout = member.opened.facts[_FACT]
        if "aximum line size" in text and not layout.long_lines:
            layout.long_lines = True
            return True
        encoding = "nicode" in text or "encoding" in text
        if layout.mode == "cleaned" and (layout.strict or not layout.passes):
            return False
        # Whether text that is not UTF-8 is Windows-1252 shows only when each record is parsed.
        strict = layout.mode == "cleaned" or encoding
        member.opened.facts[_FACT] = layout.cleaned(strict=strict)
        return True

    def notices(self) -> Sequence[str]:
        """Return how the text was read, where that is not plain to see."""
        said = [notice for layout, _ in self._groups() for notice in layout.notices()]
        for subject, opens in self._irregular.items():
            most = max(opens, key=lambda one: one.short + one.long, default=Irregular())
            said += most.notices(subject)
        return list(dict.fromkeys(said))
