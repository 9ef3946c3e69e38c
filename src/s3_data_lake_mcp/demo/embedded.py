"""The process of the demo lake: an S3 API on loopback, filled, until its parent goes away.

It writes the API's URL on standard output, and `ready` once the lake is there. It ends when
standard input closes, which happens however the parent ends.
"""

import logging
import os
import signal
import sys
import threading

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from s3_data_lake_mcp.demo import catalogue, contents

READY = "ready"


def main() -> None:
    """Serve the demo lake until standard input closes."""
    # Ctrl-C reaches the whole process group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch = threading.Thread(target=_end_with_parent, name="parent")
    watch.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    _say(url)
    fill(url)
    _say(READY)
    watch.join()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    # At once, also in the middle of filling: all there is lies in this process's memory.
    os._exit(0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fill(url: str) -> None:
    """Create the buckets and put every object of the catalogue into them."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name=catalogue.REGION,
        aws_access_key_id="demo",
        aws_secret_access_key="demo",  # noqa: S106 - the embedded S3 takes any
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    for name, region in catalogue.BUCKETS.items():
        if region == catalogue.REGION:
            client.create_bucket(Bucket=name)
        else:
            where = {"LocationConstraint": region}
            client.create_bucket(Bucket=name, CreateBucketConfiguration=where)  # type: ignore[arg-type] # the stubs list the regions
    for item in contents.objects():
        client.put_object(
            Bucket=item.bucket,
            Key=item.key,
            Body=item.body,
            ContentType=item.content_type,
            StorageClass=item.storage_class,
            Metadata=item.metadata,
            Tagging=item.tags,
        )
    client.close()


if __name__ == "__main__":
    main()
