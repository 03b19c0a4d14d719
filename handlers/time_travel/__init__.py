"""Time travel: every commit of an execution's log can be gone back to.

- `points`: places in an execution's history that a fork can begin at, by step, event or checkpoint.
- `checkpoints`: places that somebody gave a name.
- `forks`: a new execution that goes on from such a place.
- `replay`: what a new version of the workflow does with what an old execution's tasks answered.

Logs are only read here, never changed: a fork has a log of its own, which begins with the commits that it shares.
"""
