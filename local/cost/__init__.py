"""What executions cost in dollars: the price table of the package, and bills of definitions and of executions.

The counting and the formulas are in `statelang.cost`; `prices.yaml` is the table, with its date and its sources.
"""

from .figures import Figures, of_definition, of_execution
from .table import REGION, load_prices

__all__ = ["REGION", "Figures", "load_prices", "of_definition", "of_execution"]
