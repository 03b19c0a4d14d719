"""Amazon States Language definitions as models: parsed, checked and prepared once, then only read.

`load_definition` takes a definition's JSON text and answers a `StateMachine` whose templates, paths and
expressions are compiled; it is cached by the text's digest. A definition that cannot be a state machine
raises `InvalidDefinition`, which lists every problem with its place.
"""

from .json_reading import NotJson, read_json
from .json_text import Json, dump, measure
from .machine import digest_of, load_definition, parse_definition, prepare
from .problems import InvalidDefinition, Problem
from .states import StateMachine
from .templates import EvaluationFailed

__all__ = [
    "EvaluationFailed",
    "InvalidDefinition",
    "Json",
    "NotJson",
    "Problem",
    "StateMachine",
    "digest_of",
    "dump",
    "load_definition",
    "measure",
    "parse_definition",
    "prepare",
    "read_json",
]
