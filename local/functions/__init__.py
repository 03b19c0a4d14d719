"""Python handlers as Lambda functions: in warm worker processes of their own, or in this process.

A function called `orders-validate` is the handler `validate` of the module `orders` in one of the given folders
(Lambda's names have no dots, Python's no hyphens, so the one maps to the other and back).
"""

from .config import FunctionConfig
from .in_process import InProcessFunctions
from .worker_functions import WorkerFunctions
from .workers import FunctionsClosed, Workers

__all__ = ["FunctionConfig", "FunctionsClosed", "InProcessFunctions", "WorkerFunctions", "Workers"]
