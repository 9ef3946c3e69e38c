"""The attack corpus meets the guard, and what the guard lets through meets the other layers."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines.guard import check_sql
from s3_data_lake_mcp.engines.guard_text import tokens
from s3_data_lake_mcp.errors import LakeError
from security.attacks import CORPUS, Attack
from security.honest import HONEST, Honest, honest_table
from security.locked import CANARY, locked_connection

DEADLINE_SECONDS = 2.0
RARE_FORMS = (
    "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING) FROM data",
    "SELECT CAST(a AS ENUM('x')), a::DECIMAL(3, 1), a::INT[3] FROM data",
    "FROM data AT (VERSION => 1)",
    "SELECT a BETWEEN 1 AND 2, a IN (1, 2), a[1:2:3], a NOT IN (SELECT 1) FROM data",
    "PIVOT data ON a IN (1, 2) USING sum(b) FILTER (c) GROUP BY d ORDER BY e LIMIT 5",
    "PIVOT data ON a, b || c USING sum(b) FILTER (c) GROUP BY d ORDER BY e LIMIT 5",
    "UNPIVOT data ON (a, b) AS x, c INTO NAME n VALUE v",
    "SELECT * FROM data USING SAMPLE 3 ROWS",
    "SELECT * FROM range(1, 2, 3) r(x) WITH ORDINALITY",
    "SELECT INTERVAL (a) DAY, overlay(a PLACING b FROM 1 FOR 2), try(a), ARRAY(SELECT 1) FROM data",
    "SELECT 1 UNION BY NAME SELECT 2 INTERSECT SELECT 3 ORDER BY 1 LIMIT 2",
    "SELECT a COLLATE NOCASE, a AT TIME ZONE b, EXISTS (FROM data), a = ANY (SELECT 1) FROM data",
    "FROM read_csv('s3://b/k', header = true, columns = {'a': 'INT'})",
    "FROM read_parquet(['s3://b/k'], union_by_name := true)",
    "EXPLAIN (FORMAT json) SELECT 1",
)
PASSED = [attack for attack in CORPUS if not attack.code]


@pytest.mark.parametrize("attack", [a for a in CORPUS if a.code], ids=lambda attack: attack.id)
def test_the_guard_refuses(attack: Attack) -> None:
    """Each statement meets the error that the contract demands, with a hint."""
    with pytest.raises(LakeError) as caught:
        check_sql(attack.sql)
    assert caught.value.code == attack.code
    assert caught.value.hint
    assert len(str(caught.value)) < 400
    assert not str(caught.value).endswith(".")


@pytest.mark.parametrize("attack", PASSED, ids=lambda attack: attack.id)
def test_the_guard_leaves_what_only_computes(attack: Attack) -> None:
    """Statements that only cost time or memory are for the other layers."""
    assert check_sql(attack.sql).sql


@pytest.mark.parametrize("query", HONEST, ids=lambda query: query.id)
def test_the_guard_lets_honest_queries_through(query: Honest) -> None:
    """An honest query passes, and what is left of it is what was written."""
    guarded = check_sql(query.sql)
    assert query.sql.strip().startswith(guarded.sql[:5])
    assert guarded.uses_data or "FROM data" not in query.sql
    assert guarded.uris == ()


def test_honest_queries_mean_the_same_behind_the_guard() -> None:
    """What the guard hands on gives the rows of what was written, on a locked instance."""
    plain, locked = duckdb.connect(), locked_connection(honest_table())
    plain.register("data", honest_table())
    wrong = []
    for query in (query for query in HONEST if query.comparable):
        expected = [str(row) for row in plain.execute(query.sql).fetchall()]
        got = [str(row) for row in locked.execute(check_sql(query.sql).sql).fetchall()]
        same = got == expected if query.ordered else sorted(got) == sorted(expected)
        if not same or not got:
            wrong.append(query.id)
    assert wrong == []


@pytest.mark.parametrize(
    ("planted", "code"),
    [
        ("(SELECT content FROM read_text('/etc/passwd'))", "not_allowed"),
        ("(WITH d AS (DELETE FROM data RETURNING 1) FROM d)", "not_read_only"),
    ],
)
def test_no_place_in_a_query_hides_a_subquery(planted: str, code: str) -> None:
    """A subquery in the place of any word, or beside it, is found wherever it parses."""
    codes: Counter[str] = Counter()
    for sql in [*(query.sql for query in HONEST if len(query.sql) < 300), *RARE_FORMS]:
        for word in tokens(sql):
            for text in (
                f"{sql[: word.start]}{planted}{sql[word.stop :]}",
                f"{sql[: word.stop]}, {planted}{sql[word.stop :]}",
            ):
                with pytest.raises(LakeError) as caught:
                    check_sql(text)
                codes[caught.value.code] += 1
    assert codes.keys() <= {code, "not_read_only", "sql_error"}
    assert codes[code] > 600


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Run everything that passed the guard, in a directory that must stay as it is."""
    place = tmp_path_factory.mktemp("worker")
    statements = {attack.id: check_sql(attack.sql).sql for attack in PASSED}
    (place / "statements.json").write_text(json.dumps(statements))
    with pa.OSFile(str(place / "data.arrow"), "wb") as file:
        table = honest_table()
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    work = place / "work"
    work.mkdir()
    (work / "secret.csv").write_text(f"a\n{CANARY}\n")
    script = str(Path(__file__).with_name("locked.py"))
    inputs = [str(place / "statements.json"), str(place / "data.arrow"), str(DEADLINE_SECONDS)]
    done = subprocess.run(
        [sys.executable, script, *inputs], cwd=work, capture_output=True, check=True, timeout=58
    )
    found = {line["id"]: line for line in map(json.loads, done.stdout.decode().splitlines())}
    assert [path.name for path in work.iterdir()] == ["secret.csv"]
    return found


def test_nothing_outlives_its_deadline(outcomes: dict[str, dict[str, object]]) -> None:
    """Every statement is over, killed or not, less than a second after its deadline."""
    assert outcomes.keys() == {attack.id for attack in PASSED}
    late = {k: v for k, v in outcomes.items() if float(str(v["seconds"])) > DEADLINE_SECONDS + 1}
    assert late == {}


def test_nothing_of_the_host_comes_back(outcomes: dict[str, dict[str, object]]) -> None:
    """No answer holds the canary, a host file's content or an environment variable."""
    answers = [str(outcome["answer"]) for outcome in outcomes.values()]
    assert [a for a in answers if CANARY in a or "root:" in a or "PATH=" in a] == []


def test_nothing_crashes(outcomes: dict[str, dict[str, object]]) -> None:
    """A worker ends by itself or is killed by us: no segmentation fault, no abort."""
    assert {str(o["answer"])[:6] for o in outcomes.values()} <= {"rows: ", "error:", "killed"}


def _ids() -> Iterator[str]:
    yield from (attack.id for attack in CORPUS)
    yield from (query.id for query in HONEST)


def test_the_corpora_are_large_and_their_names_are_their_own() -> None:
    """At least 200 attacks, 80 honest queries, each with its own name and text."""
    assert len(CORPUS) >= 200
    assert len(HONEST) >= 80
    assert len(set(_ids())) == len(list(_ids()))
    assert len({attack.sql for attack in CORPUS}) == len(CORPUS)
