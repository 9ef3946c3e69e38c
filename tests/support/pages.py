"""The project's documents, and the blocks of code in them."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tracked_files() -> list[Path]:
    """Return the files of the repository, or all that a checkout without git would have."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(
            [git, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]
    hidden = {".venv", ".git", ".hypothesis", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.parts)]


def documents() -> list[Path]:
    """Return the Markdown documents."""
    return sorted(path for path in tracked_files() if path.suffix == ".md")


def blocks(path: Path, language: str) -> list[str]:
    """Return a document's code blocks of one language."""
    found = _BLOCK.findall(path.read_text())
    return [body for name, body in found if name == language]
