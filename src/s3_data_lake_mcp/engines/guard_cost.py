"""How far a query multiplies out before it runs.

Binding replaces each name of a common table expression by its text, and each `*` by columns; a few
hundred characters can become billions of either, and that part of DuckDB cannot be interrupted.
"""

from collections import defaultdict
from typing import Final

from s3_data_lake_mcp.errors import LimitExceededError

MAX_CTES: Final = 20
MAX_SET_OPERATIONS: Final = 200
MAX_EXPANSION: Final = 256
"""Tables a query may name once its CTEs are put in and the stars above them are counted."""

MAIN: Final = 0
SOURCE: Final = -1


class Cost:
    """Counts what is written, and from that what it becomes.

    The query itself is number `MAIN`, its CTEs are numbered as they are met, and `SOURCE` stands
    for whatever is no CTE.
    """

    def __init__(self) -> None:
        self.ctes = 0
        self._set_operations = 0
        self._reads: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)

    def add_cte(self) -> int:
        """Count one more CTE and return its number."""
        self.ctes += 1
        if self.ctes > MAX_CTES:
            message = f"The SQL has more than {MAX_CTES} common table expressions"
            raise LimitExceededError(message, hint="Join steps, or ask in several queries.")
        return self.ctes

    def add_set_operations(self, count: int) -> None:
        """Count the UNIONs, EXCEPTs and INTERSECTs of one chain."""
        self._set_operations += count
        if self._set_operations > MAX_SET_OPERATIONS:
            message = f"The SQL has more than {MAX_SET_OPERATIONS} set operations"
            raise LimitExceededError(message, hint="Use IN, VALUES or a glob in their place.")

    def add_read(self, owner: int, table: int, factor: int) -> None:
        """Note that `owner` names `table` below stars that repeat its columns `factor` times."""
        self._reads[owner].append((table, factor))

    def check(self) -> None:
        """Raise if the whole multiplies out too far.

        Raises:
            LimitExceededError: If it does.
        """
        sizes: dict[int, int] = {}
        # Each round puts in one more level, and there are no more levels than who names tables. A
        # name inside its own definition is the table of a recursion, and no copy of the text.
        for _ in self._reads:
            sizes = {
                owner: min(
                    MAX_EXPANSION + 1,
                    sum(f * (1 if t == owner else sizes.get(t, 1)) for t, f in reads),
                )
                for owner, reads in self._reads.items()
            }
        if max(sizes.values(), default=0) > MAX_EXPANSION:
            message = "The SQL multiplies out to too many tables and columns"
            raise LimitExceededError(
                message, hint="Name each common table expression fewer times, and use fewer *."
            )
