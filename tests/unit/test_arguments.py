"""Arguments: checked by name, type and range; URIs and cursors resolved; never guessed."""

import pytest

from s3_data_lake_mcp.cursors import Cursor
from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.lake import Call, Lake
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.tools.analysis import query_csv_data
from s3_data_lake_mcp.tools.arguments import Signature
from s3_data_lake_mcp.tools.discovery import list_s3_buckets, list_s3_objects
from s3_data_lake_mcp.tools.reading import read_csv_from_s3

CSV = Signature(read_csv_from_s3)
LIST = Signature(list_s3_objects)


@pytest.fixture
def call(settings: Settings) -> Call:
    """Return a call on a lake that sends nothing."""
    lake = Lake.connect(settings)
    return Call(lake=lake, tool="read_csv_from_s3", meter=lake.meter())


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        ({"bucket_name": "b", "maxrows": 5}, "max_rows"),
        ({"bucket_name": "b", "key": "k"}, "object_key"),
        ({"bucket": "b"}, "bucket_name"),
        ({"bucket_name": "b", "prefix": "k"}, "object_key"),
    ],
)
def test_an_unknown_name_gets_the_nearest(arguments: dict[str, object], near: str) -> None:
    """A typo is answered with the call that was meant."""
    with pytest.raises(InvalidArgumentError) as caught:
        CSV.validate(arguments)
    assert near in caught.value.hint
    assert caught.value.repair is not None
    assert near in caught.value.repair
    CSV.validate(caught.value.repair | {"bucket_name": "b"})


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"bucket_name": 5},
        {"bucket_name": None},
        {"bucket_name": "b", "max_rows": 0},
        {"bucket_name": "b", "max_rows": -1},
        {"bucket_name": "b", "max_rows": "5"},
        {"bucket_name": "b", "max_rows": 1.5},
        {"bucket_name": "b", "max_rows": True},
        {"bucket_name": "b", "offset": -1},
        {"bucket_name": "b", "columns": "a"},
        {"bucket_name": "b", "columns": [1]},
        {"bucket_name": "b", "has_header": "yes"},
        {"bucket_name": "b", "max_rows": 10**30},
    ],
)
def test_a_wrong_type_or_range_is_refused(arguments: dict[str, object]) -> None:
    """Nothing is coerced in silence, and the value itself is not repeated."""
    if arguments.get("max_rows") == 10**30:
        assert CSV.validate(arguments)["max_rows"] == 10**30
        return
    with pytest.raises(InvalidArgumentError):
        CSV.validate(arguments)


@pytest.mark.parametrize(
    ("arguments", "repair"),
    [
        ({"bucket_name": "b", "object_key": "k", "max_rows": 0}, {"max_rows": 100}),
        ({"bucket_name": "s3://b/k", "max_rows": 0}, {"max_rows": 100}),
        (
            {"bucket_name": "b", "object_key": "k", "max_rows": 0, "columns": 5},
            {"max_rows": 100, "columns": []},
        ),
        ({"bucket_name": "b", "max_rows": 0}, None),
        ({"bucket_name": "b", "cursor": 5}, None),
        ({"bucket_name": "b", "object_key": 5}, None),
        ({"bucket_name": 5, "object_key": "k", "max_rows": 0}, None),
        ({"bucket_name": "s3://b", "max_rows": 0}, None),
    ],
)
def test_a_repair_makes_a_call_that_can_work(
    arguments: dict[str, object], repair: dict[str, object] | None
) -> None:
    """All that is wrong is mended, and none is proposed where the object is not known."""
    with pytest.raises(InvalidArgumentError) as caught:
        CSV.validate(arguments)
    assert caught.value.repair == repair


def test_a_whole_float_is_an_integer() -> None:
    """JSON has one kind of number: 100.0 is an integer to JSON Schema."""
    assert CSV.validate({"bucket_name": "b", "max_rows": 7.0})["max_rows"] == 7


@pytest.mark.parametrize("scheme", ["s3", "S3", "s3a", "s3n", "S3A"])
def test_a_uri_names_bucket_and_key(call: Call, scheme: str) -> None:
    """The key is taken literally, whatever is in it."""
    values = CSV.validate({"bucket_name": f"{scheme}://b/x%20y/../a//b"})
    resolved = CSV.resolve(values, call)
    assert (resolved["bucket_name"], resolved["object_key"]) == ("b", "x%20y/../a//b")


@pytest.mark.parametrize("uri", ["gs://b/k", "http://b/k", "file:///etc/passwd", "s3:///k"])
def test_other_schemes_are_refused(call: Call, uri: str) -> None:
    """Only S3."""
    with pytest.raises(InvalidArgumentError):
        CSV.resolve(CSV.validate({"bucket_name": uri}), call)


def test_a_key_that_contradicts_the_uri_is_refused(call: Call) -> None:
    """Two different keys are no answer; the same twice is fine."""
    both = {"bucket_name": "s3://b/k", "object_key": "other"}
    with pytest.raises(InvalidArgumentError):
        CSV.resolve(CSV.validate(both), call)
    same = CSV.resolve(CSV.validate({"bucket_name": "s3://b/k", "object_key": "k"}), call)
    assert same["object_key"] == "k"


def test_a_page_size_above_the_ceiling_is_lowered_with_a_notice(call: Call) -> None:
    """The ceiling is the server's."""
    resolved = CSV.resolve(CSV.validate({"bucket_name": "b", "max_rows": 20_000}), call)
    assert resolved["max_rows"] == 10_000
    assert "10,000" in call.notices[0]


def _cursor(**given: object) -> str:
    plain: dict[str, object] = {"tool": "read_csv_from_s3", "bucket": "b", "key": "k"}
    return Cursor(**(plain | given)).encode()  # type: ignore[arg-type] # a table of arguments


def test_a_cursor_brings_its_arguments_back(call: Call) -> None:
    """Only bucket_name need be repeated; the page size may change."""
    text = _cursor(arguments={"columns": ["a"], "delimiter": ";"})
    given = {"bucket_name": "b", "cursor": text, "max_rows": 3}
    resolved = CSV.resolve(CSV.validate(given), call)
    assert resolved["object_key"] == "k"
    assert resolved["columns"] == ["a"]
    assert resolved["delimiter"] == ";"
    assert resolved["max_rows"] == 3
    assert call.arguments == {"columns": ["a"], "delimiter": ";"}


@pytest.mark.parametrize(
    "given",
    [
        {"bucket_name": "other"},
        {"bucket_name": "b", "object_key": "other"},
        {"bucket_name": "b", "columns": ["z"]},
        {"bucket_name": "b", "delimiter": ","},
        {"bucket_name": "s3://b/other"},
    ],
)
def test_what_contradicts_the_cursor_is_refused(call: Call, given: dict[str, object]) -> None:
    """A cursor goes on with its own call or not at all."""
    text = _cursor(arguments={"columns": ["a"], "delimiter": ";"})
    with pytest.raises(InvalidArgumentError):
        CSV.resolve(CSV.validate({**given, "cursor": text}), call)


def test_a_cursor_of_another_tool_is_refused(call: Call) -> None:
    """Positions mean nothing elsewhere."""
    values = CSV.validate({"bucket_name": "b", "cursor": _cursor(tool="list_s3_objects")})
    with pytest.raises(InvalidArgumentError):
        CSV.resolve(values, call)


def test_a_forged_cursor_passes_the_same_checks(call: Call) -> None:
    """Arguments that a cursor carries are untrusted input."""
    text = _cursor(arguments={"columns": "a", "delimiter": 5})
    with pytest.raises(InvalidArgumentError):
        CSV.resolve(CSV.validate({"bucket_name": "b", "cursor": text}), call)


def test_repairs_speak_the_tool_s_own_names() -> None:
    """A found key stands at `prefix` where the tool has that, and a URI is taken apart."""
    given = {"bucket_name": "s3://b/typo", "nonsense": 1}
    assert CSV.repaired(given, {"object_key": "good"}) == {"bucket_name": "b", "object_key": "good"}
    assert LIST.repaired({"bucket_name": "b"}, {"object_key": "good"}) == {
        "bucket_name": "b",
        "prefix": "good",
    }


def test_the_first_call_of_a_cursor_is_complete() -> None:
    """What to call when the cursor's object has changed."""
    state = Cursor(tool="x", bucket="b", key="k", arguments={"columns": ["a"]})
    assert CSV.first_call(state) == {"bucket_name": "b", "object_key": "k", "columns": ["a"]}
    assert Signature(list_s3_buckets).first_call(Cursor(tool="x")) == {}


def test_texts_that_no_encoding_carries_are_mended() -> None:
    """A lone surrogate in an argument cannot reach S3 or SQL."""
    values = Signature(query_csv_data).validate({"bucket_name": "b", "sql": "SELECT '\ud800'"})
    assert values["sql"] == "SELECT '\ufffd'"


QUERY = Signature(query_csv_data)


@pytest.mark.parametrize(
    ("given", "repair"),
    [
        ({"max_rows": "2"}, {"max_rows": 2}),
        ({"max_rows": "1,000"}, {"max_rows": 1000}),
        ({"max_rows": "many"}, {"max_rows": 100}),
        ({"columns": "ship"}, {"columns": ["ship"]}),
        ({"columns": "ship, port"}, {"columns": ["ship", "port"]}),
        ({"columns": '["ship","port"]'}, {"columns": ["ship", "port"]}),
        ({"dry_run": "true"}, {"dry_run": True}),
        ({"dry_run": "perhaps"}, None),
        ({"sql": ["FROM data"]}, {"sql": "FROM data"}),
        ({"sql": {"from": "data"}}, None),
        ({"filter_value": 20}, {"filter_value": "20"}),
        ({"filter_value": ["a,b", "c"]}, {"filter_value": '"a,b",c'}),
        ({"filter_operator": "<>"}, {"filter_operator": "!="}),
        ({"filter_operator": "=="}, {"filter_operator": "="}),
        ({"filter_operator": "IN"}, {"filter_operator": "in"}),
        ({"filter_operator": "startsWith"}, {"filter_operator": "starts_with"}),
        ({"filter_operator": "IS NULL"}, {"filter_operator": "is_null"}),
        ({"filter_operator": "between"}, None),
        ({"filter_operator": "like"}, None),
        ({"filter_operator": "not_contains"}, None),
        ({"filter_operator": None}, {"filter_operator": "auto"}),
        ({"limit": "5", "query": "FROM data"}, {"max_rows": 5, "sql": "FROM data"}),
        ({"limit": 5, "where": "a = 1"}, None),
    ],
)
def test_a_repair_asks_what_was_asked(
    given: dict[str, object], repair: dict[str, object] | None
) -> None:
    """No default in place of a value that says something else, nor is anything left out."""
    place = {"bucket_name": "b", "object_key": "k"}
    with pytest.raises(InvalidArgumentError) as caught:
        QUERY.validate(place | given)
    found = caught.value.repair
    assert (found and place | found) == (repair and place | repair)
