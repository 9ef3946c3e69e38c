"""Fields that a query names: of nested JSON, no others are read."""

import json
from pathlib import Path

import duckdb
import pytest

from s3_data_lake_mcp.engines.guard_parser import the_parser
from s3_data_lake_mcp.engines.json_types import Node
from s3_data_lake_mcp.engines.used_fields import fields_behind, used_fields
from s3_data_lake_mcp.errors import LakeError
from support.engine import Desk


def _behind(sql: str) -> set[tuple[str, ...]] | None:
    """Return the fields of the column `user` that a query names; None if it uses all of it."""
    used = used_fields(the_parser().tree(sql)["statements"])
    found = None if used is None else fields_behind(used, "User")
    return None if found is None else set(found)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT user.plan FROM data", {("plan",)}),
        ('SELECT "USER"."Plan", count(*) FROM data GROUP BY ALL', {("plan",)}),
        ("SELECT 1 FROM data d WHERE d.user.app.build > 1", {("app", "build")}),
        ("SELECT a FROM data ORDER BY data.user.plan", {("plan",)}),
        ("SELECT max(user.id) OVER (PARTITION BY user.plan) FROM data", {("id",), ("plan",)}),
        ("WITH t AS (SELECT user.plan p FROM data) SELECT p FROM t", {("plan",)}),
        ("SELECT (SELECT max(i.user.id) FROM data i WHERE i.a = o.a) FROM data o", {("id",)}),
    ],
)
def test_fields_that_are_named(sql: str, expected: set[tuple[str, ...]]) -> None:
    """Names count in any case, in any clause, behind the table's name or without it."""
    assert _behind(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "FROM data",
        "SELECT * FROM data WHERE user.plan = 'a'",
        "SELECT COLUMNS('u.*') FROM data WHERE user.plan = 'a'",
        "SELECT user.* FROM data",
        "SELECT user, user.plan FROM data",
        "SELECT (user).plan FROM data",
        "SELECT user['plan'] FROM data",
        "SELECT data, data.user.plan FROM data",
        "SELECT to_json(d), d.user.plan FROM data d",
        "SELECT u.plan FROM (SELECT user u, user.id FROM data)",
        "SELECT user.plan.upper() FROM data",
        "SELECT user.upper(), user.plan FROM data",
        "SELECT a.plan, user.plan FROM data AS t(a, b)",
        "SELECT user.plan FROM data JOIN 's3://b/c.json' USING (user)",
        "SELECT user.plan FROM data NATURAL JOIN 's3://b/c.json'",
        "SELECT user.plan FROM (SUMMARIZE data), data",
        "SELECT user.plan FROM data, (UNPIVOT data ON a)",
        "SELECT unnest(user), user.plan FROM data",
        "SELECT #1, user.plan FROM data",
    ],
)
def test_all_of_a_column_that_may_be_used_without_its_fields_names(sql: str) -> None:
    """Stars, numbers, whole rows or columns, and what joins or renames them: all is read."""
    assert _behind(sql) is None


def test_a_type_has_only_the_fields_that_are_used() -> None:
    """Fields of fields, too; a list, a text or an unknown field stands for all."""
    app = Node("STRUCT", {"build": Node("BIGINT"), "Version": Node("VARCHAR")})
    items = Node("LIST", {"": Node("STRUCT", {"sku": Node("VARCHAR")})})
    user = Node("STRUCT", {"id": Node("BIGINT"), "app": app, "items": items})
    narrow = user.narrowed([("app", "version")])
    assert narrow.read_type() == 'STRUCT("app" STRUCT("Version" VARCHAR))'
    assert user.narrowed([("id",), ("app",)]).read_type() == (
        'STRUCT("id" VARCHAR, "app" STRUCT("build" VARCHAR, "Version" VARCHAR))'
    )
    assert user.narrowed([("items", "sku")]).children == {"items": items}
    assert user.narrowed([("id",), ("nothing",)]) is user
    assert items.narrowed([("sku",)]) is items
    assert user.children["id"].narrowed([("x",)]) is user.children["id"]


_RECORDS = [
    {"user": {"id": 1, "plan": "a", "Tags": ["x"], "app": {"build": 7, "v": "1.0"}}, "n": 1},
    {"user": None, "n": 2},
    {"user": {}, "n": 3},
    {"user": {"id": 2, "plan": None, "app": None}, "n": 4},
    {"n": 5},
    {"user": {"id": 3, "plan": "b", "Tags": [], "app": {"v": "2"}}, "n": 6},
]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT n, user.plan FROM data ORDER BY n",
        "SELECT n, user IS NULL x, user.plan FROM data ORDER BY n",
        "SELECT n, d.user.app.build b FROM data d WHERE d.user.app.v > '0' ORDER BY n",
        "SELECT n, user.app FROM data ORDER BY n",
        "SELECT user.plan, sum(n) s FROM data GROUP BY user.plan ORDER BY 2",
        "SELECT n, user.tags[1] t FROM data ORDER BY n",
        "SELECT x.n, y.user.plan FROM data x JOIN data y ON x.user.id = y.user.id ORDER BY 1",
    ],
)
def test_answers_are_those_of_all_fields(sql: str, tmp_path: Path) -> None:
    """What is not read is not missed."""
    text = "\n".join(map(json.dumps, _RECORDS))
    desk = Desk()
    desk.put("a.jsonl", text)
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    local = sql.replace("FROM data", f"FROM '{path}'").replace("JOIN data", f"JOIN '{path}'")
    plain = duckdb.execute(local)
    names = [column[0] for column in plain.description or ()]
    assert desk.rows("a.jsonl", sql) == [
        dict(zip(names, row, strict=True)) for row in plain.fetchall()
    ]


def test_a_misfit_in_a_field_that_is_not_used_is_not_met() -> None:
    """An unknown field is told with all that there are; another query still widens the type."""
    desk = Desk()
    records = [{"user": {"id": n, "plan": "a"}} for n in range(20_000)]
    desk.put("a.jsonl", "\n".join(map(json.dumps, [*records, {"user": {"id": "x", "plan": "b"}}])))
    assert desk.value("a.jsonl", "SELECT max(user.plan) FROM data") == "b"
    assert desk.value("a.jsonl", "SELECT max(user.id) FROM data") == "x"
    with pytest.raises(Exception, match="nope") as caught:
        desk.rows("a.jsonl", "SELECT user.nope, user.plan FROM data")
    assert "id" in str(getattr(caught.value, "hint", ""))


def test_a_plan_names_the_column_of_a_field() -> None:
    """Whether its fields are read as they are, or cast."""
    desk = Desk()
    desk.put("a.jsonl", "\n".join(map(json.dumps, _RECORDS)))
    for field in ("plan", "id", "app.v"):
        plan = desk.run("a.jsonl", f"SELECT user.{field} FROM data", dry_run=True).plan
        assert plan is not None
        assert plan["columns"] == ["user"]


def test_a_field_of_another_structure_far_behind_is_text_and_no_other_is() -> None:
    """What was asked before makes no difference to what can be asked."""
    records: list[object] = [
        {"user": {"id": n, "app": {"build": n}}, "pad": "x" * 100_000} for n in range(90)
    ]
    odd = {"user": {"id": 99, "app": ["none"]}}
    desk = Desk()
    desk.put("a.jsonl", "\n".join(map(json.dumps, [*records, odd])))
    assert desk.value("a.jsonl", "SELECT max(user.id) FROM data") == 99
    assert desk.value("a.jsonl", "SELECT max(user.app) FROM data") == '{"build":9}'
    assert desk.value("a.jsonl", "SELECT min(user.id) FROM data") == 0


@pytest.mark.parametrize(
    "inner", ['{"id": 1, "ID": 2}', '{"Id": 3}', '{"x": [{"a": 1}, {"A": 2}]}']
)
def test_names_inside_that_differ_only_in_case_make_text(inner: str) -> None:
    """In one record, in two, in a list; in one object or two. Other columns are as they were."""
    first = '{"n": 1, "app": {"b": 2}, "user": {"id": 1}}\n'
    second = f'{{"n": 2, "app": {{"b": 3}}, "user": {inner}}}\n'
    desk = Desk()
    desk.put("p/a.jsonl", first)
    desk.put("p/b.jsonl", second)
    desk.put("c.jsonl", first + second)
    far = "".join(f'{{"n": 0, "pad": "{"x" * 9_000}"}}\n' for _ in range(99))
    desk.put("d.jsonl", first + far + second)
    desk.put("e.jsonl", first + "5\n" + second)
    for key in ("p/", "c.jsonl", "d.jsonl", "e.jsonl"):
        assert desk.value(key, "SELECT max(app.b) FROM data WHERE n > 0") == 3
    for key in ("p/", "c.jsonl", "e.jsonl"):
        user = desk.value(key, "SELECT user FROM data WHERE n = 2")
        assert json.loads(user) == json.loads(inner)
        with pytest.raises(LakeError) as caught:
            desk.rows(key, "SELECT user.id, user FROM data")
        assert "->>" in (caught.value.hint or "")
