"""The AWS SDK, loaded: whoever forks workers imports it once for all of them."""

from botocore import session

__all__ = ["session"]
