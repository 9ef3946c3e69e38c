"""Schema drift: whether objects from all over a data set have the same columns."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders.formats import READ_TOOLS
from s3_data_lake_mcp.loaders.parquet_open import open_footer
from s3_data_lake_mcp.loaders.text import load_text
from s3_data_lake_mcp.profiling import tried
from s3_data_lake_mcp.profiling.columns import spelt_once
from s3_data_lake_mcp.profiling.groups import Group
from s3_data_lake_mcp.storage import (
    ListedObject,
    ObjectRef,
    ObjectStore,
    ScanMeter,
    is_archived,
)
from s3_data_lake_mcp.storage.reader import ObjectReader

MOST_DATASETS = 8
_LEAST_COMPARED = 3
_MOST_COMPARED = 12
_READS = 24
"""Objects of all data sets together: two rounds of the threads."""

_THREADS = 12
_SHARE_OF_BYTES = 4
"""What of the bytes that a call may still read is left for its profile: all but one part."""

_TAIL_BYTES = 64 << 10
_ROWS = 100
_NAMED = 5
_NAMED_KEYS = 2
_MOST_DECODED_BYTES = 32 << 20

_NO_KEYS = {"value": ""}
"""What `[]` and `{}` have in place of columns."""

type Schema = dict[str, str]
"""Names and types of columns, without those whose type the rows that were looked at don't tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What differs between objects of one data set, and which of them could not be compared.

    `compared` is of how many the schema is known.
    """

    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    compared: int = 0


def compare_schemas(
    store: ObjectStore, bucket: str, groups: Sequence[tuple[Group, str]], meter: ScanMeter
) -> list[Drift]:
    """Return the drift of each group, of which the format is given too.

    Costs up to `_READS` small reads, side by side, of the first `MOST_DATASETS` groups of several
    objects: of one group up to `_MOST_COMPARED`, of many the first, a middle and the last object.
    """
    several = [at for at, (group, name) in enumerate(groups) if is_comparable(group, name)]
    chosen = several[:MOST_DATASETS]
    count = max(_LEAST_COMPARED, min(_MOST_COMPARED, _READS // max(1, len(chosen))))
    compared = {at: _apart(groups[at][0], count) for at in chosen}
    asked = _affordable(
        [(at, one) for at, objects in compared.items() for one in objects],
        meter.remaining_bytes // _SHARE_OF_BYTES,
    )
    if not asked:
        return [Drift()] * len(groups)

    def read(at: int, one: ListedObject) -> Schema:
        return _read_schema(store, one.info(bucket).ref, groups[at][1], meter)

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="drift") as pool:
        answers = pool.map(lambda one: tried(lambda: read(*one)), asked)
        found = list(zip(asked, answers, strict=True))
    return [
        _drift([(one.key, answer) for (place, one), answer in found if place == at])
        for at in range(len(groups))
    ]


def _affordable(
    asked: Sequence[tuple[int, ListedObject]], room: int
) -> list[tuple[int, ListedObject]]:
    """Return those of the first objects whose beginnings or ends are few enough bytes."""
    kept = []
    for at, one in asked:
        room -= min(one.size_bytes, _TAIL_BYTES)
        if room < 0:
            break
        kept.append((at, one))
    return kept


def is_comparable(group: Group, name: str) -> bool:
    """Whether a group of a format has schemas to compare."""
    return name in READ_TOOLS and group.objects > 1


def _apart(group: Group, count: int) -> list[ListedObject]:
    """Return the first, the last and some objects between, of those that can be read."""
    known = [
        one
        for one in group.samples.spread(group.objects)
        if one.size_bytes and not is_archived(one.storage_class)
    ]
    if len(known) <= count:
        return known
    return [known[round(at * (len(known) - 1) / (count - 1))] for at in range(count)]


def _read_schema(store: ObjectStore, ref: ObjectRef, name: str, meter: ScanMeter) -> Schema:
    """Return the columns of an object, by its footer or its first rows; none where these have none.

    Raises:
        LakeError: If it cannot be read.
    """
    if name == "parquet":
        footer = open_footer(ObjectReader.open_tail(store, ref, meter, length=_TAIL_BYTES))
        kinds = (footer.schema.field(at).type for at in range(len(footer.names)))
        return {n: _family(kind) for n, kind in zip(footer.names, kinds, strict=True)}
    source = ObjectReader.open_head(store, ref, meter)
    table = load_text(source, name, _ROWS, _MOST_DECODED_BYTES).table
    found = {
        field.name: _loosely(field.type) if table.column(at).null_count < table.num_rows else ""
        for at, field in enumerate(table.schema)
    }
    return {} if name == "json" and found == _NO_KEYS else found


def _family(kind: pa.DataType) -> str:
    """Return a type's name, the same for all ways to store the same values."""
    if types.is_dictionary(kind):
        return _family(kind.value_type)
    return "string" if types.is_large_string(kind) else str(kind)


def _loosely(kind: pa.DataType) -> str:
    """Return what is known of a type that was judged by a few values."""
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_nested(kind):
        return "nested"
    return "timestamp" if types.is_timestamp(kind) else _family(kind)


def _drift(found: Sequence[tuple[str, Schema | LakeError]]) -> Drift:
    compared = sum(isinstance(answer, dict) for _, answer in found)
    schemas = [(key, schema) for key, schema in found if isinstance(schema, dict) and schema]
    failures = [error for _, error in found if isinstance(error, LakeError)]
    warnings = tuple(f"Not compared: {error}" for error in failures)
    if len(schemas) < 2:  # noqa: PLR2004 - a comparison
        return Drift(warnings=warnings, compared=compared)
    spelt = spelt_once([list(schema) for _, schema in schemas])
    changes = [
        f"Column {name} {'; it '.join(said)}"
        for name in dict.fromkeys(spelt.values())
        if (said := list(_changes(name, schemas, spelt)))
    ]
    more = len(changes) - _NAMED
    if more > 0:
        changes = [*changes[:_NAMED], f"{more:,} more columns differ"]
    return Drift(changes=tuple(changes), warnings=warnings, compared=compared)


def _changes(
    name: str, schemas: Sequence[tuple[str, Schema]], spelt: Mapping[str, str]
) -> Iterator[str]:
    """Say how a column differs between objects: in spelling, in being there, and in type."""
    spellings: dict[str, list[str]] = {}
    kinds: dict[str, list[str]] = {}
    lacking = []
    for key, schema in schemas:
        own = next((one for one in schema if spelt[one] == name), None)
        if own is None:
            lacking.append(key)
            continue
        spellings.setdefault(own, []).append(key)
        if schema[own]:
            kinds.setdefault(schema[own], []).append(key)
    for own, keys in spellings.items():
        if own != name:
            yield f"is spelt {own} in {_listed(keys, 'and')}"
    if lacking:
        having = [key for key, _ in schemas if key not in lacking]
        yield f"is in {_listed(having, 'and')}, but not in {_listed(lacking, 'or')}"
    if len(kinds) > 1:
        yield "is " + ", ".join(f"{kind} in {_listed(keys, 'and')}" for kind, keys in kinds.items())


def _listed(keys: Sequence[str], word: str) -> str:
    more = len(keys) - _NAMED_KEYS
    if more <= 0:
        return f" {word} ".join(keys)
    return f"{', '.join(keys[:_NAMED_KEYS])} {word} {more:,} more that were looked at"
