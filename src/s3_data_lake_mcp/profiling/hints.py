"""A sample that is drawn and looked at while the engine opens and reads the whole."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from s3_data_lake_mcp.profiling import telling
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn
from s3_data_lake_mcp.profiling.sample import Sample


class Hint:
    """A sample on its way, which spares an exact scan its second pass; one may do without.

    Args:
        draw: Draws it, in a thread of its own; None if there is none to be drawn.
    """

    def __init__(self, draw: Callable[[], Sample | None] | None) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hint")
        self._sample = self._thread.submit(draw) if draw is not None else None
        self._shape: Future[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown()

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
