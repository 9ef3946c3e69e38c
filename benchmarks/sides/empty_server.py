"""The least that a FastMCP server can be: eight tools that do nothing, over stdio."""

from fastmcp import FastMCP


def nothing(bucket_name: str = "", object_key: str = "") -> dict[str, str]:
    """Do nothing."""
    return {"bucket": bucket_name, "key": object_key}


if __name__ == "__main__":
    server = FastMCP("empty")
    for number in range(8):
        server.tool(nothing, name=f"nothing_{number}")
    server.run(show_banner=False)
