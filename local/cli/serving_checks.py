"""What is checked of where a server is to listen."""

from __future__ import annotations

import ipaddress

from .problem import WrongRequest


def check_loopback(host: str, *, insecure: bool = False, hint: str = "") -> None:
    """Raises `WrongRequest` for an address that other machines reach, unless they may."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise WrongRequest(f"--host {host} is no address") from None
    if not loopback and not insecure:
        raise WrongRequest(f"--host {host} would let other machines in{hint}")
