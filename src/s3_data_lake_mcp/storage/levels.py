"""The levels of folders above a key, and what their folders hold by a page of keys."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from s3_data_lake_mcp.storage import ListedObject, ListPage
from s3_data_lake_mcp.storage.glob_folders import GlobFolders

LEAST_DENSITY = 4.0
"""Keys per folder below which looking folders up is no faster than listing what is in them."""

_DEEPEST = 32
_SLASH = "/"


@dataclass(frozen=True, slots=True)
class Probe:
    """A look at the folders of one level.

    By experience one holds `density` keys, at most `most` of them, and one a level below `deeper`
    keys (0: not known). Of the keys that one holds, `spared` need not be listed for a glob.
    """

    level: str
    density: float
    most: int
    deeper: float = 0.0
    spared: float = 0.0


def probes(scope: str, keys: Sequence[ListedObject], known: set[str]) -> Iterator[Probe]:
    """Yield the levels above the last key whose folders hold enough keys to be looked up."""
    levels = list(islice(_densities(scope, keys), _DEEPEST))
    for one, below in pairwise([*levels, Probe("", 0.0, 0)]):
        if one.level not in known and one.density >= LEAST_DENSITY:
            yield replace(one, deeper=below.density)


def sparing(
    glob: GlobFolders, scope: str, keys: Sequence[ListedObject], known: set[str]
) -> Probe | None:
    """Return the topmost level of whose folders many keys need not be listed for a glob."""
    for one in islice(_densities(scope, keys), _DEEPEST):
        if not glob.tells(one.level):
            return None
        if one.level in known or one.density < LEAST_DENSITY:
            continue
        below = [listed.key for listed in keys if listed.key.startswith(one.level)]
        if spared := glob.spared(one.level, below):
            return replace(one, spared=spared)
    return None


def _densities(prefix: str, keys: Sequence[ListedObject]) -> Iterator[Probe]:
    """Yield each folder above the last key, from the top, with the keys that its children hold."""
    last = keys[-1].key
    level = prefix
    while (slash := last.find(_SLASH, len(level))) >= 0:
        below = [listed.key for listed in keys if listed.key.startswith(level)]
        items = Counter(key[: key.find(_SLASH, len(level)) + 1] or key for key in below)
        yield Probe(level, len(below) / len(items), max(items.values()))
        level = last[: slash + 1]


def standing_alone(page: ListPage, folders: Sequence[str]) -> set[str]:
    """Return the folders which the next folder follows directly, no object between them."""
    names = sorted([*page.common_prefixes, *(listed.key for listed in page.objects)])
    wanted = set(folders)
    return {one for one, next_one in pairwise(names) if one in wanted and next_one in wanted}
