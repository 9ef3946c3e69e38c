"""The effective settings: environment, `.env` and SSM parameters, and where each comes from."""

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ByteSize, ValidationError

from s3_data_lake_mcp.errors import InvalidArgumentError, NotFoundError
from s3_data_lake_mcp.settings import PREFIX, Settings, is_secret, sources, strangers

_LOGGER = logging.getLogger(__name__)
_MASK = "********"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings, where each was found, which of them must not be shown, and what was passed over."""

    settings: Settings
    sources: Mapping[str, str]
    secrets: frozenset[str]
    notices: tuple[str, ...] = ()

    def log_notices(self) -> None:
        """Log what was passed over, once logging is set up."""
        for notice in self.notices:
            _LOGGER.warning(notice)


def load() -> Configuration:
    """Read the settings; those in SSM only where `ssm_path` is set.

    Raises:
        ValidationError: If a setting of the environment or `.env` is wrong.
        InvalidArgumentError: If an SSM parameter is wrong, or `.env` cannot be read.
        NotFoundError: If there is no parameter below the path: settings that narrow what may be
            read would be missing.
        LakeError: If SSM cannot be read.
    """
    # First: it says what is wrong with `.env` as a whole.
    found = sources()
    own = Settings()
    configuration = Configuration(
        settings=own,
        sources=found,
        secrets=frozenset(name for name in Settings.model_fields if is_secret(name)),
        notices=tuple(
            _unknown(name, name.removeprefix(PREFIX), Settings.model_fields, PREFIX)
            for name in strangers()
        ),
    )
    return _with_parameters(configuration, own.ssm_path) if own.ssm_path else configuration


def _with_parameters(own: Configuration, path: str) -> Configuration:
    from s3_data_lake_mcp.aws.parameters import read_parameters  # noqa: PLC0415 - seldom needed

    parameters = read_parameters(path)
    if not parameters:
        message = f"SSM parameters below {path}: there are none"
        raise NotFoundError(message, hint=f"Check {PREFIX}SSM_PATH, the region and the account.")
    known = set(Settings.model_fields) - {"ssm_path"}
    found = {p.name.lower(): p for p in parameters if p.name.lower() in known}
    used = {name: p for name, p in found.items() if name not in own.sources}
    try:
        settings = Settings(**{name: p.value for name, p in used.items()})  # type: ignore[arg-type] # parsed like the environment's texts
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        name = str(problem["loc"][0]).upper()
        message = f"SSM parameter {path.rstrip('/')}/{name}: {reason(problem['msg'])}"
        raise InvalidArgumentError(message, hint=f"It stands for {PREFIX}{name}.") from exc
    return Configuration(
        settings=settings,
        sources={**own.sources, **dict.fromkeys(used, "SSM")},
        secrets=own.secrets | {name for name, p in used.items() if p.secret},
        notices=(
            *own.notices,
            *(
                _unknown(f"SSM parameter {path.rstrip('/')}/{p.name}", p.name, known)
                for p in parameters
                if p.name.lower() not in known
            ),
        ),
    )


def _unknown(subject: str, name: str, known: Iterable[str], prefix: str = "") -> str:
    nearest = difflib.get_close_matches(name.lower(), list(known), n=1)
    guess = f"; did you mean {prefix}{nearest[0].upper()}?" if nearest else ""
    return f"{subject} is no setting and was passed over{guess}"


def reason(message: str) -> str:
    """Return what is wrong with a setting, without the words that the validator puts before it."""
    return message.removeprefix("Value error, ")


def table(configuration: Configuration) -> Iterator[str]:
    """Return a line for each setting: name, value, and where it comes from."""
    found = configuration.sources
    rows = [
        (f"{PREFIX}{name.upper()}", _shown(configuration, name), found.get(name, "default"))
        for name in Settings.model_fields
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, source in rows:
        yield f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}"


def _shown(configuration: Configuration, name: str) -> str:
    value: object = getattr(configuration.settings, name)
    if value and name in configuration.secrets:
        return _MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, ByteSize):
        return _size(value)
    return str(value) or '""'


def _size(value: int) -> str:
    """Return a size as it can be set, with the largest unit that leaves no fraction."""
    for unit, bits in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if value and value % (1 << bits) == 0:
            return f"{value >> bits}{unit}"
    return str(int(value))
