"""A small MCP server over stdio: it adds, and writes down that it did."""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server.fastmcp import FastMCP

server = FastMCP("sums")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    with Path(sys.argv[1]).open("a", encoding="utf-8") as file:
        file.write(f"add {a} {b}\n")
    return a + b


if __name__ == "__main__":
    server.run()
