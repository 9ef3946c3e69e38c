# /// script
# requires-python = ">=3.12"
# dependencies = [
#     "bedrock-agentcore-starter-toolkit==0.3.14",
#     "moto[codebuild,ecr,iam,s3,sts]==5.2.5",
# ]
# ///
"""Loads `.bedrock_agentcore.yaml` with the starter toolkit and deploys it to a mocked AWS.

Run by `deploy/rehearse.py toolkit`. It has an environment of its own, locked beside it.
"""

import functools
import io
import logging
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ |= {
    "AGENTCORE_SUPPRESS_RECOMMENDATION": "1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}
sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
from bedrock_agentcore_starter_toolkit.operations.runtime.launch import launch_bedrock_agentcore
from bedrock_agentcore_starter_toolkit.utils.runtime.config import load_config
from moto import mock_aws
from moto.bedrockagentcorecontrol.models import BedrockAgentCoreControlBackend as Backend

from rehearsal.dockerfile import ROOT, copy, tracked
from rehearsal.telling import check

CONFIGURATION = ROOT / ".bedrock_agentcore.yaml"
AGENTS = {
    "s3_data_lake_mcp_development": "us-east-1",
    "s3_data_lake_mcp_testing": "us-east-1",
    "s3_data_lake_mcp_production_use1": "us-east-1",
    "s3_data_lake_mcp_production_euw1": "eu-west-1",
    "s3_data_lake_mcp_demo": "us-east-1",
}


def load() -> None:
    """The toolkit's loader takes the file; only the account is missing, and STS tells it."""
    offline = load_config(CONFIGURATION, autofill_missing_aws=False)
    check(set(offline.agents) == set(AGENTS), f"loads {len(AGENTS)} agents")
    missing = ["Missing 'aws.account' for cloud deployment"]
    for name, agent in offline.agents.items():
        check(agent.validate(for_local=False) == missing, f"{name}: but for the account, valid")
        check(agent.aws.region == AGENTS[name], f"{name}: {agent.aws.region}")
    with mock_aws():
        online = load_config(CONFIGURATION)
        problems = [problem for agent in online.agents.values() for problem in agent.validate()]
        check(not problems, "valid with the account that STS tells")


def with_default_endpoint() -> None:
    """Let the mock do what AgentCore does: a new runtime has an endpoint DEFAULT."""
    create: Any = Backend.create_agent_runtime

    @functools.wraps(create)
    def created(self: Backend, *given: object, **named: object) -> object:
        answer = create(self, *given, **named)
        runtime = list(self.agent_runtimes.values())[-1]
        self.create_agent_runtime_endpoint(runtime.agent_runtime_id, "DEFAULT", None, None, None)
        return answer

    patch.object(Backend, "create_agent_runtime", created).start()


def copy_project(target: Path) -> Path:
    """Copy the project: a deployment writes into its configuration."""
    for name in tracked():
        copy(name, target)
    path = target / CONFIGURATION.name
    # The mock has no transaction search, which that switches on.
    path.write_text(path.read_text().replace("enabled: true", "enabled: false"))
    return path


def sources(region: str) -> set[str]:
    """Return the names in the archive that CodeBuild gets."""
    s3 = boto3.client("s3", region_name=region)
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    [bucket] = [n for n in names if "codebuild-sources" in n and n.endswith(region)]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    body = s3.get_object(Bucket=bucket, Key=keys[0])["Body"].read()
    return set(zipfile.ZipFile(io.BytesIO(body)).namelist())


@mock_aws
def deploy(name: str) -> None:
    """One agent, from configuration to runtime."""
    region = AGENTS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = copy_project(Path(folder))
        launch_bedrock_agentcore(path, name, use_codebuild=True, image_tag="rehearsal")
        control = boto3.client("bedrock-agentcore-control", region_name=region)
        [runtime] = control.list_agent_runtimes()["agentRuntimes"]
        made = control.get_agent_runtime(agentRuntimeId=runtime["agentRuntimeId"])
        check(made["protocolConfiguration"] == {"serverProtocol": "MCP"}, f"{name}: runtime, MCP")
        lifecycle = made["lifecycleConfiguration"]
        idle, most = lifecycle["idleRuntimeSessionTimeout"], lifecycle["maxLifetime"]
        check(idle < most, f"{name}: sessions end after {idle} s idle, or {most} s")
        image = made["agentRuntimeArtifact"]["containerConfiguration"]["containerUri"]
        check(image.endswith(f"/bedrock-agentcore-{name}:rehearsal"), f"{name}: image in ECR")
        role = made["roleArn"].rpartition("/")[2]
        check(role.startswith(f"AmazonBedrockAgentCoreSDKRuntime-{region}-"), f"{name}: {role}")
        builder = boto3.client("codebuild", region_name=region)
        projects = builder.list_projects()["projects"]
        [project] = builder.batch_get_projects(names=projects)["projects"]
        check(project["environment"]["type"] == "ARM_CONTAINER", f"{name}: built on arm64")
        names = sources(region)
        needed = {"Dockerfile", "pyproject.toml", "uv.lock", "README.md", "LICENSE"}
        check(needed <= names, f"{name}: CodeBuild gets what the Dockerfile copies")
        check("src/s3_data_lake_mcp/server.py" in names, f"{name}: and the sources")
        others = [n for n in names if n.startswith(("tests/", "docs/", ".git/", ".venv/"))]
        check(not others, f"{name}: without tests, documents and history")
        print(f"      {len(names)} files in the archive")


def main() -> None:
    """Load, then deploy one agent of each region."""
    logging.disable(logging.WARNING)
    load()
    with_default_endpoint()
    for name in ("s3_data_lake_mcp_development", "s3_data_lake_mcp_production_euw1"):
        deploy(name)


if __name__ == "__main__":
    main()
