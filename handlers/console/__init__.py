"""The console's API: what its pages show and do, as JSON over a function URL.

The pages themselves (`local/console`) are static files. A request here is a function URL's event, so that the same API
runs behind IAM on a deployed stage and on this machine; nothing is remembered between two requests.

- `api`: the way in: paths to functions, errors to answers.
- `host`: what the API needs of the place that it runs in.
- `listing`: executions, filtered and searched; `maps`: the items of a distributed map.
- `execution`: one of them, its events by the page; `visits`: those of its steps, and the values of one.
- `story`: an execution's log as visits of its steps, each with its attempts and waits, fed as the log grows.
- `summary`: what a page is told of a story at once; `stories`: those that were read before, as far as they went.
- `secrets`: values without their secrets, and folded where they are large.
- `definitions`: a definition as a graph, with its source and the lines of its steps.
- `workflows`: state machines, versions and aliases, compared and started.
- `work`: the gates that wait for people, and the work of agents.
- `actions`: what people do here, under their own name.
- `drafts`: a text that is being written: its findings, its graph, what it becomes, how it is edited and runs.
"""
