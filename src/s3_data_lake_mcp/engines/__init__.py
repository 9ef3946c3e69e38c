"""SQL over objects: what every engine promises. Engines run in worker processes only.

Where to find what a query passes:

- `asking`, `simple_form`, `guard`, `guard_…`: from arguments to one statement that only reads
- `inputs`, `places`, `opening`, `facts`: from names to open objects, and what is known of them
- `tables`, `parquet_…`, `csv_…`, `json_…`, `streams`, `watched`: objects as views
- `casts`, `typed_select`, `used_fields`: text as typed columns, exactly
- `duckdb`, `connection`, `call`, `running`: the engine, and one run in it
- `pruning`, `partition_tests`, `row_groups`, `prefetch`, `plans`: what of the objects is read
- `results`, `stored_types`, `references`, `row_order`: an answer
- `answers`, `absent_values`, `misread`, `spellings`: what is kept of it, and what is said beside it
- `faults`, `mend`, `mend_…`: from an error to the query that was meant
- `sqltext`: names and values as SQL
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One predicate of the simple form; `operator` is one of the contract's, `value` unparsed."""

    column: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One read-only question.

    `bucket` and `key` name what the table `data` is: an object, a prefix ending in `/`, or a glob.
    `sql`, or a `filter` and `columns`, or neither (the first rows); `where` is an SQL predicate
    (Parquet reads). `identity` is that of the earlier result which a cursor goes on with; `format`
    is the only one that `data` may have, empty for any.
    """

    bucket: str
    key: str
    max_rows: int
    sql: str = ""
    where: str = ""
    filter: Filter | None = None
    columns: tuple[str, ...] = ()
    offset: int = 0
    dry_run: bool = False
    identity: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """Rows of one page of the answer.

    `table` holds up to `max_rows + 1` rows. `sources` are the objects read, in order, at most 20 of
    `sources_total`; `identity` is a short digest of all their ETags. `total_rows` is exact or None.
    `plan` is None unless the query was a dry run. `whole` describes `data` as one source: the
    object, or for many files the prefix or glob, with the sum of their sizes and the newest date.
    `details` is the format's own part of the answer (`parquet`), ready for JSON.
    """

    table: "pa.Table"
    sql: str
    format: str
    sources: Sequence[ObjectInfo]
    sources_total: int
    identity: str
    total_rows: int | None = None
    plan: Mapping[str, object] | None = None
    notices: Sequence[str] = ()
    whole: ObjectInfo | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How SQL reaches the text that a column is written as.

    `text` is the name of a column of `texts` that has it, `value` that of a function which makes
    the column's values of it.
    """

    text: str
    value: str


class TableSession(Protocol):
    """The table `data` over an object, prefix or glob, open for trusted SQL of our own."""

    @property
    def rows(self) -> str:
        """The table of all rows: `data`, or what was gathered of it."""
        ...

    def gather(self, columns: Sequence[str]) -> None:
        """Read columns of `data` for all statements over `rows` to come, into memory if they fit.

        It may learn what changes their types.
        """
        ...

    @property
    def schema(self) -> "pa.Schema":
        """Columns and types, as `query_csv_data` shows them."""
        ...

    @property
    def written(self) -> Mapping[str, Written]:
        """How columns of `rows` are written whose text is at hand, by name, once they were read.

        If there are any, there is a table `texts` with the columns of `data` and their texts.
        """
        ...

    @property
    def sources(self) -> Sequence[ObjectInfo]:
        """The objects that it reads, all of them."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """What there is to say of how they are read."""
        ...

    @property
    def lessons(self) -> int:
        """How often what was read has changed how they are read: types of columns, too."""
        ...

    def execute(
        self, sql: str, params: Sequence[object] = (), *, goes_on: bool = False
    ) -> "pa.Table":
        """Return the rows of one SELECT.

        Args:
            sql: The SELECT.
            params: Values of its parameters.
            goes_on: Whether the next one is going to read all: then its bytes begin to come.

        Raises:
            LimitExceededError: If it needs more memory than there is.
        """
        ...


class Engine(Protocol):
    """Answers queries over objects."""

    def open_table(
        self,
        bucket: str,
        key: str,
        meter: ScanMeter,
        progress: Callable[[int, int], None] | None = None,
    ) -> AbstractContextManager[TableSession]:
        """Open `data` for SQL that the server itself wrote, as profiles need it."""
        ...

    def run(
        self, query: Query, meter: ScanMeter, progress: Callable[[int, int], None] | None = None
    ) -> QueryResult:
        """Run one query; `progress` is told bytes read and bytes to read.

        Raises:
            SqlError: If the text does not parse, bind or run.
            NotReadOnlyError: If it parses but is not one read-only query.
            NotAllowedError: If it names anything but objects that may be read.
            UnknownColumnError: If it names a column that is not there.
        """
        ...
