"""The command line: help, exit codes, wrong settings, and serving the demo lake."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version

import psutil
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from s3_data_lake_mcp import cli
from s3_data_lake_mcp.demo.catalogue import BUCKETS
from s3_data_lake_mcp.settings import PREFIX
from support.ports import free_port

MODULE = ["-m", "s3_data_lake_mcp"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--help"], ["serve", "demo"]), (["demo", "--help"], ["--serve", "--transport", "--port"])],
)
def test_help_names_what_there_is(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Help lists commands and flags, and ends with 0."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in words)


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is said of arguments with which the command line ends."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["serve", "--transport", "smoke"],
        ["serve", "--port", "65536"],
        ["serve", "--port", "-1"],
        ["--nope"],
    ],
)
def test_unknown_words_end_with_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the command line does not know ends with 2 and the usage on standard error."""
    assert "usage: s3-data-lake-mcp" in refused(arguments, capsys)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--versoin"], "there is no option --versoin here: did you mean --version?"),
        (["--port", "9000"], "there is no option --port here: it is an option of: serve, demo"),
        (["serve", "--prot=3"], "there is no option --prot here: did you mean --port?"),
        (["config", "kiro", "--serve"], "it is an option of: demo"),
        (["settings", "--xyz"], "s3-data-lake-mcp settings --help shows the options"),
    ],
)
def test_an_unknown_option_is_told_with_what_is_like_it(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or with the commands that have it, or with where the options are shown."""
    assert told in refused(arguments, capsys)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serve", "--port", "8000"], "--port is for HTTP: add --transport http"),
        (["demo", "--serve", "--host", "::1"], "--host is for HTTP: add --transport http"),
    ],
)
def test_an_address_without_http_is_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever gives one waits for HTTP, and would wait in vain."""
    assert told in refused(arguments, capsys)


def test_a_port_that_is_taken_is_told_with_the_way_on() -> None:
    """The reason, then what to give instead; the exit code tells what started it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*MODULE, "serve", "--transport", "http", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, check=False
        )
    assert ended.returncode
    reason, way_on = [json.loads(line)["message"] for line in ended.stderr.splitlines()]
    assert "address already in use" in reason
    assert way_on == "HTTP was not served: give another --port or --host"


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, and it ends with 0."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"s3-data-lake-mcp {version('s3-data-lake-mcp')}\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_ROWS", "0"),
        ("MEMORY_LIMIT", "much"),
        ("DISABLED_TOOLS", "drop_table"),
        ("ENABLED_TOOLS", " , "),
    ],
)
def test_wrong_setting_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A wrong setting ends the server with 2 and its name, and not a word on standard output."""
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert cli.main(["serve"]) == 2
    shown = capfd.readouterr()
    assert f"{PREFIX}{name}" in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("module", ["moto", "flask_cors"])
def test_demo_without_its_extra_says_how_to_install_it(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the extra is missing, the command names it and how to get it."""
    monkeypatch.setitem(sys.modules, module, None)
    assert cli.main(["demo"]) == 2
    shown = capsys.readouterr().err
    assert "uv sync --extra demo" in shown
    assert 'pip install "s3-data-lake-mcp[demo]"' in shown


def _demo_processes(parent: int) -> list[psutil.Process]:
    try:
        return psutil.Process(parent).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


async def test_demo_serves_its_lake_over_stdio_whatever_the_users_settings() -> None:
    """`demo --serve` is an MCP server on the demo lake, whatever AWS settings the user has."""
    transport = StdioTransport(
        sys.executable,
        [*MODULE, "demo", "--serve"],
        env={
            **os.environ,
            "AWS_PROFILE": "no-such-profile",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        },
        keep_alive=False,
    )
    # Other tests of the session keep servers and workers of their own.
    before = set(psutil.Process().children(recursive=True))
    async with Client(transport, timeout=60, init_timeout=60) as client:
        answer = await client.call_tool("list_s3_buckets", {})
        children = set(psutil.Process().children(recursive=True)) - before
        assert answer.structured_content is not None
        names = {
            bucket["name"]: bucket["region"] for bucket in answer.structured_content["buckets"]
        }
    assert names == BUCKETS
    assert children
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `demo --serve` over HTTP and return it with its URL, once it answers."""
    port = free_port()
    command = [*MODULE, "demo", "--serve", "--transport", "http", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=5) as answer:  # noqa: S310 - loopback
                assert json.load(answer) == {"status": "healthy"}
                break
        except urllib.error.URLError:
            time.sleep(0.2)
    yield process, url
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_ctrl_c_ends_demo_over_http_and_leaves_nothing(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    """Ctrl-C ends server, workers and embedded S3, without a stack on the screen."""
    process, url = served
    children = _demo_processes(process.pid)
    assert any("demo.embedded" in " ".join(child.cmdline()) for child in children)
    os.killpg(process.pid, signal.SIGINT)
    _, shown = process.communicate(timeout=30)
    assert process.returncode in {0, 130}
    assert "Traceback" not in shown
    assert "demo-lake" in shown
    assert f"{url}/mcp" in shown
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []


def test_ctrl_c_ends_the_tour_and_leaves_nothing() -> None:
    """Ctrl-C in the middle of the tour ends everything, with 130 and without a stack."""
    process = subprocess.Popen(
        [sys.executable, *MODULE, "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 30
    while len(_demo_processes(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    children = _demo_processes(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, shown = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in shown
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []
