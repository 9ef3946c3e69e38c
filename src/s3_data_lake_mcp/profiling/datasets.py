"""Keys grouped into logical data sets, from a listing alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from s3_data_lake_mcp.loaders.formats import detect_format_by_name, format_of
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.crossings import Budget, Crossings
from s3_data_lake_mcp.profiling.groups import Group, GroupKey, without
from s3_data_lake_mcp.profiling.location import Neighbours
from s3_data_lake_mcp.profiling.names import (
    KeyShape,
    folders_above,
    is_hidden,
    shape_of,
    template_of,
)
from s3_data_lake_mcp.profiling.oddities import freshness, partition_json, warnings_of
from s3_data_lake_mcp.profiling.tokens import LEAST_SIBLINGS, families
from s3_data_lake_mcp.storage import ListedObject
from s3_data_lake_mcp.storage.keys import ICEBERG, table_of
from s3_data_lake_mcp.storage.lookup import is_folder_marker

MOST_GROUPS = 2_000
"""Groups kept while a listing streams past; above it, the folders or names that vary most merge."""

_NUMBERED_SIBLINGS = 8
_METADATA = "metadata"


class DatasetGrouper:
    """Groups keys into data sets as a listing streams past.

    Keys belong together that differ only in Hive partition values, dates, numbers or identifiers
    (`orders_2026-01-01.csv`, `part-00000.parquet`), each folder being its own table. Eight or more
    folders that differ only in a number (`device-001/`) are one data set. Only aggregates are kept.

    All keys were listed by the prefix `within`.
    """

    def __init__(self, bucket: str, *, within: str = "") -> None:
        self._bucket = bucket
        self._within = within
        self._groups: dict[GroupKey, Group] = {}
        self._budget = Budget()
        self._merged: set[GroupKey] = set()
        self._most_groups = MOST_GROUPS
        self._tables: dict[str, str] = {}
        self.hidden = 0
        self.complete = True

    def add(self, listed: ListedObject) -> None:
        """Put one object into its group."""
        if is_folder_marker(listed):
            return
        if found := table_of(listed.key):
            root, kind = found
            self._tables[root] = kind
        if self.is_hidden(listed.key):
            self.hidden += 1
            return
        shape = self._routed(shape_of(listed.key))
        key = (shape.folders, shape.stem, shape.suffix)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._new(key)
        group.add(listed, shape)
        while len(self._groups) > self._most_groups:
            if not self._merge_widest():
                # To look for it with each key would take time with their square.
                self._most_groups = 2 * len(self._groups)

    def _new(self, key: GroupKey) -> Group:
        return Group(key, crossings=Crossings(self._budget))

    def is_hidden(self, key: str) -> bool:
        """Whether readers would skip a key; the prefix itself was named, so it hides nothing."""
        begun = self._within.rpartition("/")[2][:1] and "-"
        return is_hidden(begun + key[len(self._within) :])

    def datasets(self) -> list[Json]:
        """Return the contract's `datasets`, the largest first."""
        groups = self.groups()
        neighbours = Neighbours(self._bucket, groups, within=self._within, complete=self.complete)
        names = [neighbours.name(group) for group in groups]
        kinds = _kinds(groups)
        repeated = {name for name, times in Counter(names).items() if times > 1}
        found: list[Json] = []
        for group, name in zip(groups, names, strict=True):
            uri, exact = neighbours.uri(group)
            warnings = warnings_of(group, _others(group, kinds[group.key[:2]]))
            if kind := self._table_of(group):
                warnings.append(
                    f"The folder is a{kind} table: its log or metadata says which of these files "
                    "are current, and this summary counts all of them"
                )
            if not exact:
                warnings.append(f"No glob selects just this data set: {uri} also matches others")
            found.append(
                {
                    "name": neighbours.long_name(group) if name in repeated else name,
                    "uri": uri,
                    "format": format_of(group.first.key),
                    "objects": group.objects,
                    "bytes": group.bytes,
                    "partitions": {c: partition_json(v) for c, v in group.partitions.items()},
                    "schema_drift": [],
                    "warnings": warnings,
                    "example_key": group.first.key,
                }
            )
        return found

    def groups(self) -> list[Group]:
        """Return the groups in the order of `datasets`, those of numbers and tokens merged."""
        self._merge_numbered()
        self._merge_tokens()
        return sorted(self._groups.values(), key=lambda g: (-g.bytes, -g.objects, g.key))

    def freshness(self, now: datetime) -> list[str]:
        """Return a sentence on age and usual interval of each data set, in their order."""
        return [freshness(group, now) for group in self.groups()]

    def drop_table_metadata(self) -> int:
        """Leave the metadata of Iceberg tables out, and return how many objects that are.

        Unlike other logs of tables it is told by what lies beside it, so that the listing must
        have passed. Where it was named itself, it stays.
        """
        dropped = [key for key, group in self._groups.items() if self.is_table_metadata(group.root)]
        return sum(self._groups.pop(key).objects for key in dropped)

    def is_table_metadata(self, key: str) -> bool:
        """Whether a key lies in the metadata of an Iceberg table."""
        above, slash, _ = key.rpartition("/")
        root = above.removesuffix(_METADATA)
        named = self._within.startswith(f"{root}{_METADATA}")
        return bool(slash) and not named and self._tables.get(root) == ICEBERG

    def _table_of(self, group: Group) -> str:
        """Return the kind of table whose data a group is; empty for none."""
        above = folders_above(group.root)
        return next((self._tables[at] for at in above if at in self._tables), "")

    def _routed(self, shape: KeyShape) -> KeyShape:
        """Apply the merges so far to the shape of a new key."""
        if not self._merged:
            return shape
        again = True
        while again:
            again = False
            for part in range(-1, len(shape.folders)):
                wider = without(shape, part)
                if wider != shape and (wider.folders, wider.stem, wider.suffix) in self._merged:
                    shape, again = wider, True
                    break
        return shape

    def _merge_widest(self) -> bool:
        """Merge the groups that differ in one part, where most do so."""
        siblings: Counter[GroupKey] = Counter()
        for folders, stem, suffix in self._groups:
            siblings.update(_wider(folders, stem, suffix))
        target, times = siblings.most_common(1)[0]
        if times < 2:  # noqa: PLR2004 - merging needs two
            return False
        self._merge(target, [key for key in self._groups if target in _wider(*key)])
        return True

    def _merge_numbered(self) -> None:
        families: dict[tuple[GroupKey, str], list[GroupKey]] = {}
        for key in self._groups:
            for at, folder in enumerate(key[0]):
                template = template_of(folder)[0]
                if "*" in folder or template == folder:
                    continue
                family = (*key[0][:at], template, *key[0][at + 1 :])
                wide = (*key[0][:at], "*", *key[0][at + 1 :])
                families.setdefault(((wide, key[1], key[2]), "/".join(family)), []).append(key)
        for (_, path), members in families.items():
            present = [key for key in members if key in self._groups]
            if len(present) >= _NUMBERED_SIBLINGS:
                folders = tuple(path.split("/"))
                self._merge((folders, present[0][1], present[0][2]), present)

    def _merge_tokens(self) -> None:
        """Merge the groups whose names differ in random tokens alone."""
        folders: dict[tuple[tuple[str, ...], str], dict[GroupKey, str]] = {}
        for key, group in self._groups.items():
            name = group.first.key.rpartition("/")[2].removesuffix(key[2])
            folders.setdefault((key[0], key[2]), {})[key] = name
        for (path, suffix), names in folders.items():
            if len(names) >= LEAST_SIBLINGS:
                for template, members in families(names):
                    self._merge((path, template, suffix), members)

    def _merge(self, target: GroupKey, members: list[GroupKey]) -> None:
        merged = self._groups.pop(target, None) or self._new(target)
        for key in members:
            if key == target:
                continue
            group = self._groups.pop(key)
            if merged.objects == 0:
                merged.signature = group.signature
            merged.absorb(group)
        self._groups[target] = merged
        self._merged.add(target)


def _kinds(groups: Sequence[Group]) -> dict[tuple[tuple[str, ...], str], Counter[tuple[str, str]]]:
    """Return how many objects of each format and compression are under like names."""
    found: dict[tuple[tuple[str, ...], str], Counter[tuple[str, str]]] = {}
    for group in groups:
        kind = detect_format_by_name(group.first.key)
        found.setdefault(group.key[:2], Counter())[kind] += group.objects
    return found


def _others(group: Group, kinds: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Return how many objects under like names differ in format or compression."""
    counts: Counter[str] = Counter()
    own = detect_format_by_name(group.first.key)
    for kind, objects in kinds.items():
        if kind != own:
            packed = f" ({kind[1] or 'not compressed'})" if kind[1] != own[1] else ""
            counts[f"format {kind[0]}{packed}"] += objects
    return dict(counts)


def _wider(folders: tuple[str, ...], stem: str, suffix: str) -> list[GroupKey]:
    """Return the keys of the groups that this one could merge into."""
    wider: list[GroupKey] = []
    if stem != "*":
        wider.append((folders, "*", suffix))
    for at, folder in enumerate(folders):
        if "*" not in folder:
            wider.append(((*folders[:at], "*", *folders[at + 1 :]), stem, suffix))
    return wider
