"""The web console: its pages, the API behind them on this machine, and the server of `stratum console`.

- `site`: what a browser is given, and who may see it.
- `stream`: what has changed, sent as it happens.
- `server`: the site on a port of its own, over any store.
- `tryout`: drafts run on a virtual clock, with answers in place of tasks.
- `static`: the pages: ES modules that a browser runs as they are. `vendor` is what they use of others, bundled.
"""

from .site import Site

__all__ = ["Site"]
