"""What `stratum install` writes into a project for coding agents, and what `uninstall` takes back of it.

- `planning`: which files change, from what to what; nothing is written until all of it is known to be right.
- `blocks`: a part of a text file that is ours, between two marks.
- `members`: a member of a JSON object, put into a file's text and taken out of it, the rest left as it is to the byte.
- `texts`: what agents are told: the skill, and the block in CLAUDE.md and AGENTS.md.

Taken back is exactly what was written: a file is to the byte what it was before, or what somebody has made of it since.
"""

from .planning import AGENTS, Change, NotInstallable, apply, install, uninstall

__all__ = ["AGENTS", "Change", "NotInstallable", "apply", "install", "uninstall"]
