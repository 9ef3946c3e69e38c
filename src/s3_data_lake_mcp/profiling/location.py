"""Names of data sets, and the prefix or glob that selects just one of them."""

import re
from collections import Counter
from collections.abc import Sequence

from s3_data_lake_mcp.profiling.groups import Group
from s3_data_lake_mcp.profiling.names import escape_glob, folders_above
from s3_data_lake_mcp.storage.keys import glob_prefix, glob_regex

_GENERIC = frozenset(
    (
        *("part", "parts", "data", "file", "files", "chunk", "segment", "seg", "output", "out"),
        *("export", "run", "batch", "shard", "page", "split", "block", "dump", "snapshot"),
        *("delta", "base", "log"),
    )
)
_WRITERS = ("part-*", "part_*")
"""How writers name the parts of a table: what follows is theirs too."""

_DATA_FOLDER = "/data/"
"""Where formats of tables keep what is theirs, below a folder with the table's name."""

_WORDS = re.compile(r"[^\W_]+")


class Neighbours:
    """All the groups of a listing, to tell one from the others.

    Nothing is known of what lies beside the prefix `within` that they were listed by, nor of
    what lies behind the listing's end if it is not `complete`.
    """

    def __init__(
        self, bucket: str, groups: Sequence[Group], *, within: str, complete: bool
    ) -> None:
        self._bucket = bucket
        self._within = within
        self._groups = groups
        self._complete = complete
        self._below: Counter[str] = Counter()
        self._by_depth: dict[tuple[int, str], list[Group]] = {}
        for group in groups:
            self._below.update(folders_above(group.root))
            self._by_depth.setdefault((len(group.key[0]), group.key[2]), []).append(group)

    def name(self, group: Group) -> str:
        """Return a short name: the stem of the files if it says something, else the folder."""
        folder = group.root.removesuffix(_DATA_FOLDER).rstrip("/").rsplit("/", 1)[-1]
        stem = group.key[1]
        if group.objects == 1 and not group.varying_folders:
            key = group.first.key.rsplit("/", 1)[-1]
            stem = key.removesuffix(group.key[2])
            return folder or self._bucket if _is_generic(stem) else stem
        cleaned = re.sub(r"[-_. ]*\*[-_. ]*", "_", stem).strip("_-. ")
        sole = self._below[group.root] == 1
        if _is_generic(stem) or (folder and sole and group.varying_folders):
            return folder or self._bucket
        return cleaned

    def long_name(self, group: Group) -> str:
        """Return a name that no other data set has."""
        if group.objects == 1:
            return group.first.key
        return "/".join((*group.key[0], group.key[1])) + group.key[2]

    def uri(self, group: Group) -> tuple[str, bool]:
        """Return the URI that selects the group, and whether it selects nothing else."""
        base = f"s3://{self._bucket}/"
        if group.objects == 1:
            return base + group.first.key, True
        root = group.root
        inside = root.startswith(self._within)
        alone = self._complete and self._below[root] == 1
        if inside and root and group.varying_folders and alone:
            return base + root, True
        globs = [
            glob
            for glob in self._globs(group)
            if inside or glob_prefix(glob).startswith(self._within)
        ]
        if not globs:
            return self._uri_within(group, base)
        for glob in globs:
            if not self._matches_others(group, glob):
                return base + glob, True
        return base + globs[-1], False

    def _uri_within(self, group: Group, base: str) -> tuple[str, bool]:
        """Return the URI of a group that may go on beside the listing's prefix."""
        alone = len(self._groups) == 1 and self._complete
        if alone and self._within.endswith("/"):
            return base + self._within, True
        glob = f"{escape_glob(self._within)}**{escape_glob(group.key[2])}"
        return base + glob, self._complete and not self._matches_others(group, glob)

    def _globs(self, group: Group) -> list[str]:
        folders, stem, suffix = group.key
        path = "".join(f"{_as_glob(folder)}/" for folder in folders)
        globs = [path + _as_glob(stem) + escape_glob(suffix)]
        if "*" in stem:
            digits = _as_glob(stem).replace("*", "[0-9]*")
            globs.append(path + digits + escape_glob(suffix))
        if group.signature is not None:
            globs.append(path + group.signature)
        return [glob for glob in globs if self._matches_own(group, glob)]

    def _matches_own(self, group: Group, glob: str) -> bool:
        pattern = glob_regex(glob)
        return all(pattern.fullmatch(listed.key) for listed in group.samples.spread(32))

    def _matches_others(self, group: Group, glob: str) -> bool:
        pattern = glob_regex(glob)
        depth = len(group.key[0])
        rivals = [
            other
            for (deep, suffix), others in self._by_depth.items()
            if deep == depth and suffix.endswith(group.key[2])
            for other in others
            if other is not group
        ]
        return any(
            pattern.fullmatch(listed.key) for other in rivals for listed in other.samples.spread(8)
        )


def _as_glob(template: str) -> str:
    return "*".join(escape_glob(part) for part in template.split("*"))


def _is_generic(stem: str) -> bool:
    if stem.startswith(_WRITERS):
        return True
    words = [word.rstrip("0123456789").lower() for word in _WORDS.findall(stem.replace("*", " "))]
    return all(len(word) <= 1 or word in _GENERIC for word in words)
