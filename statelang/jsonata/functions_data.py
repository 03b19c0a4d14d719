"""The library's functions on arrays and objects, and those that take functions."""

from __future__ import annotations

from typing import Any

from .errors import JsonataError
from .functions import call, callback_arguments
from .limits import Run
from .values import UNDEFINED, Arr, Function, Obj, Seq, is_number, same, truth


def map_(run: Run, context: Any, items: Any, function: Any) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    made = Seq()
    for index, item in enumerate(items):
        value = call(run, function, callback_arguments(function, item, index, items))
        if value is not UNDEFINED:
            made.append(value)
    return made


def filter_(run: Run, context: Any, items: Any, function: Any) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    chosen = Seq()
    for index, item in enumerate(items):
        if truth(call(run, function, callback_arguments(function, item, index, items))):
            chosen.append(item)
    return chosen


def single(run: Run, context: Any, items: Any, function: Any = UNDEFINED) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    chosen = []
    for index, item in enumerate(items):
        if function is UNDEFINED or truth(
            call(run, function, callback_arguments(function, item, index, items))
        ):
            if chosen:
                raise JsonataError("D3138", "$single found more than one item that matches")
            chosen.append(item)
    if not chosen:
        raise JsonataError("D3139", "$single found no item that matches")
    return chosen[0]


def zip_(run: Run, context: Any, *arrays: Any) -> Any:
    given = [[] if array is UNDEFINED else array for array in arrays]
    run.spend(sum(map(len, given)))
    return Arr(Arr(row) for row in zip(*given, strict=False))


def reduce(run: Run, context: Any, items: Any, function: Any, first: Any = UNDEFINED) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    if function.arity < 2:
        raise JsonataError("D3050", "the function that $reduce is given must take at least two arguments")
    begin = 0
    value = first
    if value is UNDEFINED and items:
        value, begin = items[0], 1
    for index in range(begin, len(items)):
        value = call(run, function, [value, items[index], index, items][: max(2, function.arity)])
    return value


def each(run: Run, context: Any, fields: Any, function: Any) -> Any:
    if fields is UNDEFINED:
        return UNDEFINED
    made = Seq()
    for key, value in fields.items():
        answer = call(run, function, callback_arguments(function, value, key, fields))
        if answer is not UNDEFINED:
            made.append(answer)
    return made


def sift(run: Run, context: Any, fields: Any, function: Any = UNDEFINED) -> Any:
    if fields is UNDEFINED:
        return UNDEFINED
    made = Obj()
    for key, value in fields.items():
        if truth(call(run, function, callback_arguments(function, value, key, fields))):
            made[key] = value
    return made if made else UNDEFINED


def keys(run: Run, context: Any, value: Any) -> Any:
    found: dict[str, None] = {}
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            run.spend(len(item))
            found.update(dict.fromkeys(item))
        elif isinstance(item, list):
            inner = keys(run, context, item)
            found.update(dict.fromkeys(inner if isinstance(inner, list) else []))
    return Seq(found)


def lookup(run: Run, context: Any, value: Any, key: Any) -> Any:
    if isinstance(value, list):
        run.spend(len(value))
        found = Seq()
        for item in value:
            part = lookup(run, context, item, key)
            if isinstance(part, list):
                found.extend(part)
            elif part is not UNDEFINED:
                found.append(part)
        return found
    return value.get(key, UNDEFINED) if isinstance(value, dict) else UNDEFINED


def append(run: Run, context: Any, first: Any, second: Any) -> Any:
    if first is UNDEFINED:
        return second
    if second is UNDEFINED:
        return first
    front = first if isinstance(first, list) else [first]
    back = second if isinstance(second, list) else [second]
    run.room(len(front) + len(back))
    kind = Arr if isinstance(first, list) and not isinstance(first, Seq) else Seq
    return kind([*front, *back])


def exists(run: Run, context: Any, value: Any) -> Any:
    return value is not UNDEFINED


def spread(run: Run, context: Any, value: Any) -> Any:
    if isinstance(value, list):
        found = Seq()
        for item in value:
            part = spread(run, context, item)
            if isinstance(part, list):
                found.extend(part)
            elif part is not UNDEFINED:
                found.append(part)
        return found
    if isinstance(value, dict):
        run.spend(len(value))
        return Seq(Obj({key: part}) for key, part in value.items())
    return value


def merge(run: Run, context: Any, objects: Any) -> Any:
    if objects is UNDEFINED:
        return UNDEFINED
    made = Obj()
    for item in objects:
        run.spend(len(item))
        made.update(item)
    return made


def reverse(run: Run, context: Any, items: Any) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    run.spend(len(items))
    return items if len(items) <= 1 else Arr(reversed(items))


def shuffle(run: Run, context: Any, items: Any) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    made = Arr(items)
    run.spend(len(made))
    for index in range(len(made) - 1, 0, -1):
        other = int(run.draw() * (index + 1))
        made[index], made[other] = made[other], made[index]
    return made


def sort(run: Run, context: Any, items: Any, comparator: Any = UNDEFINED) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    if len(items) <= 1:
        return items
    run.spend(len(items) * len(items).bit_length())
    if comparator is UNDEFINED:
        if not (all(map(is_number, items)) or all(type(item) is str for item in items)):
            raise JsonataError("D3070", "$sort without a function sorts numbers alone or strings alone")
        return Arr(sorted(items))
    return Arr(_merge_sort(run, list(items), comparator))


def _merge_sort(run: Run, items: list[Any], comparator: Any) -> list[Any]:
    """Stable, and ours, so that the comparator is called without the C stack in between."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left, right = _merge_sort(run, items[:middle], comparator), _merge_sort(run, items[middle:], comparator)
    made: list[Any] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if truth(call(run, comparator, [left[i], right[j]])):
            made.append(right[j])
            j += 1
        else:
            made.append(left[i])
            i += 1
    return made + left[i:] + right[j:]


def distinct(run: Run, context: Any, items: Any) -> Any:
    if not isinstance(items, list) or len(items) <= 1:
        return items
    kind = Seq if isinstance(items, Seq) else Arr
    made = kind()
    scalars: set[Any] = set()
    others: list[Any] = []
    for item in items:
        run.spend(1 + len(others))
        if isinstance(item, list | dict):
            if not any(same(item, other) for other in others):
                others.append(item)
                made.append(item)
        else:
            key = (type(item) in (int, float), type(item) is bool, item)
            if key not in scalars:
                scalars.add(key)
                made.append(item)
    return made


def type_(run: Run, context: Any, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if value is None:
        return "null"
    kind = type(value)
    if kind is bool:
        return "boolean"
    if kind is int or kind is float:
        return "number"
    if kind is str:
        return "string"
    if isinstance(value, list):
        return "array"
    return "function" if isinstance(value, Function) else "object"


def error(run: Run, context: Any, message: Any = UNDEFINED) -> Any:
    raise JsonataError("D3137", "$error() function evaluated" if message is UNDEFINED else message)


def assert_(run: Run, context: Any, condition: Any, message: Any = UNDEFINED) -> Any:
    if not condition:
        raise JsonataError("D3141", "$assert() statement failed" if message is UNDEFINED else message)
    return UNDEFINED


def clone(run: Run, context: Any, value: Any) -> Any:
    return value  # nothing is ever changed in place, so that a value is as good as its copy
