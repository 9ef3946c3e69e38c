"""Client configurations: ready to be saved, without secrets, and they start what they say."""

import ast
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from s3_data_lake_mcp import cli, clients
from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.settings import PREFIX

ARN = f"arn:aws:bedrock-agentcore:eu-west-1:{'1234' * 3}:runtime/s3_data_lake_mcp_prod-AbC123"
URL = (
    "https://bedrock-agentcore.eu-west-1.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore"
    f"%3Aeu-west-1%3A{'1234' * 3}%3Aruntime%2Fs3_data_lake_mcp_prod-AbC123/invocations"
    "?qualifier=DEFAULT"
)
EXAMPLES = Path(__file__).parents[2] / "examples"
JSON_CLIENTS = ["kiro", "claude", "cursor", "vscode"]


@pytest.fixture
def environment(clean_env: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set what a user has set: a profile, keys, and settings of the server."""
    del clean_env
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_PROFILE": "analytics",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "TELLNOT1",
        "AWS_SECRET_ACCESS_KEY": "TELLNOT2",
        "AWS_SESSION_TOKEN": "TELLNOT3",
        f"{PREFIX}ROLE_EXTERNAL_ID": "TELLNOT4",
        f"{PREFIX}ALLOWED": 'my-lake, odd/"x"*',
        f"{PREFIX}MAX_ROWS": "500",
    }.items():
        monkeypatch.setenv(name, value)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """Return what the command prints on standard output and error."""
    assert cli.main(["config", *arguments]) == 0
    shown = capsys.readouterr()
    return shown.out, shown.err


def server(text: str) -> dict[str, Any]:
    """Return the one server of a JSON configuration."""
    [servers] = json.loads(text).values()
    return servers["s3-data-lake"]  # type: ignore[no-any-return] # JSON


@pytest.mark.parametrize("client", JSON_CLIENTS)
def test_a_local_server_is_started_by_its_full_path(
    environment: None, capsys: pytest.CaptureFixture[str], client: str
) -> None:
    """With profile, region and settings of the shell: a desktop does not have them."""
    del environment
    entry = server(printed(capsys, client)[0])
    assert [entry["command"], *entry["args"]] == [sys.executable, "-m", "s3_data_lake_mcp"]
    assert entry["env"] == {
        "AWS_PROFILE": "analytics",
        "AWS_REGION": "eu-west-1",
        f"{PREFIX}ALLOWED": 'my-lake, odd/"x"*',
        f"{PREFIX}MAX_ROWS": "500",
    }


@pytest.mark.parametrize("client", [*JSON_CLIENTS, "strands"])
def test_settings_of_the_folder_are_handed_on(
    environment: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    client: str,
) -> None:
    """The client starts the server elsewhere: an allow-list in `.env` must not get lost."""
    del environment
    monkeypatch.delenv(f"{PREFIX}ALLOWED")
    monkeypatch.setenv(f"{PREFIX}workers".lower(), "3")
    Path(".env").write_text(f"{PREFIX}ALLOWED=narrow/*\n{PREFIX}MAX_ROWS=2\nOTHER=x\n")
    text = printed(capsys, client)[0]
    for name, value in (("ALLOWED", "narrow/*"), ("MAX_ROWS", "500"), ("WORKERS", "3")):
        assert f'"{PREFIX}{name}": "{value}"' in text
    assert "OTHER" not in text


@pytest.mark.parametrize("client", JSON_CLIENTS)
def test_a_remote_server_is_reached_through_the_signing_proxy(
    environment: None, capsys: pytest.CaptureFixture[str], client: str
) -> None:
    """The proxy is pinned; the server's own settings stay at home."""
    del environment
    entry = server(printed(capsys, client, "--remote", ARN)[0])
    assert entry["command"] == "uvx"
    proxy, url, *flags = entry["args"]
    assert proxy == "mcp-proxy-for-aws@1.7.0"
    assert url == URL
    assert flags == ["--service", "bedrock-agentcore", "--region", "eu-west-1", "--read-only"]
    assert entry["env"] == {"AWS_PROFILE": "analytics"}


def test_each_client_has_its_own_form(
    environment: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """VS Code has another key and a type; Kiro asks before each call until told otherwise."""
    del environment
    vscode = json.loads(printed(capsys, "vscode")[0])
    assert vscode["servers"]["s3-data-lake"]["type"] == "stdio"
    kiro = json.loads(printed(capsys, "kiro")[0])["mcpServers"]["s3-data-lake"]
    assert (kiro["disabled"], kiro["autoApprove"]) == (False, [])
    assert set(json.loads(printed(capsys, "claude")[0])) == {"mcpServers"}
    assert printed(capsys, "cursor")[0] == printed(capsys, "claude")[0]


@pytest.mark.parametrize("remote", [[], ["--remote", ARN]], ids=["local", "remote"])
def test_strands_gets_a_script(
    environment: None, capsys: pytest.CaptureFixture[str], remote: list[str]
) -> None:
    """It is Python, whatever stands in the settings. That it runs is shown by the rehearsal."""
    del environment
    text = printed(capsys, "strands", *remote)[0]
    head = text.partition("# ///\n")[0].splitlines()
    assert head[0] == "# /// script"
    needs = json.loads(head[2].removeprefix("# dependencies = "))
    example = EXAMPLES / ("strands_signed.py" if remote else "strands_stdio.py")
    assert f"# dependencies = {json.dumps(needs)}\n" in example.read_text()
    found = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    assert (URL if remote else sys.executable) in found
    if not remote:
        assert 'my-lake, odd/"x"*' in found


@pytest.mark.parametrize("remote", [[], ["--remote", ARN]], ids=["local", "remote"])
@pytest.mark.parametrize("client", [*JSON_CLIENTS, "strands"])
def test_no_secret_is_printed(
    environment: None, capsys: pytest.CaptureFixture[str], client: str, remote: list[str]
) -> None:
    """Neither keys nor the external id; the place for the file goes to standard error."""
    del environment
    out, err = printed(capsys, client, *remote)
    assert "TELLNOT" not in out + err
    assert clients.PLACES[client] in err
    assert clients.PLACES[client] not in out
    # Without it the server would be refused: the user must know.
    assert (f"{PREFIX}ROLE_EXTERNAL_ID" in err) is not bool(remote)


def test_the_command_knows_every_client() -> None:
    """The command line's list and that of the configurations are one."""
    assert tuple(clients.PLACES) == cli.CLIENTS


def test_another_endpoint_of_the_runtime() -> None:
    """Production is called at an endpoint that stays at its version."""
    assert clients.remote(ARN, "production").endpoint == URL.replace("DEFAULT", "production")


def test_other_partitions() -> None:
    """China has a domain of its own."""
    arn = ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-west-1", "cn-north-1")
    assert "bedrock-agentcore.cn-north-1.amazonaws.com.cn/" in clients.remote(arn).endpoint


@pytest.mark.parametrize(
    "arn",
    [
        "runtime/x",
        ARN.replace("bedrock-agentcore", "lambda"),
        ARN.replace(":runtime/", ":gateway/"),
        f"{ARN}/endpoint?x=1",
        ARN.replace("eu-west-1", "evil.example/"),
    ],
)
def test_what_is_no_runtime_is_refused(arn: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped ARN must not lead to another host."""
    with pytest.raises(InvalidArgumentError):
        clients.remote(arn)
    assert cli.main(["config", "kiro", "--remote", arn]) == 2
    assert "is not the ARN of an AgentCore runtime" in capsys.readouterr().err


async def test_the_printed_configuration_starts_a_server(
    environment: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """A client that takes the configuration at its word lists the tools."""
    del environment
    entry = server(printed(capfd, "kiro")[0])
    few = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    transport = StdioTransport(
        entry["command"], entry["args"], env={**few, **entry["env"]}, keep_alive=False
    )
    async with Client(transport, timeout=30, init_timeout=30) as client:
        assert len(await client.list_tools()) == 8


def test_the_settings_command_shows_values_and_sources(
    environment: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a setting; secrets are masked."""
    del environment
    Path(".env").write_text(f"{PREFIX}WORKERS=2\n{PREFIX}CACHE_BYTES=3MB\n")
    assert cli.main(["settings"]) == 0
    shown = capsys.readouterr()
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in shown.out.splitlines()}
    assert lines[f"{PREFIX}MAX_ROWS"] == "500 environment"
    assert lines[f"{PREFIX}WORKERS"] == "2 .env"
    assert lines[f"{PREFIX}CACHE_BYTES"] == "3000000 .env"
    assert lines[f"{PREFIX}MAX_SCAN_BYTES"] == "5GiB default"
    assert lines[f"{PREFIX}RESULT_CONTENT"] == "both default"
    assert lines[f"{PREFIX}DISABLED_TOOLS"] == '"" default'
    assert lines[f"{PREFIX}REQUESTER_PAYS"] == "false default"
    assert lines[f"{PREFIX}ROLE_EXTERNAL_ID"] == "******** environment"
    assert "TELLNOT" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED", "UPPER/x"),
        ("ROLES", "lake=reader"),
        ("EXPECTED_BUCKET_OWNER", "me"),
        ("ENABLED_TOOLS", "drop_table"),
        ("WORKERS", "0"),
    ],
)
def test_the_settings_command_finds_what_would_stop_the_server(
    environment: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
) -> None:
    """It ends with 2 and the setting's name."""
    del environment
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert cli.main(["settings"]) == 2
    assert f"{PREFIX}{name}" in capsys.readouterr().err
