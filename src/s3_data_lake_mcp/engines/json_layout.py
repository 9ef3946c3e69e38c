"""How JSON is read by the engine, judged by its beginning."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

import duckdb

from s3_data_lake_mcp.engines.casts import TEXT, misfit_of
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.json_fields import sample_casts
from s3_data_lake_mcp.engines.json_lines import has_long_fraction
from s3_data_lake_mcp.engines.json_stream import VALUE, has_nul_key, nameable, record_line
from s3_data_lake_mcp.engines.json_types import Node, has_twins, leaves, node_of, together
from s3_data_lake_mcp.engines.opening import Opened
from s3_data_lake_mcp.engines.sqltext import call, identifier, struct
from s3_data_lake_mcp.engines.streams import WRAPPING, DecodedStream
from s3_data_lake_mcp.engines.tables import Mode, distinct
from s3_data_lake_mcp.engines.typed_select import MOST_SINGLE
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.loaders import MAX_COLUMNS
from s3_data_lake_mcp.loaders.json_open import Scan, open_start
from s3_data_lake_mcp.storage.filesystem import STREAM_SCHEME

_SAMPLE_RECORDS = 50_000
_MOST_LINES = 3
_SAMPLE = f"{STREAM_SCHEME}://sample"
_READ_SAMPLE = {
    "format": "'newline_delimited'",
    "compression": WRAPPING,
    "records": "true",
    "maximum_object_size": "67108864",
}
_DETECTING = {
    "sample_size": "-1",
    "map_inference_threshold": "-1",
    "field_appearance_threshold": "0",
}


@dataclass(slots=True, eq=False, kw_only=True)
class JsonLayout:
    """How a JSON object is read; remembered with it for the next query.

    `names` are the columns' names in SQL by the records' keys, `nodes` their types by name.
    `records` says that the values are objects; else they fill the column `value`. `whole` says that
    all of the object was looked at, `strict` that every value must be taken on its own.
    """

    form: str
    mode: Mode
    encoding: str
    compression: str
    names: dict[str, str]
    nodes: dict[str, Node]
    records: bool
    whole: bool
    widenings: dict[str, str] = field(default_factory=dict)
    long_values: bool = False
    strict: bool = False

    @property
    def passes(self) -> bool:
        """Whether cleaning may hand on good lines as they are."""
        plain = self.form == "lines" and self.encoding == "utf-8" and self.records
        return self.mode == "cleaned" and plain and not self.renamed and not self.strict

    def widen(self, column: str, value: str) -> bool:
        """Make room for a value in a column, or inside it; False if it is not here."""
        name = _widen(self.nodes, column, value)
        if name:
            self.widenings[name] = value
        return bool(name)

    def absorb_whole(self, session: Session, source: str, options: Mapping[str, str]) -> None:
        """Look at all records, and take in what they hold, if that can be told."""
        nodes = _detect_whole(session, source, options, self.nodes)
        self.whole = nodes is not None
        for name, node in (nodes or {}).items():
            mine = self.nodes.get(name)
            if mine is not None:
                node.keep_stamps(mine)
            self.nodes[name] = node if mine is None else together(mine, node)
            if name not in self.names.values():
                key = self._key_of(name)
                self.names[key] = name
                self.mode = self.mode if key == name else "cleaned"

    def _key_of(self, name: str) -> str:
        """Return the key of a new column, which the engine numbers if it differs in case alone."""
        key, mark, number = name.rpartition("_")
        is_numbered = bool(mark) and number.isdecimal() and key not in self.names
        return key if is_numbered and key.lower() in map(str.lower, self.names) else name

    def rename(self, names: dict[str, str]) -> None:
        """Call the columns by these names, by the same keys."""
        for key, old in self.names.items():
            if (new := names[key]) != old:
                self.mode = "cleaned"
                self.nodes[new] = self.nodes.pop(old)
                if old in self.widenings:
                    self.widenings[new] = self.widenings.pop(old)
        self.names = names

    @property
    def renamed(self) -> dict[str, str]:
        """The keys whose columns have another name."""
        return {key: name for key, name in self.names.items() if key != name}

    def notices(self) -> Iterable[str]:
        """Return how it is read where that is not plain to see."""
        if renamed := [f"{key!r} is {name}" for key, name in self.renamed.items()]:
            yield f"Keys that SQL cannot name or tell apart were renamed: {', '.join(renamed[:5])}."
        for column, value in self.widenings.items():
            yield f"Column {column} has a wider type than the head shows: it holds {value!r}."


def unify(layouts: Iterable[JsonLayout]) -> None:
    """Call columns alike whose names differ only in case, as the first layout does.

    SQL does not tell them apart, but the reader of the engine does: so keys are renamed.
    """
    canonical: dict[str, str] = {}
    for layout in dict.fromkeys(layouts):
        layout.rename({k: canonical.setdefault(n.lower(), n) for k, n in layout.names.items()})


def merged_nodes(layouts: Iterable[JsonLayout]) -> dict[str, Node]:
    """Return the columns of all layouts, with the types that hold what all of them hold."""
    found: dict[str, Node] = {}
    for layout in layouts:
        for name, node in layout.nodes.items():
            mine = found.get(name)
            found[name] = node if mine is None or mine is node else together(mine, node)
    return found


def blank_nodes(layouts: Iterable[JsonLayout], path: str) -> list[Node]:
    """Return what no layout has seen a value of: at a path, or anywhere if it is empty."""
    nodes = merged_nodes(layouts).items()
    if not path:
        return [leaf for _, node in nodes for leaf in leaves(node) if leaf.blank]
    below = [node.blanks(path[len(name) :]) for name, node in nodes if path.startswith(name)]
    return list(chain.from_iterable(below))


def demote(layouts: Iterable[JsonLayout]) -> bool:
    """Read nested columns as JSON in text: one holds another structure than its head shows."""
    nested = [node for layout in layouts for node in layout.nodes.values() if node.children]
    for node in nested:
        node.kind, node.children = TEXT, {}
    return bool(nested)


def find_layout(
    opened: Opened, session: Session, max_decoded_bytes: int, sample: int
) -> JsonLayout:
    """Return the layout of an object, by so many bytes of its head, which is here.

    Raises:
        MalformedDataError: If it is not JSON.
        LimitExceededError: If its records have too many keys.
    """
    scan = open_start(opened.reader(), max_decoded_bytes)
    values: list[object] = []
    for item in islice(scan.items, _SAMPLE_RECORDS):
        values.append(item.value)
        if item.byte > sample:
            break
    whole = len(values) < _SAMPLE_RECORDS and next(scan.items, None) is None
    objects = [value for value in values if isinstance(value, dict)]
    keys = dict.fromkeys(key for value in objects for key in value)
    if len(keys) > MAX_COLUMNS:
        message = f"{opened.info.ref} has records of more than {MAX_COLUMNS:,} different keys"
        raise LimitExceededError(message, hint="read_json_from_s3 shows them, with `path`.")
    mixed = 0 < len(objects) < len(values)
    names = dict(zip(keys, _names(keys, reserved=mixed), strict=True))
    odd = scan.layout not in {"array", "lines"} or mixed or any(k != n for k, n in names.items())
    odd = odd or bool(objects and not keys)
    is_plain = not scan.compression and scan.window.encoding == "utf-8"
    cut = (not is_plain or b"\\u0000" in opened.head) and any(map(has_nul_key, objects))
    strict = mixed or cut or bool(scan.decoder.duplicates)
    layout = JsonLayout(
        form=scan.layout,
        mode="plain",
        encoding=scan.window.encoding,
        compression=scan.compression,
        names=names,
        nodes={},
        records=bool(objects) or not values,
        whole=whole,
        strict=strict or _is_spread(opened.head[:sample], scan, len(values)),
    )
    if not is_plain:
        layout.mode = "transcoded"
    if odd or cut or scan.bad.count or scan.decoder.duplicates or has_long_fraction(opened.head):
        layout.mode = "cleaned"
    if keys or len(objects) < len(values):
        columns = {name: [v[key] for v in objects if key in v] for key, name in names.items()}
        columns.setdefault(VALUE, [value for value in values if not isinstance(value, dict)])
        try:
            layout.nodes = _detect(session, _lines(values, layout), columns)
        except duckdb.NotImplementedException:
            # Of names inside that differ only in case the engine makes no type: they stay text.
            twins = {name for name, found in columns.items() if has_twins(found)}
            plain = [_without(value, names, twins) for value in values]
            layout.nodes = _detect(session, _lines(plain, layout), columns)
    for name in names.values():
        layout.nodes.setdefault(name, Node(TEXT))
    return layout


def _is_spread(head: bytes, scan: Scan, values: int) -> bool:
    """Whether values of JSON Lines take several lines each."""
    if scan.layout != "lines" or scan.compression:
        return False
    return head.count(b"\n") > _MOST_LINES * (values + scan.bad.count)


def _lines(values: Iterable[object], layout: JsonLayout) -> bytes:
    return "".join(record_line(value, layout.renamed, set()) for value in values).encode()


def _without(value: object, names: Mapping[str, str], columns: Collection[str]) -> object:
    """Return a record with no more than a text in some columns."""
    if not isinstance(value, dict):
        return value if VALUE not in columns else ""
    return {key: "" if names[key] in columns else inner for key, inner in value.items()}


def _detect_whole(
    session: Session, source: str, options: Mapping[str, str], known: Mapping[str, Node]
) -> dict[str, Node] | None:
    """Return the columns that all records of objects have; reads them from start to end.

    None if the engine makes no type of what is inside. Of `known` columns, what is text is known.
    """
    every = {"maximum_sample_files": "100000", "union_by_name": "true"}
    reader = call("read_json", source, {**options, **_DETECTING, **every})
    try:
        found = session.cursor.sql(f"SELECT * FROM {reader}")  # noqa: S608 - all of it is quoted
    except duckdb.NotImplementedException:
        return None
    nodes = {n: node_of(t) for n, t in zip(found.columns, found.types, strict=True)}
    new = [n.new_texts(identifier(name), known.get(name)) for name, n in nodes.items()]
    if texts := list(islice(chain.from_iterable(new), MOST_SINGLE)):
        columns = {name: node.read_type() for name, node in nodes.items()}
        reader = call("read_json", source, {**options, "columns": struct(columns)})
        firsts = ", ".join(f"any_value({text})" for text, _ in texts)
        (values,) = session.execute(f"SELECT {firsts} FROM {reader}")  # noqa: S608 - as above
        for (_, node), value in zip(texts, values, strict=True):
            # A value that is none is a misfit later.
            node.refine([value])
    return nodes


def _names(keys: Iterable[str], *, reserved: bool) -> tuple[str, ...]:
    """Return a name in SQL for each key; `reserved` keeps the one of values that are no objects."""
    wanted = [nameable(key) if key.strip() else "_" for key in keys]
    return distinct((VALUE, *wanted))[1:] if reserved else distinct(wanted)


def _detect(
    session: Session, data: bytes, values: Mapping[str, Sequence[object]]
) -> dict[str, Node]:
    """Return the columns of lines with the types that hold all of their values exactly."""
    session.scope.add(_SAMPLE, DecodedStream(lambda: iter([data]), str(len(data))))
    found = session.cursor.sql(
        f"SELECT * FROM {call('read_json', _SAMPLE, _READ_SAMPLE | _DETECTING)}"  # noqa: S608 - own text
    )
    nodes = {n: node_of(t) for n, t in zip(found.columns, found.types, strict=True)}
    for name, node in nodes.items():
        node.refine(values.get(name, ()))
    while (misfit := _first_misfit(session, nodes)) is not None and _widen(nodes, *misfit):
        pass
    return nodes


def _widen(nodes: Mapping[str, Node], column: str, value: str) -> str:
    """Make room for a value in a column, or inside it; return its name, "" if it is not here."""
    named = (name for name in nodes if column.startswith(name))
    return next((name for name in named if nodes[name].widen(column[len(name) :], value)), "")


def _first_misfit(session: Session, nodes: Mapping[str, Node]) -> tuple[str, str] | None:
    columns = struct({name: node.read_type() for name, node in nodes.items()})
    source = call("read_json", _SAMPLE, {**_READ_SAMPLE, "columns": columns})
    counts = ", ".join(f"count({cast})" for cast in sample_casts(nodes))
    if not counts:
        return None
    try:
        session.execute(f"SELECT {counts} FROM {source}")  # noqa: S608 - all of it is quoted
    except duckdb.Error as exc:
        if (misfit := misfit_of(exc)) is None:
            raise
        return misfit.column, misfit.value
    return None
