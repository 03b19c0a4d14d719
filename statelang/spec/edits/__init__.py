"""Edits of a spec's text: steps are added, moved, connected and renamed, and what is not concerned stays byte for byte.

    edited = apply(text, Add("wait", after="charge"))
    edited.text, edited.changes, edited.step, edited.notes

An edit is worked out as few small operations on the data (an item of a list, an entry of a mapping, a scalar), and each
is done twice: on the text, by splices at the places that the YAML reader knows, and on the data. What the new text comes
to must be the edited data, else nothing is changed and `NotEdited` says why. Nothing is written anew but what is new, so
comments, blank lines, quotes, order and line ends stay. (ruamel.yaml, which keeps comments, writes the whole file anew:
indentation, quotes and the width of lines change with it.)

- `edit`: the edits as data.
- `doing`: what each edit comes to, and the check of it.
- `operations`: the operations, on the text and on the data; `items`, `entries`, `flow`: where they cut.
- `written`: the text with its nodes and lines; `pieces`: the text as it is spliced, and the changes that it comes to.
- `names`: every place that names a step.
- `steps`: where steps stand, and what new ones look like; `scalars`: values as YAML.
- `shape`: the steps as an editor shows them.
"""

from .doing import Edited, apply
from .edit import Add, Change, Connect, Edit, Move, NotEdited, Place, Remove, Rename, SetField, edit_of
from .shape import shape

__all__ = [
    "Add",
    "Change",
    "Connect",
    "Edit",
    "Edited",
    "Move",
    "NotEdited",
    "Place",
    "Remove",
    "Rename",
    "SetField",
    "apply",
    "edit_of",
    "shape",
]
