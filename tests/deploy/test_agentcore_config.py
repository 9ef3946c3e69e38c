"""`.bedrock_agentcore.yaml`: what the toolkit does not check itself, and what must not be in it.

`deploy/rehearse.py toolkit` loads it with the toolkit and deploys it to a mocked AWS.
"""

import re
from typing import Any

import pytest
import yaml

from rehearsal.dockerfile import ROOT

TEXT = (ROOT / ".bedrock_agentcore.yaml").read_text()
CONFIGURATION: dict[str, Any] = yaml.safe_load(TEXT)
AGENTS: dict[str, dict[str, Any]] = CONFIGURATION["agents"]
KNOWN = {
    "": {"name", "language", "entrypoint", "deployment_type", "platform", "container_runtime",
         "aws", "memory"},
    "aws": {"execution_role", "execution_role_auto_create", "account", "region", "ecr_repository",
            "ecr_auto_create", "network_configuration", "protocol_configuration", "observability",
            "lifecycle_configuration"},
}  # fmt: skip


def test_there_is_an_agent_for_each_environment() -> None:
    """Production lives in two regions; the default is development."""
    regions = {name: agent["aws"]["region"] for name, agent in AGENTS.items()}
    assert regions == {
        "s3_data_lake_mcp_development": "us-east-1",
        "s3_data_lake_mcp_testing": "us-east-1",
        "s3_data_lake_mcp_production_use1": "us-east-1",
        "s3_data_lake_mcp_production_euw1": "eu-west-1",
        "s3_data_lake_mcp_demo": "us-east-1",
    }
    assert CONFIGURATION["default_agent"] == "s3_data_lake_mcp_development"


@pytest.mark.parametrize("name", list(AGENTS))
def test_the_toolkit_would_read_each_key(name: str) -> None:
    """It ignores keys that it does not know, and saves under `name`."""
    agent = AGENTS[name]
    assert agent["name"] == name
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,47}", name)
    assert set(agent) == KNOWN[""]
    assert set(agent["aws"]) == KNOWN["aws"]
    assert (ROOT / agent["entrypoint"]).is_file()
    assert (agent["deployment_type"], agent["platform"]) == ("container", "linux/arm64")
    assert agent["aws"]["protocol_configuration"] == {"server_protocol": "MCP"}
    assert agent["aws"]["network_configuration"] == {"network_mode": "PUBLIC"}
    assert agent["memory"] == {"mode": "NO_MEMORY"}
    lifecycle = agent["aws"]["lifecycle_configuration"]
    assert 60 <= lifecycle["idle_runtime_session_timeout"] < lifecycle["max_lifetime"] <= 28_800


def test_nothing_of_a_deployment_was_committed() -> None:
    """A deployment writes account, roles and ids into the file."""
    for agent in AGENTS.values():
        assert agent["aws"]["account"] is None
        assert agent["aws"]["execution_role"] is None
        assert agent["aws"]["ecr_repository"] is None
        assert "bedrock_agentcore" not in agent
        assert "codebuild" not in agent
    assert "arn:" not in TEXT


def test_the_newer_cli_can_read_it() -> None:
    """Its importer knows block style only: no flow maps, no anchors, no aliases."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in lines if re.search(r"[{}\[\]&*]", line)]
