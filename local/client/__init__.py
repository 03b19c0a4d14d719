"""The client: workflows started, watched and answered from Python, the same here and on AWS.

    with Stratum() as stratum:                                  # in this process, on SQLite
        execution = stratum.start(orders, {"id": "o-1"})        # a workflow, a file, or the name of what is deployed
        print(stratum.result(execution))

- `client`: `Stratum`, every method of it.
- `asynchronous`: `AsyncStratum`, the same as coroutines.
- `backends`: what both talk to; `embedded`: a cloud in this process, `remote`: an endpoint or AWS, through boto3.
- `functions`: which function a task of which execution calls.
- `execution`: what is known of an execution; `errors`: what can go wrong, by type.
"""

from .asynchronous import AsyncStratum
from .client import Stratum
from .execution import Execution

__all__ = ["AsyncStratum", "Execution", "Stratum"]
