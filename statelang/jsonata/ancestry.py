"""Which step of a path each parent operator `%` means: settled once, in the tree."""

from __future__ import annotations

from dataclasses import dataclass

from . import nodes as n
from .errors import JsonataError


@dataclass(slots=True)
class _Slot:
    """A `%` on its way to its step; `level` counts the steps that it still has to pass."""

    node: n.Parent
    level: int = 1


def resolve_parents(tree: n.Node) -> None:
    """Label every `Parent` and the step whose input it is; raises S0217 where there is none."""
    left = _Resolver().unresolved(tree)
    if left:
        raise no_parent(left[0].node)


def no_parent(node: n.Node) -> JsonataError:
    return JsonataError("S0217", "there is no step here that % could be the parent of", node.start, token="%")


class _Resolver:
    def __init__(self) -> None:
        self.count = 0

    def unresolved(self, node: n.Node) -> list[_Slot]:
        """Settle what can be settled below a node; return what an enclosing path must settle."""
        kind = type(node)
        if kind is n.Parent:
            self.count += 1
            node.label = f"%{self.count}"  # type: ignore[attr-defined]
            return [_Slot(node)]  # type: ignore[arg-type]
        if isinstance(node, n.Path):
            return self.path(node)
        if isinstance(node, n.Filtered):
            slots = self.unresolved(node.base)
            for stage in node.filters:
                slots += self.of_filter(stage, node)
            return slots
        # A function, a transform or a grouping has a life of its own: no path around it counts.
        if kind is n.Lambda or kind is n.Transform:
            for child in node.children():
                self.unresolved(child)
            return []
        if isinstance(node, n.Group):
            for pair in node.pairs:
                self.unresolved(pair[0])
                self.unresolved(pair[1])
            return self.unresolved(node.base)
        if isinstance(node, n.Call):
            self.unresolved(node.function)
            return [slot for argument in node.arguments for slot in self.unresolved(argument)]
        if isinstance(node, n.Binary):
            spine: list[n.Binary] = []
            first: n.Node = node
            while isinstance(first, n.Binary):
                spine.append(first)
                first = first.left
            slots = self.unresolved(first)
            for each in reversed(spine):
                slots += self.unresolved(each.right)
            return slots
        return [slot for child in node.children() for slot in self.unresolved(child)]

    def of_filter(self, stage: n.Node, owner: n.Step | n.Filtered) -> list[_Slot]:
        """A filter stands one step below its owner."""
        outer = []
        for slot in self.unresolved(stage):
            if slot.level == 1:
                self.settle(owner, slot)
            else:
                slot.level -= 1
            if slot.level:
                outer.append(slot)
        return outer

    def path(self, path: n.Path) -> list[_Slot]:
        pending: list[_Slot] = []
        for position, step in enumerate(path.steps):
            slots = self.unresolved(step.expression)
            for stage in step.stages:
                slots += self.of_filter(stage, step)
            for slot in slots:
                index = position - 1
                while slot.level > 0:
                    if index < 0:
                        pending.append(slot)
                        break
                    target = path.steps[index]
                    index -= 1
                    # Neighbours that bind a focus have one and the same input.
                    while index >= 0 and target.focus and path.steps[index].focus:
                        target = path.steps[index]
                        index -= 1
                    self.settle(target, slot)
        return pending

    def settle(self, owner: n.Step | n.Filtered, slot: _Slot) -> None:
        """Pass one step: it is the one looked for, or brings the slot one nearer."""
        expression = owner.expression if isinstance(owner, n.Step) else owner.base
        kind = type(expression)
        if kind is n.Field or kind is n.Wildcard:
            slot.level -= 1
            if slot.level == 0 and isinstance(owner, n.Step):
                owner.ancestors.append(slot.node.label)
        elif kind is n.Parent:
            slot.level += 1
        else:
            self.settle_within(expression, slot)

    def settle_within(self, node: n.Node, slot: _Slot) -> None:
        if isinstance(node, n.Filtered):
            self.settle(node, slot)
        elif isinstance(node, n.Block):
            if node.expressions:
                node.tuples = True
                self.settle_within(node.expressions[-1], slot)
            else:
                slot.level = 0
        elif isinstance(node, n.Path):
            node.tuples = True
            for step in reversed(node.steps):
                self.settle(step, slot)
                if slot.level == 0:
                    break
        elif isinstance(node, n.Parent):
            slot.level += 1
        else:
            raise no_parent(slot.node)
