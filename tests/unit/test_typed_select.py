"""Very many columns: typed as few are, at a price that grows no faster than their number."""

import json
import time
from datetime import date

import pytest

from s3_data_lake_mcp.engines.typed_select import TextColumn, typed_select
from support.engine import Desk

_WIDE = 1_200
_SECONDS = 20
"""Ten times what it takes; one cast for each column took a minute."""


@pytest.mark.parametrize(
    ("written", "value"), [("1.5", 1.5), ("17", 17), ("2024-01-31", date(2024, 1, 31))]
)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_very_many_columns_are_typed_in_little_time(form: str, written: str, value: object) -> None:
    """All columns of a wide table have types and values, and are there in seconds."""
    names = [f"k{at}" for at in range(_WIDE)]
    desk = Desk()
    inside = written if written[0] == "1" else json.dumps(written)
    record = "{" + ", ".join(f'"{name}": {inside}' for name in names) + "}"
    rows = ",".join(names) + "\n" + ",".join([written] * _WIDE) + "\n"
    desk.put("w", rows if form == "csv" else f"[{record}]")
    started = time.process_time()
    (row,) = desk.rows("w", "SELECT * FROM data")
    assert time.process_time() - started < _SECONDS
    assert row == dict.fromkeys(names, value)
    assert desk.value("w", "SELECT k7 FROM data WHERE k9 = k1199") == value


@pytest.mark.parametrize("form", ["csv", "json"])
def test_one_misfit_among_very_many_columns_widens_its_own(form: str) -> None:
    """A late value that does not fit changes its column's type, and no other's."""
    names = [f"k{at}" for at in range(150)]
    records: list[dict[str, float]] = [dict.fromkeys(names, 5) for _ in range(4_000)]
    records[-1] = {**records[-1], "k77": 5.25}
    desk = Desk()
    if form == "csv":
        lines = [",".join(names), *(",".join(map(str, one.values())) for one in records)]
        desk.put("w", "\n".join(lines))
    else:
        desk.put("w", "\n".join(map(json.dumps, records)))
    result = desk.run(
        "w", "SELECT sum(k76) AS a, max(k77) AS b, typeof(any_value(k78)) AS c FROM data"
    )
    assert result.table.to_pylist() == [{"a": 20_000, "b": 5.25, "c": "BIGINT"}]
    # A JSON object of this size was looked at from start to end.
    assert form == "json" or "Column k77 " in result.notices[0]


def test_mixed_columns_keep_their_order_in_a_wide_select() -> None:
    """What is cast in lists stands where it was wanted, beside what is not."""
    fields: dict[str, TextColumn | str] = {}
    for at in range(130):
        kind = ("BIGINT", "VARCHAR", "DOUBLE")[at % 3] if at % 5 else ""
        text = f"'{at}'"
        fields[f"c{at}"] = TextColumn(name=f"c{at}", text=text, kind=kind) if kind else text
    fields |= {f"d{at}": TextColumn(name=f"d{at}", text="'1'", kind="BIGINT") for at in range(90)}
    desk = Desk()
    desk.put("one.csv", "a\n1\n")
    with desk.engine.open_table("lake", "one.csv", desk.meter) as table:
        found = table.execute(typed_select(fields, 0, "data"))
    assert found.column_names == list(fields)
    (row,) = found.to_pylist()
    assert all(float(row[f"c{at}"]) == at for at in range(130))
