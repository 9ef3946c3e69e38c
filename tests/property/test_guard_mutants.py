"""No text gets a write through the guard, and none makes it fail in a way of its own."""

from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.engines.guard import check_predicate, check_sql
from s3_data_lake_mcp.engines.guard_text import check_limits, tokens, trimmed
from s3_data_lake_mcp.errors import LakeError
from security.attacks import CORPUS
from security.honest import HONEST, honest_table

OUTSIDE = "/tmp/out"  # noqa: S108 - the corpus writes it; here it is replaced by a test's own place
SHORT = [attack.sql for attack in CORPUS if attack.code and len(attack.sql) < 300]
FRAGMENTS = [*SHORT, *(query.sql for query in HONEST if len(query.sql) < 300)]
JOINTS = (
    " ",
    "\n",
    ";",
    "; ",
    "/**/",
    " -- \n",
    "--",
    ") ",
    " (",
    ", ",
    "'",
    '"',
    "$$",
    " UNION ALL ",
)
FRAMES = (
    "{}",
    "EXPLAIN {}",
    "EXPLAIN (FORMAT json) {}",
    "DESCRIBE {}",
    "SELECT * FROM ({})",
    "SELECT ({})",
    "WITH x AS ({}) SELECT 1",
    "WITH x AS ({}) PIVOT x ON id",
    "PIVOT ({}) ON id USING count(*)",
    "PIVOT data ON {} USING count(*)",
    "SELECT id FROM data WHERE {}",
    "SELECT 1 /* {} */",
    "SELECT '{}'",
    "{};",
)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """Cut statements of both corpora to pieces, put them together again, and frame them."""
    pieces = draw(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3))
    cut = []
    for piece in pieces:
        start = draw(st.sampled_from([0, 0, 0, draw(st.integers(0, len(piece)))]))
        stop = draw(st.sampled_from([len(piece), len(piece), draw(st.integers(0, len(piece)))]))
        cut.append(piece[start:stop])
    text = draw(st.sampled_from(JOINTS)).join(cut)
    for frame in draw(st.lists(st.sampled_from(FRAMES), max_size=2)):
        text = frame.replace("{}", text)
    return text


class Canary:
    """An open instance with something to lose: a table, settings, a directory it may write to."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.connection = duckdb.connect()
        self.connection.execute(
            "SET memory_limit='256MB'; SET threads=1; SET max_execution_time=1000"
        )
        self.connection.execute("SET autoinstall_known_extensions=false")
        self.connection.execute(f"SET allowed_directories=['{place}']")
        self.connection.execute("SET enable_external_access=false")
        self.connection.register("source", honest_table())
        self.connection.execute("CREATE TABLE data AS FROM source")

    def run(self, sql: str) -> None:
        """Run a statement with everything but the guard out of its way."""
        with suppress(duckdb.Error):
            self.connection.execute(sql).fetchmany(10)

    def state(self) -> object:
        """Return all that a write could change."""
        rows = self.connection.execute("SELECT count(*), sum(id) FROM data").fetchall()
        named = self.connection.execute(
            "SELECT table_name FROM information_schema.tables UNION ALL "
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal UNION ALL "
            "SELECT database_name FROM duckdb_databases() UNION ALL "
            "SELECT variable_name::VARCHAR FROM (SELECT name AS variable_name "
            "FROM duckdb_variables()) UNION ALL "
            "SELECT type_name FROM duckdb_types() WHERE NOT internal "
            "AND type_name NOT LIKE '__pivot_enum%' ORDER BY ALL"
        ).fetchall()
        values = self.connection.execute(
            "SELECT name, value FROM duckdb_settings() ORDER BY name"
        ).fetchall()
        return rows, named, values, sorted(path.name for path in self.place.iterdir())


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Canary:
    """Return one instance for all examples."""
    return Canary(tmp_path_factory.mktemp("canary"))


def test_the_canary_notices(tmp_path: Path) -> None:
    """The instance that must stay as it is would show a change."""
    canary = Canary(tmp_path)
    before = canary.state()
    for write in (
        "DELETE FROM data WHERE id = 1",
        f"COPY data TO '{tmp_path}/out.csv'",
        "SET default_order='DESC'",
        "CREATE VIEW v AS SELECT 1",
        "CREATE MACRO m(x) AS x",
        "SET VARIABLE x = 1",
    ):
        canary.run(write)
        assert canary.state() != before, write
        before = canary.state()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutants())
def test_what_passes_changes_nothing(canary: Canary, sql: str) -> None:
    """Whatever is made of the corpora: if it passes, running it leaves all as it was."""
    sql = sql.replace(OUTSIDE, f"{canary.place}/out")
    try:
        guarded = check_sql(sql)
    except LakeError:
        return
    before = canary.state()
    canary.run(guarded.sql)
    assert canary.state() == before


@settings(max_examples=300, deadline=None)
@given(mutants())
def test_what_passes_is_one_statement_that_passes_again(sql: str) -> None:
    """The guard's own answer is one statement, and stays as it is."""
    try:
        guarded = check_sql(sql)
    except LakeError:
        return
    assert check_sql(guarded.sql) == guarded
    assert len(duckdb.extract_statements(guarded.sql)) == 1


@settings(max_examples=300, deadline=None)
@given(st.one_of(mutants(), st.text(), st.text(st.characters(codec=None))))
@example("")
@example("\ud800")
@example("\0")
@example("(" * 100_000)
@example("SELECT " + "x" * 1_000_000)
@example("PIVOT " * 500 + "data ON " * 500)
@example("EXPLAIN " * 500)
@example("EXPLAIN (")
@example("é" * 9_999)
@example("SELECT 1 WHERE " + "x = '" * 100)
def test_any_text_is_judged(sql: str) -> None:
    """No text makes the guard raise anything but the errors of the contract."""
    for check in (check_sql, check_predicate):
        refused = None
        try:
            check(sql)
        except LakeError as exc:
            refused = exc
        assert refused is None or (refused.code != "internal_error" and refused.hint)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(alphabet="ab()[]{},;='\"$-/* \n1", max_size=60))
)
def test_a_predicate_keeps_to_its_parentheses(canary: Canary, where: str) -> None:
    """A predicate that passes is one expression wherever it is put in parentheses."""
    try:
        text = check_predicate(where.replace(OUTSIDE, f"{canary.place}/out"))
    except LakeError:
        return
    for query in (
        f"SELECT * FROM data WHERE ({text})",
        f"SELECT count(*) FILTER (WHERE ({text})) FROM data",
    ):
        assert len(duckdb.extract_statements(query)) == 1
        before = canary.state()
        canary.run(query)
        assert canary.state() == before


@settings(max_examples=200, deadline=None)
@given(st.one_of(mutants(), st.text()))
def test_tokens_cover_the_text(sql: str) -> None:
    """Tokens stand where they say, in order, and trimming cuts at one of their ends."""
    try:
        check_limits(sql)
    except LakeError:
        return
    last = 0
    for token in tokens(sql):
        assert token.start >= last
        assert sql[token.start : token.stop] == token.text
        last = token.stop
    assert sql.startswith(trimmed(sql))
