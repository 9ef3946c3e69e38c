"""A sample that is drawn and looked at while the engine opens and reads the whole."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from s3_data_lake_mcp.profiling import telling
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn
from s3_data_lake_mcp.profiling.sample import Sample

type Progress = Callable[[int, int], None]

_UNDER_WAY = 10
"""Part of all bytes, as one in so many, that has been read then."""


class EarlySample:
    """A sample on its way, which spares an exact scan its second pass; one may do without.

    It is drawn and looked at in `thread`; `draw` is None if there is none to be drawn.
    """

    def __init__(
        self, thread: ThreadPoolExecutor, draw: Callable[[], Sample | None] | None
    ) -> None:
        self._thread = thread
        self._sample = thread.submit(draw) if draw is not None else None
        self._chosen: Sequence[ProfiledColumn] = ()
        self._shape: Future[str] | None = None

    def sample(self) -> Sample | None:
        """Return the sample, once it is drawn."""
        return self._sample.result() if self._sample is not None else None

    def choose(self, chosen: Sequence[ProfiledColumn]) -> None:
        """Take the columns whose values are to be looked at together."""
        self._chosen = chosen

    def beside(self, progress: Progress) -> Progress:
        """Return a report that begins to look, too, once the scan is well under way.

        Before, it would hold up the engine as that plans the scan.
        """

        def report(done: int, total: int) -> None:
            if done * _UNDER_WAY > total:
                self._look()
            progress(done, total)

        return report

    def _look(self) -> None:
        if self._shape is None and self._chosen and (sample := self.sample()) is not None:
            self._shape = self._thread.submit(telling.shape, sample.table, self._chosen, of=None)

    def shape(self) -> str:
        """Return the notice of what they say; empty if there is no sample."""
        self._look()
        return self._shape.result() if self._shape is not None else ""


@contextmanager
def drawn_early(draw: Callable[[], Sample | None] | None) -> Iterator[EarlySample]:
    """Draw a sample beside what is done meanwhile; `draw` is as in `EarlySample`."""
    with ThreadPoolExecutor(1, thread_name_prefix="early-sample") as thread:
        yield EarlySample(thread, draw)
