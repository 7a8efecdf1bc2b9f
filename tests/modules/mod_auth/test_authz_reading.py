"""`Require`, its containers and their kin: which lines are refused, and with which sentence. All of it read off Apache 2.4.71."""

import pytest

GRANTED = "Require all granted"
NOT_ONLY = "<RequireAll> directive contains only negative authorization directives"

REFUSED = {
    "Require": "Unknown Authz provider: ",
    "Require not": "Unknown Authz provider: ",
    "Require foo": "Unknown Authz provider: foo",
    "Require LOCAL": "Unknown Authz provider: LOCAL",
    "Require not user a": "negative Require directive has no effect in <RequireAny> directive",
    "Require NOT all granted": "negative Require directive has no effect in <RequireAny> directive",
    "<Limit GET>\nRequire not user a\n</Limit>": "negative Require directive has no effect in <RequireAny> directive",
    "Require all": "Argument for 'Require all' must be 'granted' or 'denied'",
    "Require all granted x": "Argument for 'Require all' must be 'granted' or 'denied'",
    "Require method FOO": "Invalid Method 'FOO'",
    "Require method GET get": "Invalid Method 'get'",
    "Require ip": "'require ip' requires an argument",
    "Require ip foo": "ip address 'foo' appears to be invalid",
    "Require ip /8": "ip address '/8' appears to be invalid",
    "Require ip 10.1/16": "ip address '10.1/16' appears to be invalid: The specified IP address is invalid.",
    "Require ip 10.1.2.3.4": "ip address '10.1.2.3.4' appears to be invalid: The specified IP address is invalid.",
    "Require ip 256": "ip address '256' appears to be invalid: The specified IP address is invalid.",
    "Require ip ::ffff:1.2.3.4": "ip address '::ffff:1.2.3.4' appears to be invalid: The specified IP address is invalid.",
    "Require ip 0.0.0.0/0": "ip address '0.0.0.0/0' appears to be invalid: The specified network mask is invalid.",
    "Require ip ::1/129": "ip address '::1/129' appears to be invalid: The specified network mask is invalid.",
    "Require ip 1.2.3.4/8/8": "ip address '1.2.3.4/8/8' appears to be invalid: The specified network mask is invalid.",
    "<RequireAll>\n</RequireAll>": "<RequireAll> directive contains no authorization directives",
    "<RequireAll>\nAuthName x\n</RequireAll>": "<RequireAll> directive contains no authorization directives",
    f"<RequireAll foo>\n{GRANTED}\n</RequireAll>": "<RequireAll> directive doesn't take additional arguments",
    "<RequireAll>\nRequire not all denied\n</RequireAll>": NOT_ONLY,
    "<RequireAll>\n<RequireNone>\nRequire all denied\n</RequireNone>\n</RequireAll>": NOT_ONLY,
    f"<RequireNone>\n{GRANTED}\n</RequireNone>": "<RequireNone> directive has no effect in <RequireAny> directive",
    f"<RequireNone>\n<RequireNone>\n{GRANTED}\n</RequireNone>\n</RequireNone>":
        "<RequireNone> directive has no effect in <RequireNone> directive",
    "<RequireNone>\nRequire not all denied\n</RequireNone>":
        "negative Require directive has no effect in <RequireNone> directive",
    "AuthMerging x": "AuthMerging must be one of: Off | And | Or",
    "AuthzSendForbiddenOnFailure x": "AuthzSendForbiddenOnFailure must be On or Off",
    "AuthBasicProvider foo": "Unknown Authn provider: foo",
    "AuthBasicProvider File": "Unknown Authn provider: File",
    "AuthBasicUseDigestAlgorithm sha": "Invalid algorithm in AuthBasicUseDigestAlgorithm: sha",
    "AuthName a b": 'AuthName takes one argument, the authentication realm (e.g. "Members Only")',
    'AuthUserFile ""': "AuthUserFile takes one argument, text file containing user IDs and passwords",
    "Order allow": "unknown order",
    "Satisfy x": "Satisfy either 'any' or 'all'.",
    "Allow to all": "allow and deny must be followed by 'from'",
    "Allow from 1.2.3.4/99": "The specified network mask is invalid.",
    "Allow from 1.2.3/8": "The specified IP address is invalid.",
    "Allow from .": "The specified IP address is invalid.",
    "Allow from a/b": "An IP address was expected",
    "Allow from /8": "An IP address was expected",
    "Deny from x #y": "No comments are allowed here",
    "Allow from x#y": "No comments are allowed here",
}  # fmt: skip

ACCEPTED = [
    "Require all GRANTED",
    "Require 'all' granted",
    "Require method",
    "Require method HEAD TRACE PATCH BASELINE-CONTROL",
    "Require env",
    "Require ip 10. 10.1 127.1 ::1 2001:db8::/32 1.2.3.4/255.0.255.0 10.1.2.3. 010.1.2.3",
    'Require ip "1.2.3.4/ 8" 1.2.3.4/+8 1.2.3.4/08',
    'Require expr "true"',
    "Require expr %{REMOTE_USER} == 'x'",
    "Require user",
    "Require valid-user x y",
    "Require host # x",
    "Require local x",
    "Require file-group",
    f"<RequireAll >\n{GRANTED}\n</RequireAll>",
    f"<RequireAll>\n<RequireNone>\nRequire all denied\n</RequireNone>\n{GRANTED}\n</RequireAll>",
    f"<RequireAll>\n{GRANTED}\n<RequireAll>\nRequire not all denied\n</RequireAll>\n</RequireAll>",
    "AuthMerging AND",
    "AuthBasicProvider file file",
    "AuthBasicFake OFF x",
    "AuthBasicUseDigestAlgorithm md5",
    "Order Mutual-Failure",
    "Allow FROM foo ENV=x env=! ALL 10.1",
]


@pytest.mark.parametrize("lines", REFUSED)
def test_refused_with_apaches_sentence(refused, lines):
    assert refused(lines) == REFUSED[lines]


@pytest.mark.parametrize("lines", ACCEPTED)
def test_accepted(refused, lines):
    assert refused(lines) == ""


@pytest.mark.parametrize("name", ["AuthName x", "AuthUserFile x", "Require all denied", "Satisfy any", "AuthMerging and"])
def test_not_at_server_level(serve, name):
    from coachwhip.config import ConfigError

    with pytest.raises(ConfigError, match="not allowed here"):
        serve(name)


ALIASES = {
    "<AuthnProviderAlias file>\n</AuthnProviderAlias>": "<AuthnProviderAlias> directive requires additional arguments",
    "<AuthnProviderAlias>\n</AuthnProviderAlias>": "<AuthnProviderAlias> directive requires additional arguments",
    "<AuthnProviderAlias file File>\n</AuthnProviderAlias>":
        "The alias provider name must be different from the base provider name.",
    "<AuthnProviderAlias foo x>\n</AuthnProviderAlias>": "Unknown Authn provider: foo",
    "<AuthnProviderAlias file x>\n</AuthnProviderAlias>\n<AuthnProviderAlias file x>\n</AuthnProviderAlias>":
        "The alias provider x has already be registered previously as either a base provider or an alias provider.",
    "<AuthnProviderAlias file x>\nServerAdmin x\n</AuthnProviderAlias>": "ServerAdmin not allowed in <AuthnProviderAlias> context",
    "<AuthzProviderAlias ip>\n</AuthzProviderAlias>": "<AuthzProviderAlias> directive requires additional arguments",
    "<AuthzProviderAlias foo x 10.1>\n</AuthzProviderAlias>": "Unknown Authz provider: foo",
    "<AuthzProviderAlias ip lo>\n</AuthzProviderAlias>": "Can't parse 'Require ip ': 'require ip' requires an argument",
    "<VirtualHost *>\n<AuthzProviderAlias ip x 10.1>\n</AuthzProviderAlias>\n</VirtualHost>":
        "<AuthzProviderAlias> cannot occur within <VirtualHost> section",
}  # fmt: skip


@pytest.mark.parametrize("lines", ALIASES)
def test_aliases_that_are_refused(serve, lines):
    from coachwhip.config import ConfigError

    with pytest.raises(ConfigError) as found:
        serve(lines)
    assert found.value.message == ALIASES[lines]


def test_arguments_of_an_alias_beyond_the_first_are_warned_of(serve):
    served = serve("<AuthzProviderAlias ip lo 10.1 10.2>\n</AuthzProviderAlias>")
    assert served.warnings == [
        "When several arguments (10.1 10.2...) are passed to a <AuthzProviderAlias directive, they must be enclosed in quotation "
        "marks.  Otherwise, only the first one is taken into account"
    ]
