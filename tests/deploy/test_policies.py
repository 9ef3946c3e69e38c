"""The execution role: it reads what is named and writes nothing, on paper and when simulated."""

import fnmatch
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx2 as httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from policy_sentry.querying.actions import get_actions_with_access_level

from s3_data_lake_mcp.aws.roles import READING
from s3_data_lake_mcp.errors import AccessDeniedError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3_errors import _ACTIONS, _OF_A_VERSION
from support.cloudformation import ACCOUNT, FOLDER, NEEDED, REGION, Template
from support.ports import free_port
from support.stores import open_store

LAKE, OTHER = "my-lake", "payroll"
EVERYTHING = {
    **NEEDED,
    "DataKeyArns": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1",
    "AssumableRoleArns": f"arn:aws:iam::{ACCOUNT}:role/partner",
    "SsmPath": "/lake/production",
    "SsmKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/2",
}
# What is not read or list, each with its bounds: traces and metrics go out, and AWS counts the use
# of a key and of a role as writing.
NOT_READING = {
    "cloudwatch:PutMetricData",
    "kms:Decrypt",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sts:AssumeRole",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def statements(**parameters: str) -> list[dict[str, Any]]:
    """Return the statements of the execution role."""
    role = Template(FOLDER / "runtime.yaml", **parameters).properties("ExecutionRole")
    return [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]


def listed(value: str | list[str]) -> list[str]:
    """Return an element of a policy as a list."""
    return [value] if isinstance(value, str) else value


def allowed(**parameters: str) -> dict[str, list[str]]:
    """Return the actions that are allowed, with their resources."""
    return {
        action: listed(statement["Resource"])
        for statement in statements(**parameters)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }


def reading(service: str) -> set[str]:
    """Return the actions of a service that AWS itself classes as reading and listing."""
    return {
        action
        for level in ("Read", "List")
        for action in get_actions_with_access_level(service, level)
    }


def test_nothing_is_allowed_by_wildcard() -> None:
    """Each action is named, so that none of a later day slips in."""
    assert not [action for action in allowed(**EVERYTHING) if "*" in action]


def test_all_that_is_allowed_reads_but_for_a_named_few() -> None:
    """By AWS's own access levels, from its service reference."""
    actions = set(allowed(**EVERYTHING))
    services = {action.partition(":")[0] for action in actions}
    readers = {action for service in services for action in reading(service)}
    assert actions - readers == NOT_READING
    assert {a for a in actions if a.startswith("s3:")} <= reading("s3")


def test_what_is_not_reading_is_bounded() -> None:
    """Keys only through S3 and SSM, metrics in one namespace, logs in the runtime's own groups."""
    by_sid = {statement["Sid"]: statement for statement in statements(**EVERYTHING)}
    assert by_sid["DecryptThroughS3"]["Condition"]["StringLike"] == {
        "kms:ViaService": "s3.*.amazonaws.com"
    }
    assert by_sid["DecryptSettings"]["Condition"]["StringEquals"] == {
        "kms:ViaService": f"ssm.{REGION}.amazonaws.com"
    }
    assert by_sid["WriteMetrics"]["Condition"]["StringEquals"] == {
        "cloudwatch:namespace": "bedrock-agentcore"
    }
    for sid in ("OpenLogStreams", "WriteLogs"):
        assert (
            "/aws/bedrock-agentcore/runtimes/s3_data_lake_mcp_production-*"
            in by_sid[sid]["Resource"]
        )
    assert by_sid["AssumeRolesOfOtherAccounts"]["Resource"] == [EVERYTHING["AssumableRoleArns"]]


def test_data_are_named() -> None:
    """No statement about data is for everything, but the one that lists bucket names."""
    wide = {action for action, resources in allowed(**EVERYTHING).items() if "*" in resources}
    assert {action for action in wide if action.startswith(("s3:", "kms:", "ssm:", "sts:"))} == {
        "s3:ListAllMyBuckets"
    }


def test_keys_and_roles_are_granted_only_if_there_are_any() -> None:
    """Without them in the parameters the statements are not there."""
    assert not set(allowed(**NEEDED)) & {"kms:Decrypt", "sts:AssumeRole", "ssm:GetParametersByPath"}


def test_the_lists_of_reading_agree() -> None:
    """Allowed, not denied, let through by the gateway, within a session, and sent by the code."""
    granted = {action for action in allowed(**NEEDED) if action.startswith("s3:")}
    [denied] = [s for s in statements(**NEEDED) if "NotAction" in s]
    assert denied["Effect"] == "Deny"
    assert set(denied["NotAction"]) == granted
    assert denied["Resource"] == "arn:aws:s3:::*"
    sent = {*_ACTIONS.values(), *_OF_A_VERSION.values()}
    assert granted == sent
    session = set(json.loads(READING)["Statement"]["Action"])
    assert session == sent | {"kms:Decrypt"}
    gateway = json.dumps(Template(FOLDER / "network.yaml").properties("S3Gateway"))
    assert all(f'"{action}"' in gateway for action in granted)


def writing(service: str) -> set[str]:
    """Return the actions of a service that AWS itself classes as changing something."""
    return {
        action
        for level in ("Write", "Tagging", "Permissions management")
        for action in get_actions_with_access_level(service, level)
    }


def test_no_later_policy_lets_the_role_write() -> None:
    """Whatever is attached: to buckets, through access points, on tables, vectors and accounts."""
    [denied] = [s for s in statements(**NEEDED) if s["Sid"] == "NoWritesInS3"]
    assert (denied["Effect"], denied["Resource"]) == ("Deny", "*")
    patterns = [pattern.lower() for pattern in denied["Action"]]
    families = {"s3", "s3express", "s3-object-lambda", "s3-outposts", "s3tables", "s3vectors"}
    writes = {action for family in families for action in writing(family)}
    assert len(writes) > 150
    left = [a for a in writes if not any(fnmatch.fnmatchcase(a.lower(), p) for p in patterns)]
    assert left == []


def test_keys_are_listed_below_the_named_prefixes_only() -> None:
    """A listing without a prefix has no such key in its context: it must not pass for one with."""
    [free] = [s for s in statements(**NEEDED) if s["Sid"] == "ListKeys"]
    assert "Condition" not in free
    [bound] = [
        s for s in statements(**NEEDED, ListPrefixes="reports/*,web/*") if s["Sid"] == "ListKeys"
    ]
    assert bound["Condition"] == {"StringLike": {"s3:prefix": ["reports/*", "web/*"]}}


def test_settings_are_read_at_the_path_that_the_server_asks_for() -> None:
    """IAM compares the path of GetParametersByPath letter by letter."""
    path = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/lake/production"
    assert allowed(**EVERYTHING)["ssm:GetParametersByPath"] == [path]


@pytest.mark.parametrize("reference", [":1.2", "@sha256:ab"])
def test_the_one_repository_of_the_image_is_pulled(reference: str) -> None:
    """Wherever it is: in a StackSet the registry may be another account's."""
    registry = f"{'2345' * 3}.dkr.ecr.eu-west-1.amazonaws.com"
    image = f"{registry}/tools/lake{reference}"
    [repository] = allowed(**{**NEEDED, "ImageUri": image})["ecr:BatchGetImage"]
    assert repository == f"arn:aws:ecr:eu-west-1:{'2345' * 3}:repository/tools/lake"


def test_two_runtimes_of_an_environment_have_roles_of_their_own() -> None:
    """Names of roles are unique in an account."""
    template = Template(FOLDER / "runtime.yaml", **NEEDED)
    name = template.properties("ExecutionRole")["RoleName"]
    assert name == f"AmazonBedrockAgentCoreSDKRuntime-{REGION}-production"
    other = Template(FOLDER / "runtime.yaml", **NEEDED, RoleName="second")
    assert other.properties("ExecutionRole")["RoleName"] == "second"


def test_trust_is_in_this_runtime_of_this_account() -> None:
    """Nobody else's runtime can take the role (the confused deputy)."""
    role = Template(FOLDER / "runtime.yaml", **NEEDED).properties("ExecutionRole")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "bedrock-agentcore.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"].endswith(
        ":runtime/s3_data_lake_mcp_production*"
    )


def test_workflows_of_one_environment_may_deploy() -> None:
    """The OIDC role is for one repository and one GitHub environment, and passes one role."""
    template = Template(
        FOLDER / "pipeline.yaml", Repository="me/lake", Environment="production", ProviderArn="x"
    )
    [trust] = template.properties("DeployRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:me/lake:environment:production",
    }
    [policy] = template.properties("DeployRole")["Policies"]
    passing = [s for s in policy["PolicyDocument"]["Statement"] if s["Action"] == "iam:PassRole"]
    assert [s["Resource"] for s in passing] == ["<StackRole.Arn>"]


def stack_role(**parameters: str) -> dict[str, dict[str, Any]]:
    """Return the statements of the role by which CloudFormation acts."""
    given = {"Repository": "me/lake", "Environment": "production", "ProviderArn": "x"}
    template = Template(FOLDER / "pipeline.yaml", **given, **parameters)
    [policy] = template.properties("StackRole")["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def test_a_boundary_cannot_be_left_out_by_a_template() -> None:
    """Given one, CloudFormation can give no rights to a role without it, nor take it away."""
    rights = stack_role(PermissionsBoundaryArn="bound")["RightsOfTheExecutionRole"]
    assert {"iam:CreateRole", "iam:PutRolePolicy"} <= set(rights["Action"])
    assert rights["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": "bound"}}
    assert "Condition" not in stack_role()["RightsOfTheExecutionRole"]
    actions = [a for s in stack_role().values() for a in listed(s["Action"])]
    assert len(actions) == len(set(actions))
    assert not {"iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy"} & set(actions)


def test_the_stack_may_make_what_a_runtime_needs() -> None:
    """AgentCore's own roles, and the execution role handed to AgentCore and to nothing else."""
    by_sid = stack_role()
    services = by_sid["RolesOfTheService"]["Condition"]["StringEquals"]["iam:AWSServiceName"]
    assert set(services) == {
        "network.bedrock-agentcore.amazonaws.com",
        "runtime-identity.bedrock-agentcore.amazonaws.com",
    }
    assert by_sid["HandTheRoleToTheRuntime"]["Condition"]["StringEquals"] == {
        "iam:PassedToService": "bedrock-agentcore.amazonaws.com"
    }
    role = Template(FOLDER / "runtime.yaml", **NEEDED).properties("ExecutionRole")["RoleName"]
    for sid in ("RightsOfTheExecutionRole", "HandTheRoleToTheRuntime", "TheExecutionRole"):
        assert by_sid[sid]["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/{role}"


class Simulation:
    """An AWS that enforces IAM, and keys of a role with the execution role's policies."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.keys = ("testing", "testing", "")

    def client(self, service: str) -> Any:
        """Return a client with the keys in force."""
        access, secret, token = self.keys
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload] # any service
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            aws_session_token=token or None,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def enforce(self) -> None:
        """Judge every request from now on."""
        httpx.post(f"{self.endpoint}/moto-api/reset-auth", content=b"0")


def _fill(simulation: Simulation) -> None:
    s3 = simulation.client("s3")
    for bucket in (LAKE, OTHER):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="orders.csv", Body=b"a,b\n1,2\n")
    iam = simulation.client("iam")
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [everyone]})
    role = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for policy in Template(FOLDER / "runtime.yaml", **NEEDED).properties("ExecutionRole")[
        "Policies"
    ]:
        iam.put_role_policy(
            RoleName="execution",
            PolicyName=policy["PolicyName"],
            PolicyDocument=json.dumps(policy["PolicyDocument"]),
        )
    assume = simulation.client("sts").assume_role
    given = assume(RoleArn=role, RoleSessionName="simulation")["Credentials"]
    simulation.keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    """Return an AWS with two buckets, of which the role may read one."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    simulated = Simulation(f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        _fill(simulated)
        simulated.enforce()
        yield simulated
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def role_env(
    simulation: Simulation, clean_env: None, monkeypatch: pytest.MonkeyPatch
) -> Simulation:
    """Run the product with the role's credentials."""
    del clean_env
    access, secret, token = simulation.keys
    monkeypatch.setenv("AWS_ENDPOINT_URL", simulation.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    monkeypatch.setenv("AWS_REGION", REGION)
    return simulation


def test_all_that_the_store_does_is_permitted(role_env: Simulation) -> None:
    """With the role's credentials, each operation of the product works on the lake."""
    del role_env
    store, meter = open_store(Settings()), ScanMeter(timeout_seconds=20)
    ref = ObjectRef(bucket=LAKE, key="orders.csv")
    info, body = store.get_head(ref, 100, meter)
    assert body == b"a,b\n1,2\n"
    assert store.get_range(info, 0, 3, meter) == b"a,b"
    assert store.head(ref, meter).info.size_bytes == 8
    assert [found.key for found in store.list_page(LAKE, "", meter).objects] == ["orders.csv"]
    assert store.get_tags(ref, meter) == {}
    assert store.is_versioned(LAKE, meter) is False
    assert {bucket.name for bucket in store.list_buckets(meter)} == {LAKE, OTHER}
    assert store.probe_bucket(LAKE, meter).access == "readable"


def test_another_bucket_is_denied(role_env: Simulation) -> None:
    """What is not named cannot be read, nor listed."""
    del role_env
    store, meter = open_store(Settings()), ScanMeter(timeout_seconds=20)
    with pytest.raises(AccessDeniedError):
        store.get_head(ObjectRef(bucket=OTHER, key="orders.csv"), 100, meter)
    with pytest.raises(AccessDeniedError):
        store.list_page(OTHER, "", meter)
    assert store.probe_bucket(OTHER, meter).access == "denied"


WRITES: dict[str, Callable[[Any], object]] = {
    "put": lambda s3: s3.put_object(Bucket=LAKE, Key="orders.csv", Body=b""),
    "delete": lambda s3: s3.delete_object(Bucket=LAKE, Key="orders.csv"),
    "copy": lambda s3: s3.copy_object(
        Bucket=LAKE, Key="copy.csv", CopySource={"Bucket": LAKE, "Key": "orders.csv"}
    ),
    "multipart": lambda s3: s3.create_multipart_upload(Bucket=LAKE, Key="big.csv"),
    "tags": lambda s3: s3.put_object_tagging(
        Bucket=LAKE, Key="orders.csv", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
    "versioning": lambda s3: s3.put_bucket_versioning(
        Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"}
    ),
    "policy": lambda s3: s3.put_bucket_policy(Bucket=LAKE, Policy="{}"),
    "create": lambda s3: s3.create_bucket(Bucket="new-bucket"),
    "drop": lambda s3: s3.delete_bucket(Bucket=LAKE),
}


@pytest.mark.parametrize("name", list(WRITES))
def test_nothing_can_be_written(simulation: Simulation, name: str) -> None:
    """The simulated IAM refuses each kind of write."""
    client = simulation.client("s3")
    with pytest.raises(ClientError) as caught:
        WRITES[name](client)
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "403"}
    client.close()


def test_many_keys_cannot_be_deleted_at_once(simulation: Simulation) -> None:
    """S3 answers that with an error for each key, and the object is still there."""
    client = simulation.client("s3")
    answer = client.delete_objects(Bucket=LAKE, Delete={"Objects": [{"Key": "orders.csv"}]})
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
    assert client.get_object(Bucket=LAKE, Key="orders.csv")["Body"].read() == b"a,b\n1,2\n"
    client.close()
