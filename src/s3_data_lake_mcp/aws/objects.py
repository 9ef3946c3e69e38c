"""Reads of an object that was read before, sent without the SDK's own work.

For each request the SDK works out anew where it goes, how it is written and how it is signed. For
the ranges of one object all that is the same but two headers, which need no signature: S3 asks for
those of the host and of `x-amz-*`. So the SDK sends the first one; what it sent is kept, signed
without these two once a minute, and the next ones go over its connections, as do HEAD requests.
What comes is parsed, and what fails is raised, as the SDK does.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from s3_data_lake_mcp.aws.headers import Headers

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client
    from urllib3 import HTTPConnectionPool

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=[^,]+, Signature=[0-9a-f]{64}"
)
_CHANGING = {"range", "if-match"}
_OPTIONS = {"Range": "range", "IfMatch": "if-match", "ChecksumMode": "x-amz-checksum-mode"}
"""Parameters that may differ from request to request, and their headers."""
_OWN = {"authorization", "x-amz-date", "x-amz-security-token", "amz-sdk-invocation-id"}
_MOST_KEPT = 1_000
_REDIRECT = 300
_SIGNED_SECONDS = 60
"""How long a signature serves; S3 takes it for 15 minutes."""

type Ask = tuple[str, tuple[tuple[str, str], ...]]
"""A method, and the headers that are signed beside those of the object's first request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the SDK sent for an object, without what changes from range to range.

    `scope` is the region and the service that it signed for.
    """

    url: str
    headers: Mapping[str, str]
    scope: tuple[str, str]

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str | bytes], access_key: str) -> "Sent | None":
        """Return it; None if it was not signed in its headers alone, or by other credentials."""
        plain = {
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in headers.items()
        }
        found = _SIGNED.fullmatch(plain.get("authorization", ""))
        if found is None or found[1] != access_key or urlsplit(url).query:
            return None
        kept = {name: v for name, v in plain.items() if name not in _CHANGING | _OWN}
        return cls(url=url, headers=kept, scope=(found[2], found[3]))


def sign(sent: Sent, credentials: "ReadOnlyCredentials", ask: Ask) -> dict[str, str]:
    """Return the headers of further requests, signed by the SDK's own signer."""
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - the SDK
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above

    method, named = ask
    request = AWSRequest(method=method, url=sent.url, headers={**sent.headers, **dict(named)})
    region, service = sent.scope
    S3SigV4Auth(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


class _Known:
    """An object that was read before: how it is asked for, and over whose connections."""

    def __init__(self, sent: Sent, pool: "HTTPConnectionPool") -> None:
        self.sent = sent
        self.pool = pool
        self._signed: dict[Ask, tuple[dict[str, str], ReadOnlyCredentials, float]] = {}

    def headers(self, credentials: "ReadOnlyCredentials", ask: Ask) -> dict[str, str]:
        """Return the headers of a request, signed by these credentials a short while ago."""
        # S3 compares with the time of day, which goes on while a computer sleeps.
        now = time.time()
        signed = self._signed.get(ask)
        if signed is None or signed[1] != credentials or abs(now - signed[2]) > _SIGNED_SECONDS:
            self._signed[ask] = signed = sign(self.sent, credentials, ask), credentials, now
        return signed[0]


class ObjectClient:
    """Reads objects over a client's connections; safe for many threads."""

    def __init__(self, client: "S3Client", session: "Session") -> None:
        self._client = client
        self._session = session
        self._local = threading.local()
        self._known: dict[tuple[tuple[str, object], ...], _Known] = {}
        self._parser = session.get_component("response_parser_factory").create_parser("rest-xml")
        client.meta.events.register_last("before-send.s3.GetObject", self._note)

    def get_object(self, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of the SDK
        """Return what the client's method of this name returns, of a pinned range what it needs.

        Raises:
            ClientError: If S3 refuses.
            BotoCoreError: If it cannot be asked.
        """
        name, known = self._find(parameters)
        if known is not None and "Range" in parameters:
            return self._send(known, "GetObject", parameters)
        self._local.request = None
        answer = self._client.get_object(**parameters)
        self._keep(name)
        return cast("Mapping[str, Any]", answer)

    def head_object(self, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of the SDK
        """Return what the client's method of this name returns; raises as `get_object` does."""
        _, known = self._find(parameters)
        if known is not None:
            return self._send(known, "HeadObject", parameters)
        return cast("Mapping[str, Any]", self._client.head_object(**parameters))

    def _find(
        self, parameters: Mapping[str, Any]
    ) -> tuple[tuple[tuple[str, object], ...], _Known | None]:
        """Return what names an object, and what is known of it."""
        name = tuple(sorted((k, v) for k, v in parameters.items() if k not in _OPTIONS))
        return name, self._known.get(name)

    def _note(self, request: Any, **_: object) -> None:  # noqa: ANN401 - the SDK has no types
        self._local.request = request

    def _keep(self, name: tuple[tuple[str, object], ...]) -> None:
        request = self._local.request
        if request is None or request.method != "GET":
            return
        sent = Sent.of(request.url, request.headers, str(self._credentials().access_key))
        pool = self._pool(request.url)
        if sent is None or pool is None:
            return
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[name] = _Known(sent, pool)

    def _pool(self, url: str) -> "HTTPConnectionPool | None":
        """Return the SDK's own connections to a host; None where a proxy is between."""
        try:
            http = cast("Any", self._client)._endpoint.http_session  # noqa: SLF001 - its TLS settings hold
            if http._proxy_config.proxy_url_for(url):  # noqa: SLF001 - as above
                return None
            manager = http._get_connection_manager(url)  # noqa: SLF001 - as above
            pool = manager.connection_from_url(url)
            # The SDK says before it sends whom to trust: connections without that are not its own.
            trusts = pool.scheme == "http" or pool.cert_reqs is not None
            return cast("HTTPConnectionPool", pool) if trusts else None
        except AttributeError:
            # Another version of the SDK keeps them elsewhere, and sends all requests itself.
            return None

    def _send(
        self, known: _Known, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        url = known.sent.url
        options = {header: parameters[k] for k, header in _OPTIONS.items() if k in parameters}
        named = tuple((k, v) for k, v in options.items() if k not in _CHANGING)
        method = "HEAD" if operation == "HeadObject" else "GET"
        headers = {**known.headers(self._credentials(), (method, named)), **options}
        with _translating(url):
            answer = known.pool.urlopen(
                method,
                urlsplit(url).path,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                enforce_content_length=False,
            )
            has_body = method == "GET" and answer.status < _REDIRECT
            body = answer if has_body else b"".join(answer.stream())
        if has_body and "IfMatch" in parameters:
            told = Headers(answer.headers)
            length = told.get("content-length", "")
            return {
                "Body": answer,
                "ETag": told.get("etag"),
                "ContentRange": told.get("content-range"),
                "ContentLength": int(length) if length else None,
                "ResponseMetadata": {"HTTPStatusCode": answer.status, "HTTPHeaders": told},
            }
        status = answer.status
        answered = {"headers": answer.headers, "status_code": status, "body": body, "context": {}}
        return self._parsed(operation, answered)

    def _credentials(self) -> "ReadOnlyCredentials":
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - the SDK

        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found.get_frozen_credentials()

    def _parsed(self, operation: str, answered: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an answer as the SDK does, or raise its exception."""
        meta = self._client.meta
        model = meta.service_model.operation_model(operation)
        more: dict[str, Any] = {}
        # The SDK mends headers here that its parser would refuse.
        meta.events.emit(
            f"before-parse.s3.{operation}",
            operation_model=model,
            response_dict=answered,
            customized_response_dict=more,
        )
        parsed: dict[str, Any] = self._parser.parse(answered, model.output_shape) | more
        if answered["status_code"] < _REDIRECT:
            return parsed
        kind = cast("Any", self._client.exceptions).from_code(parsed.get("Error", {}).get("Code"))
        raise cast("Exception", kind(parsed, operation))


@contextlib.contextmanager
def _translating(url: str) -> Iterator[None]:
    """Raise what the SDK raises where a connection fails."""
    from botocore import exceptions as sdk  # noqa: PLC0415 - the SDK
    from urllib3 import exceptions as http  # noqa: PLC0415 - as above

    try:
        yield
    except http.SSLError as exc:
        raise sdk.SSLError(endpoint_url=url, error=exc) from exc
    except http.NewConnectionError as exc:
        raise sdk.EndpointConnectionError(endpoint_url=url, error=exc) from exc
    except http.ConnectTimeoutError as exc:
        raise sdk.ConnectTimeoutError(endpoint_url=url, error=exc) from exc
    except http.ReadTimeoutError as exc:
        raise sdk.ReadTimeoutError(endpoint_url=url, error=exc) from exc
    except http.ProtocolError as exc:
        raise sdk.ConnectionClosedError(endpoint_url=url, error=exc) from exc
    except (http.HTTPError, OSError) as exc:
        raise sdk.HTTPClientError(error=exc) from exc
