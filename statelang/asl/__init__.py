"""Amazon States Language definitions as models: parsed, checked and prepared once, then only read.

`load_definition` takes a definition's JSON text and answers a `StateMachine` whose templates and
expressions are compiled; it is cached by the text's digest. A definition that cannot be a state machine
raises `InvalidDefinition`, which lists every problem with its place.
"""

from .json_text import Json, dump, measure
from .machine import (
    Catcher,
    Choice,
    ChoiceRule,
    Fail,
    Pass,
    Retrier,
    State,
    StateMachine,
    Succeed,
    Task,
    Wait,
    digest_of,
    load_definition,
)
from .problems import InvalidDefinition, Problem
from .templates import EvaluationFailed, Scope, Template

__all__ = [
    "Catcher",
    "Choice",
    "ChoiceRule",
    "EvaluationFailed",
    "Fail",
    "InvalidDefinition",
    "Json",
    "Pass",
    "Problem",
    "Retrier",
    "Scope",
    "State",
    "StateMachine",
    "Succeed",
    "Task",
    "Template",
    "Wait",
    "digest_of",
    "dump",
    "load_definition",
    "measure",
]
