"""Becomes the Node process of a function.

Node cannot move descriptors, and a loop in JavaScript would never notice that the parent has ended. So this script
puts the pipes where the handler does not come across them, has the kernel end the process with its parent, and then
is replaced by Node.
"""

from __future__ import annotations

import json
import os
import sys

_ABOVE = 10
"""Descriptors that no shell and no handler uses by number."""


def main() -> None:
    import fcntl

    import handler_runtime  # pyright: ignore[reportMissingImports] - beside this script

    options = json.loads(sys.argv[1])
    options["requests"] = fcntl.fcntl(0, fcntl.F_DUPFD, _ABOVE)
    options["answers"] = fcntl.fcntl(1, fcntl.F_DUPFD, _ABOVE)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    if options["life"] is not None:
        handler_runtime.end_with(options["life"])
        os.set_inheritable(options["life"], True)  # kept open by Node: the signal comes of the open pipe
    os.execv(options["node"], [options["node"], *options["flags"], options["script"], json.dumps(options)])


if __name__ == "__main__":
    main()
