"""How the tour looks: at any width from 80 to 120 columns, in a terminal or a pipe."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from s3_data_lake_mcp.demo.questions import Question
from s3_data_lake_mcp.fence import plural

_NARROWEST, _WIDEST, _PIPED = 80, 120, 100
_SHOWN_LINES = 15
_WIDEST_CELL = 30
_INDENT = 4
_FENCES = ("<<data ", "<<end ")
_CURSOR = re.compile(r'("cursor": "[^"]{12})[^"]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one question went."""

    question: Question
    right: bool
    seconds: float
    scan: Mapping[str, int]


def make_console() -> Console:
    """Return the console of the tour: plain and of a fixed width when piped."""
    console = Console(highlight=False)
    if not console.is_terminal:
        return Console(highlight=False, width=_PIPED)
    return Console(highlight=False, width=max(_NARROWEST, min(_WIDEST, console.width)))


class Screen:
    """Shows questions, calls and answers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._room = console.width - _INDENT

    def say(self, text: str, style: str = "") -> None:
        """Show a paragraph."""
        self._console.print(Text(text, style=style))

    def heading(self, text: str) -> None:
        """Show the beginning of a part."""
        self._console.print()
        self._console.print(Rule(Text(text, style="bold"), style="dim", align="left"))

    def question(self, question: Question) -> None:
        """Show what is asked and the call that is made of it."""
        self.heading(question.text)
        self.call(question.tool, question.arguments)

    def call(self, tool: str, arguments: Mapping[str, object]) -> None:
        """Show a tool call, an argument on each line."""
        self._console.print(Text.assemble(("→ ", "dim"), (tool, "bold cyan")))
        width = max(map(len, arguments), default=0) + 2
        for name, value in arguments.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            first, *rest = self._wrapped(Text(shown), self._room - width)
            self._print(Text.assemble((f"{name:<{width}}", "cyan"), first))
            for line in rest:
                self._print(Text.assemble(" " * width, line))

    def answer(self, text: str, seconds: float, *, right: bool) -> None:
        """Show an answer as the model sees it, long ones cut."""
        first, *rest = text.split("\n")
        mark = ("✓ ", "green") if right else ("✗ ", "bold red")
        for line in self._wrapped(Text(first, style="bold" if right else "bold red"), self._room):
            self._console.print(Text.assemble(mark, line))
            mark = ("  ", "")
        for line in self._body(rest):
            self._print(line)
        self._print(Text(f"{seconds:.2f} s", style="dim"))

    def _body(self, lines: Sequence[str]) -> Iterator[Text]:
        for tabs, group in groupby(_trimmed(lines), key=lambda line: line.count("\t")):
            if tabs:
                yield from _aligned(list(group), self._room)
            else:
                for line in group:
                    yield from self._wrapped(_prose(line), self._room)

    def _wrapped(self, text: Text, width: int) -> Sequence[Text]:
        lines = list(text.wrap(self._console, width, overflow="fold"))
        for line in lines:
            line.rstrip()
        return lines or [Text()]

    def _print(self, line: Text) -> None:
        self._console.print(Text.assemble(" " * _INDENT, line), soft_wrap=True)

    def results(self, outcomes: Sequence[Outcome]) -> None:
        """Show what each call cost."""
        self.heading("What it cost")
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("")
        table.add_column("tool")
        for name in ("seconds", "requests", "read"):
            table.add_column(name, justify="right")
        for outcome in outcomes:
            scan = outcome.scan
            table.add_row(
                Text("✓", style="green") if outcome.right else Text("✗", style="bold red"),
                outcome.question.tool,
                f"{outcome.seconds:.2f}",
                str(scan["requests"]) if scan else "",
                f"{scan['bytes_read'] / 1000:,.1f} KB" if scan else outcome.question.refusal,
            )
        self._console.print(table)


def _trimmed(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines, those between the fences only as far as they help."""
    inside: int | None = None
    for line in lines:
        if line.startswith(_FENCES):
            if inside is not None and inside > _SHOWN_LINES:
                more = inside - _SHOWN_LINES
                yield f"… {plural(more, 'more line')}"
            inside = 0 if inside is None else None
            yield line
        elif inside is None:
            yield _CURSOR.sub(r"\1…", line)
        else:
            inside += 1
            if inside <= _SHOWN_LINES:
                yield line


def _prose(line: str) -> Text:
    if line.startswith((*_FENCES, "… ")):
        return Text(line, style="dim")
    if line.startswith("notice: "):
        return Text(line, style="yellow")
    if line.startswith(("hint: ", "next: ")):
        return Text(line, style="cyan")
    return Text(line)


def _aligned(lines: Sequence[str], room: int) -> Iterator[Text]:
    """Yield lines of tab-separated cells as columns, of which the last takes what is left."""
    rows = [line.split("\t") for line in lines]
    widths = [
        min(_WIDEST_CELL, max(cell_len(row[at]) for row in rows)) for at in range(len(rows[0]) - 1)
    ]
    for *cells, last in rows:
        shown = [_cut(text, width) for text, width in zip(cells, widths, strict=True)]
        line = Text("  ".join((*shown, last)).rstrip())
        line.truncate(room, overflow="ellipsis")
        yield line


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"
