"""A tool server over standard input and output, which writes down what it was asked to send."""

from __future__ import annotations

import os
from pathlib import Path

from mcp.server.fastmcp import FastMCP

server = FastMCP("post")


@server.tool()
def send(text: str) -> str:
    """Send a text."""
    with Path(os.environ["OUTBOX"]).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return f"sent {text}"


if __name__ == "__main__":
    server.run()
