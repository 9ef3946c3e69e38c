"""Settings: empty ones are not set, wrong ones are told plainly, misspelt ones are not silent."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from s3_data_lake_mcp import cli, configuration
from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.settings import CEILING, PREFIX, Settings


@pytest.fixture(autouse=True)
def nowhere(clean_env: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand in a folder without a `.env`."""
    del clean_env
    monkeypatch.chdir(tmp_path)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and clients hand on what nobody has set."""
    for name in Settings.model_fields:
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", "")
    found = configuration.load()
    assert found.settings.max_rows == CEILING
    assert found.settings == Settings()
    assert found.sources == {}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("LOG_LEVEL", "info", "INFO"),
        ("RESULT_CONTENT", " Text ", "text"),
        ("REQUESTER_PAYS", " TRUE", True),
        ("MEMORY_LIMIT", "2 GB", 2_000_000_000),
        ("MAX_SCAN_BYTES", "5GiB", 5 << 30),
        ("MAX_RESULT_BYTES", "4096", 4096),
        ("CACHE_BYTES", "1.5 GiB", 3 << 29),
    ],
)
def test_values_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    """Case does not count where words stand for themselves; sizes have units or none."""
    monkeypatch.setenv(f"{PREFIX}{name}", text)
    assert getattr(Settings(), name.lower()) == value


@pytest.mark.parametrize("name", ["MEMORY_LIMIT", "MAX_SCAN_BYTES", "MAX_DECODED_BYTES"])
def test_a_limit_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Every call would fail with it."""
    monkeypatch.setenv(f"{PREFIX}{name}", "0")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("text", ["1", "64MiB", "95MiB"])
def test_memory_that_no_call_gets_by_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """With the least that works."""
    monkeypatch.setenv(f"{PREFIX}MEMORY_LIMIT", text)
    with pytest.raises(ValidationError, match="96MiB at least, SQL and summaries 256MiB"):
        Settings()


@pytest.mark.parametrize("text", ["5,000 MB", "1,5GiB", "2GB;", "4GiB/2", "-1", "4Gi", "much"])
def test_half_a_size_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A budget of five bytes is not what was written."""
    monkeypatch.setenv(f"{PREFIX}MAX_SCAN_BYTES", text)
    with pytest.raises(ValidationError, match="a size looks like 4GiB"):
        Settings()


@pytest.mark.parametrize(
    "name", ["MAX_ROWS", "TIMEOUT_SECONDS", "MEMORY_LIMIT", "CACHE_DISK_BYTES", "MAX_SCAN_BYTES"]
)
def test_what_no_system_can_count_to_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Every call would fail with it."""
    monkeypatch.setenv(f"{PREFIX}{name}", "9" * 20)
    with pytest.raises(ValidationError, match="less than or equal"):
        Settings()


@pytest.mark.parametrize("seconds", ["inf", "nan", "0"])
def test_a_deadline_is_a_time(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    """No thread can wait for ever."""
    monkeypatch.setenv(f"{PREFIX}TIMEOUT_SECONDS", seconds)
    with pytest.raises(ValidationError):
        Settings()


def test_what_is_wrong_is_told_without_jargon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable's name, then what it needs."""
    monkeypatch.setenv(f"{PREFIX}MAX_RESULT_BYTES", "1KiB")
    assert cli.main(["settings"]) == 2
    assert capsys.readouterr().err.startswith(f"{PREFIX}MAX_RESULT_BYTES: a result needs 2KiB")


def test_blanks_are_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of that name would be made wherever the server was started."""
    monkeypatch.setenv(f"{PREFIX}CACHE_DIR", " ")
    assert not Settings().cache_dir


def test_a_tilde_is_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell reads what a client hands on: a folder of that name would be made."""
    monkeypatch.setenv("HOME", "/home/lake")
    monkeypatch.setenv(f"{PREFIX}CACHE_DIR", "~/cache")
    assert Settings().cache_dir == "/home/lake/cache"


@pytest.mark.parametrize("command", [["settings"], ["config", "kiro"]])
def test_a_file_of_another_encoding_is_told(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line: it is not read in part."""
    Path(".env").write_bytes("# café\n".encode("latin-1"))
    assert cli.main(command) == 2
    assert capsys.readouterr().err == ".env is not UTF-8. Save it as UTF-8.\n"


def test_a_setting_that_the_file_hides_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A quote without end would drop an allow-list; lines that are none of ours may be anything."""
    Path(".env").write_text(f"set -a\nexport OTHER=it's\n{PREFIX}ALLOWED='lake/*'\n")
    assert configuration.load().settings.allowed
    Path(".env").write_text(f'OTHER=1\nexport {PREFIX}ALLOWED="lake/*\n')
    assert cli.main(["settings"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == ".env, line 2, is not NAME=value. Check its quotes."
    with pytest.raises(InvalidArgumentError, match="line 2"):
        Settings(timeout_seconds=20)


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_misspelt_setting_is_told(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """An allow-list that does not count must not go unnoticed."""
    if place == ".env":
        Path(".env").write_text(f"{PREFIX}ALOWED=lake\nOTHER=1\n")
    else:
        monkeypatch.setenv(f"{PREFIX}ALOWED", "lake")
    [notice] = configuration.load().notices
    assert notice.startswith(f"{PREFIX}ALOWED is no setting")
    assert notice.endswith(f"did you mean {PREFIX}ALLOWED?")
