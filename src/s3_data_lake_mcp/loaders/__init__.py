"""Bytes to Arrow: what every loader promises.

A loader turns one version of an object into an Arrow table of the rows that were asked for and one
more, if there is one: that row proves whether the page is short. It fetches no more than that
needs. Foreign bytes never raise anything but `LakeError`s. Loaders run in worker processes only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from s3_data_lake_mcp.loaders.page_size import PageSize
from s3_data_lake_mcp.storage.reader import ObjectReader

if TYPE_CHECKING:
    import pyarrow as pa

MAX_COLUMNS = 5_000
"""Most columns of a table; of Parquet, those inside structures are counted one by one."""

type JsonScalar = str | int | float | bool | None
type Position = Mapping[str, JsonScalar]
"""Where a page ended: all that a loader needs to go on there, as it travels in a cursor."""


class RowNotice(NamedTuple):
    """What is wrong with some rows, without its full stop, and the lines where it names them."""

    said: str
    lines: str = ""

    def __str__(self) -> str:
        """Return the whole sentence."""
        return f"{self.said}{self.lines}."


def told_nothing(_count: int) -> Sequence[RowNotice]:
    """Say that nothing is wrong with any rows."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """Which rows and columns to load.

    `position`, from an earlier result's `resume`, wins over `offset`. `page_size` spares what has
    no room on a page.
    """

    max_rows: int
    columns: tuple[str, ...] = ()
    offset: int = 0
    position: Position | None = None
    max_decoded_bytes: int = 8 << 30
    page_size: PageSize | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """Rows of one page, and how to go on behind any of them.

    `table` holds up to `max_rows + 1` rows: the last is there only to prove that there is more. If
    it is `full`, it holds fewer, since these are more than a page has room for. Only its first
    `loaded` columns were read, if a page has no room for the others; None: all. `offset` is the
    number of the first row. `total_rows` is exact or None. `resume(n)` is the position behind the
    first `n` rows of `table`, for `0 < n <= table.num_rows`, and `told(n)` are the notices about
    these rows; `notices` has all others. `details` is the format's own part of the answer
    (`dialect`, `parquet`), ready for JSON.
    """

    table: "pa.Table"
    offset: int
    resume: Callable[[int], Position]
    full: bool = False
    loaded: int | None = None
    total_rows: int | None = None
    notices: Sequence[str] = ()
    told: Callable[[int], Sequence[RowNotice]] = told_nothing
    details: Mapping[str, object] = field(default_factory=dict)


class Loader[Request: LoadRequest](Protocol):
    """Reads one format."""

    def load(self, source: ObjectReader, request: Request) -> LoadResult:
        """Load one page.

        Raises:
            MalformedDataError: If the bytes are not of the format.
            UnknownColumnError: If `request.columns` names a column that is not there.
            LimitExceededError: If a budget of the request or meter is spent.
            ObjectChangedError: If the object changes while it is read.
        """
        ...
