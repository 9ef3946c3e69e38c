"""The documents hold together: links lead somewhere, JSON parses, nothing is of one machine."""

import ast
import json
import re
from pathlib import Path

import pytest

from support.pages import ROOT, blocks, documents, tracked_files

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
MODULE = re.compile(r"`([\w/]+\.py)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# Written with classes, so that this file does not hold what it looks for.
MACHINE = re.compile(r"/r[o]ot/|/w[o]rk/|bash[_]jobs|npmjs[.]org|pythonhosted[.]org|deb[.]debian")
PACKAGE = ROOT / "src/s3_data_lake_mcp"
NAMES = [str(path.relative_to(ROOT)) for path in documents()]


def _anchors(path: Path) -> set[str]:
    headings = HEADING.findall(path.read_text())
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Each relative link names a file that is there, and a heading of it."""
    page = ROOT / name
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        assert not anchor or anchor in _anchors(file), link


@pytest.mark.parametrize("name", NAMES)
def test_json_blocks_parse(name: str) -> None:
    """Each block of JSON is JSON."""
    for block in blocks(ROOT / name, "json"):
        json.loads(block)


@pytest.mark.parametrize("name", NAMES)
def test_modules_that_are_named_are_there(name: str) -> None:
    """Each Python file that a document names is in the repository."""
    files = [path.as_posix() for path in tracked_files()]
    for module in MODULE.findall((ROOT / name).read_text()):
        assert any(path.endswith(f"/{module}") for path in files), module


def test_the_architecture_has_a_place_for_every_module() -> None:
    """Each module and package at top level stands in the table."""
    text = (ROOT / "docs/architecture.md").read_text()
    names = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith(("_", "py."))}
    assert {name for name in names if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("package", ["engines", "profiling", "storage"])
def test_a_large_package_says_where_its_modules_belong(package: str) -> None:
    """Its docstring names each module, or the prefix of modules that belong together."""
    folder = PACKAGE / package
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    told = text[text.index("Where to find") :]
    names, prefixes = set(re.findall(r"`(\w+)`", told)), tuple(re.findall(r"`(\w+_)…`", told))
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert names - modules == set()
    assert {one for one in modules - names if not one.startswith(prefixes)} == set()


def test_no_file_speaks_of_one_machine() -> None:
    """No path of a developer's machine and no registry's host stands in the repository."""
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in tracked_files()
        if path.suffix != ".lock"
        for hit in [MACHINE.search(path.read_bytes().decode("utf-8", "replace"))]
        if hit
    ]
    assert found == []


def test_licence_is_whole() -> None:
    """The licence is the Apache License 2.0, to its end."""
    text = (ROOT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
