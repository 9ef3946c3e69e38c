"""The tour: what it shows fits the screen, and what it takes for an answer is one."""

import dataclasses
import io
from collections.abc import AsyncIterator

import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from rich.console import Console

from s3_data_lake_mcp.demo.questions import MISHAPS, QUESTIONS, Question
from s3_data_lake_mcp.demo.screen import Outcome, Screen, make_console
from s3_data_lake_mcp.demo.tour import Guide
from s3_data_lake_mcp.tools.registry import TOOLS

ANSWER = "\n".join(
    [
        "3 of 48,213 rows · s3://lake/orders.csv · 12 columns · read 0.1 of 96 MB",
        "notice: " + "a long notice " * 12,
        "<<data 1f2e>>",
        "id\tname\tnote",
        *(f"{number}\tname {number}\t{'wide 尺寸 ' * 20}" for number in range(40)),
        "<<end 1f2e>>",
        'next: {"tool": "read_csv_from_s3", "arguments": {"cursor": "' + "x" * 300 + '"}}',
    ]
)
ASKED = Question(text="Which?", tool="answer", arguments={"text": "here it is"}, expect="it is")


def shown(width: int) -> tuple[Screen, io.StringIO]:
    """Return a screen of a width, and where it writes."""
    text = io.StringIO()
    return Screen(Console(file=text, width=width, highlight=False)), text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_answers_fit_the_width_and_say_what_was_cut(width: int) -> None:
    """No line is longer than the screen, and the rows left out are counted."""
    screen, text = shown(width)
    screen.question(QUESTIONS[7])
    screen.answer(ANSWER, 0.5, right=True)
    screen.results([Outcome(question=ASKED, right=True, seconds=1.0, scan={})])
    lines = text.getvalue().splitlines()
    # The wide characters count twice on a screen.
    assert max(len(line) + sum(ord(mark) > 0x2E80 for mark in line) for line in lines) <= width
    assert "… 26 more lines" in text.getvalue()
    assert "x" * 20 not in text.getvalue()


def test_piped_output_is_plain_and_of_a_fixed_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal, whatever its size says, the tour is 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "37")
    console = make_console()
    assert console.width == 100
    assert not console.is_terminal


def test_questions_ask_every_tool() -> None:
    """Each of the eight tools has a question of its own."""
    assert {question.tool for question in QUESTIONS} == {tool.__name__ for tool in TOOLS}
    assert all(question.expect for question in (*QUESTIONS, *MISHAPS))


@pytest.fixture
async def guide() -> AsyncIterator[Guide]:
    """Return a guide on a server that repeats what it is told, or refuses."""
    server = FastMCP("echo")

    @server.tool
    def answer(text: str) -> str:
        return text

    @server.tool
    def refuse(text: str) -> str:
        raise ToolError(text)

    async with Client(server) as client:
        yield Guide(client, shown(80)[0])


REFUSED = Question(
    text="May I?",
    tool="refuse",
    arguments={"text": 'no_way: not that.\nnext: {"tool": "answer", "arguments": {"text": "x"}}'},
    expect="not that",
    refusal="no_way",
    mended=True,
)


@pytest.mark.parametrize(
    ("question", "right"),
    [
        (ASKED, True),
        (dataclasses.replace(ASKED, expect="something else"), False),
        (dataclasses.replace(ASKED, tool="refuse"), False),
        (dataclasses.replace(ASKED, tool="no_such_tool"), False),
        (REFUSED, True),
        (dataclasses.replace(REFUSED, refusal="another"), False),
        (dataclasses.replace(REFUSED, tool="answer"), False),
        (dataclasses.replace(REFUSED, arguments={"text": "no_way: not that."}), False),
    ],
)
async def test_only_the_expected_answer_counts(
    guide: Guide, question: Question, *, right: bool
) -> None:
    """An answer must hold what was expected; a refusal its code, and a call that works."""
    assert (await guide.ask(question)).right is right
