"""The `stratum` command: `parsers` say what each command takes; the commands themselves are files here, each imported
when it is the one that runs.

Exit codes: 0 done, 1 the workflow failed, 2 the request was wrong (130 where it was interrupted). A command's
result goes to stdout and everything else to stderr, so that a result can be piped.
"""

from .main import main

__all__ = ["main"]
