"""Reads the parameters below a path of SSM Parameter Store."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from s3_data_lake_mcp.aws.clients import configured_region
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    KmsDeniedError,
    LakeError,
    NoCredentialsError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_CONNECT_SECONDS = 3
_READ_SECONDS = 5
_TRIES = 3
_PER_PAGE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter, decrypted; `secret` says that it is stored encrypted."""

    name: str
    value: str
    secret: bool


def read_parameters(path: str) -> tuple[Parameter, ...]:
    """Return the parameters right below a path, named without it.

    Costs a request for every ten parameters.

    Raises:
        LakeError: What SSM's refusal means in the contract's words.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the SDK

    # IAM takes `/lake/prod/` for another resource than `/lake/prod`, which policies name.
    root = path.rstrip("/")
    try:
        return tuple(_pages(root))
    except ClientError as exc:
        raise _refusal(exc, root) from exc
    except (BotoCoreError, ValueError) as exc:
        raise _failure(exc, root) from exc


def _client() -> "SSMClient":
    from botocore.config import Config  # noqa: PLC0415 - loading it takes 0.3 s
    from botocore.session import get_session  # noqa: PLC0415 - as above

    session = get_session()
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
    )
    client = session.create_client("ssm", region_name=configured_region(session), config=config)
    return cast("SSMClient", client)


def _pages(root: str) -> Iterator[Parameter]:
    client = _client()
    pages = client.get_paginator("get_parameters_by_path").paginate(
        Path=root, WithDecryption=True, PaginationConfig={"PageSize": _PER_PAGE}
    )
    for answer in pages:
        for entry in answer["Parameters"]:
            yield Parameter(
                name=entry["Name"].removeprefix(f"{root}/"),
                value=entry["Value"],
                secret=entry["Type"] == "SecureString",
            )


def _refusal(exc: Exception, root: str) -> LakeError:
    error = getattr(exc, "response", {}).get("Error", {})
    code, text = str(error.get("Code", "")), str(error.get("Message", ""))
    subject = f"SSM parameters below {root}"
    if code.startswith("AccessDenied"):
        if _names_a_key(text):
            message = f"{subject} cannot be decrypted, kms:Decrypt is missing"
            hint = (
                "Allow kms:Decrypt on the key of the SecureStrings, in its policy and the role's."
            )
            return KmsDeniedError(message, hint=hint)
        message = f"{subject}: access denied, ssm:GetParametersByPath is missing"
        hint = f"Allow ssm:GetParametersByPath on parameter{root}, or unset S3_DATA_LAKE_SSM_PATH."
        return AccessDeniedError(message, hint=hint)
    if "Expired" in code:
        return CredentialsExpiredError(
            f"{subject}: the AWS credentials have expired", hint="Sign in again, then start again."
        )
    if code in {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"}:
        return NoCredentialsError(
            f"{subject}: AWS does not know the credentials", hint="Check the AWS settings."
        )
    return StoreUnavailableError(
        f"{subject} could not be read ({code})", hint="Start again in a moment."
    )


def _names_a_key(text: str) -> bool:
    # Users and parameters may have "kms" in their names too.
    named = any(word in text.lower() for word in ("kms", "ciphertext", "master key"))
    return named and "ssm:GetParametersByPath" not in text


def _failure(exc: Exception, root: str) -> LakeError:
    from botocore import exceptions as sdk  # noqa: PLC0415 - the SDK

    subject = f"SSM parameters below {root}"
    missing = (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.ProfileNotFound)
    if isinstance(exc, missing):
        return NoCredentialsError(
            f"{subject}: no AWS credentials were found",
            hint="Set up the standard AWS chain, or unset S3_DATA_LAKE_SSM_PATH.",
        )
    return StoreUnavailableError(
        f"{subject} could not be read ({type(exc).__name__})",
        hint="Check the network, AWS_REGION and AWS_ENDPOINT_URL_SSM, then start again.",
    )
