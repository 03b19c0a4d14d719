"""The HTTP endpoint of the local cloud, on loopback: what `stratum up` serves.

- `service`: keeps the cloud's handlers going on a thread of their own, and the sweeper on its schedule.
- `endpoint`: takes HTTP requests to the front door, as a function URL would. Only from this machine, and from no
  page of another origin.
"""

from .endpoint import Endpoint
from .service import Service

__all__ = ["Endpoint", "Service"]
