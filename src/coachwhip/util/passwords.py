"""Checking a password against what ``htpasswd`` stored.

bcrypt, APR1, ``{SHA}`` and whatever the system's crypt(3) knows (``$6$``, ``$5$``, ``$1$``, DES). Plain text is not a hash
and never matches, as on Apache for Unix. Every comparison takes the same time wherever the first difference is. Hashing is
slow on purpose: callers run it off the loop.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import hashlib
import hmac

import bcrypt

_BCRYPT = ("$2y$", "$2a$", "$2b$")
_BCRYPT_OCTETS = 72


def verify(password: bytes, stored: str) -> bool:
    """Tell whether *password* is the one that *stored*, the second field of a password file, was made from.

    What is no hash of a known kind matches nothing. Octets behind a NUL are not ignored: such a password never matches.
    """
    if b"\0" in password or not stored:
        return False
    try:
        known = stored.encode("ascii")
    except UnicodeEncodeError:
        return False
    if stored.startswith("$apr1$"):
        return hmac.compare_digest(apr1(password, _salt(stored)).encode("ascii", "replace"), known)
    if stored.startswith("{SHA}"):
        return hmac.compare_digest(sha(password).encode("ascii"), known)
    if stored.startswith(_BCRYPT):
        return _verify_bcrypt(password, known)
    return _verify_crypt(password, known)


def _verify_bcrypt(password: bytes, known: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:_BCRYPT_OCTETS], known)
    except ValueError:
        return False


def sha(password: bytes) -> str:
    """Return the ``{SHA}`` form of *password*, unsalted and weak: for old files only."""
    digest = hashlib.sha1(password, usedforsecurity=False).digest()
    return "{SHA}" + base64.b64encode(digest).decode("ascii")


def _salt(stored: str) -> str:
    return stored[len("$apr1$") :].partition("$")[0]


def apr1(password: bytes, salt: str) -> str:
    """Return the ``$apr1$`` form of *password*: APR's variant of the MD5 crypt, a thousand rounds, salt of up to 8."""
    salt = salt[:8]
    seasoning = salt.encode("ascii", "replace")
    digest = _md5(password, seasoning, password)
    start = bytearray(password + b"$apr1$" + seasoning)
    start += (digest * (len(password) // 16 + 1))[: len(password)]
    bits = len(password)
    while bits:
        start += b"\0" if bits & 1 else password[:1]
        bits >>= 1
    digest = _md5(bytes(start))
    for turn in range(1000):
        digest = _md5(
            password if turn & 1 else digest,
            seasoning if turn % 3 else b"",
            password if turn % 7 else b"",
            digest if turn & 1 else password,
        )
    return f"$apr1${salt}${_to64(digest)}"


def _md5(*parts: bytes) -> bytes:
    return hashlib.md5(b"".join(parts), usedforsecurity=False).digest()


_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Which octets of the digest make up each group of four characters.
_TRIPLES = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))


def _to64(digest: bytes) -> str:
    text = ""
    for high, middle, low in _TRIPLES:
        text += _sixes(digest[high] << 16 | digest[middle] << 8 | digest[low], 4)
    return text + _sixes(digest[11], 2)


def _sixes(number: int, count: int) -> str:
    return "".join([_ALPHABET[number >> (6 * place) & 0x3F] for place in range(count)])


# Room for `struct crypt_data` of every C library in use (glibc's own is 128 KiB).
_CRYPT_DATA = 256 * 1024
# Of glibc's systems, libxcrypt alone, FreeBSD; None: the C library itself, as with musl.
_CRYPT_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", "libcrypt.so.5", None)


def _find_crypt_r() -> ctypes._NamedFuncPointer | None:
    """Return the system's reentrant crypt(3), or None where there is none. (Python's `crypt` is gone since 3.13.)"""
    for name in _CRYPT_LIBRARIES:
        with contextlib.suppress(OSError, AttributeError):
            function = ctypes.CDLL(name).crypt_r
            function.restype = ctypes.c_char_p
            function.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
            return function
    return None


# Found when this is imported, in the parent: below `ChrootDir` there is no library to find.
_CRYPT_R = _find_crypt_r()


def _verify_crypt(password: bytes, known: bytes) -> bool:
    if _CRYPT_R is None or len(known) < 13:
        return False
    made = _CRYPT_R(password, known, ctypes.create_string_buffer(_CRYPT_DATA))
    # A failed crypt answers "*0" or "*1", which is no hash of anything.
    return made is not None and not made.startswith(b"*") and hmac.compare_digest(made, known)
