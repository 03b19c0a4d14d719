"""What Lambda runs, as archives that have the same bytes whenever their sources are the same.

- `archive`: a zip without times, owners or an order of its own.
- `engine`: our handlers with the packages that they need, without what only a laptop wants.
- `wheels`: pinned packages for Linux out of `packages.txt`, and `packages_mcp.txt` for the MCP server, for either architecture; `python -m stratum.infra.bundle.lock`
  writes that file anew.
- `functions`: a folder of the user's handlers, with their own requirements.
"""
