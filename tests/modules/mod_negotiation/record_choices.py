"""`python tests/modules/mod_negotiation/record_choices.py`: ask the real Apache which variant it chooses, and keep its answers.

Each row of `choices.json` is a type map, a `ForceLanguagePriority`, request fields, and what came of it: the status and the name
of the variant ("" if none was chosen). The maps and the questions are below; the answers are never written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path

from coachwhip.testing.site import Site

APACHE = ["/usr/sbin/apache2"]
ANSWERS = Path(__file__).with_name("choices.json")
PRIORITY = "LanguagePriority en fr DE pt-br"


def block(name: str, **fields: str) -> str:
    """One variant of a type map."""
    lines = [f"URI: {name}", *(f"{key.replace('_', '-')}: {value}" for key, value in fields.items())]
    return "\n".join(lines) + "\n\n"


def html(name: str, more: str = "", **fields: str) -> str:
    """A variant of type text/html."""
    return block(name, Content_Type="text/html" + more, Content_Length="100", **fields)


MAPS = {
    "languages": "".join(html(f"l.{tag}", Content_Language=tag) for tag in ("de", "en", "fr", "pt-br", "en-gb")),
    "several": html("s.1", Content_Language="en, fr") + html("s.2", Content_Language="de") + html("s.3", Content_Language="fr-ca"),
    "bare": html("b.en", Content_Language="en") + html("b.none"),
    "types": block("t.html", Content_Type="text/html; qs=0.8", Content_Length="10")
    + block("t.txt", Content_Type="text/plain; qs=0.5", Content_Length="5")
    + block("t.gif", Content_Type="image/gif", Content_Length="1")
    + block("t.png", Content_Type="image/png; qs=0.999", Content_Length="1"),
    "levels": html("v.1", "; level=1") + html("v.2", "; level=2") + html("v.3", "; level=3") + html("v.0"),
    "pseudo": html("p.html") + block("p.shtml", Content_Type="text/x-server-parsed-html", Content_Length="100"),
    "charsets": html("c.none")
    + html("c.latin", "; charset=ISO-8859-1")
    + html("c.utf", "; charset=UTF-8")
    + html("c.koi", '; charset="koi8-r"'),
    "nottext": block("n.none", Content_Type="image/gif", Content_Length="9") + html("n.utf", "; charset=utf-8"),
    "encodings": html("e.plain")
    + html("e.gz", Content_Encoding="x-gzip")
    + html("e.br", Content_Encoding="br")
    + html("e.seven", Content_Encoding="7bit"),
    "onlygz": html("o.gz", Content_Encoding="gzip"),
    "sizes": block("z.1", Content_Type="text/html", Content_Length="30")
    + block("z.2", Content_Type="text/html", Content_Length="20")
    + block("z.3", Content_Type="text/html", Content_Length="20"),
    "all": html("a.en", "; charset=utf-8", Content_Language="en")
    + html("a.fr", "; charset=iso-8859-1; qs=.9", Content_Language="fr")
    + html("a.fr.gz", "; charset=iso-8859-1; qs=.9", Content_Language="fr", Content_Encoding="gzip")
    + block("a.txt", Content_Type="text/plain; charset=utf-8; qs=0.4", Content_Length="50", Content_Language="en"),
}

FORCES = {"default": "", "none": "ForceLanguagePriority None", "both": "ForceLanguagePriority Prefer Fallback"}
LANGUAGES = (
    "",
    "en",
    "fr",
    "fr, en",
    "en;q=0.5, fr;q=0.5",
    "en;q=0.5, fr;q=0.8, de;q=0.1",
    "en-US",
    "en-US, fr;q=0.5",
    "pt",
    "PT-BR",
    "zh",
    "*",
    "*;q=0.1, zh",
    "zh, *;q=0",
    "fr;q=0",
    "fr;q=0, *",
    "fr;q=0, *;q=0.3",
    "en-gb, en;q=0.5",
    "en, en-gb;q=0",
    "fr-CA, en;q=0.1",
    "e",
    "en-",
    "-",
    ",",
    ";q=0.5, fr",
    "fr ; q=0.4 , en ; q=0.3",
    "fr en",
    "de;q=1.5, fr;q=0.9",
    "de;q=foo, fr",
    "de;q=.2, fr;q=0.20",
    "fr;q=0.001, en;q=0.0001",
    "fr;q=",
    'fr;q="0.3", en;q=0.4',
    "fr;level=1;q=0.2, en;q=0.3",
    "*;q=0.5, en;q=0.2, fr;q=0.2, *;q=0.9",
)
TYPES = (
    "",
    "*/*",
    "text/html",
    "text/*",
    "text/html, */*",
    "text/html;q=0.5, */*;q=0.1",
    "image/*, text/html",
    "image/*;q=0.3, text/html;q=0.4",
    "text/plain, */*;q=0.001",
    "*",
    "image/png;q=0.9, image/gif;q=0.8",
    "application/json",
    "text/html;level=1",
    "text/html;level=1, */*",
    "text/html;level=2;q=0.7, text/html;level=1;q=0.6",
    "text/html;q=0.4, text/html;level=1;q=0.9",
    "text/html;level=3",
    "TEXT/HTML",
    "text/x-server-parsed-html",
    "text/html;q=0",
    "*/*;q=0",
    "text/*;q=0.5, text/plain;q=0.2",
    "text/html text/plain;q=0.5",
    "text",
    "*/html",
    "text/html;q=0.9,text/plain;q=0.9,image/*;q=0.7,*/*;q=0.5",
    "text/html;qs=0.1, text/plain",
    "image/gif;q=0.7, image/png;q=0.701",
)
CHARSETS = (
    "",
    "utf-8",
    "iso-8859-1",
    "UTF-8;q=0.5, koi8-r",
    "*",
    "utf-8, *;q=0.1",
    "*;q=0",
    "x",
    "iso-8859-1;q=0",
    "koi8-r;q=0.2, *;q=0.1, *;q=0.3",
)
ENCODINGS = (
    "",
    "gzip",
    "x-gzip",
    "br",
    "gzip, br",
    "gzip;q=0.5, br;q=0.8",
    "identity",
    "identity;q=0",
    "*",
    "*;q=0",
    "gzip, *;q=0",
    "gzip;q=0, *",
    "identity;q=0.5, gzip;q=0.4",
    "compress",
    "GZIP",
    "gzip;q=0.0001",
    "*;q=0.5, gzip;q=0.4",
    "7bit",
)
NEGOTIATES = ("1.0", "*", "trans", "vlist", "foo", "1.0, foo", "TRANS", "2.0", "")

Row = tuple[str, str, dict[str, str]]


def questions() -> list[Row]:
    """Map, force and request fields of every row."""
    rows: list[Row] = []
    for name in ("languages", "several", "bare"):
        for force in FORCES:
            rows += [(name, force, {"Accept-Language": value}) for value in LANGUAGES]
            rows.append((name, force, {}))
    for name in ("types", "levels", "pseudo"):
        rows += [(name, "default", {"Accept": value}) for value in TYPES]
        rows.append((name, "default", {}))
    for name in ("charsets", "nottext"):
        rows += [(name, "default", {"Accept-Charset": value}) for value in CHARSETS]
        rows += [(name, "default", {"Accept-Charset": value, "Negotiate": "1.0"}) for value in CHARSETS]
    for name in ("encodings", "onlygz"):
        rows += [(name, "default", {"Accept-Encoding": value}) for value in ENCODINGS]
        rows += [(name, "default", {"Accept-Encoding": value, "Negotiate": "1.0"}) for value in ENCODINGS]
    for name in ("sizes", "encodings", "charsets"):
        rows.append((name, "default", {}))
    for negotiate in NEGOTIATES:
        for language in ("", "en", "en-US", "fr;q=0.5, en;q=0.4", "zh"):
            for kind in ("text/html", "text/plain;q=0.5, text/html;q=0.4", "*/*"):
                rows.append(("all", "default", {"Negotiate": negotiate, "Accept-Language": language, "Accept": kind}))
        rows.append(("all", "default", {"Negotiate": negotiate}))
        rows.append(("languages", "both", {"Negotiate": negotiate, "Accept-Language": "zh"}))
    rows.append(("all", "default", {"Negotiate": "trans", "User-Agent": "Lynx/2.8"}))
    rows.append(("all", "default", {"Negotiate": "trans, trans", "User-Agent": "Lynx/2.8"}))
    return rows


def main() -> None:
    """Lay the maps out under Apache, ask, and write `choices.json`."""
    files = {}
    sections = []
    for force, line in FORCES.items():
        sections.append(f'<Directory "{{root}}/htdocs/{force}">\nAddHandler type-map map\n{PRIORITY}\n{line}\n</Directory>')
        for name, text in MAPS.items():
            files[f"htdocs/{force}/{name}.map"] = text
            files.update({f"htdocs/{force}/{line[5:]}": "x" for line in text.split("\n") if line.startswith("URI: ")})
    rows = []
    with Site(config="\n".join(sections), files=files) as site:
        site.start(APACHE)
        for name, force, fields in questions():
            head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
            answer = site.ask(f"GET /{force}/{name}.map HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode())
            chosen = answer.get(b"content-location").decode()
            rows.append({"map": name, "force": force, "fields": fields, "status": answer.status, "chosen": chosen})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    maps = json.dumps(MAPS, indent=1, ensure_ascii=False)
    ANSWERS.write_text(f'{{"maps": {maps},\n"rows": [\n{lines}\n]}}\n')
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
