"""Long listings side by side: a range of keys is cut at its folders, the pieces listed at once.

The first page is fetched alone, and only if more follow and folders are seen are
these looked up with a delimiter, while the serial listing goes on. What was found is no more than
a set of cuts: every piece lists all keys between two of them, so a wrong guess costs a request
and never a key. Small folders share a piece. Keys come in key order. Of many pages without folders,
cuts are guessed by how the keys are written.

Where a glob is given, folders that hold none of its keys are passed over, if they hold many others.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import dropwhile, islice

from s3_data_lake_mcp.errors import AccessDeniedError
from s3_data_lake_mcp.storage import ListedObject, ListPage, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.glob_folders import GlobFolders
from s3_data_lake_mcp.storage.levels import LEAST_DENSITY, Probe, probes, sparing, standing_alone
from s3_data_lake_mcp.storage.listing_pieces import BEFORE_SLASH, Piece, entered, guessed

WIDTH = 16
"""Most requests in flight."""

_WIDENED = 4
"""Requests in flight when a hesitant consumer has taken a page; times as many with each more."""

_PAGE_KEYS = 1_000
_AIM_KEYS = 700
"""Keys that a piece should hold at least: a page, less what makes it reach its end for sure."""

_MARGIN = 1.1
"""What is asked for, of what a piece should hold; the rest of a page would be the next piece's."""

_MOST_PIECES = 24
_MOST_LEVELS = 8
_FEW = 4
_SERIAL = 10
"""Pages without a folder to cut at, one behind the other, before it is guessed where to cut."""

_SERIAL_GUESSED = 4
_MOST_WAITING = 40_000
"""Keys held for a consumer that is slower than the store; some 20 MB."""

_TICK_SECONDS = 0.25
_SLASH = "/"


class OutOfTimeError(Exception):
    """A listing is not at its end in time; whatever is not behind `behind` was looked at."""

    def __init__(self, behind: str) -> None:
        super().__init__(f"time is short behind {behind}")
        self.behind = behind


def walk_wide(  # noqa: PLR0913 - where to list, and how to
    store: ObjectStore,
    bucket: str,
    prefix: str,
    meter: ScanMeter,
    *,
    glob: str = "",
    start_after: str = "",
    hesitant: bool = False,
    late: Callable[[], bool] = lambda: False,
) -> Iterator[ListedObject]:
    """Yield the objects below a prefix in key order, folders listed side by side.

    Of a `glob` all objects below the prefix come that fit it, and maybe others.
    What it fetches ahead is bounded, and dropped when the iteration is abandoned.

    A `hesitant` consumer may stop soon: nothing is asked for before the first page is taken,
    and the more at once the more pages have been.

    Raises:
        OutOfTimeError: If it is `late` and something is still to be waited for.
    """
    whole = Piece(scope=prefix, prefix=prefix, after=start_after)
    fan = _FanOut(store, bucket, meter, whole, width=0 if hesitant else WIDTH)
    fan.glob, fan.late = GlobFolders(glob) if glob else None, late
    try:
        for page in fan.pages():
            yield from page
    finally:
        fan.close()


class _FanOut:
    """The pieces of one listing. All state is the consumer's thread's; the others only fetch."""

    def __init__(
        self, store: ObjectStore, bucket: str, meter: ScanMeter, whole: Piece, *, width: int
    ) -> None:
        self.glob: GlobFolders | None = None
        self.late: Callable[[], bool] = lambda: False
        self._width = width
        self._store = store
        self._bucket = bucket
        self._meter = meter
        self._pieces = deque([whole])
        self._flying: dict[Future[ListPage], tuple[Piece, Probe | None]] = {}
        self._waiting = 0
        self._known: set[str] = set()
        self._taken = self._missed = 0
        self._pool: ThreadPoolExecutor | None = None

    def pages(self) -> Iterator[Sequence[ListedObject]]:
        """Yield the keys of all pieces in order, page by page."""
        # Most listings are one page long: no threads for those.
        self._take(self._pieces[0], self._fetch(self._pieces[0]))
        while self._pieces:
            head = self._pieces[0]
            while head.pages:
                page = head.pages.popleft()
                self._waiting -= len(page)
                yield page
                self._widen(head, page)
            if head.done:
                self._pieces.popleft()
                continue
            if head.behind and self.late():
                raise OutOfTimeError(head.behind)
            self._schedule()
            self._collect()

    def close(self) -> None:
        """Drop what is not fetched yet."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _widen(self, piece: Piece, page: Sequence[ListedObject]) -> None:
        first = not self._width
        self._width = min(WIDTH, self._width * _WIDENED or _WIDENED)
        if first and not piece.done:
            self._probe(piece, page)

    def _fetch(self, piece: Piece) -> ListPage:
        return self._store.list_page(
            self._bucket,
            piece.prefix,
            self._meter,
            start_after="" if piece.token else piece.after,
            token=piece.token,
            max_keys=_PAGE_KEYS if piece.token else piece.size or _PAGE_KEYS,
            delimiter=_SLASH if piece.folded else "",
        )

    def _look(self, level: str, after: str) -> ListPage:
        return self._store.list_page(
            self._bucket, level, self._meter, delimiter=_SLASH, start_after=after
        )

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(WIDTH, thread_name_prefix="s3-list")
        return self._pool

    def _schedule(self) -> None:
        for at, piece in enumerate(self._pieces):
            if len(self._flying) >= max(self._width, 1) or (at and self._ahead_enough()):
                return
            if not piece.busy and not piece.done:
                piece.busy = True
                self._flying[self._threads().submit(self._fetch, piece)] = (piece, None)

    def _ahead_enough(self) -> bool:
        """Tell whether no more is to be fetched ahead; a hesitant consumer may stop any time."""
        if self._width == WIDTH:
            return self._waiting > _MOST_WAITING
        return len(self._flying) + sum(len(one.pages) for one in self._pieces) >= self._width

    def _collect(self) -> None:
        landed, _ = wait(self._flying, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
        self._meter.check()
        for future in landed:
            piece, probe = self._flying.pop(future)
            if probe is None or probe.spared:
                piece.busy = False
            try:
                page = future.result()
            except AccessDeniedError:
                # A policy may name the prefixes that can be listed one by one.
                if probe is None and not piece.broaden():
                    raise
                continue
            if probe is None:
                self._take(piece, page)
            elif not (probe.spared and self.glob and self._enter(self.glob, piece, probe, page)):
                self._cut(piece, probe, page)

    def _take(self, piece: Piece, page: ListPage) -> None:
        """Keep those keys of a page that belong to its piece."""
        keys: Sequence[ListedObject] = page.objects
        piece.token = page.next_token
        piece.done = not page.next_token
        piece.taken += 1
        self._taken += 1
        if keys and keys[0].key < piece.start:
            keys = list(dropwhile(lambda listed: listed.key < piece.start, keys))
        if keys and piece.stop is not None and keys[-1].key >= piece.stop:
            keys = [listed for listed in keys if listed.key < piece.stop]
            piece.done = True
        if not keys:
            self._missed += piece.guessed and not piece.last
            return
        piece.last = keys[-1].key
        piece.pages.append(keys)
        self._waiting += len(keys)
        if not piece.done:
            self._probe(piece, keys)
            self._guess(piece, keys)

    def _idle(self) -> bool:
        return sum(not piece.done for piece in self._pieces) < self._width

    def _guess(self, piece: Piece, keys: Sequence[ListedObject]) -> None:
        """Cut a long piece without folders, if hands are idle and few such cuts were in vain."""
        serial = _SERIAL_GUESSED if piece.guessed else _SERIAL
        if piece.busy or piece.taken < serial or self._missed * 3 > self._taken or not self._idle():
            return
        if pieces := guessed(piece, keys):
            piece.taken = 0
            self._insert(piece, pieces)

    def _insert(self, piece: Piece, pieces: Sequence[Piece]) -> None:
        at = self._pieces.index(piece) + 1
        for one in reversed(pieces):
            self._pieces.insert(at, one)

    def _probe(self, piece: Piece, keys: Sequence[ListedObject]) -> None:
        """Look for folders behind a page, on the levels above its last key, if hands are idle."""
        if piece.folded:
            return
        if self.glob and self.glob.ends_at(piece.prefix):
            piece.folded = True
            piece.go_on(piece.last)
            return
        found = self.glob and self._width and sparing(self.glob, piece.prefix, keys, self._known)
        if found:
            # What it has behind the page is not asked for before the look tells of it.
            piece.busy = True
            self._send(piece, found)
            return
        if not self._idle():
            return
        for probe in islice(probes(piece.scope, keys, self._known), _MOST_LEVELS):
            self._send(piece, probe)

    def _send(self, piece: Piece, probe: Probe) -> None:
        if not probe.spared:
            self._known.add(probe.level)
        after = piece.last if piece.last.startswith(probe.level) else ""
        self._flying[self._threads().submit(self._look, probe.level, after)] = (piece, probe)

    def _cut(self, piece: Piece, probe: Probe, page: ListPage) -> None:
        """Cut the pieces that hold the folders which a look found."""
        folders = [f for f in page.common_prefixes if f > piece.last]
        size = max(-(-len(folders) // _MOST_PIECES), round(_AIM_KEYS / probe.density), 1)
        if page.next_token or size > 1:
            # Not all of the level's folders are cuts: a later look may find more.
            self._known.discard(probe.level)
        alone = standing_alone(page, folders) if size == 1 else set()
        keys = min(_PAGE_KEYS, round(probe.most * size * _MARGIN))
        # The page that is on its way holds the first folders, if they are small.
        for cut in folders[size if piece.busy and size > 1 else 0 :: size]:
            self._cut_at(cut, keys, alone=cut in alone)
        if len(folders) <= _FEW and probe.deeper >= LEAST_DENSITY:
            # Large folders, alike as those of a lake are: cut them before their own first pages.
            for folder in folders:
                self._send(piece, Probe(folder, probe.deeper, _PAGE_KEYS))

    def _cut_at(self, cut: str, size: int, *, alone: bool) -> None:
        for at, piece in enumerate(self._pieces):
            if piece.stop is not None and piece.stop <= cut:
                continue
            if piece.done or piece.last >= cut or piece.start >= cut:
                return
            rest = Piece(
                scope=piece.scope,
                prefix=cut if alone else piece.scope,
                after="" if alone else cut[:-1] + BEFORE_SLASH,
                start=cut,
                stop=piece.stop,
                size=0 if alone else size,
            )
            piece.stop = cut
            self._pieces.insert(at + 1, rest)
            return

    def _enter(self, glob: GlobFolders, piece: Piece, probe: Probe, page: ListPage) -> bool:
        """Look into those folders alone that may hold a glob's keys; False if that does not pay."""
        pieces = entered(glob, piece, probe, page)
        if pieces is None:
            self._known.add(probe.level)
            return False
        self._insert(piece, pieces)
        piece.stop, piece.done = piece.last, True
        return True
