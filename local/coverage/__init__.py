"""Coverage reports: what tests took of the workflows that they ran.

- `record`: what was taken, of every workflow; goes from process to process and into files as JSON.
- `measuring`: what tests' clouds ran, into a record. `stored`: what the executions of a store took.
- `files`: how workflow files are called, and those that no test ran.
- `report`: workflows with their files, lines and numbers; and as JSON.
- `table`: for the terminal. `page`: as one HTML file, with the graph in the colours of `look`.
- `outputs`: which reports are wanted, and what must be reached.

What can be taken and what a history has taken is in `statelang.coverage`.
"""

from .record import NotARecord, Record
from .report import Covered, Report, report

__all__ = ["Covered", "NotARecord", "Record", "Report", "report"]
