"""The local room: the cloud in one process, and the ways into it.

- `cloud`: runs the handlers of the other room, handing them the very events that AWS would.
- `engine`: the same beside other processes over one store; `owners`, `runs`: who runs what, and where it was begun.
- `desk`, `people`, `link_keys`: who decides and works here, and with which keys.
- `agents`: the MCP server over the engine, and its place in a project.
- `queues`, `events`, `clock`: the queues and timers, the shapes of events, real and virtual time.
- `functions`: Python handlers in warm worker processes, or in this process.
- `handler_types`: what the annotations of handlers beside a spec say.
- `server`: the HTTP endpoint of `stratum up`; `loopback`: who may send requests on this machine.
- `console`: the web console: its pages, and the server of `stratum console`.
- `stores`, `sqlite_store`: a store by its address, and the embedded form.
- `cost`: bills, and the price table.
- `coverage`: reports of what tests took of workflows.
- `testing`: the pytest plugin, and `stratum test`.
- `cli`: the `stratum` command.
- `client`: `Stratum`, which starts and watches workflows from Python, here and on AWS.
- `import.stratum`: the package `stratum` itself, around the rooms.
- `examples`: four workflows with handlers that do real work.
"""
