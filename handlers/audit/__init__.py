"""The audit: who did what to an execution, when, with which version, and that nothing of it was changed since.

- `trail`: an execution's whole story out of its log: entries in order, each with its time, its step and its data.
- `documents`: a trail as text, as Markdown and as JSON.
- `redaction`: secrets taken out of what is shown.
- `verification`: every digest of an execution computed again.
- `bundles`: an execution's log in one signed document, which can be verified without the store.
- `signing`: the signatures of bundles.
- `search`: executions and events found by what is in them.

Everything here reads. The log is written by `executions`, what people and agents did by `work.journal`.
"""
