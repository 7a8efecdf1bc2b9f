"""Who gets in: requirements against requests, with the statuses that Apache 2.4.71 answered for each of these lines.

A row is a configuration and what a nameless client, alice, bob get. 401 always carries the challenge.
"""

import pytest
from auth_users import ALICE, BASIC, BOB, DAVE, FILES, NOBODY, WRONG, directory

GRANTED, DENIED = "Require all granted", "Require all denied"
USER_ALICE = "Require user alice"


def all_of(*lines: str) -> str:
    return "\n".join(("<RequireAll>", *lines, "</RequireAll>"))


def any_of(*lines: str) -> str:
    return "\n".join(("<RequireAny>", *lines, "</RequireAny>"))


def none_of(*lines: str) -> str:
    return "\n".join(("<RequireNone>", *lines, "</RequireNone>"))


def limit(methods: str, *lines: str) -> str:
    return "\n".join((f"<Limit {methods}>", *lines, "</Limit>"))


WITH_BASIC = {
    "Require valid-user": (401, 200, 200),
    USER_ALICE: (401, 200, 401),
    "Require user zed": (401, 401, 401),
    "Require user zed\nAuthzSendForbiddenOnFailure on": (401, 403, 403),
    "Require user \"x y\" 'alice'": (401, 200, 401),
    "Require user '' alice": (401, 401, 401),
    "Require group staff": (401, 200, 401),
    "Require group STAFF admins": (401, 200, 200),
    "Require group x": (401, 401, 401),
    "Require file-group": (401, 401, 401),
    DENIED: (403, 403, 403),
    GRANTED: (200, 200, 200),
    "": (500, 500, 500),
    any_of(DENIED, USER_ALICE): (401, 200, 401),
    any_of(DENIED, "Require valid-user", "Require user x"): (401, 200, 200),
    all_of(DENIED, USER_ALICE): (403, 403, 403),
    # What a user could still change does not outweigh what denies anyway; what is granted needs no user.
    all_of(GRANTED, "Require not user alice"): (200, 200, 200),
    all_of(GRANTED, none_of(USER_ALICE, DENIED)): (200, 200, 200),
    all_of("Require valid-user", "Require not group staff"): (401, 401, 200),
    all_of("Require valid-user", none_of("Require group admins", all_of("Require user bob", "Require not user alice"))):
        (401, 200, 401),
    "Require expr \"%{REMOTE_USER} == 'alice'\"": (401, 200, 401),
    all_of(GRANTED, "Require not expr %{REMOTE_USER} == 'alice'"): (200, 200, 200),
    # A line limited to other methods counts as granted among ALL and as nothing among ANY.
    limit("POST", "Require valid-user"): (200, 200, 200),
    limit("GET", "Require valid-user"): (401, 200, 200),
    "<LimitExcept POST>\nRequire valid-user\n</LimitExcept>": (401, 200, 200),
    all_of(GRANTED, limit("GET", "Require user zed")): (401, 401, 401),
    all_of(limit("POST", USER_ALICE)): (200, 200, 200),
    any_of(limit("POST", "Require user zed"), USER_ALICE): (401, 200, 401),
    any_of(all_of(limit("POST", DENIED)), DENIED): (403, 403, 403),
    all_of(any_of(limit("POST", DENIED)), GRANTED): (200, 200, 200),
    all_of(USER_ALICE, limit("POST", "Require not user alice")): (401, 200, 401),
    limit("POST", all_of(GRANTED)): (200, 200, 200),
    # Satisfy decides between address and user.
    "Satisfy any\nOrder deny,allow\nDeny from all\nRequire valid-user": (401, 200, 200),
    "Satisfy any\nOrder deny,allow\nAllow from all\nRequire user zed": (200, 200, 200),
    "Satisfy any\nRequire valid-user": (200, 200, 200),
    "Order deny,allow\nDeny from all\nRequire valid-user": (403, 403, 403),
    "Satisfy any\nOrder deny,allow\nDeny from all": (500, 500, 500),
    "AuthType none\nRequire valid-user": (500, 500, 500),
    "AuthType Foo\nRequire valid-user": (500, 500, 500),
}  # fmt: skip


@pytest.mark.parametrize("lines", WITH_BASIC)
def test_under_auth_type_basic(serve, lines):
    served = serve(directory(BASIC + lines), FILES)
    answers = [served.ask("/f.txt", who) for who in (None, ALICE, BOB)]
    assert tuple(answer.status for answer in answers) == WITH_BASIC[lines]
    for answer in answers:
        assert answer.get("WWW-Authenticate") == ('Basic realm="A B"' if answer.status == 401 else None)


WITHOUT_AUTH_TYPE = {
    "": 200,
    "AuthType None": 200,
    GRANTED: 200,
    DENIED: 403,
    "Require valid-user": 500,
    "AuthType Basic\nRequire valid-user": 500,
    "Satisfy any\nOrder deny,allow\nDeny from all": 200,
    "Satisfy any\nOrder deny,allow\nDeny from all\nRequire all denied": 403,
    "Satisfy any\nOrder deny,allow\nRequire all denied": 200,
    "Satisfy any\nOrder deny,allow\nDeny from all\nRequire user x": 500,
    "Require local": 200,
    "Require ip 10 127.0.0.0/8": 200,
    "Require ip 10 ::1": 403,
    "Require method GET": 200,
    "Require method HEAD": 200,
    "Require method POST PUT": 403,
    all_of(GRANTED, "Require not method GET"): 403,
    "Require expr \"%{REQUEST_METHOD} == 'POST'\"": 403,
    "Require expr file('/nope') == 'x'\nRequire all granted": 500,
    all_of(GRANTED, all_of(GRANTED, "Require method GET"), none_of(DENIED, all_of("Require env x", "Require not all denied"))): 200,
    all_of(GRANTED, none_of(any_of(DENIED, "Require env q"), "Require local")): 403,
    any_of(all_of(GRANTED)): 200,
}


@pytest.mark.parametrize("lines", WITHOUT_AUTH_TYPE)
def test_without_auth_type(serve, lines):
    served = serve(directory(lines), FILES)
    assert served.ask("/f.txt").status == WITHOUT_AUTH_TYPE[lines]


LOGGED = {
    (BASIC + "Require valid-user", "wrong"): ["AH01617"],
    (BASIC + "Require valid-user", "nobody"): ["AH01618"],
    (BASIC + "Require user zed", "alice"): ["AH01631"],
    (BASIC + "Require expr %{REMOTE_USER} == 'x'", "alice"): ["AH01629"],
    (DENIED, "none"): ["AH01630"],
    (BASIC, "none"): ["AH01627"],
    ("Require valid-user", "none"): ["AH00027"],
    ("AuthType Basic\nRequire valid-user", "none"): ["AH01615"],
    ("AuthType Foo\nRequire valid-user", "none"): ["AH01796"],
    ("Order allow,deny", "none"): ["AH01797"],
    ("Satisfy any\nOrder allow,deny\nRequire all denied", "none"): ["AH01797", "AH01630"],
    ("Require expr file('/nope') == 'x'", "none"): ["AH02320"],
}


@pytest.mark.parametrize(("lines", "who"), LOGGED)
def test_refusals_are_logged_under_apaches_numbers(serve, lines, who):
    served = serve(directory(lines), FILES)
    answer = served.ask("/f.txt", {"none": None, "alice": ALICE, "wrong": WRONG, "nobody": NOBODY}[who])
    assert answer.ids == LOGGED[lines, who]


def test_log_lines_name_the_user_the_file_and_the_url(serve):
    served = serve(directory(BASIC + "Require user zed"), FILES)
    assert served.ask("/f.txt", ALICE).log == ['AH01631: user alice: authorization failure for "/f.txt": ']
    assert served.ask("/f.txt", WRONG).log == ['AH01617: user alice: authentication failure for "/f.txt": Password Mismatch']
    denied = serve(directory(DENIED), FILES)
    assert denied.ask("/f.txt").log == [f"AH01630: client denied by server configuration: {denied.root}/htdocs/f.txt"]


def test_each_requirement_is_logged_at_debug_level(serve):
    lines = directory(all_of(GRANTED, none_of("Require env q", "Require local"))) + "LogLevel authz_core:debug"
    served = serve(lines, FILES)
    assert [line.removeprefix("AH01626: authorization result of ") for line in served.ask("/f.txt").log[:-1]] == [
        "Require all granted: granted",
        "Require not env q: neutral",
        "Require not local : denied",
        "<RequireAll>: denied",
        "<RequireAny>: denied",
    ]


MERGING = {
    "Require user bob": (401, 200, 401),
    "AuthMerging Off\nRequire user bob": (401, 200, 401),
    "AuthMerging Or\nRequire user bob": (200, 200, 401),
    "AuthMerging And\nRequire user bob": (401, 401, 401),
    "AuthMerging And": (200, 401, 401),
    "AuthMerging And\nRequire valid-user": (200, 401, 401),
    "AuthzSendForbiddenOnFailure On": (200, 403, 403),
    "AuthMerging Off": (500, 500, 500),
    "AuthMerging And\n" + all_of(GRANTED, "Require not all granted"): (403, 403, 403),
    "AuthMerging Or\n" + limit("POST", DENIED): (200, 401, 401),
    "AuthMerging And\n" + limit("POST", DENIED): (200, 401, 401),
    limit("POST", DENIED): (200, 200, 200),
}


@pytest.mark.parametrize("inner", MERGING)
def test_a_section_below_one_that_admits_alice(serve, inner):
    served = serve(directory(BASIC + USER_ALICE) + directory(inner, "/sub"), FILES)
    assert tuple(served.ask("/sub/f.txt", who).status for who in (ALICE, BOB, DAVE)) == MERGING[inner]


def test_merged_sections_are_logged_as_such(serve):
    sections = directory(GRANTED) + directory("AuthMerging And\nRequire local", "/sub")
    served = serve(sections + "LogLevel authz_core:debug", FILES)
    assert served.ask("/sub/f.txt").log[-1] == "AH01626: authorization result of AuthMerging All: granted"


def test_an_alias_brings_its_own_settings(serve):
    aliases = """
        <AuthnProviderAlias file others>
            AuthUserFile {root}/others
        </AuthnProviderAlias>
        <AuthnProviderAlias file main>
            AuthUserFile {root}/users
        </AuthnProviderAlias>
        <AuthzProviderAlias group crew staff>
            AuthGroupFile {root}/groups
        </AuthzProviderAlias>
        <AuthzProviderAlias ip near "10.1 127.0.0.1">
        </AuthzProviderAlias>
    """
    lines = "AuthType Basic\nAuthName x\nAuthBasicProvider others main\nRequire crew\nRequire user bob"
    sections = directory(lines) + directory(all_of(GRANTED, "Require not near foo"), "/sub")
    served = serve(aliases + sections, {**FILES, "others": "c:x\n"})
    assert [served.ask("/f.txt", who).status for who in (None, ALICE, BOB, DAVE, NOBODY)] == [401, 200, 200, 200, 401]
    assert served.ask("/sub/f.txt").status == 403


def test_htaccess_that_only_negates_denies_when_asked(serve):
    files = {**FILES, "htdocs/sub/.htaccess": all_of("Require not all denied")}
    assert serve(directory("AllowOverride AuthConfig"), files).ask("/sub/f.txt").status == 403


@pytest.mark.parametrize("lines", ["Require not all granted", none_of(GRANTED), "Require foo"])
def test_htaccess_with_a_mistake_is_an_error(serve, lines):
    files = {**FILES, "htdocs/sub/.htaccess": lines}
    assert serve(directory("AllowOverride AuthConfig"), files).ask("/sub/f.txt").status == 500
