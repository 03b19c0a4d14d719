"""Test cases in YAML, for `stratum test` and for pytest: what goes into a workflow, what stands in for its tasks, and
what is to come of it.

- `finding`: where test files are.
- `models`: the format, and its JSON Schema.
- `reading`: from a file's text to its cases, with everything that is wrong with it, each with its place.
- `running`: runs a case, and says in what it came out otherwise than wanted.
- `reports`: the outcomes as text, as JUnit's XML, and as JSON.
- `collecting`: test files as pytest collects them.
"""
