"""The workflows: linters find nothing, actions are pinned, no job has more rights than it needs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.dockerfile import ROOT
from support.cloudformation import FOLDER, REGION, Template

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"uses: (\S+)(.*)")


def load(name: str) -> dict[str, Any]:
    """Return a workflow; YAML takes the key `on` for true."""
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text()
    return yaml.safe_load(text)  # type: ignore[no-any-return] # YAML


@pytest.mark.parametrize(
    "command",
    [
        ["actionlint", *map(str, WORKFLOWS)],
        ["zizmor", "--offline", "--quiet", "--pedantic", ".github"],
    ],
    ids=["actionlint", "zizmor"],
)
def test_linter_finds_nothing(command: list[str]) -> None:
    """Syntax, expressions, shell injection, credentials that stay behind, and the like."""
    name, *rest = command
    done = subprocess.run(
        [BIN / name, *rest], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned(path: Path) -> None:
    """By commit, with the version beside it."""
    for action, comment in USES.findall(path.read_text()):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_permitted_unless_said(path: Path) -> None:
    """No rights at the top; jobs read the sources, and only the deployment gets a token."""
    workflow = load(path.stem)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        rights = {"contents": "read"}
        if path.stem == "deploy":
            rights["id-token"] = "write"
        assert job["permissions"] == rights
        assert job["timeout-minutes"]


def test_there_are_no_keys() -> None:
    """Deployment goes by OIDC: no secret is named in any workflow."""
    assert not any("secrets." in path.read_text() for path in WORKFLOWS)


def test_the_deployment_keeps_to_its_environment() -> None:
    """Names of stack, registry and endpoint are those that the pipeline's role may touch."""
    [job] = load("deploy")["jobs"].values()
    assert job["environment"] == "${{ inputs.environment }}"
    assert job["env"]["STACK"] == "s3-data-lake-mcp-${{ inputs.environment }}"
    assert job["env"]["REPOSITORY"] == "s3-data-lake-mcp-${{ inputs.environment }}"
    given = {"Repository": "me/lake", "Environment": "production", "ProviderArn": "x"}
    template = Template(FOLDER / "pipeline.yaml", **given)
    for role, used in (
        ("DeployRole", job["steps"][2]["with"]["role-to-assume"]),
        ("StackRole", job["env"]["STACK_ROLE"]),
    ):
        for name, value in (("region", REGION), ("environment", "production")):
            used = used.replace(f"${{{{ inputs.{name} }}}}", value)  # noqa: PLW2901 - filled in
        assert used.partition(":role/")[2] == template.properties(role)["RoleName"]
    pipeline = (FOLDER / "pipeline.yaml").read_text()
    assert "stack/s3-data-lake-mcp-${Environment}/*" in pipeline
    assert "RepositoryName: !Sub s3-data-lake-mcp-${Environment}" in pipeline
    steps = [step.get("name", "") for step in job["steps"]]
    assert steps[-1] == "Smoke test"


def test_the_workflows_run_what_is_there() -> None:
    """The files that they name exist."""
    text = json.dumps([load(path.stem) for path in WORKFLOWS])
    for name in (
        ".ci/run",
        "deploy/rehearse.py",
        "deploy/cloudformation/runtime.yaml",
        "examples/invoke_smoke.py",
    ):
        assert name in text
        assert (ROOT / name).is_file()
