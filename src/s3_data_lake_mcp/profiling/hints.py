"""A sample that is drawn and looked at while the engine opens and reads the whole."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from s3_data_lake_mcp.profiling import telling
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn
from s3_data_lake_mcp.profiling.sample import Sample


class Hint:
    """A sample on its way, which spares an exact scan its second pass; one may do without.

    Args:
        thread: Where it is drawn and looked at.
        draw: Draws it; None if there is none to be drawn.
    """

    def __init__(
        self, thread: ThreadPoolExecutor, draw: Callable[[], Sample | None] | None
    ) -> None:
        self._thread = thread
        self._sample = thread.submit(draw) if draw is not None else None
        self._shape: Future[str] | None = None

    def sample(self) -> Sample | None:
        """Return the sample, once it is drawn."""
        return self._sample.result() if self._sample is not None else None

    def look(self, chosen: Sequence[ProfiledColumn]) -> None:
        """Begin to look at what columns of the sample say together."""
        if self._shape is None and (sample := self.sample()) is not None:
            self._shape = self._thread.submit(telling.shape, sample.table, chosen, of=None)

    def shape(self) -> str:
        """Return the notice of what they say; empty if nothing was looked at."""
        return self._shape.result() if self._shape is not None else ""


@contextmanager
def hinting(draw: Callable[[], Sample | None] | None) -> Iterator[Hint]:
    """Draw a sample beside what is done meanwhile; `draw` is as in `Hint`."""
    with ThreadPoolExecutor(1, thread_name_prefix="hint") as thread:
        yield Hint(thread, draw)
