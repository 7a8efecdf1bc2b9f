"""The parts that random configurations, files and requests are put together from; `equivalence` draws from these tables.

`{root}` stands for the site's folder. Every line is valid where its table says it stands.
"""

# ruff: noqa: E501 -- tables read best unbroken
from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

__all__ = [
    "BASE", "CONTENTS", "FIELDS", "FILES", "FOLDERS", "HOST", "HOSTS", "HTACCESS", "LINKS", "ODD_FIELDS", "PATHS", "SECTIONS", "SERVER", "TARGETS",
]  # fmt: skip

MODULES = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "authz_user", "authz_groupfile", "access_compat",
    "alias", "autoindex", "deflate", "dir", "env", "filter", "mime", "mime_magic", "negotiation", "setenvif",
)  # fmt: skip

BASE = "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in MODULES) + """
ServerName localhost
Listen 127.0.0.1:1
DocumentRoot {root}/htdocs
TypesConfig {root}/mime.types
ErrorLog {root}/{side}-error.log
ErrorLogFormat "[%l] [%k] [%{Referer}i] [%{Cookie}i] [%{X-Other}i] [%V] %M"
CustomLog {root}/{side}-access.log "%h %l %u %r %>s %s %b %B %{User-Agent}i %{Referer}i %{Cookie}i %{seen}e %f %U %q %v %V %X %H %m %R"
AddLanguage en .en
AddLanguage fr .fr
AddLanguage de .de
AddEncoding x-gzip .gz
AddHandler type-map .var
"""

#: Lines of a server, virtual or not.
SERVER = (
    "KeepAlive Off", "MaxKeepAliveRequests 3", "MaxKeepAliveRequests 0", "KeepAliveTimeout 9", "ReplayVariants 2", "ReplayMaxBody 100",
    "SetEnvIf User-Agent ^one seen=1", "SetEnvIf User-Agent ^two nokeepalive", "BrowserMatch three no-gzip", "SetEnv seen always",
    "BrowserMatch two downgrade-1.0 force-response-1.0", "SetEnvIf Remote_Addr 127 seen=local", "SetEnvIf Request_URI a seen=a",
    "SetEnvIf Cookie c=([0-9]) seen=$1", 'SetEnvIfExpr "%{HTTP_COOKIE} =~ /c=2/" seen=two', "SetEnvIf Referer ^$ seen=none",
    "Redirect /old /d0/", "Redirect 410 /gone", "RedirectMatch ^/m/(.*) /d1/$1", "Alias /al {root}/htdocs/d1", "Alias /up {root}/beside",
    "AliasMatch ^/am/(.*)$ {root}/htdocs/d0/$1", "DirectoryIndex index.html index.txt", "DirectoryIndex b.html", "DirectorySlash Off",
    "FallbackResource /d0/a.txt", "ErrorDocument 404 /d0/err.html", 'ErrorDocument 403 "none of that"', "ErrorDocument 404 /none/such",
    "ErrorDocument 401 /d1/a.txt", "ErrorDocument 404 http://other.test/x", "ErrorDocument 406 /d0/a.txt", "ErrorDocument 416 /d0/a.txt",
    "FileETag None", "FileETag INode MTime Size", "FileETag Digest", "ContentDigest On", "EnableSendfile Off", "ServerSignature On",
    "AddDefaultCharset utf-8", "UseCanonicalName On", "ServerTokens Prod", "AddOutputFilterByType DEFLATE text/html text/plain",
    "AllowEncodedSlashes On", "MergeSlashes Off", "AccessFileName .htaccess .other", "HttpProtocolOptions Unsafe", "LogLevel info",
    "LogLevel debug", "LanguagePriority fr en", "ForceLanguagePriority Prefer Fallback", "CacheNegotiatedDocs On", "MaxRanges 1",
    "MaxRanges none", "TraceEnable Off", "LimitRequestFields 5", "LimitRequestLine 200", "DeflateCompressionLevel 1", "ReplayMemory 20K",
    "StrictHostCheck On", "LimitInternalRecursion 2 2", "MaxRangeOverlaps none", "MaxRangeReversals none",
    "QualifyRedirectURL On", "ServerAdmin me@a.test", "RegisterHttpMethod BREW", "LimitRequestFieldSize 500", "RedirectPermanent /rp /d0/",
    "RedirectTemp /rt /d1/", "RedirectRelative On", "AliasPreservePath On", "DirectoryIndexRedirect On", "DirectoryIndexRedirect 303",
    "ScriptAlias /al2 {root}/htdocs/d1", "DeflateFilterNote ratio", "DeflateAlterEtag Remove", "DeflateAlterEtag NoChange",
    "DeflateBufferSize 100", "DeflateWindowSize 9", "DeflateMemLevel 1", "PassEnv HOME", "SetEnv seen x\nUnsetEnv seen",
    "FilterDeclare f\nFilterProvider f DEFLATE \"%{CONTENT_TYPE} =~ m#^text/#\"\nFilterProtocol f change=yes\nFilterChain f",
    "CustomLog {root}/{side}-more.log \"%k %U\"", "SetEnvIfNoCase user-agent ONE seen=nocase", "BrowserMatchNoCase TWO seen=two", "MimeMagicFile {root}/magic", "ServerSignature EMail",
    "AddOutputFilterByType DEFLATE application/x-thing text/x-magic", "SetEnvIf Request_Protocol 1.0 seen=old", "SetEnvIf If-None-Match . seen=c",
)  # fmt: skip

#: Lines of a virtual host alone.
HOST = ("ServerAlias *.test c.test", "ServerAlias localhost", "ServerPath /d0", "ServerPath /d1/")

#: Lines of a section or a `.htaccess`.
HTACCESS = (
    "Options +Indexes", "Options -Indexes", "Options +MultiViews", "Options -MultiViews", "Require all denied", "Require all granted",
    "Require ip 127.0.0.1", "Require ip 10.0.0.0/8", "Require env seen", "<RequireAll>\nRequire all granted\nRequire not env seen\n</RequireAll>", "Require local",
    "Require expr %{HTTP_COOKIE} =~ /c=1/", "Require method GET", "Require host localhost",
    "AuthType Basic\nAuthName r\nAuthUserFile {root}/beside/users\nRequire valid-user",
    "AuthType Basic\nAuthName r\nAuthUserFile {root}/beside/users\nAuthGroupFile {root}/beside/groups\nRequire group staff",
    "AuthType Basic\nAuthName r\nAuthUserFile {root}/beside/users\nRequire user ann\nSatisfy Any\nOrder deny,allow\nDeny from env=seen",
    "ForceType text/html", "AddType application/x-thing .txt", "SetOutputFilter DEFLATE", "AddOutputFilter DEFLATE .txt", "FileETag Size",
    "DirectoryIndex index.txt", "DirectoryIndex disabled", "DirectoryIndex /d0/a.txt", "ErrorDocument 404 /d1/err.html",
    "ErrorDocument 403 /d0/a.txt", "ErrorDocument 404 default", "Redirect /d0/a.txt /d1/a.txt", "Redirect 303 /d0/sub http://b.test/x",
    "IndexOptions FancyIndexing HTMLTable", "IndexOptions IgnoreCase TrackModified", "IndexIgnore *.txt", "HeaderName /d0/a.txt",
    "ReadmeName err.html", 'AddDescription "something" *.txt', "IndexOrderDefault Descending Size", "SetEnvIf Cookie c=1 seen=cookie",
    "SetEnv seen here", "AcceptPathInfo On", "AcceptPathInfo Off", "Replay Off", "AddCharset utf-8 .html", "DefaultLanguage de",
    "SetHandler default-handler", "SetHandler none-such", "RemoveType txt", "LanguagePriority de en", "FallbackResource /d1/a.txt",
    '<Files "a.txt">\nRequire all denied\n</Files>', '<FilesMatch "\\.html$">\nForceType text/plain\n</FilesMatch>', "NoSuchDirective",
    "<If \"%{HTTP_USER_AGENT} =~ /one/\">\nRequire all denied\n</If>\n<Else>\nForceType text/x-else\n</Else>",
    "<If \"-f '{root}/htdocs/d0/flag'\">\nErrorDocument 404 flag\nForceType text/x-flag\n</If>",
    "<If \"%{QUERY_STRING} == 'q=1'\">\nRedirect / /d0/\n</If>", "<If \"%{HTTP:Accept-Language} =~ /fr/\">\nForceType text/x-fr\n</If>",
    "<If \"-U '/d1/a.txt'\">\nForceType text/x-url\n</If>", "<If \"file('{root}/beside/users') =~ /bob/\">\nRequire all denied\n</If>",
    "<If \"filesize('{root}/htdocs/d0/a.txt') -gt 5\">\nForceType text/x-new\n</If>", "<If \"%{REMOTE_ADDR} == '127.0.0.1'\">\nOptions +Indexes\n</If>",
    "<If \"%{HTTP_HOST} == 'b.test'\">\nForceType text/x-b\n</If>", "<If \"%{LAST_MODIFIED} -gt 1\">\nFileETag Size\n</If>",
    "<Limit GET>\nRequire all denied\n</Limit>", "<LimitExcept GET HEAD>\nRequire all denied\n</LimitExcept>", "AddDefaultCharset On",
    "AuthType Basic\nAuthName r\nAuthBasicProvider file\nAuthBasicAuthoritative Off\nAuthUserFile {root}/beside/users\nRequire valid-user",
    "AuthType Basic\nAuthName r\nAuthUserFile {root}/beside/users\nAuthBasicFake ann s\nRequire user ann", "AuthMerging Or\nRequire env seen",
    "AuthMerging And\nRequire ip 127.0.0.0/8", "AuthzSendForbiddenOnFailure On\nAuthType Basic\nAuthName r\nAuthUserFile {root}/beside/users\nRequire user bob",
    "<RequireAll>\nRequire all granted\n<RequireNone>\nRequire env seen\n</RequireNone>\n</RequireAll>", "Order allow,deny\nAllow from 127.0.0.1",
    "Order allow,deny\nAllow from env=seen", "AddIcon /i.png .txt", "AddAlt words .txt", "AddIconByType (T,/t.png) text/*", "AddAltByType T text/*",
    "AddIconByEncoding /e.png x-gzip", "AddAltByEncoding E x-gzip", "DefaultIcon /d.png", "IndexStyleSheet /s.css", 'IndexHeadInsert "<x>"',
    "IndexIgnoreReset On", "IndexOptions FancyIndexing ScanHTMLTitles SuppressLastModified", "IndexOptions FancyIndexing FoldersFirst SuppressSize",
    "MultiviewsMatch Handlers Filters", "RemoveLanguage .fr", "RemoveEncoding .gz", "RemoveHandler .var", "RemoveCharset .html",
    "RemoveOutputFilter .txt", "AddInputFilter DEFLATE .txt", "SetInputFilter DEFLATE", "DirectoryCheckHandler On", "LimitRequestBody 1",
    "DefaultType None", "UnsetEnv seen", "SetEnvIfNoCase COOKIE C=1 seen=no-case", "DirectoryIndexRedirect 307", "RedirectMatch \"b\\.html$\" /d1/a.txt",
    "<If \"-d '{root}/htdocs/d1' && -s '{root}/htdocs/d0/a.txt'\">\nForceType text/x-two\n</If>", "<If \"-L '{root}/htdocs/link'\">\nForceType text/x-l\n</If>",
    "<If \"%{LAST_MODIFIED} -gt 20210101000000\">\nErrorDocument 403 young\nForceType text/x-young\n</If>", "<If \"%{HTTPS} == 'off' && %{SERVER_PORT} == '80'\">\nForceType text/x-80\n</If>",
    "<If \"%{REQUEST_STATUS} == '404'\">\nForceType text/x-404\n</If>", "<If \"'%{REQUEST_SCHEME}:%{SERVER_NAME}' == 'http:a.test'\">\nForceType text/x-a\n</If>",
    "<If \"%{SCRIPT_USER} == 'root'\">\nForceType text/x-root\n</If>", "<If \"%{TIME_YEAR} -gt 2000\">\nForceType text/x-time\n</If>",
    "<If \"%{REMOTE_USER} == 'ann'\">\nForceType text/x-ann\n</If>", "<If \"-R '127.0.0.1/8'\">\nForceType text/x-near\n</If>",
    "<If \"%{CONN_REMOTE_ADDR} != '' && reqenv('seen') != ''\">\nForceType text/x-env\n</If>", "<If \"req_novary('X-Other') == '1'\">\nForceType text/x-other\n</If>",
    "<If \"-F '{root}/htdocs/d1/a.txt'\">\nForceType text/x-file\n</If>", "<If \"'%{HTTP:Range}' =~ /bytes/\">\nFileETag None\n</If>",
    "<RequireAny>\nRequire env seen\nRequire expr %{QUERY_STRING} == 'q=1'\n</RequireAny>",
)  # fmt: skip

#: What opens a section, and how it ends.
SECTIONS = (
    ("<Directory {root}/htdocs>", "</Directory>"), ("<Directory {root}/htdocs/d0>", "</Directory>"),
    ("<Directory {root}/htdocs/*/sub>", "</Directory>"), ('<DirectoryMatch "/d[01]/">', "</DirectoryMatch>"),
    ("<Location /d1>", "</Location>"), ("<Location /d0/a.txt>", "</Location>"), ('<LocationMatch "^/(?<name>d.)">', "</LocationMatch>"),
    ("<Files *.txt>", "</Files>"), ('<FilesMatch "^(b|index)">', "</FilesMatch>"), ('<If "%{HTTP_COOKIE} =~ /c=1/">', "</If>"),
)  # fmt: skip

FOLDERS = ("htdocs/d0/sub", "htdocs/d0/deep/er", "htdocs/d1", "beside/x", "beside/y")
LINKS = ("htdocs/link", "htdocs/d0/link.txt", "htdocs/d1/sub", "beside/hop")
TARGETS = ("d0", "{root}/beside", "{root}/beside/hop", "x", "a.txt", "../d0/sub", "{root}/htdocs/d1/a.txt", "nowhere", "{root}/htdocs/link")
FILES = tuple(
    f"{folder}/{name}"
    for folder in ("htdocs", "htdocs/d0", "htdocs/d0/sub", "htdocs/d1")
    for name in ("a.txt", "b.html", "b.html.en", "b.html.fr", "b.html.de.gz", "index.html", "index.txt", "err.html", "big.txt", "v.var", "flag", "raw")
) + ("beside/a.txt", "beside/x/a.txt", "beside/y/a.txt", "htdocs/d0/deep/er/a.txt")  # fmt: skip


def _password(word: bytes) -> bytes:
    return b"{SHA}" + base64.b64encode(hashlib.sha1(word, usedforsecurity=False).digest())


USERS = (b"ann:%b\nbob:%b\n" % (_password(b"s"), _password(b"s")), b"ann:%b\n" % _password(b"t"), b"")
GROUPS = (b"staff: ann\n", b"staff: bob ann\n", b"none: bob\n")
CONTENTS = (
    b"", b"short\n", b"other\n", b"<p>some text</p>\n" * 20, b"0123456789" * 12_000,
    b"URI: a\nContent-Type: text/plain\nBody:----x----\nsaid here\n----x----\n",
    b"URI: b.html.en\nContent-Language: en\nContent-Type: text/html\n\nURI: b.html.fr\nContent-Language: fr\nContent-Type: text/html\n",
)  # fmt: skip

PATHS = tuple(
    dict.fromkeys(
        ["/", "/d0", "/d0/", "/d0/sub/", "/d1/", "/b", "/d0/b", "/d1/b.html", "/d0/v.var", "/link/", "/link/a.txt", "/d0/link.txt", "/d1/sub/a.txt"]
        + [path.removeprefix("htdocs") for path in FILES if path.startswith("htdocs")]
        + ["/a.txt/info", "/d0/a.txt?q=1", "/rp/a.txt", "/rt/", "/al2/a.txt", "/d0/raw", "/?q=1", "/d0/?C=S;O=D", "/d1/?C=N;O=A", "/old/x", "/gone", "/m/a.txt", "/al/a.txt", "/up/x/a.txt"]
        + ["/am/b.html", "/none", "/d0/none/such", "//d0//a.txt", "/d0/../d1/a.txt", "/d0/%61.txt", "/d0%2fa.txt", "/d0/./a.txt", "/%ff", "/%00"]
        + ["/d0/deep/er/a.txt", "/.htaccess", "/" + quote("é"), "/d0/" + "x" * 300, "/d0/\x7f", "/a.txt#f", "*", "d0/a.txt", "http://b.test/d0/a.txt"]
    )
)
HOSTS = ("localhost", "a.test", "b.test", "B.TEST:80", "other.test", "", None, "bad host", "127.0.0.1")
FIELDS: dict[str, tuple[str, ...]] = {
    "User-Agent": ("one", "two", "three/1.0 (quoted \"x\")", "\xe9"),
    "Accept-Language": ("fr", "en, fr;q=0.3", "de;q=0.1, *;q=0.01", "xx"),
    "Accept-Encoding": ("gzip", "gzip;q=0", "deflate, gzip", "identity", "br"),
    "Accept": ("text/html", "*/*;q=0.1, text/plain", "image/png"),
    "Range": ("bytes=0-3", "bytes=-2", "bytes=2-", "bytes=0-0,2-3", "bytes=999999-", "lines=1-2", "bytes=0-,0-,0-"),
    "If-None-Match": ("{etag}", '"no"', "*", 'W/{etag}', '"no", {etag}'),
    "If-Modified-Since": ("{date}", "Sun, 13 Sep 2020 12:26:39 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "nonsense"),
    "If-Match": ("{etag}", '"no"', "*"),
    "If-Unmodified-Since": ("{date}", "Sun, 06 Nov 1994 08:49:37 GMT"),
    "If-Range": ("{etag}", "{date}", '"no"'),
    "Authorization": (*tuple("Basic " + base64.b64encode(pair).decode() for pair in (b"ann:s", b"ann:t", b"bob:s", b"eve:x")), "Bearer x"),
    "Cookie": ("c=1", "c=2; d=3", "c=1; " + "x" * 600),
    "Referer": ("http://a.test/", ""),
    "Connection": ("keep-alive", "Keep-Alive", "close", "keep-alive, close", "upgrade", "x"),
    "X-Other": ("1", "2 \t", "  "),
}  # fmt: skip
#: Whole lines that are odd, or wrong.
ODD_FIELDS = (
    "Cookie: c=2", "Range: bytes=1-1", "accept-language:fr", "NoColon", "Space : x", ": x", " folded", "Content-Length: 0", "Content-Length: x",
    "Transfer-Encoding: chunked", "Expect: 100-continue", "TE: trailers", "Upgrade: h2c", "X: a\rb", "X: \x00", "X-Long: " + "y" * 700, "Host: b.test",
    "Cook\xefe: c=1", "If-None-Match: *", "Connection: close",
)  # fmt: skip
