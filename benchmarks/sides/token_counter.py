# /// script
# requires-python = ">=3.12,<3.13"
# dependencies = ["bpe-openai==0.1.4"]
# ///
"""Count tokens as models do (o200k_base); its vocabulary comes with the package."""

import bpe_openai
from protocol import Request, serve

_ENCODING = bpe_openai.get_encoding("o200k_base")


def count(request: Request) -> list[int]:
    """Return the number of tokens of each text."""
    return [len(_ENCODING.encode_ordinary(text)) for text in request["texts"]]


if __name__ == "__main__":
    serve({"count": count}, {"bpe-openai": bpe_openai.__version__})
