"""The first stage: from workflows and settings, what there is to be. Pure data; nothing is looked up and nothing made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from . import notifications
from .permissions import Statement, Unclear, actions_of, needed

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Lambda's runtimes for Python that Stratum runs on."""
ARCHITECTURES = ("arm64", "x86_64")
ARTIFACTS = "ArtifactBucket"
"""The parameter of a stack that names the bucket it is deployed from."""
REQUIREMENTS = "requirements.txt"
WORK = "stratum-work"
"""The function that gates and agent steps invoke."""
LONG = 30
"""Seconds: a function that may run longer is invoked asynchronously, so that nothing waits for it and costs."""
LAMBDA_MOST = 900
_LONG_NAMES = 3000
"""Characters of their names: they are in the environment of a function, which holds 4 KB."""
_INVOKE = "arn:aws:states:::lambda:invoke"
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,19}")
_NAME_MOST = 64

Target = Literal["engine", "step-functions"]


class Refused(ValueError):
    """What was asked for cannot be deployed; the text says why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What somebody who deploys may choose. Times are in seconds unless their name says otherwise.

    `environment` is for the users' functions; `allow` are further permissions, `ACTION=ARN`; `keep_days` is how long logs
    are kept; `protected` keeps the table from being deleted.
    """

    stage: str
    target: Target = "engine"
    python: str = PYTHONS[-2]
    architecture: str = "arm64"
    memory: int = 512
    function_memory: int = 256
    function_timeout: int = 60
    environment: Mapping[str, str] = field(default_factory=dict)
    allow: Sequence[str] = ()
    keep_days: int = 30
    kms_key: str | None = None
    alarm_topic: str | None = None
    protected: bool = True
    reserve: bool = False
    permissions_boundary: str | None = None
    gate_links: bool = False
    """Whether there is a page that decides gates by signed links, which anybody may call."""
    notify: str | None = None
    """`STRATUM_NOTIFY`, as `notifications.read` gives it."""
    tenants: Sequence[str] = ()
    """Tenants that are swept although nobody has registered them."""
    mcp: bool = False
    """Whether there is an MCP server."""
    retention: int | None = None
    """Seconds for which executions are kept after they have ended; None for ever."""
    scheduler_after: int = 900
    """A wake-up further ahead than this is EventBridge Scheduler's; one nearer is a delayed message (900 s at the most)."""

    def __post_init__(self) -> None:
        if not _STAGE.fullmatch(self.stage):
            raise Refused(
                f"'{self.stage}' is no stage: lower-case letters, digits and hyphens, 20 at the most, such as dev or prod"
            )
        if self.python not in PYTHONS:
            raise Refused(
                f"Lambda has no Python {self.python} that Stratum runs on; it has {', '.join(PYTHONS)}"
            )
        if self.architecture not in ARCHITECTURES:
            raise Refused(f"'{self.architecture}' is no architecture of Lambda: {' or '.join(ARCHITECTURES)}")

    @property
    def stack(self) -> str:
        return stack_name(self.stage)


def stack_name(stage: str) -> str:
    return f"stratum-{stage}"


def handler_name(stack: str, name: str) -> str:
    """What a handler of ours is called on Lambda: not as any function of a workflow is."""
    return f"{stack}--{name.lower()}"


def machine_name(stage: str, workflow: str) -> str:
    """What a workflow's state machine is called on Step Functions, where all stages share the names."""
    whole = f"{stack_name(stage)}-{workflow}"
    return whole if len(whole) <= 80 else f"{whole[:71]}-{hashlib.sha256(workflow.encode()).hexdigest()[:8]}"


_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}


def retention_of(text: str) -> int:
    """Seconds of `90d`, `12h`, `4w`. Raises `Refused`."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and int(number) and len(number) <= 5 and unit in _UNITS):
        raise Refused(
            f"--retention {text}: write it like 90d, with hours (h), days (d) or weeks (w); without it, nothing is forgotten"
        )
    return int(number) * _UNITS[unit]


@dataclass(frozen=True, slots=True)
class Source:
    """A workflow to deploy. `version` is the spec's, None for plain ASL; `folder` has its handlers."""

    name: str
    definition: Mapping[str, Any]
    folder: Path
    version: str | None = None
    source_map: Mapping[str, Any] | None = None
    text: str | None = None
    spec: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the user's. `name` is what definitions call it, `deployed` what Lambda does; `handler` as Lambda writes it.

    Workflows in different folders may have functions of the same name, so that the folder's is a part of what it is called.
    """

    name: str
    deployed: str
    handler: str
    folder: Path
    timeout: int

    @property
    def long(self) -> bool:
        return self.timeout > LONG

    @property
    def logical(self) -> str:
        return logical(label(self.folder, self.name))


@dataclass(frozen=True, slots=True)
class Deployment:
    """What there is to be: the workflows, the functions that are deployed with them, and what their tasks may do."""

    settings: Settings
    workflows: tuple[Source, ...]
    functions: tuple[Function, ...]
    statements: tuple[Statement, ...]
    """What tasks need beside the functions that are deployed with them."""

    def functions_of(self, workflow: Source) -> dict[str, Function]:
        """The deployed functions that a workflow calls, by what it calls them."""
        folder = workflow.folder.resolve()
        called = functions_called(workflow.definition)
        return {each.name: each for each in self.functions if each.folder == folder and each.name in called}

    @property
    def topics(self) -> list[str]:
        """The SNS topics that gates are announced at: those of the configuration, of the definitions, and what is allowed."""
        found = notifications.topics(self.settings.notify)
        for workflow in self.workflows:
            for _, state in tasks(workflow.definition):
                found |= notifications.of_payload(state.get("Arguments", {}))
        return sorted(found | actions_of(self.settings.allow).get("sns:Publish", set()))

    @property
    def has_work(self) -> bool:
        """Whether people or agents are asked for something."""
        return any(WORK in functions_called(each.definition) for each in self.workflows)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A function that an installed package brings: its handler as Lambda writes it, and the package."""

    handler: str
    package: str


def plan(
    workflows: Sequence[Source],
    settings: Settings,
    plugins: Callable[[str], Plugin | None] = lambda name: None,
) -> Deployment:
    """`plugins` finds functions that packages bring. Raises `Refused` with everything that is in the way."""
    problems: list[str] = []
    functions: dict[str, Function] = {}
    elsewhere: dict[str, str] = {}
    names = [each.name for each in workflows]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"two workflows are called '{name}'")
    for workflow in workflows:
        for name, timeout in functions_called(workflow.definition).items():
            if name == WORK or name.startswith("arn:"):
                continue
            found = handler_of(name, workflow.folder)
            if found is None and (plugin := plugins(name)) is not None:
                if is_required(plugin.package, workflow.folder):
                    found = plugin.handler
                else:
                    problems.append(
                        f"{workflow.name} calls {name}, which the package {plugin.package} brings: name that in "
                        f"{workflow.folder / REQUIREMENTS}, so that it is deployed as well"
                    )
                    continue
            if found is None:
                elsewhere[name] = workflow.name
                continue
            made = _function(settings, name, found, workflow.folder.resolve(), timeout)
            there = functions.get(made.deployed)
            if there is not None and there.folder != made.folder:
                problems.append(
                    f"the functions of {there.folder} and {made.folder} would have the same names: rename a folder"
                )
                break
            seconds = made.timeout if there is None else max(there.timeout, made.timeout)
            functions[made.deployed] = replace(made, timeout=seconds)
    statements, unclear = needed([each.definition for each in workflows], settings.target, settings.allow)
    problems += _unclear(unclear)
    for name, workflow_name in sorted(elsewhere.items()):
        if not any(action == "lambda:InvokeFunction" for action in actions_of(settings.allow)):
            problems.append(
                f"{workflow_name} calls the function {name}, and there is no {handler_file(name)} beside it: put the handler "
                f"there, or say which function that is: --allow lambda:InvokeFunction=arn:aws:lambda:REGION:ACCOUNT:function:{name}"
            )
    if sum(len(each.deployed) + 1 for each in functions.values() if each.long) > _LONG_NAMES:
        problems.append(
            f"too many functions may run for more than {LONG} s: give steps a shorter timeout, or make two stages of them"
        )
    if settings.mcp and settings.target != "engine":
        problems.append(
            f"--mcp is the engine's: `stratum mcp --stage {settings.stage}` serves agents over Step Functions"
        )
    if settings.retention is not None and settings.target != "engine":
        problems.append(
            "--retention is the engine's: Step Functions forgets executions after 90 days by itself"
        )
    if problems:
        raise Refused("\n".join(problems))
    return Deployment(
        settings, tuple(workflows), tuple(functions[name] for name in sorted(functions)), tuple(statements)
    )


def _unclear(unclear: Sequence[Unclear]) -> Iterator[str]:
    for each in unclear:
        yield (
            f"{each.state}: what {each.action} is for is only known when it runs, and nothing is allowed on everything: "
            f"say what it may touch, --allow {each.action}=ARN"
        )


def _function(settings: Settings, name: str, handler: str, folder: Path, timeout: int | None) -> Function:
    seconds = settings.function_timeout if timeout is None else timeout
    deployed = deployed_name(settings.stage, label(folder, name))
    return Function(name, deployed, handler, folder, max(1, min(LAMBDA_MOST, seconds)))


def label(folder: Path, name: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', folder.name).strip('-').lower() or 'root'}-{name}"


def deployed_name(stage: str, name: str) -> str:
    """What the function is called on Lambda: within 64 characters, and another for each stage."""
    whole = f"{stack_name(stage)}-{re.sub(r'[^A-Za-z0-9_-]', '-', name)}"
    if len(whole) <= _NAME_MOST:
        return whole
    return f"{whole[: _NAME_MOST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def logical(name: str) -> str:
    """A logical id of a template: letters and digits, one for each name."""
    plain = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
    # Names that only differ in what is no letter would meet.
    mark = (
        "" if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) else hashlib.sha256(name.encode()).hexdigest()[:6]
    )
    return f"{plain}{mark}"


def handler_file(name: str) -> str:
    return f"{_split(name)[0]}.py"


def handler_of(name: str, folder: Path) -> str | None:
    """The handler that a function of that name is, where its module is in the folder: `module.function`."""
    module, attribute = _split(name)
    if not attribute:
        return None
    if (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file():
        return f"{module}.{attribute}"
    return None


def is_required(package: str, folder: Path) -> bool:
    """Whether the requirements beside a workflow name the package, or a wheel of it."""
    try:
        text = (folder / REQUIREMENTS).read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return False
    lines = [line.partition("#")[0] for line in text.splitlines()]
    wanted = re.escape(_normal(package))
    return any(re.search(rf"(^|/){wanted}(?![a-z0-9]|-[a-z])", _normal(line.strip())) for line in lines)


def _normal(text: str) -> str:
    """A package's name as indexes know it."""
    return re.sub(r"[-_.]+", "-", text).lower()


def _split(name: str) -> tuple[str, str]:
    module, _, attribute = name.replace(".", "-").partition("-")
    return module, attribute


# -- definitions ---------------------------------------------------------------------------------------------


def tasks(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every Task of a definition, with its state's name."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield name, state
        for branch in state.get("Branches", ()):
            yield from tasks(branch)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from tasks(state[key])


def functions_called(definition: Mapping[str, Any]) -> dict[str, int | None]:
    """The functions that a definition names, with the longest timeout that it gives them in seconds; None without one."""
    found: dict[str, int | None] = {}
    for _, state in tasks(definition):
        name = _called(state)
        if name is not None:
            timeout = state.get("TimeoutSeconds")
            given = timeout if isinstance(timeout, int) else None
            known = found.get(name, 0)
            found[name] = None if given is None or known is None else max(known, given)
    return found


def _called(state: Mapping[str, Any]) -> str | None:
    if not str(state["Resource"]).startswith(_INVOKE):
        return None
    arguments = state.get("Arguments", state.get("Parameters", {}))
    name = arguments.get("FunctionName") if isinstance(arguments, dict) else None
    return name if isinstance(name, str) and not name.startswith("{%") else None


def placeholder(logical_name: str) -> str:
    """What stands in a definition for the ARN of a function, until it is deployed."""
    return "${" + logical_name + "}"


def bound(definition: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The definition with the functions that are in `names` called by what they are there."""

    def walk(machine: Mapping[str, Any]) -> dict[str, Any]:
        return {**machine, "States": {name: one(state) for name, state in machine["States"].items()}}

    def one(state: Mapping[str, Any]) -> dict[str, Any]:
        made = dict(state)
        if state["Type"] == "Task" and (name := _called(state)) in names:
            key = "Arguments" if "Arguments" in state else "Parameters"
            made[key] = {**state[key], "FunctionName": names[str(name)]}
        if "Branches" in state:
            made["Branches"] = [walk(branch) for branch in state["Branches"]]
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                made[key] = walk(state[key])
        return made

    return walk(definition)
