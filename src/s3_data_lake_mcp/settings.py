"""The server's own settings, `S3_DATA_LAKE_*`; the only reader of the environment.

AWS settings are not here: they come from the standard AWS chain (`AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL_S3` and so on).
"""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, override

from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    PositiveInt,
    SecretStr,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from s3_data_lake_mcp.errors import InvalidArgumentError

PREFIX = "S3_DATA_LAKE_"
CEILING = 10_000
_DOTENV = ".env"
_LARGEST_SIZE = 1 << 60
_MOST_ROWS = 1_000_000_000
_MOST_SECONDS = 1_000_000
_SIZE = re.compile(r"\s*\d*\.?\d+\s*[kmgtpe]?(?:i?b(?:it)?)?\s*", re.IGNORECASE)
_SSM_PATH = re.compile(r"(?:/[A-Za-z0-9_.-]+)+/?")


def _machine_memory_bytes() -> int:
    """Return the memory of the container, or else of the machine."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def aws_region() -> str:
    """Return `AWS_REGION`, the one name of the standard AWS chain that botocore does not read."""
    return os.environ.get("AWS_REGION", "")


_HANDED_ON = (
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_STS",
)


def handed_on() -> dict[str, str]:
    """Return the variables that a client must hand on to a server which it starts; no secrets.

    A client that was started from a desktop has neither the environment of the shell nor the
    `.env` of this folder.
    """
    standard = {name: os.environ[name] for name in _HANDED_ON if os.environ.get(name)}
    return standard | {name: text for name, text, secret in _given() if not secret}


def kept_back() -> list[str]:
    """Return the names of the secrets among the settings that are given."""
    return [name for name, _, secret in _given() if secret]


class _DotEnv(DotEnvSettingsSource):
    """`.env`, refused where a setting of it would not be read: it may narrow what is read."""

    @override
    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        try:
            found = super()._read_env_file(file_path)
            text = file_path.read_text("utf-8")
        except UnicodeDecodeError as exc:
            raise InvalidArgumentError(".env is not UTF-8", hint="Save it as UTF-8.") from exc
        for line in parse_stream(io.StringIO(text)):
            if line.error and PREFIX.lower() in line.original.string.lower():
                message = f".env, line {line.original.line}, is not NAME=value"
                raise InvalidArgumentError(message, hint="Check its quotes.")
        return found


def _given() -> list[tuple[str, str, bool]]:
    found = _DotEnv(Settings)() | EnvSettingsSource(Settings)()
    return [
        (f"{PREFIX}{name.upper()}", str(found[name]), is_secret(name))
        for name in Settings.model_fields
        if found.get(name)
    ]


def _path(value: str) -> str:
    if value and not _SSM_PATH.fullmatch(value):
        message = "a path looks like /lake/prod"
        raise ValueError(message)
    return value


def _size(value: object) -> object:
    """Refuse what `ByteSize` takes for less: of "5,000 MB" it reads the 5."""
    if isinstance(value, str) and not _SIZE.fullmatch(value):
        message = "a size looks like 4GiB, 512MiB, 2GB or 1000000"
        raise ValueError(message)
    return value


Size = Annotated[ByteSize, BeforeValidator(_size), Field(le=_LARGEST_SIZE)]


def _at_least(least: int, message: str) -> AfterValidator:
    def checked(value: ByteSize) -> ByteSize:
        if value < least:
            raise ValueError(message)
        return value

    return AfterValidator(checked)


_RESULT_SIZE = _at_least(2 << 10, "a result needs 2KiB at least, for what it says beside its data")
_MEMORY = _at_least(
    96 << 20, "a call needs 96MiB at least, SQL and summaries 256MiB: libraries take as much"
)


def _folder(value: str) -> str:
    # No shell reads what a client's configuration sets.
    return os.path.expanduser(value.strip())  # noqa: PTH111 - a Path refuses a home that is none


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Settings of the server, from the environment or `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=_DOTENV,
        # What starts servers often hands on variables that nobody has set.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources that pydantic asks, the first with a setting holds."""
        file = getattr(dotenv_settings, "env_file", None)
        return init_settings, env_settings, _DotEnv(settings_cls, file)

    allowed: str = ""
    """What may be read: comma-separated `bucket`, `bucket/dir/`, `bucket/key` or globs of them.

    In a glob `*` crosses `/`.
    Empty: whatever IAM allows."""

    enabled_tools: str = ""
    """Comma-separated names of the only tools to offer. Empty: all eight."""

    disabled_tools: str = ""
    """Comma-separated names of tools to switch off: neither listed nor known."""

    max_rows: Annotated[PositiveInt, Field(le=_MOST_ROWS)] = CEILING
    """Ceiling for `max_rows`, `max_records`, `max_keys` and `max_buckets`."""

    max_result_bytes: Annotated[Size, _RESULT_SIZE] = ByteSize(64 << 10)
    """Most bytes of one result: the UTF-8 bytes of its compact JSON. At least `2KiB`."""

    max_cell_chars: PositiveInt = 2_000
    """Longest text of one value; longer ones are clipped and counted in a notice."""

    result_content: Annotated[Literal["both", "text", "structured"], BeforeValidator(_lower)] = (
        "both"
    )
    """What a result holds: text and structure, text alone, or structure and one line of text."""

    timeout_seconds: Annotated[float, Field(gt=0, le=_MOST_SECONDS, allow_inf_nan=False)] = 50.0
    """Deadline of one call, in seconds."""

    memory_limit: Annotated[Size, _MEMORY] = Field(
        default_factory=lambda: ByteSize(_machine_memory_bytes() // 2)
    )
    """Most memory that one call may use, `96MiB` at least; SQL and summaries need `256MiB`.

    Default: half of the machine's or container's."""

    max_scan_bytes: Annotated[Size, Field(gt=0)] = ByteSize(5 << 30)
    """Most bytes that one call may read from S3."""

    max_decoded_bytes: Annotated[Size, Field(gt=0)] = ByteSize(8 << 30)
    """Most bytes that one call may decompress."""

    workers: PositiveInt = 4
    """Most calls that parse data at the same time; further ones wait."""

    cache_bytes: Size = ByteSize(512 << 20)
    """Most memory that one worker's block cache may hold; up to three eighths of it again are for
    answers and for decoded text."""

    cache_dir: Annotated[str, AfterValidator(_folder)] = ""
    """Folder for a cache on disk of objects too long for memory, shared by all workers; it must be
    the server's own (mode 700). Empty: nothing is ever written to disk."""

    cache_disk_bytes: Size = ByteSize(4 << 30)
    """Most bytes in the folder of the cache."""

    roles: str = ""
    """Roles to assume: comma-separated `bucket-glob=role-arn`, the first glob that fits holds.

    Other buckets are read with the server's own credentials."""

    role_external_id: SecretStr = SecretStr("")
    """External id that the trust policies of `roles` ask for."""

    expected_bucket_owner: str = ""
    """Accounts that must own the buckets: comma-separated `bucket-glob=account-id`.

    An account id alone holds for all buckets. Requests to a bucket of another owner are refused."""

    requester_pays: Annotated[bool, BeforeValidator(_lower)] = False
    """Whether requests to requester-pays buckets may be sent, at your cost."""

    ssm_path: Annotated[str, AfterValidator(_path)] = ""
    """Path of SSM parameters that hold more settings, such as `/lake/prod` for
    `/lake/prod/MAX_ROWS`. Environment and `.env` win over them."""

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = (
        "WARNING"
    )
    """Level of the logs on standard error."""


def is_secret(name: str) -> bool:
    """Whether a setting's value must not be shown."""
    return Settings.model_fields[name].annotation is SecretStr


def strangers() -> list[str]:
    """Return the variables that are named like a setting and are none: misspelt, most likely."""
    names = {name.upper() for name in os.environ} | {
        name.upper() for name in _DotEnv(Settings).env_vars
    }
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    return sorted(name for name in names - known if name.startswith(PREFIX))


def sources() -> dict[str, str]:
    """Return where each setting was found that is not at its default.

    Raises:
        InvalidArgumentError: If `.env` is not UTF-8, or a setting in it cannot be read.
    """
    found = dict.fromkeys(_DotEnv(Settings)(), ".env")
    found |= dict.fromkeys(EnvSettingsSource(Settings)(), "environment")
    return {name: source for name, source in found.items() if name in Settings.model_fields}
