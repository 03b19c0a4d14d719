"""The MCP server: workflows as coding agents meet them. A thin layer: each tool is a few lines over the handlers.

- `server`: the server with its tools, resources and prompts; both eras of the protocol are the `mcp` package's affair.
- `host`: what the server needs of the place that it runs in: this machine (`local.agents`), or AWS (`lambda_host`).
- `function`: the server as a Lambda function, over HTTP.
- `tools`: one file for each tool. Tools that decide gates there are none: `ask` has a person asked, at gates of low risk.
- `views`: what tools answer: an execution as an agent sees it, with what it can do next. `events`: its history in pages;
  `explaining`: a workflow, step by step.
- `resources`, `prompts`: what an agent reads on demand, and common ways of working.

An answer has `status`, `execution`, `next` (the tool and the arguments to call) and `hint`; whatever an agent can mend
is an error whose text says how.
"""
