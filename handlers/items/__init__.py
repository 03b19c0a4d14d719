"""What a distributed map reads its items from and writes its results to: files and listings in S3.

- `reader`: `ItemReader`: an object's content, or the objects of a bucket.
- `formats`: CSV, JSON, JSON lines and inventories, as items.
- `writer`: `ResultWriter`: the results of child executions, as files with a manifest.

See the AWS guide, "Item source for Distributed Map" and "ResultWriter (Map)".
"""

from .formats import ItemReaderFailed
from .reader import read_items
from .writer import ResultWriterFailed, child_results, write_results

__all__ = ["ItemReaderFailed", "ResultWriterFailed", "child_results", "read_items", "write_results"]
