"""The language on one page, for an agent that writes a workflow."""

GUIDE = """\
# Writing a workflow

One YAML file is one workflow. `validate` says everything that is wrong with it, with places and suggestions; the whole
grammar is the resource `stratum://schema`.

```yaml
stratum: "1"
workflow: release-notes
version: 1.0.0
types: {Notes: {text: string, words: {type: integer, minimum: 1}}}
input: {version: string}
steps:
  - id: changes
    task: git.changes                       # the function `changes` of git.py beside this file: def changes(event, context)
    input: {since: "{% $input.version %}"}  # {% ... %} is JSONata
    output: {commits: [string]}             # its contract
  - id: notes
    agent: claude                           # done by whoever works here over MCP
    intent: Write release notes for these commits, in at most 100 words.
    input: {commits: "{% $changes.commits %}"}
    output: Notes
    ensure: [$result.words <= 100]          # checked when the result is handed in
    attempts: 3
    budget: {tokens: 50000}
    timeout: 1h
  - id: approve
    gate: {approvers: ["*"], shows: "{% $notes %}", timeout: 24h, on_timeout: reject}   # decided by a person, never by an agent
  - {id: done, succeed: "{% $notes %}"}
```

- Steps run in order; `next: other_step` goes elsewhere, `when: condition` skips a step.
- Kinds: `task`, `agent`, `gate`, `decision`, `parallel`, `map`, `repeat`, `workflow`, `wait`, `set`, `succeed`, `fail`.
- On a task: `retry: {attempts: 3, backoff: exponential, delay: 1s}`, `timeout`, `ensure`, `on_error: [{match: [Name], next: step}]`, `compensate`.
- In expressions: `$input`, every earlier step by its id, `$result` in `ensure`, `$error` after `on_error`.
- Handlers are Python functions `def name(event, context)` that return JSON; they are performed at least once and count once.

Its test cases stand beside it, in `release-notes.test.yaml`; the tool `test` runs them:

```yaml
stratum_test: "1"
input: {version: 1.2.3}
cases:
  - name: long notes are sent back, and nobody approves in time
    mocks:                                # by step: {return: …}, {throw: Name}, {never: true}; a list of them for one try after the other
      changes: {return: {commits: [a, b]}}
      notes: {return: {text: Short, words: 1}}
    expect: {error: Stratum.Rejected, steps: {notes: {attempts: 1}}, duration: {at_least: 24h}}
```
"""
