"""Which folders can hold what a glob fits, so that a listing need not look into the others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.storage.keys import CLASS, glob_prefix, glob_regex, is_glob

if TYPE_CHECKING:
    import re

_PRICE_KEYS = 250
"""Keys that are listed in the time that a look into one more folder takes."""

_SLASH = "/"


class GlobFolders:
    """A glob, folder by folder.

    Known are its parts between slashes, up to the first `**` or bracket that its part leaves open.
    """

    def __init__(self, glob: str) -> None:
        self._glob = glob
        self._parts: list[str] = []
        self._regexes: list[re.Pattern[str]] = []
        self._goes_on = False
        for part in glob.split(_SLASH):
            if "**" in part or "[" in CLASS.sub("", part):
                self._goes_on = True
                break
            try:
                self._regexes.append(glob_regex(part))
            except InvalidArgumentError:
                # That is told where no object has this very key.
                self._goes_on = True
                break
            self._parts.append(part)

    def may_hold(self, folder: str) -> bool:
        """Whether a key below a folder can fit the glob, or be it."""
        names = folder.split(_SLASH)[:-1]
        if len(names) >= len(self._parts) and not self._goes_on:
            return False
        fits = all(one.fullmatch(name) for one, name in zip(self._regexes, names, strict=False))
        return fits or self._glob.startswith(folder)

    def narrowed(self, folder: str) -> str:
        """Return what all keys that fit begin with, below a folder that may hold some."""
        begin = folder
        for part in self._parts[folder.count(_SLASH) :]:
            begin += glob_prefix(part)
            if is_glob(part):
                return begin
            begin += _SLASH
        return begin if self._goes_on else begin.removesuffix(_SLASH)

    def ends_at(self, prefix: str) -> bool:
        """Whether no key that fits has more slashes than a prefix."""
        return not self._goes_on and prefix.count(_SLASH) >= len(self._parts) - 1

    def tells(self, level: str) -> bool:
        """Whether keys that fit are in folders of a level alone, and which ones the glob tells."""
        return level.count(_SLASH) < len(self._parts) - (not self._goes_on)

    def spared(self, level: str, keys: Sequence[str]) -> float:
        """Return the keys of a folder, on the average, that need not be listed.

        Judged by keys below the level of the folders; 0 where looking into those folders that may
        hold some takes longer than to list all keys.
        """
        begins: dict[str, str] = {}
        held = 0
        for key in keys:
            folder = key[: key.find(_SLASH, len(level)) + 1]
            if folder not in begins:
                fits = bool(folder) and self.may_hold(folder)
                begins[folder] = self.narrowed(folder) if fits else ""
            begin = begins[folder]
            deeper = key.find(_SLASH, len(begin)) >= 0 and self.ends_at(begin)
            held += bool(begin) and key.startswith(begin) and not deeper
        spared = (len(keys) - held) / len(begins)
        return spared if self.pays(len(begins), list(filter(None, begins.values())), spared) else 0

    @staticmethod
    def pays(folders: int, wanted: Sequence[str], spared: float) -> bool:
        """Whether to look into the folders that are wanted is less than to list what is spared."""
        return len(wanted) * _PRICE_KEYS <= folders * spared
