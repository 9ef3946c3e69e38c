"""The reference pages say what the product says."""

import subprocess
import sys
from pathlib import Path

import pytest

from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.settings import PREFIX, Settings
from s3_data_lake_mcp.tools.registry import TOOLS

ROOT = Path(__file__).parents[2]
PAGES = ["docs/tools.md", "docs/settings.md", "docs/errors.md"]


def test_reference_pages_are_up_to_date() -> None:
    """Writing the pages again changes nothing."""
    cog = Path(sys.executable).parent / "cog"
    done = subprocess.run(
        [cog, "--check", "-I", "docs", *PAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [function.__name__ for function in TOOLS])
def test_every_tool_is_documented(name: str) -> None:
    """Each tool stands in the README and has a section of its own."""
    assert f"`{name}`" in (ROOT / "README.md").read_text()
    assert f"\n## {name}\n" in (ROOT / "docs/tools.md").read_text()


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    """Each setting has its line, and a docstring that fills it."""
    assert f"| `{PREFIX}{name.upper()}` |" in (ROOT / "docs/settings.md").read_text()
    assert Settings.model_fields[name].description


def test_every_error_code_is_documented() -> None:
    """Each code of the error tree has its line."""
    page = (ROOT / "docs/errors.md").read_text()
    missing = [cls.code for cls in _all(LakeError) if f"| `{cls.code}` |" not in page]
    assert missing == []


def _all(cls: type[LakeError]) -> list[type[LakeError]]:
    return [found for child in cls.__subclasses__() for found in (child, *_all(child))]
