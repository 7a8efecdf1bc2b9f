"""Who may come in: access by address and the like, then by user, joined as `Satisfy` says.

The four phases and what stands between them; who is asked in them is the business of the modules in `modules/aaa/`.
Source: Apache manual, "Access Control", `Satisfy`; developer pages, "Request Processing".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.api import phases
from coachwhip.api.log import ModuleLog
from coachwhip.api.outcome import DECLINED, OK, Result
from coachwhip.api.request import Request

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["authorize"]

LOG = ModuleLog("core")


def authorize(pipeline: Pipeline, r: Request) -> Result:
    """OK, or the status with which the request is refused. What an outer request was let into under the same settings is open."""
    if r.prev is not None or r.main is not None:
        for outer in (r.prev, r.main):
            if outer is not None and outer.sections == r.sections:
                r.user, r.auth_type = outer.user, outer.auth_type
                return OK
    satisfy = pipeline.startup.providers.get("satisfy", "satisfy")
    is_any = satisfy is not None and satisfy(r) == "any"
    run_on = pipeline.hooks.run_on
    answer = run_on(phases.access_checker, r) if pipeline.hooks.checks_access else OK
    if answer is OK and is_any:
        return OK
    if answer is not OK and not is_any:
        return answer
    answer = run_on(phases.access_checker_ex, r)
    return _by_user(pipeline, r, is_any) if answer is DECLINED else answer


def _by_user(pipeline: Pipeline, r: Request, is_any: bool) -> Result:
    answer = pipeline.hooks.run_on(phases.check_user_id, r)
    if answer is DECLINED:
        number = "AH00028" if is_any else "AH00027"
        LOG.error(r, number, "%s may only be entered by known users, but no way to know them is configured (AuthType)", r.uri)
        return 500
    return answer if answer is not OK else pipeline.must(r, phases.auth_checker, "check authorization")
