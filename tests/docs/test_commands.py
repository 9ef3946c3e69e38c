"""What the documents tell people to run, runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3_data_lake_mcp.demo.lake import DemoLake
from support.pages import ROOT, blocks, documents

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = sorted(
    {
        command.strip()
        for page in PAGES
        for block in blocks(page, "bash")
        for line in block.splitlines()
        for command in line.split("&&")
    }
)
SCRIPTS = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in documents()
    for number, code in enumerate(blocks(page, "python"), 1)
]


def run(*command: str | Path, **environment: str) -> str:
    """Run a command in the project and return its output; it must end with 0."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def product(*arguments: str, **environment: str) -> str:
    """Run the product's command from this environment, as `uv run` does after its sync."""
    script = Path(sys.executable).parent / "s3-data-lake-mcp"
    return run(script, *arguments, **environment)


def tour() -> None:
    """Run the whole tour, and see eight answers."""
    text = product("demo")
    assert "8 of 8 tools answered" in text
    assert "✗" not in text


def collect_tests() -> None:
    """Find the tests: running them from a test would not end."""
    assert "tests collected" in run(
        sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"
    )


def uv_is_installable() -> None:
    """The project's build back end is what uv needs: the metadata it would install from."""
    if shutil.which("uv"):
        assert "uv" in run("uv", "--version")
    assert (ROOT / "uv.lock").is_file()


def parse_serve(*arguments: str) -> None:
    """See that the flags exist; serving itself is tested in `tests/mcp` and `tests/unit`."""
    text = product("serve", "--help")
    assert all(flag in text for flag in arguments if flag.startswith("--"))


def parse_demo_serve() -> None:
    """See that the flags exist; `tests/unit/test_cli.py` serves the demo lake."""
    text = product("demo", "--help")
    assert "--serve" in text
    assert "--transport" in text


def show_settings() -> None:
    """See each setting with its source."""
    assert "default" in product("settings")


def print_configuration(client: str) -> None:
    """See that the configuration is JSON that starts this server."""
    printed = json.loads(product("config", client))
    servers = printed.get("mcpServers") or printed["servers"]
    assert servers["s3-data-lake"]["command"]


def nothing() -> None:
    """Another test of this folder or of `tests/static` runs exactly this command."""


HONEST_FORMS: dict[str, Callable[[], None]] = {
    "pip install uv": uv_is_installable,
    "uv sync": uv_is_installable,
    "uv run s3-data-lake-mcp demo": tour,
    "uv run pytest": collect_tests,
    "uv run s3-data-lake-mcp demo --serve --transport http": parse_demo_serve,
    "uv run s3-data-lake-mcp settings": show_settings,
    "uv run s3-data-lake-mcp serve --transport http --port 8000": lambda: parse_serve(
        "--transport", "--port"
    ),
    "uv run s3-data-lake-mcp config kiro": lambda: print_configuration("kiro"),
    "uv run s3-data-lake-mcp config vscode": lambda: print_configuration("vscode"),
    "uv run cog -r -I docs docs/tools.md docs/settings.md docs/errors.md": nothing,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str) -> None:
    """Each command of a document is run, whole or in its cheapest honest form."""
    HONEST_FORMS[command]()


def test_contributing_names_the_static_checks() -> None:
    """The commands that CONTRIBUTING lists are those that the static tests run."""
    listed = set(re.findall(r"`uv run ([a-z-]+)", (ROOT / "CONTRIBUTING.md").read_text()))
    tests = (ROOT / "tests/static/test_static.py").read_text()
    checks = listed - {"pytest", "cog"}
    assert checks >= {"ruff", "mypy", "lint-imports"}
    assert all(f'"{name}' in tests for name in checks)


@pytest.fixture(scope="module")
def demo_environment() -> Iterator[dict[str, str]]:
    """Start the demo lake for the Python examples."""
    with DemoLake() as lake:
        lake.wait()
        yield lake.environment()


@pytest.mark.parametrize("code", SCRIPTS)
def test_python_example_runs(code: str, demo_environment: dict[str, str], tmp_path: Path) -> None:
    """Each Python example runs as a script on the demo lake."""
    script = tmp_path / "example.py"
    script.write_text(code)
    assert run(sys.executable, script, **demo_environment)
