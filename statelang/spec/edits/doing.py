"""What each edit comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..source import MAX_BYTES, Path, is_asl
from . import names
from .edit import Add, Change, Connect, Edit, Move, NotEdited, Place, Remove, Rename, SetField
from .operations import Draft
from .steps import BODIES, END, KINDS, below, find, free, goes_on, lists, new, steps, targets


@dataclass(frozen=True, slots=True)
class Edited:
    """`text` is the new text, `changes` how it came out of the old one, in characters of that.

    `step` is the step that the edit was about, where it still is; `notes` what somebody should know.
    """

    text: str
    changes: list[Change]
    step: str | None = None
    notes: list[str] = field(default_factory=list)


def apply(text: str, edit: Edit) -> Edited:
    """Edits a spec's text. Raises `NotEdited`."""
    if len(text) > MAX_BYTES:
        raise NotEdited("the text is too large for a spec")
    lead = 1 if text.startswith("\ufeff") else 0
    plain, places = _line_ends(text[lead:])
    draft = Draft(plain)
    if is_asl(draft.data):
        raise NotEdited("this is Amazon States Language: the graph edits specs")
    if not isinstance(draft.data, dict) or not isinstance(draft.data.get("steps"), list):
        raise NotEdited("there is no list of `steps` to be edited")
    step, notes = _DO[type(edit)](draft, edit)
    draft.checked()
    ends = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    changes = [
        Change(lead + places(each.start), lead + places(each.end), each.insert.replace("\n", ends))
        for each in draft.pieces.changes()
    ]
    made, at = "", 0
    for change in changes:
        made += text[at : change.start] + change.insert
        at = change.end
    return Edited(made + text[at:], changes, step, notes)


def _line_ends(text: str) -> tuple[str, Any]:
    """The text with its lines ended by `\\n` alone, and where a place of it was before."""
    if "\r" not in text:
        return text, lambda at: at
    before: list[int] = []
    at = 0
    while at < len(text):
        before.append(at)
        at += 2 if text.startswith("\r\n", at) else 1
    before.append(len(text))
    return text.replace("\r\n", "\n").replace("\r", "\n"), before.__getitem__


# -- the edits ---------------------------------------------------------------------------------------------------


def _add(draft: Draft, edit: Add) -> tuple[str, list[str]]:
    if edit.kind not in KINDS:
        raise NotEdited(f"there is no kind of step {edit.kind!r}: {', '.join(KINDS)}")
    taken = {step.id for step in steps(draft.data)}
    id = edit.id
    if id is None:
        id = free(f"new_{edit.kind}", taken)
    names.usable(id, draft.data)
    path, index = _place(draft, edit.place)
    if index is None:  # a branch that is not there
        step = new(edit.kind, id, taken | {id}, END)
        draft.set_entry(path[:-1], str(path[-1]), [step])
        return id, []
    listed = _listed(draft, path)
    follower = below(listed, index - 1)
    step = new(edit.kind, id, taken | {id}, follower)
    above = listed[index - 1] if index and edit.place.before is None else None
    ends = edit.kind in ("succeed", "fail")
    if isinstance(above, dict) and not ends and (way := _way_on(above)) is not None:
        target = _at(above, way)
        draft.replace((*path, index - 1, *way), id)
        if "decision" in step:
            step["decision"][0]["next"] = target
        elif target != follower:
            step["next"] = target
    draft.insert(path, index, step)
    return id, []


def _way_on(step: dict[str, Any]) -> Path | None:
    """What says where the step leads when nothing else holds, where something says so."""
    if "decision" in step:
        branches = step["decision"]
        last = branches[-1] if isinstance(branches, list) and branches else None
        if isinstance(last, dict) and "when" not in last and isinstance(last.get("next"), str):
            return ("decision", len(branches) - 1, "next")
        return None
    return ("next",) if goes_on(step) and isinstance(step.get("next"), str) else None


def _remove(draft: Draft, edit: Remove) -> tuple[None, list[str]]:
    found = find(draft.data, edit.step)
    _led_past(draft, edit.step)
    found = find(draft.data, edit.step)
    if len(_listed(draft, found.list)) > 1:
        draft.remove(found.list, found.index)
    elif "parallel" in found.list[-2:] and len(_at(draft.data, found.list[:-1])) > 1:
        draft.remove_entry(found.list)
    else:
        what = "the workflow" if len(found.list) == 1 else f"`{_holder(draft, found.list)}`"
        raise NotEdited(f"`{edit.step}` is the only step of {what}, which needs one")
    lost = dict.fromkeys(_ids(found.data))
    used = [id for id in lost if names.uses(draft.data, id)]
    return None, [f"`${id}` is still used in expressions" for id in used]


def _move(draft: Draft, edit: Move) -> tuple[str, list[str]]:
    found = find(draft.data, edit.step)
    if edit.step in (edit.place.after, edit.place.before):
        return edit.step, []
    path, index = _place(draft, edit.place)
    if path[: len(found.path)] == found.path:
        raise NotEdited(f"`{edit.step}` cannot be put into itself")
    if index is None:
        raise NotEdited("there is no such branch")
    if len(_listed(draft, found.list)) == 1:
        what = "the workflow" if len(found.list) == 1 else f"`{_holder(draft, found.list)}`"
        raise NotEdited(f"`{edit.step}` is the only step of {what}, which needs one")
    if path == found.list:
        index -= index > found.index
        if index == found.index:
            return edit.step, []
    else:
        _led_past(draft, edit.step)
        own = {each.get("id") for each in _listed(draft, path) if isinstance(each, dict)} | {END}
        found = find(draft.data, edit.step)
        if isinstance(found.data.get("next"), str) and found.data["next"] not in own:
            draft.remove_entry((*found.path, "next"))
        if (
            len(path) > len(found.list)
            and path[: len(found.list)] == found.list
            and path[len(found.list)] > found.index  # pyright: ignore[reportOperatorIssue]
        ):
            path = (*found.list, int(path[len(found.list)]) - 1, *path[len(found.list) + 1 :])
    draft.move(found.list, found.index, path, index)
    return edit.step, []


def _rename(draft: Draft, edit: Rename) -> tuple[str, list[str]]:
    found = find(draft.data, edit.step)
    if edit.to == edit.step:
        return edit.step, []
    names.usable(edit.to, draft.data)
    texts, changes, notes = names.renaming(draft.written, found, edit.to)
    draft.rewrite(texts, changes)
    return edit.to, notes


_KEYS = {"branch": "decision", "error": "on_error"}


def _connect(draft: Draft, edit: Connect) -> tuple[str, list[str]]:
    found = find(draft.data, edit.step)
    if edit.to is not None and edit.to != END:
        find(draft.data, edit.to)
    if edit.way == "next":
        _connect_next(draft, found.path, found.data, edit)
    elif edit.way in _KEYS:
        _connect_entry(draft, found.path, found.data, edit)
    elif edit.way == "revise":
        _connect_revise(draft, found.path, found.data, edit)
    else:
        raise NotEdited(f"there is no way {edit.way!r}: next, branch, error, revise")
    return edit.step, []


def _connect_next(draft: Draft, path: Path, step: dict[str, Any], edit: Connect) -> None:
    if not goes_on(step):
        why = "its branches say where it leads" if "decision" in step else "it ends there"
        raise NotEdited(f"`{edit.step}` has no `next`: {why}")
    if edit.to == edit.step:
        raise NotEdited(f"`{edit.step}` cannot lead to itself: `retry` and `repeat` do it again")
    if edit.to is not None:
        draft.set_entry(path, "next", edit.to, before=BODIES if step.keys() & {"map", "repeat"} else ())
    elif "next" in step:
        draft.remove_entry((*path, "next"))


def _connect_entry(draft: Draft, path: Path, step: dict[str, Any], edit: Connect) -> None:
    key = _KEYS[edit.way]
    entries = step.get(key)
    if edit.way == "branch" and not isinstance(entries, list):
        raise NotEdited(f"`{edit.step}` is no decision, and has no branches")
    if edit.way == "error" and step.keys() & {"decision", "wait", "set", "succeed", "fail"}:
        raise NotEdited(f"`{edit.step}` cannot fail, and has no `on_error`")
    entries = entries if isinstance(entries, list) else []
    if edit.index is not None:
        if edit.index >= len(entries) or not isinstance(entries[edit.index], dict):
            raise NotEdited(f"`{edit.step}` has no entry {edit.index + 1} in its `{key}`")
        if edit.to is not None:
            draft.set_entry((*path, key, edit.index), "next", edit.to)
        elif len(entries) > 1:
            draft.remove((*path, key), edit.index)
        elif edit.way == "error":
            draft.remove_entry((*path, key))
        else:
            raise NotEdited(f"`{edit.step}` needs a branch")
        return
    if edit.to is None:
        raise NotEdited("`to` says where it leads")
    if edit.way == "branch":
        entry = {"when": edit.when or "false", "next": edit.to}
        whole = isinstance(entries[-1], dict) and "when" not in entries[-1] if entries else False
    else:
        entry = {"match": [*edit.match]} if edit.match else {}
        entry |= {"next": edit.to}
        last = entries[-1] if entries else None
        whole = isinstance(last, dict) and ("match" not in last or "States.ALL" in (last["match"] or ()))
        if whole and not edit.match:
            raise NotEdited("every error leads somewhere already: change that entry, or say which errors")
    if entries:
        draft.insert((*path, key), len(entries) - whole, entry)
    else:
        draft.set_entry(path, key, [entry], before=BODIES if step.keys() & {"map", "repeat"} else ())


def _connect_revise(draft: Draft, path: Path, step: dict[str, Any], edit: Connect) -> None:
    gate = step.get("gate")
    if not isinstance(gate, dict):
        raise NotEdited(f"`{edit.step}` is no gate, and has no `revise`")
    if edit.to is None:
        if "revise" in gate:
            draft.remove_entry((*path, "gate", "revise"))
    elif isinstance(gate.get("revise"), dict):
        draft.set_entry((*path, "gate", "revise"), "to", edit.to)
    else:
        draft.set_entry((*path, "gate"), "revise", edit.to)


_OTHERWISE = {
    "id": "rename the step",
    "next": "connect it",
    "steps": "",
    "parallel": "",
    "map": "",
    "repeat": "",
}


def _set(draft: Draft, edit: SetField) -> tuple[str, list[str]]:
    found = find(draft.data, edit.step)
    if edit.field in _OTHERWISE:
        raise NotEdited(f"`{edit.field}` is no simple field: {_OTHERWISE[edit.field] or 'change it in the text'}")  # fmt: skip
    if edit.value is not None:
        if "\n" in str(edit.value):
            raise NotEdited("text of several lines is written in the text")
        before = BODIES if found.data.keys() & {"map", "repeat"} else ()
        draft.set_entry(found.path, edit.field, edit.value, before=before)
    elif edit.field in KINDS and edit.field in found.data:
        raise NotEdited(f"`{edit.field}` is the step's kind, and cannot be taken away")
    elif edit.field in found.data:
        draft.remove_entry((*found.path, edit.field))
    return edit.step, []


_DO: dict[type[Any], Any] = {
    Add: _add, Remove: _remove, Move: _move, Rename: _rename, Connect: _connect, SetField: _set,
}  # fmt: skip


# -- parts of them -----------------------------------------------------------------------------------------------


def _place(draft: Draft, place: Place) -> tuple[Path, int | None]:
    """The list and the index that a place is; of a branch that is not there its path and None."""
    if place.after is not None or place.before is not None:
        beside = find(draft.data, place.after or place.before or "")
        return beside.list, beside.index + (place.after is not None)
    if place.into is None:
        return ("steps",), len(draft.data["steps"])
    around = find(draft.data, place.into)
    inner = [path for path, _ in lists(draft.data) if path[: len(around.path)] == around.path]
    own = [path for path in inner if len(path) == len(around.path) + (2 if "parallel" in around.data else 1)]
    if isinstance(around.data.get("parallel"), dict) and place.branch is not None:
        path = (*around.path, "parallel", place.branch)
        if path not in own:
            if place.branch in around.data["parallel"]:
                raise NotEdited(f"`{place.branch}` is no list of steps")
            if not names._NAME.fullmatch(place.branch):
                raise NotEdited(f"{place.branch!r} cannot be a branch's name: letters, digits and `_`")
            return path, None
        own = [path]
    if not own:
        raise NotEdited(f"`{place.into}` holds no steps: parallel, map and repeat do")
    return own[0], len(_listed(draft, own[0]))


def _led_past(draft: Draft, id: str) -> None:
    """What leads to the step leads to where it leads itself."""
    found = find(draft.data, id)
    listed = _listed(draft, found.list)
    way = _way_on(found.data)
    onward = _at(found.data, way) if way is not None else below(listed, found.index)
    onward = below(listed, found.index) if onward == id else onward
    onward = END if {"succeed", "fail"} & found.data.keys() else onward
    for step in [*steps(draft.data)]:
        if step.id == id or step.list != found.list:
            continue
        for place, target in reversed([*targets(step.data)]):
            if target != id or place[0] == "gate":
                continue
            if "fail" in found.data and place[0] == "on_error":
                # The error fails the workflow without it, too; led on, it would be none any more.
                _connect_entry(draft, step.path, step.data, Connect(step.id, None, "error", int(place[1])))
                step = find(draft.data, step.id)
            else:
                draft.replace((*step.path, *place), onward)
    above = listed[found.index - 1] if found.index else None
    if (
        isinstance(above, dict)
        and goes_on(above)
        and "next" not in above
        and goes_on(found.data)
        and onward != below(listed, found.index)
    ):
        before = BODIES if above.keys() & {"map", "repeat"} else ()
        draft.set_entry((*found.list, found.index - 1), "next", onward, before=before)


def _listed(draft: Draft, path: Path) -> list[Any]:
    return _at(draft.data, path)


def _ids(step: dict[str, Any]) -> list[str]:
    """The step's, and those of the steps within it."""
    return [each.id for each in steps({"steps": [step]})]


def _holder(draft: Draft, path: Path) -> str:
    """The id of the step that holds the list."""
    length = len(path) - (2 if path[-2] == "parallel" else 1)
    return str(_at(draft.data, path[:length]).get("id"))


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data
