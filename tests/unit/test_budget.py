"""How much of an answer fits: exactly as much as one value after the other would show."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from s3_data_lake_mcp import fence
from s3_data_lake_mcp.budget import fitting

_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.text(max_size=3), max_size=3),
    st.sampled_from(["", "\u00ad" * 9, "\U000e0001" * 9, "\u202e", "\x7f" * 9, "\t\n", "é"]),
)


def _one_by_one(rows: list[list[Any]], room: int) -> int:
    for count in range(len(rows), -1, -1):
        shown = rows[:count]
        texts = sum(len(fence.row(row).encode("utf-8", "replace")) + 1 for row in shown)
        compact = (json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in shown)
        if texts <= room and sum(len(c.encode("utf-8", "replace")) + 1 for c in compact) <= room:
            return count
    return 0


@given(st.lists(st.lists(_CELLS, max_size=4), max_size=6), st.integers(0, 400))
def test_what_fits_is_what_the_values_take(rows: list[list[Any]], room: int) -> None:
    """No value more, and none less, than room for both forms."""
    assert fitting(rows, fence.row, room) == _one_by_one(rows, room)


@given(_CELLS)
@example(0.1)
@example(float("nan"))
def test_a_cell_that_is_no_text_is_its_compact_json(value: object) -> None:
    """Numbers and lists look as they do in JSON."""
    if value is not None and not isinstance(value, str):
        compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        assert fence.cell(value) == fence.visible(compact)
