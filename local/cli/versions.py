"""`stratum publish`, `versions`, `diff`, `alias` and `rollback`; and how published versions are run."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...handlers.store import Store
from ...handlers.versions import listing, publishing, routing
from ...handlers.versions.publishing import NoSuchVersion, Published, PublishRefused
from ...handlers.workflows import DeploymentRefused
from .. import handler_code, runs
from .acting import who_acts
from .executions import runtime_on, shown_time
from .opening import open_store
from .problem import WrongRequest
from .tables import print_table

if TYPE_CHECKING:
    from ...handlers.runtime import Runtime


def publish(options: argparse.Namespace) -> int:
    from .files import load_workflow

    workflow = load_workflow(Path(options.file), imports=True)
    version = options.version_number or (workflow.spec.version if workflow.spec is not None else None)
    if version is None:
        raise WrongRequest(f"{options.file} is plain ASL and says no version; give one with --as 1.0.0")
    if workflow.spec is not None and version != workflow.spec.version:
        raise WrongRequest(f"{options.file} says that it is version {workflow.spec.version}, not {version}")
    store = open_store(options.store, create=True)
    try:
        kept = handler_code.folder_of(options.store)
        code = None if options.no_code else handler_code.keep(workflow.folder, kept)
        made, new = publishing.publish(
            runtime_on(store),
            store.tenant,
            workflow,
            version,
            who_acts(store),
            code=code,
            reason=options.reason,
        )
    except (PublishRefused, handler_code.TooMuchCode, DeploymentRefused) as refused:
        raise WrongRequest(str(refused)) from None
    if options.json:
        print(json.dumps(made.to_json(), indent=2, ensure_ascii=False))
        return 0
    what = "is published" if new else "was published before, with the same content"
    print(f"{made.workflow} {made.version} {what}: {made.arn}")
    print(f"run it with: stratum run {made.workflow}@{made.version}", file=sys.stderr)
    return 0


def versions(options: argparse.Namespace) -> int:
    store = open_store(options.store, create=False)
    names = [options.workflow] if options.workflow else publishing.workflows(store)
    told: list[dict[str, Any]] = []
    for name in names:
        try:
            told += _versions(store, name)
        except NoSuchVersion as error:
            raise WrongRequest(str(error)) from None
    if options.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    rows = [
        (
            each["workflow"], each["version"], str(each["running"]) if each["running"] else "",
            ", ".join(f"{name} {weight}%" for name, weight in each["aliases"].items()),
            shown_time(each["at"]) if "at" in each else "", each.get("by", {}).get("user", ""), each.get("reason", ""),
        )
        for each in told
    ]  # fmt: skip
    print_table(("WORKFLOW", "VERSION", "RUNNING", "ALIASES", "PUBLISHED", "BY", "REASON"), rows)
    return 0


def _versions(store: Store, name: str) -> list[dict[str, Any]]:
    return listing.listed(runtime_on(store), store.tenant, name)


def diff(options: argparse.Namespace) -> int:
    """Between files, published versions (WORKFLOW@VERSION), or one of each."""
    old, new = _described(options.old, options), _described(options.new, options)
    try:
        lines, broken = listing.compared(old, new)
    except listing.NotComparable as refused:
        raise WrongRequest(str(refused)) from None
    if options.json:
        print(json.dumps({"differences": lines, "breaks": broken}, indent=2, ensure_ascii=False))
        return 0
    for line in lines:
        print(line)
    if not lines:
        print("they mean the same")
    if broken:
        print("\nbreaks what relies on the old contract, so it must be a major version:")
        for line in broken:
            print(f"  {line}")
    return 0


def _described(what: str, options: argparse.Namespace) -> dict[str, Any]:
    """A spec or a definition as data."""
    from .files import load_workflow

    if is_published(what):
        store = open_store(options.store, create=False)
        return listing.content(store, _find(store, what))
    workflow = load_workflow(Path(what))
    if workflow.spec is None:
        return workflow.definition
    return workflow.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)


def alias(options: argparse.Namespace) -> int:
    store = open_store(options.store, create=False)
    runtime, tenant, me = runtime_on(store), store.tenant, who_acts(store)
    workflow, name = options.workflow, options.name
    try:
        if options.approve:
            routing.approve(runtime, tenant, workflow, name, me)
        elif options.drop:
            routing.drop(runtime, tenant, workflow, name)
        if options.protect is not None:
            routing.protect(runtime, tenant, workflow, name, options.protect, me)
        if options.to is not None:
            routing.move(
                runtime, tenant, workflow, name, options.to, me, shift=_shift(options), reason=options.reason
            )
    except (NoSuchVersion, routing.MoveRefused) as refused:
        raise WrongRequest(str(refused)) from None
    return _tell(runtime, tenant, workflow, name, options)


def rollback(options: argparse.Namespace) -> int:
    store = open_store(options.store, create=False)
    runtime = runtime_on(store)
    try:
        routing.rollback(
            runtime, store.tenant, options.workflow, options.alias, who_acts(store), options.reason
        )
    except (NoSuchVersion, routing.MoveRefused) as refused:
        raise WrongRequest(str(refused)) from None
    code = _tell(runtime, store.tenant, options.workflow, options.alias, options)
    for each in _versions(store, options.workflow):
        if each["running"]:
            print(f"{each['running']} executions are still on {each['version']}", file=sys.stderr)
    return code


def _tell(runtime: Runtime, tenant: str, workflow: str, name: str, options: argparse.Namespace) -> int:
    found = routing.describe(runtime, tenant, workflow, name)
    if found is None:
        raise WrongRequest(f"{workflow} has no alias '{name}'; --to VERSION makes it")
    if options.json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
        return 0
    leads = ", ".join(f"{version} {weight}%" for version, weight in found.routing.items()) or "nothing yet"
    print(f"{workflow} {name}: {leads}" + (" (protected)" if found.protected else ""))
    if found.pending:
        who = found.pending["by"].get("user")
        print(
            f"waits for approval by somebody other than {who}: to {found.pending['to']}; "
            f"`stratum alias {workflow} {name} --approve`"
        )
    for each in found.moves[-10:]:
        what = f"{each['how']} to {each['to']}" if "to" in each else each["how"]
        more = f" ({each['weight']}% at a time)" if each.get("every") else ""
        by = f" by {each['by'].get('user', 'somebody')}"
        approved = f", approved by {each['approved']['by'].get('user')}" if "approved" in each else ""
        print(
            f"  {shown_time(each['at'])}  {what}{more}{by}{approved}"
            + (f": {each['reason']}" if "reason" in each else "")
        )
    return 0


def _shift(options: argparse.Namespace) -> routing.Shift:
    """`--canary 10%`, `--linear 10%/5m`."""
    if options.canary and options.linear:
        raise WrongRequest("--canary stays at a weight and --linear goes on: give one of them")
    if options.canary:
        return routing.Shift(_percent(options.canary, "--canary"))
    if options.linear:
        from ...statelang.spec.models import seconds_of

        weight, slash, every = options.linear.partition("/")
        try:
            seconds = seconds_of(every) if slash else 0
        except ValueError as error:
            raise WrongRequest(f"--linear {options.linear}: {error}") from None
        if not seconds:
            raise WrongRequest(f"--linear {options.linear}: write so much each time, such as 10%/5m")
        return routing.Shift(_percent(weight, "--linear"), seconds * 1000)
    return routing.Shift()


def _percent(text: str, option: str) -> int:
    found = re.fullmatch(r"(\d{1,3})%?", text)
    if found is None or not 1 <= int(found[1]) <= 100:
        raise WrongRequest(f"{option} {text}: a percentage from 1 to 100 is wanted, such as 10%")
    return int(found[1])


# -- running what is published ---------------------------------------------------------------------------------


def is_published(what: str) -> bool:
    """Whether a command's argument names a published version (`WORKFLOW@VERSION`) and not a file."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,80}@[A-Za-z0-9_.+-]+", what) is not None and not Path(what).exists()


def _find(store: Store, what: str) -> Published:
    """The version that `WORKFLOW@VERSION` or `WORKFLOW@ALIAS` names now."""
    workflow, _, name = what.partition("@")
    try:
        return listing.find(runtime_on(store), store.tenant, workflow, name)
    except NoSuchVersion as error:
        raise WrongRequest(str(error)) from None


def start(options: argparse.Namespace, input: str, name: str) -> tuple[Store, str]:
    """Starts what `WORKFLOW@VERSION` or `WORKFLOW@ALIAS` names; its handlers are those that were published with it."""
    from ...handlers.api.errors import ApiError
    from ...handlers.api.front_door import call

    store = open_store(options.store, create=False)
    runtime = runtime_on(store)
    runtime.requester = who_acts(store).to_json()
    workflow, _, wanted = options.file.partition("@")
    found = _find(store, options.file)
    violations = publishing.input_violations(found, input)
    if violations:
        lines = "\n".join(f"  {line}" for line in violations)
        raise WrongRequest(f"the input is not as {found.workflow} {found.version} wants it\n{lines}")
    exact = wanted in (found.version, "latest")
    target = found.arn if exact else f"{found.machine}:{wanted}"
    execution = f"{found.machine.replace(':stateMachine:', ':execution:')}:{name}"
    if store.head(execution) is not None:
        raise WrongRequest(f"there was an execution '{name}' before; another --name begins a new one")
    try:
        request = {"stateMachineArn": target, "name": name, "input": input}
        call(runtime, "StartExecution", request, store.tenant)
    except ApiError as error:
        raise WrongRequest(error.message) from None
    head = store.head(execution)
    assert head is not None
    published = publishing.by_arn(store, workflow)[head.fields["version"]]
    runs.keep(store, execution, _code(published, options), f"{workflow}@{published.version}")
    print(f"{workflow} {published.version} {name}", file=sys.stderr)
    return store, execution


def _code(published: Published, options: argparse.Namespace) -> Path:
    kept = handler_code.folder_of(options.store)
    if published.code is None:
        return Path.cwd()
    if not handler_code.is_intact(kept, published.code):
        raise WrongRequest(
            f"the handlers of {published.workflow} {published.version} are not in {kept} as they were published"
        )
    return kept / published.code
