"""The templates: the linter finds nothing, and what they make is what was meant."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from rehearsal.dockerfile import ROOT
from s3_data_lake_mcp.settings import PREFIX, Settings
from support.cloudformation import ACCOUNT, FOLDER, NEEDED, REGION, Template

TEMPLATES = sorted(FOLDER.glob("*.yaml"))
ENVIRONMENTS = sorted((ROOT / "deploy" / "environments").glob("*.json"))
IMAGE = NEEDED["ImageUri"]
LARGEST_ENVIRONMENT_BYTES = 2500
"""Of a container's variables together on the newer platform; the older one has 4 KB."""


def test_there_are_templates() -> None:
    """Runtime, network and pipeline."""
    assert [path.stem for path in TEMPLATES] == ["network", "pipeline", "runtime"]


def test_cfn_lint_finds_nothing() -> None:
    """Neither errors nor warnings, with no rule switched off."""
    linter = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([linter, *TEMPLATES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert not any("cfn-lint" in path.read_text() for path in TEMPLATES)


def rendered(**parameters: str) -> dict[str, Any]:
    """Return the properties of the runtime."""
    return Template(FOLDER / "runtime.yaml", **{**NEEDED, **parameters}).properties("Runtime")


def test_the_runtime_is_an_mcp_server() -> None:
    """Protocol, platform version and lifecycle are set, not left to what may change."""
    runtime = rendered()
    assert runtime["ProtocolConfiguration"] == "MCP"
    assert runtime["PlatformVersion"] == "V1"
    assert runtime["NetworkConfiguration"] == {"NetworkMode": "PUBLIC"}
    assert runtime["AgentRuntimeArtifact"] == {"ContainerConfiguration": {"ContainerUri": IMAGE}}


def test_vpc_mode() -> None:
    """Given subnets, the runtime lives in them."""
    network = rendered(SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1")
    assert network["NetworkConfiguration"] == {
        "NetworkMode": "VPC",
        "NetworkModeConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": ["sg-1"]},
    }


def test_the_variables_are_settings_of_the_server() -> None:
    """Each is known and fits; those without a value are left out, so that SSM can say it."""
    few = rendered()["EnvironmentVariables"]
    assert {name for name in few if name.startswith(PREFIX)} == {f"{PREFIX}LOG_LEVEL"}
    assert few["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] == "false"
    many = rendered(
        Allowed="my-lake",
        Roles="x=y",
        EnabledTools="query_csv_data",
        DisabledTools="list_s3_buckets",
        SsmPath="/lake/production",
    )["EnvironmentVariables"]
    own = {name.removeprefix(PREFIX).lower() for name in many if name.startswith(PREFIX)}
    assert own <= set(Settings.model_fields)
    assert len(own) == 6
    assert sum(len(name) + len(text) for name, text in many.items()) < LARGEST_ENVIRONMENT_BYTES


def test_the_service_would_take_the_runtime() -> None:
    """The SDK's own model of CreateAgentRuntime accepts what the template says."""
    runtime = rendered(
        SubnetIds="subnet-0123456789abcdef0", SecurityGroupIds="sg-0123456789abcdef0"
    )
    artifact = runtime["AgentRuntimeArtifact"]["ContainerConfiguration"]
    network = runtime["NetworkConfiguration"]
    lifecycle = runtime["LifecycleConfiguration"]
    asked = {
        "agentRuntimeName": runtime["AgentRuntimeName"],
        "description": runtime["Description"],
        "agentRuntimeArtifact": {
            "containerConfiguration": {"containerUri": artifact["ContainerUri"]}
        },
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/x",
        "networkConfiguration": {
            "networkMode": network["NetworkMode"],
            "networkModeConfig": {
                "subnets": network["NetworkModeConfig"]["Subnets"],
                "securityGroups": network["NetworkModeConfig"]["SecurityGroups"],
            },
        },
        "protocolConfiguration": {"serverProtocol": runtime["ProtocolConfiguration"]},
        "platformVersion": runtime["PlatformVersion"],
        "lifecycleConfiguration": {
            "idleRuntimeSessionTimeout": int(lifecycle["IdleRuntimeSessionTimeout"]),
            "maxLifetime": int(lifecycle["MaxLifetime"]),
        },
        "environmentVariables": runtime["EnvironmentVariables"],
        "tags": runtime["Tags"],
    }
    client = botocore.session.get_session().create_client(
        "bedrock-agentcore-control",
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - nothing is signed
    )
    with Stubber(client) as stub:
        stub.add_response("create_agent_runtime", _created(), asked)
        assert client.create_agent_runtime(**asked)["status"] == "CREATING"  # type: ignore[attr-defined] # made from its model
    client.close()


def _created() -> dict[str, Any]:
    name = f"{NEEDED['RuntimeName']}-AbCdEf1234"
    return {
        "agentRuntimeArn": f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/{name}",
        "agentRuntimeId": name,
        "agentRuntimeVersion": "1",
        "createdAt": "2026-01-01T00:00:00Z",
        "status": "CREATING",
    }


def test_the_endpoint_stays_at_a_version_and_logs_do_not_stay_for_ever() -> None:
    """The named endpoint is the environment's; both log groups have a retention and a key."""
    resources = Template(FOLDER / "runtime.yaml", **NEEDED).resources()
    assert resources["Endpoint"]["Properties"]["Name"] == "production"
    assert (
        resources["Endpoint"]["Properties"]["AgentRuntimeVersion"]
        == "<Runtime.AgentRuntimeVersion>"
    )
    for name in ("EndpointLogs", "DefaultEndpointLogs"):
        logs = resources[name]["Properties"]
        assert logs["RetentionInDays"] == "30"
        assert logs["KmsKeyId"] == "<LogKey.Arn>"
        assert logs["LogGroupName"].startswith(
            "/aws/bedrock-agentcore/runtimes/<Runtime.AgentRuntimeId>-"
        )


def test_callers_of_other_accounts_are_named() -> None:
    """The resource policies are JSON, admit the named roles, and exist only if there are any."""
    assert "RuntimePolicy" not in Template(FOLDER / "runtime.yaml", **NEEDED).resources()
    callers = f"arn:aws:iam::{ACCOUNT}:role/a,arn:aws:iam::{ACCOUNT}:role/b"
    template = Template(FOLDER / "runtime.yaml", **NEEDED, CallerArns=callers)
    for name in ("RuntimePolicy", "EndpointPolicy"):
        properties = template.properties(name)
        [statement] = json.loads(properties["Policy"])["Statement"]
        assert statement["Principal"] == {"AWS": callers.split(",")}
        assert statement["Action"] == "bedrock-agentcore:InvokeAgentRuntime"
        assert statement["Resource"] == properties["ResourceArn"]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_each_environment_has_its_parameters(path: Path) -> None:
    """They fit the template, hold no account, and leave only the image to the deployment."""
    given = {
        entry["ParameterKey"]: entry["ParameterValue"] for entry in json.loads(path.read_text())
    }
    template = Template(FOLDER / "runtime.yaml", **given, ImageUri=IMAGE)
    assert template.parameters["Environment"] == path.stem
    assert given["RuntimeName"] == f"s3_data_lake_mcp_{path.stem}"
    for name, text in given.items():
        assert not template.refused(name, text), name
    settings = template.properties("Runtime")["EnvironmentVariables"]
    own = {k.removeprefix(PREFIX).lower(): v for k, v in settings.items() if k.startswith(PREFIX)}
    assert Settings(_env_file=None, **own)  # type: ignore[call-arg] # a keyword of pydantic-settings itself


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BucketArns", "*"),
        ("BucketArns", "arn:aws:s3:::*"),
        ("BucketArns", "arn:aws:s3:::my-lake,arn:aws:s3:::my-*"),
        ("ObjectArns", "arn:aws:s3:::*/*"),
        ("ObjectArns", "arn:aws:s3:::my-lake*"),
        ("RuntimeName", "with-hyphens"),
        ("ImageUri", "docker.io/library/lake:1"),
    ],
)
def test_what_is_too_wide_is_refused(name: str, text: str) -> None:
    """Buckets are named in full, whoever fills in the parameters."""
    assert Template(FOLDER / "runtime.yaml", **NEEDED).refused(name, text)


def test_there_is_a_file_for_each_environment() -> None:
    """Development, testing, production and demo."""
    names = {path.stem for path in ENVIRONMENTS}
    assert names == {"development", "testing", "production", "demo"}


def test_the_security_group_lets_nothing_in() -> None:
    """And nothing out but TLS to S3 and to AWS's own endpoints."""
    template = Template(
        FOLDER / "network.yaml",
        VpcId="vpc-1",
        SubnetIds="subnet-1",
        RouteTableIds="rtb-1",
        S3PrefixListId="pl-1",
        BucketArns=NEEDED["BucketArns"],
        ObjectArns=NEEDED["ObjectArns"],
    )
    group = template.properties("RuntimeGroup")
    assert "SecurityGroupIngress" not in group
    [rule] = group["SecurityGroupEgress"]
    assert (rule["FromPort"], rule["ToPort"], rule["DestinationPrefixListId"]) == (443, 443, "pl-1")
    other = template.properties("RuntimeToEndpoints")
    assert (other["FromPort"], other["ToPort"]) == (443, 443)
    assert "CidrIp" not in json.dumps(template.resources())
