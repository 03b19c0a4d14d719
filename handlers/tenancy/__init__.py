"""Tenancy: who shares a store without seeing or slowing one another.

Every key in a store begins with its tenant, and a `Store` is one tenant's; so whatever has a tenant's store in hand reaches
nothing else. What is here decides whose store that is, and how much of the engine one tenant may take.

- `names`: what a tenant may be called, and the tenant that nobody can name: the operator's own records.
- `registry`: tenants as the operator knows them: their limits, and who may call for them.
- `callers`: whose tenant a request of the API is for.
- `limits`: executions at once and starts per second, counted in the store.

Fair queues are the queues' own business: messages carry their tenant as group (`sqs`, and `local/queues`).
"""
