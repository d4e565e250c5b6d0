"""Who is at the other end of a connection."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address, as text.

    `X-Forwarded-For` is believed only as far as TRUSTED_PROXIES reaches: with n
    proxies, the n-th address from the right. Falls back to the peer's address.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    if not settings.TRUSTED_PROXIES:
        return _clean(peer)
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if len(hops) < settings.TRUSTED_PROXIES:
        return _clean(peer)
    return _clean(hops[-settings.TRUSTED_PROXIES]) or _clean(peer)


def network_of(address: str) -> str:
    """The network an address counts as: itself in IPv4, its /64 in IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network(f"{ip}/64", strict=False))


def _clean(address: str) -> str:
    """The address alone: without port and zone, and an IPv4 address as such where a dual-stack socket wrote it as IPv6."""
    bare = address.partition("]")[0].strip("[") if address.startswith("[") else address
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        ip = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)
