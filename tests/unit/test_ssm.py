"""Settings in SSM parameters: precedence, encryption, pages, and what goes wrong."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError

from s3_data_lake_mcp import cli, configuration
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    InvalidArgumentError,
    KmsDeniedError,
    LakeError,
    NoCredentialsError,
    NotFoundError,
    StoreUnavailableError,
)
from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import PREFIX
from support.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PATH = "/lake/test"


@pytest.fixture
def ssm_proxy(
    aws_env: None, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[FaultProxy]:
    """Return a proxy before the SSM that the settings point at, in an empty directory."""
    del aws_env
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{PREFIX}SSM_PATH", PATH)
    with FaultProxy(moto_endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", proxy.endpoint)
        yield proxy


@pytest.fixture
def ssm(ssm_proxy: FaultProxy, moto_endpoint: str) -> Iterator["SSMClient"]:
    """Return a client for set-up; what it leaves below the path is removed."""
    del ssm_proxy
    client = boto3.session.Session().client(
        "ssm", endpoint_url=moto_endpoint, region_name="us-east-1"
    )
    yield client
    found = client.get_paginator("get_parameters_by_path").paginate(Path=PATH, Recursive=True)
    for page in found:
        for entry in page["Parameters"]:
            client.delete_parameter(Name=entry["Name"])
    client.close()


def put(ssm: "SSMClient", **values: str) -> None:
    """Store parameters below the path."""
    for name, value in values.items():
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="String", Overwrite=True)


def put_secret(ssm: "SSMClient", **values: str) -> None:
    """Store parameters below the path, encrypted."""
    for name, value in values.items():
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="SecureString", Overwrite=True)


def test_parameters_stand_for_settings(ssm: "SSMClient") -> None:
    """Each is named like the setting without its prefix; the rest keep their defaults."""
    put(ssm, MAX_ROWS="77", ALLOWED="lake, other/x*", REQUESTER_PAYS="true", MEMORY_LIMIT="1GiB")
    found = configuration.load()
    assert found.settings.max_rows == 77
    assert found.settings.allowed == "lake, other/x*"
    assert found.settings.requester_pays is True
    assert found.settings.memory_limit == 1 << 30
    assert found.settings.workers == 4
    assert found.sources["max_rows"] == "SSM"
    assert "workers" not in found.sources


def test_environment_wins_over_dotenv_and_both_over_ssm(
    ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Environment, then `.env`, then SSM, then the default."""
    put(ssm, MAX_ROWS="1", WORKERS="1", MAX_CELL_CHARS="1")
    (tmp_path / ".env").write_text(f"{PREFIX}MAX_ROWS=2\n{PREFIX}WORKERS=2\n")
    monkeypatch.setenv(f"{PREFIX}MAX_ROWS", "3")
    found = configuration.load()
    settings = found.settings
    assert (settings.max_rows, settings.workers, settings.max_cell_chars) == (3, 2, 1)
    names = ("max_rows", "workers", "max_cell_chars")
    assert [found.sources[name] for name in names] == ["environment", ".env", "SSM"]


def test_a_wrong_parameter_that_is_overridden_does_no_harm(
    ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment says is not looked at in SSM."""
    put(ssm, MAX_ROWS="many")
    monkeypatch.setenv(f"{PREFIX}MAX_ROWS", "3")
    assert configuration.load().settings.max_rows == 3


def test_more_parameters_than_a_page_holds(ssm: "SSMClient", ssm_proxy: FaultProxy) -> None:
    """SSM answers ten at a time; all of them count."""
    put(ssm, **{f"X{number}": "x" for number in range(12)}, MAX_ROWS="5", WORKERS="2")
    ssm_proxy.clear()
    found = configuration.load()
    assert (found.settings.max_rows, found.settings.workers) == (5, 2)
    assert len(ssm_proxy.seen) == 2
    assert len(found.notices) == 12


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_the_path_is_asked_for_as_policies_name_it(
    ssm: "SSMClient", ssm_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """IAM takes a path with a slash at its end for another resource."""
    put(ssm, MAX_ROWS="5")
    ssm_proxy.clear()
    monkeypatch.setenv(f"{PREFIX}SSM_PATH", path)
    assert configuration.load().settings.max_rows == 5
    [request] = ssm_proxy.seen
    assert json.loads(request.body)["Path"] == PATH


def test_encrypted_parameters_are_read_and_never_shown(
    ssm: "SSMClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """A SecureString is decrypted for the server and masked for the screen."""
    put_secret(ssm, ALLOWED="secret-bucket", ROLE_EXTERNAL_ID="hush-hush")
    put(ssm, MAX_ROWS="4321")
    found = configuration.load()
    assert found.settings.allowed == "secret-bucket"
    assert found.settings.role_external_id.get_secret_value() == "hush-hush"
    assert cli.main(["settings"]) == 0
    shown = capsys.readouterr()
    assert "********" in shown.out
    assert "4321" in shown.out
    assert "secret-bucket" not in shown.out + shown.err
    assert "hush" not in shown.out + shown.err + repr(found)


async def test_a_tool_that_is_switched_off_there_is_neither_listed_nor_known(
    ssm: "SSMClient",
) -> None:
    """Feature flags for tools can be set without a deployment."""
    put(ssm, DISABLED_TOOLS="query_csv_data, list_s3_buckets")
    with contextlib.closing(Lake.connect()) as lake:
        async with Client(build_server(lake)) as client:
            names = {tool.name for tool in await client.list_tools()}
            assert len(names) == 6
            assert not names & {"query_csv_data", "list_s3_buckets"}
            with pytest.raises(ToolError, match="nknown tool"):
                await client.call_tool("query_csv_data", {"bucket_name": "lake"})


def test_a_parameter_that_is_no_setting_is_named(ssm: "SSMClient") -> None:
    """A typing error is not passed over in silence; folders below are another's."""
    put(ssm, MAX_ROW="7", WORKERS="5", **{"deeper/MAX_ROWS": "9"})
    found = configuration.load()
    [notice] = found.notices
    assert notice.startswith(f"SSM parameter {PATH}/MAX_ROW is no setting")
    assert "MAX_ROWS?" in notice
    assert (found.settings.workers, found.settings.max_rows) == (5, 10_000)


@pytest.mark.parametrize(
    ("name", "value", "says"), [("MAX_ROWS", "0", "greater"), ("LOG_LEVEL", "LOUD", "DEBUG")]
)
def test_a_wrong_value_names_its_parameter(
    ssm: "SSMClient", name: str, value: str, says: str
) -> None:
    """The operator learns which parameter to mend."""
    put(ssm, **{name: value})
    with pytest.raises(InvalidArgumentError) as caught:
        configuration.load()
    assert f"{PATH}/{name}" in str(caught.value)
    assert says in str(caught.value)


def test_no_parameters_at_all_stops_the_server(ssm_proxy: FaultProxy) -> None:
    """A mistyped path must not start a server without its allow-list."""
    del ssm_proxy
    with pytest.raises(NotFoundError) as caught:
        configuration.load()
    assert PATH in str(caught.value)
    assert f"{PREFIX}SSM_PATH" in caught.value.hint


REFUSALS: list[tuple[str, str, type[LakeError], str]] = [
    ("AccessDeniedException", "not authorized to perform: ssm:GetParametersByPath",
     AccessDeniedError, "ssm:GetParametersByPath"),
    ("AccessDeniedException", "not authorized to perform: ssm:GetParametersByPath on kms-settings",
     AccessDeniedError, "ssm:GetParametersByPath"),
    ("AccessDeniedException", "The ciphertext refers to a KMS key that does not exist",
     KmsDeniedError, "kms:Decrypt"),
    ("AccessDeniedException", "told: the ciphertext refers to a customer master key",
     KmsDeniedError, "kms:Decrypt"),
    ("ExpiredTokenException", "The token is expired", CredentialsExpiredError, "Sign in"),
    ("UnrecognizedClientException", "The token is invalid", NoCredentialsError, "AWS settings"),
    ("ThrottlingException", "Rate exceeded", StoreUnavailableError, "moment"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "error", "says"), REFUSALS)
def test_refusals_are_told(
    ssm_proxy: FaultProxy, code: str, text: str, error: type[LakeError], says: str
) -> None:
    """Each names the path, what is missing and what to do."""
    page = json.dumps({"__type": code, "message": f"User: someone is {text}"})
    ssm_proxy.inject("answer", status=400, page=page)
    with pytest.raises(error) as caught:
        configuration.load()
    told = f"{caught.value} {caught.value.hint}"
    assert PATH in told
    assert says in told


def test_no_credentials_are_told(ssm_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is sent."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoCredentialsError):
        configuration.load()
    assert ssm_proxy.seen == []


def test_an_unreachable_endpoint_is_told(
    ssm_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the setting that leads there is in the hint."""
    del ssm_proxy
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailableError) as caught:
        configuration.load()
    assert "AWS_ENDPOINT_URL_SSM" in caught.value.hint


def test_the_command_ends_with_two_and_no_stack(
    ssm_proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    """`serve` and `settings` tell what is wrong in one line."""
    page = json.dumps({"__type": "AccessDeniedException", "message": "no"})
    ssm_proxy.inject("answer", status=400, page=page)
    for command in ("serve", "settings"):
        assert cli.main([command]) == 2
        shown = capsys.readouterr()
        assert "ssm:GetParametersByPath is missing" in shown.err
        assert "Traceback" not in shown.err
        assert shown.out == ""


@pytest.mark.parametrize("path", ["lake", "/", "/a//b", "/a b", "//"])
def test_a_path_that_is_none_is_refused(
    ssm_proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    path: str,
) -> None:
    """Before anything is sent."""
    monkeypatch.setenv(f"{PREFIX}SSM_PATH", path)
    assert cli.main(["settings"]) == 2
    assert f"{PREFIX}SSM_PATH: " in capsys.readouterr().err
    assert ssm_proxy.seen == []


def test_without_a_path_nothing_of_aws_is_loaded(clean_env: None, tmp_path: Path) -> None:
    """The start costs what it cost before."""
    del clean_env
    code = (
        "import sys\n"
        "from s3_data_lake_mcp import configuration\n"
        "configuration.load()\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('boto3', 'botocore', 'urllib3')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
