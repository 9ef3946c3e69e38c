"""The static checks, in the test command: what they refuse, the project does not have."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

pytestmark = [pytest.mark.static, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "command",
    [
        "ruff check --no-fix .",
        "ruff format --check .",
        "mypy",
        "lint-imports",
        "deptry src",
        "codespell",
        "validate-pyproject pyproject.toml",
        "loq",
    ],
)
def test_check_finds_nothing(command: str) -> None:
    """Linter, formatter, types, layers, dependencies, spelling, metadata, file sizes."""
    name, *arguments = command.split()
    done = subprocess.run(
        [BIN / name, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
