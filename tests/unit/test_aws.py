"""The client factory: nothing before the first use, one session, a client per region."""

import subprocess
import sys
import threading

import pytest

from s3_data_lake_mcp.aws import ClientFactory, Lease
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.fault_proxy import FaultProxy
from support.stores import open_store


def test_making_a_store_loads_no_sdk() -> None:
    """The server process starts without the AWS SDK: it waits for the first use."""
    code = (
        "import sys\n"
        "from s3_data_lake_mcp.aws import ClientFactory\n"
        "from s3_data_lake_mcp.settings import Settings\n"
        "from s3_data_lake_mcp.storage.s3 import S3Store\n"
        "S3Store(ClientFactory(Settings()), Settings())\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('boto3', 'botocore', 'urllib3')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_warming_up_sends_nothing(fault_proxy: FaultProxy) -> None:
    """`warm` makes the client and no request; above all it lists no buckets."""
    open_store(Settings()).warm()
    assert fault_proxy.seen == []


def test_warming_up_without_a_configuration_is_quiet(
    aws_env: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with the configuration is told by the first call, not by the warm-up."""
    del aws_env
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    open_store(Settings()).warm()


def test_clients_are_kept_per_region(aws_env: None, settings: Settings) -> None:
    """The same region gives the same client, another one another, of the same session."""
    del aws_env
    factory = ClientFactory(settings)
    home = factory.client_for("lake")
    assert factory.client_for("other").client is home.client
    away = factory.client_for("lake", "eu-central-1")
    assert away.client is not home.client
    assert away.client.meta.region_name == "eu-central-1"
    assert away.era is home.era


def test_without_a_region_it_is_the_first_of_aws(
    aws_env: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither environment nor profile names one."""
    del aws_env
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert ClientFactory(settings).client_for("lake").region == "us-east-1"


def test_many_threads_share_one_client(aws_env: None, settings: Settings) -> None:
    """Threads that come at once get one session and one client."""
    del aws_env
    factory = ClientFactory(settings)
    leases: list[Lease] = []
    threads = [
        threading.Thread(target=lambda: leases.append(factory.client_for("lake")))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(lease.client) for lease in leases}) == 1


def test_limits_are_set_on_each_client(aws_env: None) -> None:
    """One try (the store tries again itself), time-outs, and room for parallel ranges."""
    del aws_env
    config = ClientFactory(Settings()).client_for("lake").client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}  # type: ignore[attr-defined] # set from its options
    assert config.max_pool_connections >= 32  # type: ignore[attr-defined] # as above
    assert config.read_timeout <= 10  # type: ignore[attr-defined] # as above
    quick = ClientFactory(Settings(timeout_seconds=4)).client_for("lake").client.meta.config
    assert quick.read_timeout == 1  # type: ignore[attr-defined] # as above


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_a_custom_endpoint_is_asked_by_path(
    fault_proxy: FaultProxy, bucket: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Both variables hold, also with a host name, and the bucket stands in the path."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv(variable, fault_proxy.endpoint.replace("127.0.0.1", "localhost"))
    open_store(Settings()).list_page(bucket, "", ScanMeter())
    assert fault_proxy.seen[-1].path == f"/{bucket}"


def test_a_renewed_factory_makes_new_clients(aws_env: None, settings: Settings) -> None:
    """Refused credentials are forgotten once, also if many calls were refused."""
    del aws_env
    factory = ClientFactory(settings)
    old = factory.client_for("lake")
    late = old.era.began + 1
    assert factory.renew(old, since=late)
    new = factory.client_for("lake")
    assert new.client is not old.client
    assert factory.renew(old, since=late)
    assert factory.client_for("lake").client is new.client


def test_renewing_fresh_credentials_does_not_help(aws_env: None, settings: Settings) -> None:
    """A session made during the call would find the same credentials again."""
    del aws_env
    factory = ClientFactory(settings)
    assert not factory.renew(None, since=0)
    lease = factory.client_for("lake")
    assert not factory.renew(lease, since=lease.era.began - 1)
    assert factory.client_for("lake").client is not lease.client
