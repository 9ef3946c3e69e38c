"""The pieces that a long listing is cut into, and those of them that a glob leaves."""

import string
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from s3_data_lake_mcp.storage import ListedObject, ListPage
from s3_data_lake_mcp.storage.glob_folders import GlobFolders
from s3_data_lake_mcp.storage.levels import Probe

BEFORE_SLASH = "."
"""What comes right before a slash in the order of keys."""

_MOST_ENTERED = 64
"""Folders that are looked into one by one before it is judged anew whether that pays."""

_MOST_GUESSED = 16
_VARIED = 3
"""Characters of a key that are looked at for those that its like may have."""

_DIGITS = frozenset(string.digits)
_ORDERED = frozenset(string.digits + string.ascii_letters)
_LATE = "~"
"""What stands behind all that keys are mostly written with."""

_SLASH = "/"
_BEHIND_SLASH = "0"
_LAST = "\U0010ffff"


@dataclass(slots=True, eq=False)
class Piece:
    """Keys from `start` up to, and not including, `stop`; listed below `prefix` behind `after`.

    `scope` is a prefix of all of them. `prefix` is narrower where it is known that the rest of the
    piece, behind one folder, is empty. Its first page has `size` keys at most (0: a full page's).
    One that is `folded` has no keys of deeper folders, one that is `guessed` maybe none at all.
    `taken` are the pages that came since it was cut.
    """

    scope: str
    prefix: str
    after: str = ""
    start: str = ""
    stop: str | None = None
    size: int = 0
    token: str = ""
    last: str = ""
    folded: bool = False
    guessed: bool = False
    taken: int = 0
    busy: bool = False
    done: bool = False
    pages: deque[Sequence[ListedObject]] = field(default_factory=deque)

    def broaden(self) -> bool:
        """List by the prefix of the whole from now on; False if it is so listed already."""
        if self.prefix == self.scope:
            return False
        self.prefix, self.folded = self.scope, False
        self.go_on(self.behind)
        return True

    def go_on(self, after: str) -> None:
        """List what is behind a key from now on."""
        self.after, self.token = after, ""

    @property
    def behind(self) -> str:
        """What everything before this piece, or before what is left of it, is not behind."""
        if self.last or self.after or not self.start.endswith(_SLASH):
            return self.last or self.after or self.start[:-1]
        return self.start[:-1] + BEFORE_SLASH

    def holds(self, name: str) -> bool:
        """Whether a name stands in what is left of this piece."""
        at_start = max(self.last, self.after)
        return at_start < name >= self.start and (self.stop is None or name < self.stop)

    def within(self, glob: GlobFolders, folder: str) -> "Piece | None":
        """Return the piece of a glob's keys in a folder; None if it has none of them."""
        begin = glob.narrowed(folder)
        inside = self.last.startswith(begin)
        if not inside and not self.holds(begin):
            return None
        shorter = begin.rstrip(_LAST)
        stop = shorter[:-1] + chr(ord(shorter[-1]) + 1)
        return Piece(
            scope=self.scope,
            prefix=begin,
            after=self.last if inside else "",
            start=begin,
            stop=stop if self.stop is None else min(stop, self.stop),
            folded=glob.ends_at(begin),
        )


def guessed(piece: Piece, keys: Sequence[ListedObject]) -> list[Piece]:
    """Cut a piece where its keys may go on behind a page, by the characters that vary in that.

    Returns:
        The pieces behind it, in order.
    """
    last = keys[-1].key
    pairs = enumerate(zip(keys[0].key, last, strict=False))
    alike = next((at for at, (one, other) in pairs if one != other), 0)
    # A step there has a page of keys or more.
    deepest = min(max(alike - 1, len(piece.prefix)), len(last) - 1)
    varied = {c for one in keys for c in one.key[alike : alike + _VARIED]} & _ORDERED
    if varied & _DIGITS:
        varied |= _DIGITS
    places = (
        (last[:at], letter)
        for at in range(deepest, len(piece.prefix) - 1, -1)
        for letter in sorted(varied)
        if letter > last[at] and piece.holds(last[:at] + letter)
    )
    pieces = [
        Piece(
            scope=piece.scope,
            prefix=piece.prefix,
            after=head + chr(ord(letter) - 1) + _LATE,
            start=head + letter,
            # Where there is no key, a page of what is behind would come for nothing.
            size=1,
            folded=piece.folded,
            guessed=True,
        )
        for head, letter in islice(places, _MOST_GUESSED)
    ]
    if pieces:
        pieces[-1].stop = piece.stop
    for one, behind in pairwise([piece, *pieces]):
        one.stop = behind.start
    return pieces


def entered(
    glob: GlobFolders, piece: Piece, probe: Probe, page: ListPage
) -> Sequence[Piece] | None:
    """Return what to list of the rest of a piece: folders that may hold a glob's keys.

    Args:
        glob: Which keys are wanted.
        piece: What is listed up to its last key.
        probe: The look at the folders of a level.
        page: What the look found behind that key.

    Returns:
        The pieces in order, the last one maybe of what was not looked at; None if to list all of it
        takes no longer.
    """
    folders = [folder for folder in page.common_prefixes if piece.holds(folder)]
    wanted = [folder for folder in folders if glob.may_hold(folder)]
    if not glob.pays(len(folders) + 1, wanted, probe.spared):
        return None
    # The folder that the piece is in was not found anew.
    name = piece.last[len(probe.level) :].partition(_SLASH)[0]
    here = f"{probe.level}{name}{_SLASH}"
    first = [here] if piece.last.startswith(here) and glob.may_hold(here) else []
    parts = [piece.within(glob, folder) for folder in [*first, *wanted[:_MOST_ENTERED]]]
    pieces = [part for part in parts if part is not None]
    end = wanted[_MOST_ENTERED - 1] if len(wanted) > _MOST_ENTERED else _end(probe.level, page)
    if end.endswith(_SLASH):
        # An object of this very name stands beside folders, where no key of the glob is.
        end = end[:-1] + _BEHIND_SLASH
    if end.startswith(piece.prefix) and piece.holds(end):
        rest = Piece(scope=piece.scope, prefix=piece.prefix, after=end, start=end, stop=piece.stop)
        pieces.append(rest)
    return pieces


def _end(level: str, page: ListPage) -> str:
    """Return what a look at a level came to, or the level if it was all of it."""
    if not page.next_token:
        return level
    return max([*page.common_prefixes[-1:], *(listed.key for listed in page.objects[-1:])])
