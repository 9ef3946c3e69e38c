"""JSON values one behind the other, each on as many lines as it likes."""

import itertools
import json

import pytest

from s3_data_lake_mcp.engines import Query, json_lines
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.loaders.json_scan import BadLines
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore

_BAD = b'{"n": 1, "list": [}\n'


def _text(count: int, indent: int | None) -> bytes:
    records = [{"n": at, "list": [at, "}\n{"], "inner": {"x": at / 3}} for at in range(count)]
    return "\n".join(json.dumps(one, indent=indent) for one in records).encode()


@pytest.mark.parametrize("piece_bytes", [20, 64, 1_000])
@pytest.mark.parametrize("indent", [None, 0, 3])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n" + b"\n" * 90])
def test_values_are_whole_wherever_pieces_end(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int, indent: int | None, end: bytes
) -> None:
    """A value goes on in the next piece; what follows it is taken as before."""
    monkeypatch.setattr(json_lines, "_PIECE_BYTES", piece_bytes)
    text = _text(40, indent) + b"\n" + _BAD + _text(30, None) + b"\n" + _text(20, indent) + end
    blocks = (text[at : at + 170] for at in range(0, len(text), 170))
    bad, said = BadLines(), set[str]()
    passed = b"".join(json_lines.passed_lines(blocks, "s3://lake/x.json", bad, said))
    found = [json.loads(line)["n"] for line in passed.splitlines() if line.strip()]
    assert found == [*range(40), *range(30), *range(20)]
    assert bad.count == 1
    line = _text(40, indent).count(b"\n") + 2
    assert f": line {line} (" in str(bad.notice())


@pytest.mark.parametrize(
    "damage", [b"\xff", b"\xff\xfe{}\n\xe6", "\u00a0".encode(), "\u2028{}".encode(), b"\x1c"]
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_lines_behind_what_is_no_text_are_read(
    settings: Settings, damage: bytes, line_end: bytes
) -> None:
    """A short end of a piece is no blank one, though its bytes are not decoded yet."""
    store = MemoryStore()
    store.put("lake", "x.jsonl", line_end.join([b'{"n": 1}', damage, b'{"n": 2}', b""]))
    query = Query(bucket="lake", key="x.jsonl", max_rows=9, sql="SELECT n FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [{"n": 1}, {"n": 2}]
    assert "left out: line" in result.notices[0]


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "begin", ['{"a": 1}\n{"a": ', '{\n "a": 1\n}\n{\n "a": ', '[{"a": 1},\n{"a": ']
)
def test_json_needs_neither_mark_nor_line_end(
    settings: Settings, begin: str, encoding: str, end: str
) -> None:
    """Without a mark the first character tells the encoding; it was read as CSV."""
    text = begin + ('"é"}]' if begin.startswith("[") else '"é"}') + end
    store = MemoryStore()
    store.put("lake", "x.json", text.encode(encoding))
    query = Query(bucket="lake", key="x.json", max_rows=9, sql="SELECT a FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.format == "json"
    assert list(itertools.chain(*(row.values() for row in result.table.to_pylist()))) == ["1", "é"]
    assert result.notices == []
