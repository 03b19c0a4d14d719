"""The canonical form of a YAML file, with its comments: indentation, spacing, empty lines, places of comments.

    format_text(text)           # raises NotFormatted for what is no YAML, or has what is left alone

- `tree`: a text as a tree of what is written in it, comments included.
- `layout`: the tree as text.

Texts of scalars stay as they are written: quotes, numbers, blocks. Order stays. What changes is space alone, so that
the data cannot; whoever writes a file anew checks that all the same. A collection in braces that does not fit into a
line, or has comments in it, is written as a block.

Our own, as the libraries there are format less or more: `ruamel.yaml` keeps a file's comments but also its spacing, and
loses those within braces; `yamlfix` sets quotes and wraps texts.
"""

from __future__ import annotations

from .layout import write
from .tree import NotFormatted, read

__all__ = ["NotFormatted", "format_text"]


def format_text(text: str) -> str:
    """The text in its canonical form. Raises `NotFormatted`."""
    return write(read(text))
