"""Coding agents on this machine: the MCP server over the local engine, and its place in a project.

- `host`: what the server of `handlers.mcp` needs, given by an engine in the same process.
- `stage_host`: the same for a stage on AWS, where executions run.
- `serving`: the server over standard input and output, or streamable HTTP on loopback.
- `project`: what `install` writes into a project for Claude Code and Codex, and takes back.
"""
