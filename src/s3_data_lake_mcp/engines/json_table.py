"""JSON and JSON Lines as a view: one row a record, types found by the engine and cast exactly."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import duckdb

from s3_data_lake_mcp.engines.casts import misfit_of
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.json_fields import reading_of
from s3_data_lake_mcp.engines.json_layout import (
    JsonLayout,
    blank_nodes,
    demote,
    find_layout,
    merged_nodes,
    unify,
)
from s3_data_lake_mcp.engines.json_reads import json_text, sample_bytes, unsure, with_known_keys
from s3_data_lake_mcp.engines.json_stream import VALUE
from s3_data_lake_mcp.engines.json_types import Node, narrowed
from s3_data_lake_mcp.engines.opening import HEAD_BYTES
from s3_data_lake_mcp.engines.places import Member, Place, layout_fact
from s3_data_lake_mcp.engines.sqltext import call, identifier, struct
from s3_data_lake_mcp.engines.streams import WRAPPING, DecodedStream
from s3_data_lake_mcp.engines.tables import (
    Paths,
    Table,
    is_modest,
    misses_name,
    need_heads,
    partition_options,
)
from s3_data_lake_mcp.engines.typed_select import typed_select
from s3_data_lake_mcp.engines.used_fields import ALL_FIELDS
from s3_data_lake_mcp.engines.watched import WATCHED_BYTES, without_long_fractions
from s3_data_lake_mcp.loaders.json_scan import BadLines
from s3_data_lake_mcp.storage.pinned import WHOLE_BYTES, Access
from s3_data_lake_mcp.storage.scope import Readable, SurpriseError

type _Group = tuple[JsonLayout, list[Member]]

_WATCHED = "watched"
"""What readers in the SQL read of an object, nobody looks at: it has another path."""

_FILE = re.compile(r'(?:in|reading) file "([^"]+)"')
_LONG = "maximum_object_size"


class JsonTable(Table):
    """A table of JSON records, each object within a budget of decompressed bytes.

    `used` are the fields that the query names, if it uses no others: no others are read then.
    """

    def __init__(self, number: int, name: str, place: Place, max_decoded_bytes: int) -> None:
        super().__init__(number, name, place)
        self.dry = False
        self.used = ALL_FIELDS
        self._budget = max_decoded_bytes
        self._fact = layout_fact(place)
        self._bad: dict[str, list[BadLines]] = {}
        self._said: set[str] = set()
        self._whole = False

    def select(self, session: Session) -> str:
        """Return the SELECT over all objects, those that are read alike together."""
        self._bad.clear()
        self._said.clear()
        self._look(session)
        groups = self._groups()
        paths = Paths(session.scope, self.number)
        self.members = paths.members
        self._look_at_all(session, groups, paths)
        nodes = merged_nodes(self._seen(groups))
        return " UNION ALL BY NAME ".join(self._part(group, nodes, paths) for group in groups)

    def _look(self, session: Session) -> None:
        new = [member for member in self._focus if self._layout(member) is None]
        sample = sample_bytes(len(new))
        # The rest of a head is read with the rows, if more than the first few are.
        head_bytes = 2 * sample if len(new) > 1 and (self.brief or self.dry) else HEAD_BYTES
        need_heads(new, head_bytes)
        for opened in (member.opened for member in new):
            opened.need_head(head_bytes)
            opened.facts[self._fact] = find_layout(opened, session, self._budget, sample)
        unify(self._known())
        more = is_modest(self.place) and len(self._focus) < len(self.place.members)
        if more and not any(one.nodes for one in self._known(self._focus)):
            # Empty objects tell nothing of the others.
            self._focus = list(self.place.members)
            self._look(session)

    def _look_at_all(self, session: Session, groups: list[_Group], paths: Paths) -> None:
        """Find the keys of all records, if they are few, or one that the SQL names is not known."""
        most = HEAD_BYTES if self.brief or self.dry else WHOLE_BYTES
        for layout, members in groups:
            small = sum(member.info.size_bytes for member in members) <= most
            wanted = self._whole or (small and all(map(self._layout, members)))
            if layout.records and wanted and not self._knows_all_of(members):
                reading = self._reading(layout, members, paths, None)
                self.read_ahead(session, members)
                layout.absorb_whole(session, *reading)
                for member in members:
                    member.opened.facts[self._fact] = layout
        unify(self._seen(groups))

    def _groups(self) -> list[_Group]:
        """Return the objects with the layout that they have, or their neighbour has."""
        groups: dict[tuple[object, ...], _Group] = {}
        layout = next(self._known(self._focus))
        for member in self.place.members:
            layout = self._layout(member) or layout
            alike = (
                layout.form,
                layout.mode,
                layout.compression,
                layout.encoding,
                layout.records,
                layout.long_values,
                layout.strict,
                tuple(layout.renamed.items()),
            )
            groups.setdefault(alike, (layout, []))[1].append(member)
        return list(groups.values())

    def _seen(self, groups: Sequence[_Group]) -> list[JsonLayout]:
        """Return the layouts of all objects that were looked at."""
        return [*self._known(self._focus), *(layout for layout, _ in groups)]

    def _part(self, group: _Group, nodes: Mapping[str, Node], paths: Paths) -> str:
        layout, members = group
        taken = {name.lower() for name in self._partitions}
        columns = {n: node for n, node in nodes.items() if n.lower() not in taken}
        source, options = self._reading(layout, members, paths, self.brief)
        options |= partition_options(self._partitions)
        records = layout.records and nodes
        if not records and layout.mode != "cleaned" and not self.brief:
            columns = {VALUE: columns.get(VALUE) or Node("VARCHAR")}
            options["records"] = "false"
        read, fields = reading_of(narrowed(columns, self.used), self.number)
        options["columns"] = struct(read or {VALUE: "VARCHAR"})
        fields |= {name: identifier(name) for name in self._partitions}
        fields = fields or {VALUE: identifier(VALUE)}
        return typed_select(fields, self.number, call("read_json", source, options))

    def _reading(
        self, layout: JsonLayout, members: Sequence[Member], paths: Paths, brief: int | None
    ) -> tuple[str, dict[str, str]]:
        mode = "cleaned" if brief else layout.mode
        options = {
            "format": "'array'" if layout.form == "array" else "'newline_delimited'",
            "records": "true",
            "compression": "'none'" if mode == "plain" else WRAPPING,
        }
        if layout.long_values:
            options[_LONG] = f"{128 << 20}"
        if mode == "plain":
            cached = sum(member.info.size_bytes for member in members) <= self.most_cached_bytes
            access: Access = "scan" if cached else "stream"
            variant = _WATCHED if self._is_watched else ""
            make = partial(self._plain, access, layout)
            return paths.add(members, make, cached=cached, variant=variant), options
        if mode == "cleaned":
            options["format"] = "'newline_delimited'"
        return paths.add(members, partial(self._stream, layout, brief), cached=False), options

    def _plain(self, access: Access, layout: JsonLayout, member: Member) -> Readable:
        name = str(member.info.ref)
        looks = [without_long_fractions(name)] if self._is_watched else []
        looks += [with_known_keys(name, layout)] if self._layout(member) is None else []

        def look(at: int, data: bytes) -> None:
            for one in looks:
                one(at, data)

        return member.opened.pinned(access, look=look)

    def _stream(self, layout: JsonLayout, brief: int | None, member: Member) -> DecodedStream:
        name = str(member.info.ref)
        found = self._bad.setdefault(name, [])
        text = partial(json_text, member, layout, brief, self._budget, found, self._said)
        source = None if brief else member.opened
        if self._layout(member) is not None:
            return DecodedStream(text, f"{member.info.etag} {layout.mode}", source)
        raw = layout.mode == "transcoded" and not brief
        checked = partial(unsure, text, name, layout, is_raw=raw)
        return DecodedStream(checked, f"{member.info.etag} unsure", source)

    def learn(self, error: duckdb.Error, failure: Exception | None) -> bool:
        """Widen a column, or clean what the engine cannot read."""
        if failure is not None:
            return isinstance(failure, SurpriseError) and self._clean_all(failure.path)
        if misses_name(error):
            return self._look_whole()
        if (misfit := misfit_of(error)) is not None:
            return misfit.table == self.number and self._widen(misfit.column, misfit.value)
        if isinstance(error, duckdb.BinderException):
            return bool(self._blanks()) and self._look_for_values()
        return self._learn_of(str(error))

    @property
    def is_whole(self) -> bool:
        """Whether the keys of all records are known."""
        return self._knows_all_of(self.place.members)

    def _knows_all_of(self, members: Sequence[Member]) -> bool:
        return all((one := self._layout(m)) is not None and one.whole for m in members)

    @property
    def columns(self) -> Sequence[str]:
        """The columns of all objects that were looked at, and the partitions."""
        found = merged_nodes(self._seen(self._groups()))
        return list(dict.fromkeys([*found, *self._partitions]))

    def _known(self, members: Sequence[Member] = ()) -> Iterator[JsonLayout]:
        among = members or self.place.members
        return (layout for member in among if (layout := self._layout(member)) is not None)

    def _layout(self, member: Member) -> JsonLayout | None:
        return member.opened.facts.get(self._fact)

    def _look_whole(self) -> bool:
        """Look at all records the next time, if that is new: they tell what is of one structure."""
        more = not self._whole and not self.is_whole and is_modest(self.place)
        self._whole = self._whole or more
        return more

    def _blanks(self, path: str = "") -> list[Node]:
        return blank_nodes(self._seen(self._groups()), path)

    def _widen(self, column: str, value: str) -> bool:
        """Make room for a value; if it is the first that was seen, look at all there are."""
        blanks = self._blanks(column)
        if blanks and self._look_for_values():
            return True
        for node in blanks:
            node.blank = False
        layouts = {id(one): one for one in self._known()}.values()
        changed = [layout.widen(column, value) for layout in layouts]
        return bool(blanks) or any(changed)

    def _look_for_values(self) -> bool:
        """Look at all records the next time, if having them once more costs little."""
        is_plain = not self.brief and all(one.mode == "plain" for one in self._known())
        most = self.most_cached_bytes if is_plain else min(WATCHED_BYTES, self.most_cached_bytes)
        return self.place.size_bytes <= most and self._look_whole()

    def _look_again(self, member: Member) -> bool:
        """Look at an object that was thought to be like its neighbour, and at others like it."""
        if self._layout(member) is not None:
            return False
        # To look at one takes the engine as long as to read many.
        looked = {id(one) for one in (*self._focus, *self._around(member))}
        self._focus = [one for one in self.place.members if id(one) in looked]
        return True

    def _learn_of(self, text: str) -> bool:
        named = _FILE.search(text)
        member = self.members.get(named[1]) if named else None
        if member is None or ("JSON" not in text and _LONG not in text):
            return False
        if self._look_again(member):
            return True
        layouts = list(self._known())
        mine: JsonLayout = member.opened.facts[self._fact]
        if _LONG in text and not mine.long_values:
            mine.long_values = True
            return True
        if "transform error" in text and "duplicate key" not in text:
            is_held = mine.mode == "plain" and self.place.size_bytes <= self.most_cached_bytes
            return (is_held and self._look_whole()) or demote(layouts)
        is_cleaned = mine.mode == "cleaned"
        if is_cleaned and not mine.passes:
            return False
        for layout in dict.fromkeys(self._known(self._around(member))):
            layout.strict = layout.strict or (is_cleaned and layout.mode == "cleaned")
            layout.mode = "cleaned"
        return True

    def _clean_all(self, path: str) -> bool:
        """Clean all objects: one holds a number that the engine would round."""
        named = self._named(path)
        if named is None or self._look_again(named):
            return named is not None
        plain = [layout for layout in self._known() if layout.mode != "cleaned"]
        for layout in plain:
            layout.mode = "cleaned"
        return bool(plain)

    def notices(self) -> Sequence[str]:
        """Return how the text was read, where that is not plain to see."""
        said = [notice for layout in self._known() for notice in layout.notices()]
        said += [*sorted(self._said), *self._hidden(n for one in self._known() for n in one.nodes)]
        for subject, opens in self._bad.items():
            most = max(opens, key=lambda one: one.count, default=BadLines())
            if most.count:
                said.append(f"{subject}: {most.notice()}")
        return list(dict.fromkeys(said))
