"""Kinds of changes on disk that a served answer depends on, each with the URL that shows it.

A kind makes its files when it is made, `change` changes them once more, and `shows` tells whether an answer is that of the files as they
are now. Every kind has a folder of its own. Times of modification are always put back to the same second.
"""

import base64
import hashlib
import os

OLD = 1_600_000_000


def put(path, content, *, to=OLD):
    """Write a file anew in place."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.ftruncate(fd, 0) if os.fstat(fd).st_size != len(content) else None
    os.pwrite(fd, content, 0)
    os.close(fd)
    os.utime(path, (to, to))


def replace(path, content):
    """Write a file beside and rename it."""
    put(path + ".new", content)
    os.rename(path + ".new", path)


def point(link, target):
    """Let a symbolic link point elsewhere."""
    os.symlink(target, link + ".new")
    os.rename(link + ".new", link)


class Change:
    """A kind; `count` says how many times it has changed."""

    fields = ()

    def __init__(self, root, name):
        self.count = 0
        #: Below the document root, and beside it.
        self.folder = f"{root}/htdocs/{name}"
        self.beside = f"{root}/beside/{name}"
        self.url = f"/{name}/page.txt"
        os.makedirs(self.folder)
        os.makedirs(self.beside)
        self.page = f"{self.folder}/page.txt"
        self.make()

    def make(self):
        put(self.page, self.content)

    @property
    def content(self):
        """Of the same length whatever the count."""
        return b"%s as of %09d\n" % (type(self).__name__.encode(), self.count)

    @property
    def is_odd(self):
        return bool(self.count % 2)

    def change(self):
        self.count += 1
        self.do()

    def do(self):
        raise NotImplementedError

    def shows(self, status, head, body):
        return status == 200 and body == self.content


class InPlace(Change):
    def do(self):
        put(self.page, self.content)


class Renamed(Change):
    def do(self):
        replace(self.page, self.content)


class Longer(Change):
    @property
    def content(self):
        return b"x" * (self.count % 50) + b"%d" % self.count

    def do(self):
        put(self.page, self.content)


class Deleted(Change):
    def do(self):
        if self.is_odd:
            os.unlink(self.page)
        else:
            put(self.page, self.content)

    def shows(self, status, head, body):
        return status == 404 if self.is_odd else super().shows(status, head, body)


class Touched(Change):
    """The time of modification alone."""

    def do(self):
        os.utime(self.page, (OLD + self.count, OLD + self.count))

    def shows(self, status, head, body):
        import email.utils

        return b"\r\nLast-Modified: " + email.utils.formatdate(OLD + self.count, usegmt=True).encode() + b"\r\n" in head


class Htaccess(Change):
    """`.htaccess` comes and goes beside the file."""

    def make(self):
        super().make()
        self.htaccess = f"{self.folder}/.htaccess"

    def do(self):
        if self.is_odd:
            put(self.htaccess, b"Require all denied\n")
        else:
            os.unlink(self.htaccess)

    def shows(self, status, head, body):
        return status == (403 if self.is_odd else 200)


class HtaccessAbove(Htaccess):
    def make(self):
        os.makedirs(f"{self.folder}/a/b")
        self.url = self.url.replace("page.txt", "a/b/page.txt")
        self.page = f"{self.folder}/a/b/page.txt"
        super().make()


class HtaccessEdited(Htaccess):
    def make(self):
        super().make()
        put(self.htaccess, b"Require all granted\n")

    def do(self):
        put(self.htaccess, b"Require all denied \n" if self.is_odd else b"Require all granted\n")


class Index(Change):
    """A file that comes first in DirectoryIndex comes and goes."""

    def make(self):
        self.url = self.url.replace("page.txt", "")
        put(f"{self.folder}/index.txt", b"second\n")

    def do(self):
        if self.is_odd:
            put(f"{self.folder}/index.html", b"first\n")
        else:
            os.unlink(f"{self.folder}/index.html")

    def shows(self, status, head, body):
        return body == (b"first\n" if self.is_odd else b"second\n")


class Negotiated(Change):
    """A better variant comes and goes."""

    fields = ("Accept-Language: fr, en;q=0.5",)

    def make(self):
        self.url = self.url.replace("page.txt", "foo.html")
        put(f"{self.folder}/foo.html.en", b"english\n")

    def do(self):
        if self.is_odd:
            put(f"{self.folder}/foo.html.fr", b"francais\n")
        else:
            os.unlink(f"{self.folder}/foo.html.fr")

    def shows(self, status, head, body):
        return body == (b"francais\n" if self.is_odd else b"english\n")


class LinkPointed(Change):
    """The last part of the path is a link."""

    def make(self):
        put(f"{self.beside}/0.txt", b"0\n")
        put(f"{self.beside}/1.txt", b"1\n")
        point(self.page, f"{self.beside}/0.txt")

    def do(self):
        point(self.page, f"{self.beside}/{self.count % 2}.txt")

    def shows(self, status, head, body):
        return body == b"%d\n" % (self.count % 2)


class FolderLinkPointed(LinkPointed):
    """A part in the middle is a link, and it is relative."""

    def make(self):
        for number in (0, 1):
            os.makedirs(f"{self.beside}/{number}/deep")
            put(f"{self.beside}/{number}/deep/page.txt", b"%d\n" % number)
        self.link = f"{self.folder}/link"
        self.url = self.url.replace("page.txt", "link/deep/page.txt")
        self.do()

    def do(self):
        point(self.link, os.path.relpath(f"{self.beside}/{self.count % 2}", self.folder))


class LinkOfLinkPointed(FolderLinkPointed):
    """A link that a link leads to, outside of the document root."""

    def make(self):
        os.symlink(f"{self.beside}/hop", f"{self.folder}/link")
        super().make()

    def do(self):
        point(f"{self.beside}/hop", str(self.count % 2))


class TargetReplaced(Change):
    """The file behind a link."""

    def make(self):
        put(f"{self.beside}/file", self.content)
        os.symlink(f"{self.beside}/file", self.page)

    def do(self):
        replace(f"{self.beside}/file", self.content)


class ParentOfTargetRenamed(LinkPointed):
    """A folder above the target of a link."""

    def make(self):
        for name, number in (("here", 0), ("there", 1)):
            os.makedirs(f"{self.beside}/{name}/deep")
            put(f"{self.beside}/{name}/deep/file", b"%d\n" % number)
        os.symlink(f"{self.beside}/here/deep/file", self.page)

    def do(self):
        swap(f"{self.beside}/here", f"{self.beside}/there")


def swap(one, other):
    os.rename(one, one + ".x")
    os.rename(other, one)
    os.rename(one + ".x", other)


class FolderRenamed(LinkPointed):
    def make(self):
        for name, number in (("a", 0), ("b", 1)):
            os.makedirs(f"{self.folder}/{name}/deep/er")
            put(f"{self.folder}/{name}/deep/er/page.txt", b"%d\n" % number)
        self.url = self.url.replace("page.txt", "a/deep/er/page.txt")

    def do(self):
        swap(f"{self.folder}/a", f"{self.folder}/b")


class HardLink(Change):
    """Written by another name, in another folder."""

    def make(self):
        put(f"{self.beside}/other", self.content)
        os.link(f"{self.beside}/other", self.page)

    def do(self):
        put(f"{self.beside}/other", self.content)


class ErrorPage(Change):
    def make(self):
        super().make()
        put(f"{self.folder}/.htaccess", f"ErrorDocument 404 {self.url}\n".encode())
        self.url = self.url.replace("page.txt", "missing.txt")

    def do(self):
        put(self.page, self.content)

    def shows(self, status, head, body):
        return status == 404 and body == self.content


class Listing(Change):
    def make(self):
        self.url = self.url.replace("page.txt", "")
        put(f"{self.folder}/.htaccess", b"Options +Indexes\nDirectoryIndex disabled\nIndexOptions FancyIndexing\n")

    def do(self):
        if self.count > 1:
            os.unlink(f"{self.folder}/n{self.count - 1}.txt")
        put(f"{self.folder}/n{self.count}.txt", b"")

    def shows(self, status, head, body):
        found = b'"n%d.txt"' % self.count in body
        return status == 200 and b'"n%d.txt"' % (self.count - 1) not in body and (found or not self.count)


class ListingClosed(Change):
    """`.htaccess` opens and closes a folder, which is listed each time it is open."""

    def make(self):
        self.url = self.url.replace("page.txt", "")
        put(f"{self.folder}/file.txt", b"")
        self.do()

    def do(self):
        rule = b"Require all denied\n" if self.is_odd else b"Require all granted\nOptions +Indexes\nDirectoryIndex disabled\n"
        replace(f"{self.folder}/.htaccess", rule)

    def shows(self, status, head, body):
        return status == (403 if self.is_odd else 200) and (b"file.txt" in body) is not self.is_odd


class ListedSize(Listing):
    """The size of a file in a listing."""

    def make(self):
        super().make()
        put(f"{self.folder}/file.txt", b"")

    def do(self):
        put(f"{self.folder}/file.txt", b"x" * (100 + self.count % 500))

    def shows(self, status, head, body):
        return not self.count or b"%d " % (100 + self.count % 500) in body


class ListedTime(Listing):
    """The time of a folder in a listing, which changes with what is in it."""

    def make(self):
        super().make()
        os.mkdir(f"{self.folder}/inner")
        os.utime(f"{self.folder}/inner", (OLD, OLD))

    def do(self):
        if self.is_odd:
            # Only what is in it moves its time.
            os.mkdir(f"{self.folder}/inner/{self.count}")
        else:
            os.utime(f"{self.folder}/inner", (OLD + 60 * self.count, OLD + 60 * self.count))

    def shows(self, status, head, body):
        import time

        moment = os.stat(f"{self.folder}/inner").st_mtime
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment)).encode() in body


def sha(word):
    return b"{SHA}" + base64.b64encode(hashlib.sha1(word).digest())


class PasswordFile(Change):
    fields = ("Authorization: Basic " + base64.b64encode(b"ann:secret").decode(),)

    def make(self):
        super().make()
        self.users = f"{self.beside}/users"
        put(self.users, b"ann:" + sha(b"secret") + b"\n")
        put(f"{self.beside}/groups", b"staff: ann\n")
        put(f"{self.folder}/.htaccess", b"AuthType Basic\nAuthName x\nAuthUserFile %s\nAuthGroupFile %s\nRequire group staff\n"
            % (self.users.encode(), f"{self.beside}/groups".encode()))  # fmt: skip

    def do(self):
        put(self.users, b"ann:" + sha(b"other " if self.is_odd else b"secret") + b"\n")

    def shows(self, status, head, body):
        return status == (401 if self.is_odd else 200)


class GroupFile(PasswordFile):
    def do(self):
        put(f"{self.beside}/groups", b"staff: bob\n" if self.is_odd else b"staff: ann\n")


class Mode(Change):
    """Only for a server that is not root."""

    def do(self):
        os.chmod(self.page, 0 if self.is_odd else 0o644)

    def shows(self, status, head, body):
        return status == (403 if self.is_odd else 200)


class FolderMode(Change):
    def do(self):
        os.chmod(self.folder, 0 if self.is_odd else 0o755)

    def shows(self, status, head, body):
        return status == (403 if self.is_odd else 200)


KINDS = (
    InPlace, Renamed, Longer, Deleted, Touched, Htaccess, HtaccessAbove, HtaccessEdited, Index, Negotiated, LinkPointed,
    FolderLinkPointed, LinkOfLinkPointed, TargetReplaced, ParentOfTargetRenamed, FolderRenamed, HardLink, ErrorPage, Listing,
    ListingClosed, ListedSize, ListedTime, PasswordFile, GroupFile,
)  # fmt: skip
NOT_AS_ROOT = (Mode, FolderMode)

#: What the site has to say for all of them to show.
CONFIG = """
MaxKeepAliveRequests 0
DirectoryIndex index.html index.txt
AddLanguage en .en
AddLanguage fr .fr
<Directory {root}/htdocs>
    AllowOverride All
    Options +FollowSymLinks +MultiViews
    Require all granted
</Directory>
"""
