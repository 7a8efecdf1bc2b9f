"""The shipped test harness: a real server from a configuration string, raw bytes on the wire, recorded cases.

    from coachwhip.testing import Site

    with Site(config="AliasMatch ^/x/(.*) {root}/htdocs/$1", files={"htdocs/a.txt": "hello\\n"}).start() as site:
        answer = site.ask(b"GET /x/a.txt HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        assert answer.status == 200 and answer.body == b"hello\\n"

This room may use every other one; nothing else under `src` imports it.
"""

from coachwhip.testing.raw import Client, FramingError, Response
from coachwhip.testing.site import Site, StartFailed

__all__ = ["Client", "FramingError", "Response", "Site", "StartFailed"]
