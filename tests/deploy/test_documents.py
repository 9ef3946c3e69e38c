"""The documents of deployment: their commands and names are those of AWS and of the project.

They cannot be run here; `docs/deploy/README.md` says what was not.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore import xform_name

from rehearsal.dockerfile import ROOT
from support.cloudformation import FOLDER, Template

PAGES = sorted((ROOT / "docs" / "deploy").glob("*.md"))
COMMANDS = [
    pytest.param(command, id=f"{page.stem}-{command[4:40].replace('/', '-')}")
    for page in PAGES
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    for command in re.findall(r"\baws [a-z][^\n|)]*", block.replace("\\\n", " "))
]
# Commands that the CLI has by itself, with the flags used here.
OF_THE_CLI = {
    "cloudformation deploy": {"stack-name", "template-file", "parameter-overrides", "capabilities"},
    "ecr get-login-password": set[str](),
}
OF_ALL = {"query", "output", "region"}


@cache
def operations(service: str) -> dict[str, Any]:
    """Return a service's operations by the names that the CLI gives them."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_such_of_aws(command: str) -> None:
    """Operation and flags exist, and none that AWS requires is left out."""
    service, operation = command.split()[1:3]
    flags = set(re.findall(r" --([a-z-]+)", command))
    if known := OF_THE_CLI.get(f"{service} {operation}"):
        assert flags <= known
    if f"{service} {operation}" in OF_THE_CLI:
        return
    shape = operations(service)[operation].input_shape
    assert flags - OF_ALL <= {xform_name(name, "-") for name in shape.members}
    assert {xform_name(name, "-") for name in shape.required_members} <= flags


def test_there_are_commands() -> None:
    """The pages are read as they are meant."""
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_are_named_exist(page: Path) -> None:
    """In commands and in the text."""
    named = re.findall(r"\b(?:deploy|examples)/[\w./-]*\w", page.read_text())
    missing = {name for name in named if not (ROOT / name).exists()}
    assert missing == set()


def test_parameters_that_are_named_exist() -> None:
    """A word in code that looks like a parameter or an output of the templates is one."""
    known: set[str] = set()
    for path in FOLDER.glob("*.yaml"):
        known |= set(Template(path).parameters)
        outputs = path.read_text().partition("\nOutputs:")[2]
        known |= set(re.findall(r"^  (\w+):$", outputs, re.MULTILINE))
    text = "".join((ROOT / "docs" / "deploy" / f"{n}.md").read_text() for n in TEMPLATED)
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", text))
    assert len(named) >= 8
    assert named - known - OPERATIONS == set()


TEMPLATED = ("infrastructure", "pipeline", "container")
OPERATIONS = {"InvokeAgentRuntime"}


def test_the_variables_of_the_workflow_are_told() -> None:
    """Whoever sets up an environment in GitHub learns what to set there."""
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert yaml.safe_load(workflow)
    used = set(re.findall(r"\bvars\.(\w+)", workflow))
    page = (ROOT / "docs" / "deploy" / "pipeline.md").read_text()
    assert used
    assert {name for name in used if f"`{name}`" not in page} == set()
