"""Schema drift: whether first, middle and last object of a data set have the same columns."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.loaders.parquet_open import open_footer
from s3_data_lake_mcp.profiling.groups import Group, is_archived
from s3_data_lake_mcp.storage import ListedObject, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader

MOST_DATASETS = 8
FORMATS = frozenset({"csv", "json", "parquet"})
_COMPARED = 3
_THREADS = 12
_TAIL_BYTES = 64 << 10
_ROWS = 100
_NAMED = 5
_MOST_DECODED_BYTES = 32 << 20

type Schema = dict[str, str]
"""Names and types of columns, without those whose type the rows that were looked at don't tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What differs between objects of one data set, and which of them could not be compared."""

    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compare_schemas(
    store: ObjectStore, bucket: str, groups: Sequence[tuple[Group, str]], meter: ScanMeter
) -> list[Drift]:
    """Return the drift of each group, of which the format is given too.

    Costs up to three small reads for each of the first `MOST_DATASETS` groups of several objects,
    all of them side by side.
    """
    compared: dict[int, list[ListedObject]] = {}
    for at, (group, name) in enumerate(groups):
        if name in FORMATS and group.objects > 1 and len(compared) < MOST_DATASETS:
            compared[at] = _apart(group)
    asked = [(at, one) for at, objects in compared.items() for one in objects]
    if not asked:
        return [Drift()] * len(groups)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="drift") as pool:
        answers = pool.map(
            lambda one: _tried(
                store, ObjectRef(bucket=bucket, key=one[1].key), groups[one[0]][1], meter
            ),
            asked,
        )
        found = list(zip(asked, answers, strict=True))
    return [
        _drift([(one.key, answer) for (place, one), answer in found if place == at])
        for at in range(len(groups))
    ]


def _apart(group: Group) -> list[ListedObject]:
    """Return the first, a middle and the last object that can be read."""
    known = [
        one
        for one in group.samples.spread(group.objects)
        if one.size_bytes and not is_archived(one.storage_class)
    ]
    if len(known) <= _COMPARED:
        return known
    return [known[0], known[len(known) // 2], known[-1]]


def _tried(store: ObjectStore, ref: ObjectRef, name: str, meter: ScanMeter) -> Schema | LakeError:
    try:
        return read_schema(store, ref, name, meter)
    except LakeError as exc:
        return exc


def read_schema(store: ObjectStore, ref: ObjectRef, name: str, meter: ScanMeter) -> Schema:
    """Return the columns of an object, by its footer or its first rows.

    Raises:
        LakeError: If it cannot be read.
    """
    if name == "parquet":
        footer = open_footer(ObjectReader.open_tail(store, ref, meter, length=_TAIL_BYTES))
        kinds = (footer.schema.field(at).type for at in range(len(footer.names)))
        return {n: _family(kind) for n, kind in zip(footer.names, kinds, strict=True)}
    source = ObjectReader.open_head(store, ref, meter)
    table: pa.Table
    if name == "csv":
        asked = CsvRequest(max_rows=_ROWS, max_decoded_bytes=_MOST_DECODED_BYTES)
        table = CsvLoader().load(source, asked).table
    else:
        request = LoadRequest(max_rows=_ROWS, max_decoded_bytes=_MOST_DECODED_BYTES)
        table = JsonLoader().load(source, request).table
    return {
        field.name: _loosely(field.type) if table.column(at).null_count < table.num_rows else ""
        for at, field in enumerate(table.schema)
    }


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
    schemas = [(key, schema) for key, schema in found if isinstance(schema, dict)]
    failures = [error for _, error in found if isinstance(error, LakeError)]
    warnings = tuple(f"Not compared: {error}" for error in failures)
    if len(schemas) < 2:  # noqa: PLR2004 - a comparison
        return Drift(warnings=warnings)
    names = dict.fromkeys(name for _, schema in schemas for name in schema)
    changes: list[str] = []
    for name in names:
        lacking = [key for key, schema in schemas if name not in schema]
        kinds: dict[str, str] = {}
        for key, schema in schemas:
            if kind := schema.get(name, ""):
                kinds.setdefault(kind, key)
        if lacking:
            has = next(key for key, schema in schemas if name in schema)
            changes.append(f"Column {name} is in {has}, but not in {' or '.join(lacking)}")
        elif len(kinds) > 1:
            said = ", ".join(f"{kind} in {key}" for kind, key in kinds.items())
            changes.append(f"Column {name} is {said}")
    more = len(changes) - _NAMED
    if more > 0:
        changes = [*changes[:_NAMED], f"{more:,} more columns differ"]
    return Drift(changes=tuple(changes), warnings=warnings)
