"""JSON in queries where it is odd: very wide records, and what is no Unicode."""

import json
import time

import pytest

from support.engine import Desk


@pytest.fixture
def desk() -> Desk:
    """Return an engine over an empty store."""
    return Desk()


def test_an_object_of_thousands_of_keys_takes_seconds(desk: Desk) -> None:
    """What a query costs grows with the number of columns, not with its square."""
    desk.put("wide.json", json.dumps({f"key_{n}": n for n in range(5_000)}))
    start = time.process_time()
    (row,) = desk.rows("wide.json", "SELECT * FROM data")
    assert time.process_time() - start < 20
    assert list(row.values()) == list(range(5_000))


def test_wide_records_are_widened_behind_the_head(desk: Desk) -> None:
    """A value of another type than the head shows makes its column wider, among many too."""
    records: list[dict[str, object]] = [{f"key_{n}": n for n in range(400)}] * 2_000
    records = [*records, {"key_7": 1.5, "key_8": "x"}]
    desk.put("wide.jsonl", "\n".join(map(json.dumps, records)))
    sql = "SELECT max(key_7), max(key_8), sum(key_9) FROM data"
    assert list(desk.rows("wide.jsonl", sql)[0].values()) == [7.0, "x", 18_000]


@pytest.mark.parametrize("before", [0, 100_000])
def test_what_is_no_unicode_is_replaced_and_said(desk: Desk, before: int) -> None:
    """A lone surrogate becomes U+FFFD, in the head and far behind it; a pair is a character."""
    odd = '{"a":"\\ud800x \\ud83d\\ude00","b":2}\n'
    desk.put("odd.jsonl", '{"a":"fine","b":1}\n' * before + odd)
    result = desk.run("odd.jsonl", "SELECT a FROM data WHERE b = 2")
    assert result.table.to_pylist() == [{"a": "\ufffdx \U0001f600"}]
    assert any("U+FFFD" in notice for notice in result.notices)


def test_a_key_that_is_no_unicode_is_a_column(desk: Desk) -> None:
    """A lone surrogate in a key is replaced, and the notice names the key."""
    desk.put("odd.jsonl", '{"a\\ud800":"x"}\n')
    result = desk.run("odd.jsonl")
    assert result.table.to_pylist() == [{"a\ufffd": "x"}]
    assert any("ud800" in notice for notice in result.notices)


def test_a_key_with_a_nul_is_not_cut(desk: Desk) -> None:
    """Keys that differ behind a NUL character stay two, and the notice says how they are shown."""
    desk.put("nul.json", '[{"n":{"a\\u0000b":1,"a":2},"x\\u0000":"y\\u0000z"}]')
    result = desk.run("nul.json", "SELECT * FROM data")
    assert result.table.to_pylist() == [{"n": {"a\u2400b": 1, "a": 2}, "x\u2400": "y\0z"}]
    assert len(result.notices) == 2


def test_keys_of_neighbours_are_no_columns_of_an_object(desk: Desk) -> None:
    """What was found in all objects of a prefix is not taken for what one of them holds."""
    for number in range(70):
        desk.put(f"d/{number:02}.json", '{"x": 1}\n')
    desk.put("d/33.json", '{"x": 1, "y": "a", "z": 2}\n')
    for _ in range(2):
        assert desk.rows("d/", "SELECT * FROM data WHERE z = 2") == [{"x": 1, "y": "a", "z": 2}]
        assert desk.rows("d/00.json", "SELECT * FROM data") == [{"x": 1}]


def test_keys_behind_the_heads_of_a_prefix_are_found_by_the_engine(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regular records are not parsed one by one, however many objects they come from."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.json_reads.cleaned", None)
    records = '{"x": 1, "t": "abc"}\n' * 20_000
    desk.put("e/a.json", records)
    desk.put("e/b.json", records + '{"x": 1, "late": 2}\n')
    for _ in range(2):
        assert desk.value("e/", "SELECT sum(late) FROM data") == 2
        assert "late" not in desk.rows("e/a.json", "SELECT * FROM data LIMIT 1")[0]


def test_what_nests_too_deeply_for_a_type_is_the_same_text_for_each_query(desk: Desk) -> None:
    """However it is read, it is written as it stands there."""
    deep = '{"a":' * 150 + "[1,2]" + "}" * 150
    desk.put("deep.jsonl", f'{{"id":1,"v":{deep}}}\n')
    for sql in ("", "SELECT * FROM data", "SELECT v FROM data ORDER BY id"):
        assert desk.rows("deep.jsonl", sql)[0]["v"] == deep


def test_lines_of_several_kinds_are_rows_whatever_the_key(desk: Desk) -> None:
    """What is no object is in a column of its own."""
    for key in ("odd.json", "odd.jsonl"):
        desk.put(key, '[1,2]\n{"a":3}\n"x"\n')
        rows = desk.rows(key, "SELECT a, value FROM data")
        assert [row["a"] for row in rows] == [None, 3, None]
        assert [row["value"] for row in rows] == ["[1,2]", None, "x"]


def test_a_bad_line_of_any_bytes_leaves_json_lines_what_they_are(desk: Desk) -> None:
    """That line is left out and named, as read_json_from_s3 does."""
    desk.put("odd.jsonl", b'{"a":1}\n\0\0\n{"a":2}\n')
    result = desk.run("odd.jsonl")
    assert result.table.to_pylist() == [{"a": 1}, {"a": 2}]
    assert "line 2" in str(result.notices)


@pytest.mark.parametrize("every", [2, 10, 119])
def test_arrays_without_records_hide_nothing_of_their_neighbours(desk: Desk, every: int) -> None:
    """They have no columns, and tell nothing of how others are read."""
    full = [at for at in range(120) if at % every == 1]
    for at in range(120):
        desk.put(f"t/{at:04}.json", f'[{{"id": {at}}}]' if at in full else "[]")
    assert desk.value("t/", "SELECT sum(id) FROM data") == sum(full)
    assert desk.rows("t/", "SELECT * FROM data") == [{"id": at} for at in full]
    assert desk.rows("t/") == [{"id": at} for at in full]


def test_arrays_without_records_are_read_like_their_neighbours(desk: Desk) -> None:
    """Whose values may be no records, or where there are none at all."""
    for at in range(120):
        desk.put(f"t/{at:04}.json", f"[{at}]" if at % 3 == 1 else "[]")
    assert desk.rows("t/", "SELECT * FROM data") == [{"value": at} for at in range(1, 120, 3)]
    desk.put("n/dt=1/a.json", "[]")
    desk.put("n/dt=2/a.json", "[]")
    assert desk.rows("n/", "SELECT * FROM data") == []


def test_a_late_record_may_be_longer_than_the_engine_takes_at_first(desk: Desk) -> None:
    """It says so without the word JSON, and calls the file in other words."""
    long = "q" * (34 << 20)
    desk.put("a.log", '{"t":"x","n":1}\n' * 100_000 + f'{{"t":"{long}","n":2}}\n')
    sql = "SELECT count(*) AS rows, max(length(t)) AS longest, sum(n) AS n FROM data"
    assert desk.rows("a.log", sql) == [{"rows": 100_001, "longest": len(long), "n": 100_002}]
