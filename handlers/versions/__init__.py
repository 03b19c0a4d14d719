"""Versions of workflows: published once and never changed, led to by aliases, gone back to in one step.

A published version is a version of its state machine in Step Functions' own sense, with what that does not know beside
it: the semantic version, the spec, the contracts, the handlers' code, who published it and why.

- `publishing`: a new version, refused where it breaks a contract without saying so by its number.
- `routing`: aliases: moved at once, by weight, or little by little; with approval by somebody else; rolled back.
- `listing`: what there is of a workflow, and how versions differ.
- `running`: how many executions are still on which version.
"""
