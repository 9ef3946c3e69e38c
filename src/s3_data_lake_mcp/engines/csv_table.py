"""Delimited text as a view: the dialect, names and types that the CSV loader finds, exactly."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import duckdb

from s3_data_lake_mcp.engines.casts import TEXT, misfit_of
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_kinds import blank_columns, merged_kinds, misfits, seek_kinds
from s3_data_lake_mcp.engines.csv_layout import (
    NO_TEXT,
    SNIFF_BYTES,
    Group,
    Layout,
    reader_options,
)
from s3_data_lake_mcp.engines.csv_reads import find_layouts, text_stream
from s3_data_lake_mcp.engines.csv_stream import Irregular
from s3_data_lake_mcp.engines.places import Member, Place, layout_fact, left_out
from s3_data_lake_mcp.engines.sqltext import call, identifier, literal, struct
from s3_data_lake_mcp.engines.streams import DecodedStream
from s3_data_lake_mcp.engines.tables import (
    Paths,
    Table,
    is_modest,
    misses_name,
    need_heads,
    partition_options,
)
from s3_data_lake_mcp.engines.typed_select import TextColumn, Texts, typed_select
from s3_data_lake_mcp.engines.used_fields import ALL_FIELDS
from s3_data_lake_mcp.engines.watched import EmptyTextError, RaggedError
from s3_data_lake_mcp.storage.pinned import Access
from s3_data_lake_mcp.storage.scope import Readable, SurpriseError

_INNER = "lake_c"
_SURVEYED_MISFITS = 3
_FILE = re.compile(r"^[ \t]*file = (.+)$", re.MULTILINE)


class CsvTable(Table):
    """A table of delimited text, each object within a budget of decompressed bytes.

    `used` are the names in the query, if it uses no others. `dry` says to read no more than is
    needed to plan the query. `needs_kinds` says that columns must have the types that they have for
    other queries: it is not `brief` where one has no value in what is looked at first.
    """

    def __init__(self, number: int, name: str, place: Place, max_decoded_bytes: int) -> None:
        super().__init__(number, name, place)
        self.texts: Texts | None = None
        self.used = ALL_FIELDS
        self.dry = False
        self.needs_kinds = False
        self._budget = max_decoded_bytes
        self._fact = layout_fact(place)
        self._irregular: dict[str, list[Irregular]] = {}
        self._guessed: dict[str, Member] = {}
        self._cleaned: dict[tuple[Layout, bool], Layout] = {}
        self._misfits = 0
        self._refused = False

    def select(self, session: Session) -> str:
        """Return the SELECT over all objects, those of a shape read together."""
        self._irregular.clear()
        groups = self._groups()
        if self.needs_kinds and blank_columns(groups, self.used):
            self.brief = None
        if not self.brief and (self._refused or not self.dry):
            seek_kinds(groups, blank_columns(groups, self.used), self._fact)
        kinds = merged_kinds(groups)
        paths = Paths(session.scope, self.number)
        self.members = paths.members
        if self._misfits >= _SURVEYED_MISFITS:
            self._survey(session, groups, kinds, paths)
            kinds = merged_kinds(groups)
        parts = [self._part(layout, members, kinds, paths) for layout, members in groups]
        union = " UNION ALL BY NAME ".join(parts)
        last = ", ".join(map(identifier, self._partitions))
        return f"SELECT * EXCLUDE ({last}), {last} FROM ({union})" if last else union  # noqa: S608

    def _survey(
        self, session: Session, groups: Sequence[Group], kinds: Mapping[str, str], paths: Paths
    ) -> None:
        """Look through all typed columns at once: one misfit after the other would take longer."""
        self._misfits = 0
        names = self.inner_names
        for layout, members in groups:
            source, bare = self._source(layout, members, paths), self._is_bare(layout)
            columns = {column: (names[column], kinds[column.lower()]) for column in layout.columns}
            for column, value in misfits(session, source, columns, bare=bare):
                self._widen(column, value)

    def _groups(self) -> list[Group]:
        """Return the objects by layout; of very many, some are only thought to be like others."""
        members = self.place.members
        self._look_at([member for member in self._focus if self._fact not in member.opened.facts])
        self._guessed.clear()
        groups: dict[int, Group] = {}
        layout = self._known[0]
        for member in members:
            if self._fact not in member.opened.facts:
                self._guessed[str(member.info.ref)] = member
            elif (known := member.opened.facts[self._fact]) is None:
                continue
            else:
                layout = known
            groups.setdefault(id(layout), (layout, []))[1].append(member)
        return list(groups.values())

    @property
    def _known(self) -> list[Layout]:
        among = (*self._focus, *self.place.members)
        found = (one for member in among if (one := member.opened.facts.get(self._fact)))
        return list(dict.fromkeys(found))

    def _look_at(self, members: Sequence[Member]) -> None:
        """Find the layouts of members; those that begin alike share one."""
        need_heads(members, SNIFF_BYTES)
        found = find_layouts([member.opened for member in members], self._known, self._budget)
        for member, layout in zip(members, found, strict=True):
            member.opened.facts[self._fact] = layout

    def _part(
        self, layout: Layout, members: Sequence[Member], kinds: Mapping[str, str], paths: Paths
    ) -> str:
        names, bare = self.inner_names, self._is_bare(layout)
        taken = {name.lower() for name in self._partitions}
        fields: dict[str, TextColumn | str] = {
            column: TextColumn(
                name=column,
                text=names[column],
                kind=kinds[column.lower()],
                tokens=column in layout.tokens,
                empty=bare,
                cents=column in layout.cents,
            )
            for column in layout.columns
            if column.lower() not in taken
        }
        fields |= {name: identifier(name) for name in self._partitions}
        select = typed_select(fields, self.number, self._source(layout, members, paths), self.texts)
        # The engine takes a blank line in a file of one column for a row.
        only = names[layout.columns[0]]
        where = f" WHERE {only} <> ''" if bare else f" WHERE {only} IS NOT NULL"
        return select + where if len(layout.columns) == 1 else select

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
        if self._is_bare(layout):
            # One empty field too many goes unnoticed where the empty text is the null text.
            options["nullstr"] = f"[{literal(NO_TEXT)}]"
        if not plain:
            return paths.add(members, partial(self._stream, layout), cached=False), options
        start = layout.shape.start
        if layout.plain_header:
            options["header"], start = "true", 0
        # What was read under another layout, or by a reader in the SQL, nobody has looked at.
        watched = self._is_watched
        variant = f"from {start}, {layout.bare} {watched}, {layout.header.hex()}"
        cached = sum(member.info.size_bytes for member in members) <= self.most_cached_bytes
        make = partial(self._plain, layout, start, "scan" if cached else "stream")
        return paths.add(members, make, cached=cached, variant=variant), options

    def _plain(self, layout: Layout, skip: int, access: Access, member: Member) -> Readable:
        name = str(member.info.ref)

        def check(data: bytes) -> None:
            if not data.startswith(layout.header[: len(data)]):
                raise SurpriseError(name)

        look = layout.look(name, layout.shape.start - skip) if self._is_watched else None
        checked = check if name in self._guessed else None
        return member.opened.pinned(access, skip=skip, check=checked, look=look)

    def _stream(self, layout: Layout, member: Member) -> DecodedStream:
        name = str(member.info.ref)
        found = self._irregular.setdefault(name, [])
        guessed = name in self._guessed
        return text_stream(member, layout, self.brief, self._budget, found, guessed=guessed)

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
            return self._look_again(failure)
        if misses_name(error) and is_modest(self.place):
            more = len(self._focus) < len(self.place.members)
            self._focus = list(self.place.members)
            return more
        if (misfit := misfit_of(error)) is not None:
            self._misfits += misfit.table == self.number
            return misfit.table == self.number and self._widen(misfit.column, misfit.value)
        if isinstance(error, duckdb.BinderException):
            return self._look_closer()
        return self._clean(str(error))

    def _look_closer(self) -> bool:
        """Look for the types of columns that are text for want of a value: that is refused."""
        more = self.dry or self._is_watched
        if self._refused or not more or not blank_columns(self._groups(), self.used):
            return False
        self._refused, self._misfits = True, 0 if self.dry else _SURVEYED_MISFITS
        return True

    def _is_bare(self, layout: Layout) -> bool:
        """Whether the text comes as it is written, and what is empty is null."""
        seen = self._is_watched or layout.mode != "plain"
        return seen and layout.bare and layout.mode != "cleaned" and not self.brief

    def _look_again(self, surprise: SurpriseError) -> bool:
        """Look at an object that is not like the others, expect empty text, or parse all of one."""
        if (member := self._guessed.get(surprise.path)) is not None:
            near = self.place.members if is_modest(self.place) else self._around(member)
            self._look_at([one for one in near if self._fact not in one.opened.facts])
            return True
        if not isinstance(surprise, EmptyTextError):
            return self._parse_all(surprise.path, strict=not isinstance(surprise, RaggedError))
        if self._named(surprise.path) is None:
            return False
        # In all objects: to find one after the other would take longer.
        known = [layout for layout, _ in self._groups() if layout.bare]
        for layout in known:
            layout.bare = False
        return bool(known)

    def _parse_all(self, name: str, *, strict: bool) -> bool:
        """Parse records of an object, and of some like it, here: all if `strict`, else the odd."""
        named = self._named(name)
        layout: Layout | None = named.opened.facts.get(self._fact) if named else None
        if named is None or layout is None or layout.strict:
            return False
        cleaned = self._cleaned.setdefault((layout, strict), layout.cleaned(strict=strict))
        for member in self._around(named):
            if member.opened.facts.get(self._fact) is layout:
                member.opened.facts[self._fact] = cleaned
        return True

    def _widen(self, column: str, value: str) -> bool:
        return sum(layout.widen(column, value) for layout, _ in self._groups()) > 0

    def _clean(self, text: str) -> bool:
        named = _FILE.search(text)
        member = self.members.get(named[1].strip()) if named else None
        if "CSV" not in text or member is None:
            return False
        if (name := str(member.info.ref)) in self._guessed:
            return self._look_again(SurpriseError(name))
        layout: Layout = member.opened.facts[self._fact]
        if "aximum line size" in text and not layout.long_lines:
            layout.long_lines = True
            return True
        if layout.mode == "cleaned" and (layout.strict or not layout.passes):
            return False
        # Whether text that is not UTF-8 is Windows-1252 shows only when each record is parsed.
        encoding = "nicode" in text or "encoding" in text
        return self._parse_all(name, strict=layout.mode == "cleaned" or encoding)

    def notices(self) -> Sequence[str]:
        """Return how the text was read, where that is not plain to see."""
        kinds = merged_kinds(groups := self._groups())
        blank = [
            m.info.ref.key for m in self.place.members if m.opened.facts.get(self._fact, m) is None
        ]
        said = [*left_out(blank, "empty"), *self._hidden(kinds)]
        said += [notice for layout, _ in groups for notice in layout.notices(kinds)]
        for subject, opens in self._irregular.items():
            most = max(
                opens, key=lambda one: one.short + one.long + one.switched, default=Irregular()
            )
            said += most.notices(subject)
        return list(dict.fromkeys(said))
