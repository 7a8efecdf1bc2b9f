"""What the server says of itself on pages it makes: its name and version, and the line of `ServerSignature`.

Source: Apache manual, core, `ServerTokens` and `ServerSignature`.
"""

from __future__ import annotations

from coachwhip.api.request import Request
from coachwhip.util.escapes import escape_html

__all__ = ["signature", "software"]


def software(r: Request) -> str:
    """The name and version that the `Server` field has, cut by `ServerTokens`."""
    return str(getattr(r.engine, "software", ""))


def signature(r: Request, prefix: str = "") -> str:
    """`prefix`, then the signature line; "" when `ServerSignature` is off."""
    mode = r.core.server_signature
    if mode == "off":
        return ""
    name = escape_html(r.server_name())
    if mode == "email":
        name = f'<a href="mailto:{escape_html(r.server.core.server_admin)}">{name}</a>'
    return f"{prefix}<address>{escape_html(software(r))} Server at {name} Port {r.server_port()}</address>\n"
