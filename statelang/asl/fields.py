"""The fields that each type of state may have in each query language."""

from __future__ import annotations

_COMMON = {"Type", "Comment", "QueryLanguage"}
_FLOW = {"Next", "End"}
_ERRORS = {"Retry", "Catch"}
_MAP = {
    "ItemProcessor", "Iterator", "ItemReader", "ItemSelector", "ItemBatcher", "ResultWriter", "MaxConcurrency",
    "ToleratedFailureCount", "ToleratedFailurePercentage", "Label",
}  # fmt: skip
_PATHS = {"InputPath", "OutputPath"}
_SHAPE = {"Parameters", "ResultSelector", "ResultPath"}

JSONATA: dict[str, set[str]] = {
    "Pass": _COMMON | _FLOW | {"Output", "Assign"},
    "Task": _COMMON
    | _FLOW
    | _ERRORS
    | {"Resource", "Arguments", "Output", "Assign", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
    "Choice": _COMMON | {"Choices", "Default", "Output", "Assign"},
    "Wait": _COMMON | _FLOW | {"Seconds", "Timestamp", "Output", "Assign"},
    "Succeed": _COMMON | {"Output"},
    "Fail": _COMMON | {"Error", "Cause"},
    "Parallel": _COMMON | _FLOW | _ERRORS | {"Branches", "Arguments", "Output", "Assign"},
    "Map": _COMMON | _FLOW | _ERRORS | _MAP | {"Items", "Output", "Assign"},
}
JSONPATH: dict[str, set[str]] = {
    "Pass": _COMMON | _FLOW | _PATHS | {"Parameters", "Result", "ResultPath", "Assign"},
    "Task": _COMMON
    | _FLOW
    | _ERRORS
    | _PATHS
    | _SHAPE
    | {
        "Resource",
        "Assign",
        "TimeoutSeconds",
        "TimeoutSecondsPath",
        "HeartbeatSeconds",
        "HeartbeatSecondsPath",
        "Credentials",
    },
    "Choice": _COMMON | _PATHS | {"Choices", "Default", "Assign"},
    "Wait": _COMMON | _FLOW | _PATHS | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Assign"},
    "Succeed": _COMMON | _PATHS,
    "Fail": _COMMON | {"Error", "ErrorPath", "Cause", "CausePath"},
    "Parallel": _COMMON | _FLOW | _ERRORS | _PATHS | _SHAPE | {"Branches", "Assign"},
    "Map": _COMMON
    | _FLOW
    | _ERRORS
    | _PATHS
    | _SHAPE
    | _MAP
    | {
        "ItemsPath",
        "MaxConcurrencyPath",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentagePath",
        "Assign",
    },
}
