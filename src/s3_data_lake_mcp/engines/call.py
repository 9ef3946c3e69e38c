"""A call in sessions of the engine: each begins anew, where a table learns from a failure."""

import contextlib
from collections.abc import Callable

import duckdb

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.inputs import Inputs
from s3_data_lake_mcp.engines.opening import Opener
from s3_data_lake_mcp.errors import (
    LakeError,
    LimitExceededError,
    ObjectChangedError,
    UnknownColumnError,
)

_MOST_LESSONS = 200
"""Most times that one query is run again, each time a little wiser."""

type Report = Callable[[int, int], None]


class Call:
    """The tables of one call, who opened them, and who is told how far it is.

    It goes on with one session until that fails.
    """

    def __init__(
        self,
        inputs: Inputs,
        opener: Opener,
        progress: Report | None,
        connect: Callable[["Call"], contextlib.AbstractContextManager[Session]],
    ) -> None:
        self.inputs = inputs
        self.opener = opener
        self.meter = opener.meter
        self.lessons = 0
        self._connect = connect
        self._session: Session | None = None
        self._opened = contextlib.ExitStack()
        self._progress = progress
        self._total = sum(info.size_bytes for info in inputs.infos())

    def run[T](
        self, work: Callable[[Session], T], fault: Callable[[Session, duckdb.Error], LakeError]
    ) -> T:
        """Do work in sessions until none of the tables can learn from its failure any more.

        The session in which it succeeds is the one that the call goes on with.
        """
        for _ in range(_MOST_LESSONS):
            with contextlib.ExitStack() as failing:
                failing.callback(self.close)
                session = self._session = self._session or self._opened.enter_context(
                    self._connect(self)
                )
                try:
                    done = work(session)
                    if isinstance(session.scope.failure, ObjectChangedError):
                        # It was interrupted, perhaps where that shows in no error.
                        raise session.scope.failure
                except UnknownColumnError:
                    missing = duckdb.BinderException("Column not found, says the simple form")
                    if not self._learns(missing, None):
                        raise
                except (duckdb.Error, UnicodeDecodeError) as caught:
                    exc = _whole(caught)
                    failure = session.scope.failure
                    if isinstance(failure, LakeError):
                        raise failure from exc
                    if not self._learns(exc, failure):
                        raise fault(session, exc) from exc
                else:
                    failing.pop_all()
                    return done
        message = f"Values differ in more than {_MOST_LESSONS} ways from those at the beginning"
        raise LimitExceededError(message, hint="Name fewer columns, or a narrower prefix or glob.")

    def _learns(self, error: duckdb.Error, failure: Exception | None) -> bool:
        """Whether a table is going to be read in another way, now that there was an error."""
        learnt = any(table.learn(error, failure) for table in self.inputs.learners)
        self.lessons += learnt
        return learnt

    def report(self) -> None:
        """Tell bytes read and bytes to read."""
        if self._progress is not None:
            self._progress(min(self.meter.bytes_read, self._total), self._total)

    def close(self) -> None:
        """Close the session."""
        self._session = None
        self._opened.close()


def _whole(error: duckdb.Error | UnicodeDecodeError) -> duckdb.Error:
    """Return an error of the engine, which may cut a value in the midst of a character."""
    if isinstance(error, duckdb.Error):
        return error
    return duckdb.ConversionException(error.object.decode(errors="ignore"))
