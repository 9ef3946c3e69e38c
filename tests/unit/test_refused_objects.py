"""Objects that no query reads: the second query says the same as the first."""

import pytest

from s3_data_lake_mcp.errors import LakeError
from support.engine import Desk


@pytest.mark.parametrize(
    ("key", "body", "code"),
    [
        ("a.pdf", b"%PDF-1.4 \x00\x01" + b"x" * 100, "unsupported_format"),
        ("b", b"PK\x03\x04" + b"\x00" * 100, "unsupported_format"),
        ("empty.csv", b"", "malformed_data"),
        ("empty.parquet", b"", "malformed_data"),
        ("not.parquet", b"no footer here", "malformed_data"),
        ("broken.json", b'{"a": ', "malformed_data"),
    ],
)
@pytest.mark.parametrize("sql", ["", "SELECT count(*) FROM data", "FROM 's3://lake/{}'"])
def test_an_object_is_refused_again_as_it_was(key: str, body: bytes, code: str, sql: str) -> None:
    """What is remembered of a version does not turn an error into another one."""
    desk = Desk()
    desk.put(key, body)
    said = []
    for _ in range(3):
        with pytest.raises(LakeError) as caught:
            desk.run(key, sql.format(key))
        said.append((caught.value.code, str(caught.value)))
    assert said == [said[0]] * 3
    assert said[0][0] == code


def test_an_object_that_is_mended_is_read() -> None:
    """A new version is looked at anew."""
    desk = Desk()
    desk.put("a.csv", b"")
    for _ in range(2):
        with pytest.raises(LakeError):
            desk.run("a.csv")
    desk.put("a.csv", "a\n1\n")
    assert desk.rows("a.csv") == [{"a": 1}]
