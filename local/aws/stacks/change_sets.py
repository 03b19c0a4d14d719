"""Change sets by stack and name: moto takes the first or last of that name, whichever stack it belongs to."""

from __future__ import annotations

from typing import Any


def scope() -> None:
    """Has moto look for change sets within the stack that is named with them."""
    from moto.cloudformation.exceptions import CloudFormationError
    from moto.cloudformation.responses import CloudFormationResponse
    from moto.core.responses import ActionResult, EmptyResult

    class ChangeSetNotFound(CloudFormationError):
        code = "ChangeSetNotFound"

    def sought(self: Any) -> Any:
        found = _find(
            self.cloudformation_backend, self._get_param("ChangeSetName"), self._get_param("StackName")
        )
        if found is None:
            raise ChangeSetNotFound(f"ChangeSet [{self._get_param('ChangeSetName')}] does not exist")
        return found

    def describe_change_set(self: Any) -> Any:
        return ActionResult(sought(self))

    def delete_change_set(self: Any) -> Any:
        """Deleting one that is not there is no error."""
        name, stack = self._get_param("ChangeSetName"), self._get_param("StackName")
        while (found := _find(self.cloudformation_backend, name, stack)) is not None:
            del self.cloudformation_backend.change_sets[found.change_set_id]
        return EmptyResult()

    def execute_change_set(self: Any) -> Any:
        """What has become of one leaves no other of its stack."""
        backend, executed = self.cloudformation_backend, sought(self)
        backend.execute_change_set(change_set_name=executed.change_set_id)
        for id, other in list(backend.change_sets.items()):
            if other.stack_id == executed.stack_id and other is not executed:
                del backend.change_sets[id]
        return EmptyResult()

    model: Any = CloudFormationResponse
    model.describe_change_set = describe_change_set
    model.delete_change_set = delete_change_set
    model.execute_change_set = execute_change_set


def _find(backend: Any, name: str, stack: str | None) -> Any:
    if name in backend.change_sets:
        return backend.change_sets[name]
    for each in reversed(list(backend.change_sets.values())):
        if each.change_set_name == name and stack in (None, each.stack_id, each.stack_name):
            return each
    return None
