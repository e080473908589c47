"""Log text is hostile: whatever a line says, each form only shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.findings import Findings
from report.document import build
from report.html import to_html
from report.markdown import to_markdown
from report.rich_text import to_text

Poison = Callable[[Findings, str], Findings]

BENIGN = "word"
PAYLOADS = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</code></li></ol></details></main><h1>pwned</h1>",
    "<!-- ",
    "]]> <![CDATA[",
    "{{ 7 * 7 }} {% for x in y %} {# #}",
    "&lt;script&gt; &amp; &#x3c;b&#x3e;",
    "javascript:alert(1)",
    "[bold red]styled[/bold red] [link=http://evil]here[/link] [/] \\[",
    ":rocket: :warning:",
    "\x1b[31mred\x1b[0m \x1b[2J\x1b[H \x1b]0;title\x07 \x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m \x90 \x85 \x7f \x00 \x08\x08",
    "\u202eevil\u202c \u2066x\u2069 \u200e\u200f \u061c",
    "zero\u200bwidth\u2060\ufeff\U000e0041\u2028\u2029end",
    "line\nbreak\r\nagain\rand\x0b\x0cmore",
    "\n\n# heading\n\n- item\n\n```\n",
    "```",
    "`code` ``two`` ```three``` `",
    "~~~\ncode\n~~~",
    "\\` \\\\` \\",
    "<!channel> <!here> <@U123> <#C123|x> @channel @here @everyone @octocat #123",
    "[x](http://evil) ![x](http://evil/x.png) <http://evil> http://evil https://evil www.evil.com a@evil.com",
    "[x]: http://evil",
    "**bold** __bold__ *it* _it_ ~~gone~~ ~sub~ $math$ ==mark==",
    "* item",
    "- item",
    "+ item",
    "1. item",
    "10) item",
    "> quote",
    "# heading",
    "---",
    "===",
    "| a | b |\n| - | - |\n| 1 | 2 |",
    "    indented",
    "\t",
    " ",
    "",
    "x" * 200_000,
    "가" * 100_000,
    "<" * 50_000,
    "`" * 50_000,
    "[" * 50_000,
    "a" + "\u0301" * 20_000,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
]
NAMES = [f"{number}:{ascii(payload)[:24]}" for number, payload in enumerate(PAYLOADS)]
each_payload = pytest.mark.parametrize("payload", PAYLOADS, ids=NAMES)


@each_payload
def test_rich_emits_printable_text_only(explained: Findings, poisoned: Poison, payload: str) -> None:
    report = build(poisoned(explained, payload))
    plain = to_text(report, width=80)
    assert not [char for char in plain if not char.isprintable() and char != "\n"]
    colored = to_text(report, width=80, color=True)
    uncolored = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", colored).splitlines()]
    assert uncolored == plain.splitlines(), "no escape sequence but rich's own colours"
    assert len(plain) < 60_000


def test_rich_shows_markup_as_it_is(explained: Findings, poisoned: Poison) -> None:
    plain = to_text(build(poisoned(explained, "[bold red]x[/]")), width=80)
    assert "[bold red]x[/]" in plain


def test_rich_spells_out_what_would_act(explained: Findings, poisoned: Poison) -> None:
    plain = to_text(build(poisoned(explained, "\x1b[2J\u202e")), width=80)
    assert "\\x1b[2J\\u202e" in plain


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes; the text in them apart."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, ...]] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment",))

    def unknown_decl(self, data: str) -> None:
        self.elements.append(("declaration",))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def without_code(elements: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Back-ticks of a next step make code of it, and nothing else."""
    return [element for element in elements if element not in (("code",), ("/code",))]


@each_payload
def test_html_keeps_its_elements(explained: Findings, poisoned: Poison, payload: str) -> None:
    if not payload:
        pytest.skip("where a text is empty, the page leaves out its element")
    page = to_html(build(poisoned(explained, payload)))
    expected = Skeleton(to_html(build(poisoned(explained, BENIGN))))
    seen = Skeleton(page)
    assert without_code(seen.elements) == without_code(expected.elements)
    assert seen.links == expected.links
    assert not [char for char in page if not char.isprintable() and char != "\n"]
    assert len(page) < 600_000


@pytest.mark.parametrize("payload", [payload for payload in PAYLOADS if payload.isprintable() and len(payload) < 200])
def test_html_shows_the_text_itself(explained: Findings, poisoned: Poison, payload: str) -> None:
    page = to_html(build(poisoned(explained, payload)))
    assert payload.replace("`", "") in "".join(Skeleton(page).text).replace("`", "")


def test_html_loads_and_runs_nothing(explained: Findings) -> None:
    skeleton = Skeleton(to_html(build(explained)))
    tags = {element[0] for element in skeleton.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "img", "base", "form", "audio", "video"}
    assert all(link.startswith("#") for link in skeleton.links)
    assert not [name for element in skeleton.elements for name in element[1:] if name.startswith("on")]
    page = to_html(build(explained))
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def structure(tokens: Sequence[Token]) -> list[object]:
    """Block and inline tokens without their text."""
    return [
        (token.type, structure(token.children or []))
        for token in tokens
        if token.type not in ("text", "text_special", "entity", "code_inline")
    ]


GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@each_payload
def test_markdown_keeps_its_structure(explained: Findings, poisoned: Poison, payload: str) -> None:
    if not payload.strip():
        pytest.skip("where a text is empty, the form leaves out its mark")
    seen = to_markdown(build(poisoned(explained, payload)))
    expected = to_markdown(build(poisoned(explained, BENIGN)))
    assert structure(GFM.parse(seen)) == structure(GFM.parse(expected))
    assert len(seen) < 40_000
    assert not [char for char in seen if not char.isprintable() and char not in "\n\u200b"]


def test_markdown_mentions_nobody_and_links_nowhere(explained: Findings, poisoned: Poison) -> None:
    payload = "<!channel> @channel @octocat #123 http://evil www.evil.com a@evil.com <@U1> <https://evil|x>"
    text = to_markdown(build(poisoned(explained, payload)))
    assert not re.search(r"<!channel|<@U1|<https?:", text)
    assert "@channel" not in text
    for line in text.splitlines():
        outside_code = re.sub(r"`[^`]*`", "", line)
        if "```" in line or line.startswith("<!channel") or "  " in outside_code.strip():
            continue  # a fence, or a quoted line inside one
        assert not re.search(r"@\w|#\d|://|\bwww\.", outside_code), line


def test_markdown_quotes_in_fences_that_stay_shut(explained: Findings, poisoned: Poison) -> None:
    text = to_markdown(build(poisoned(explained, "\n```\n# out")))
    fences = [line for line in text.splitlines() if line.startswith("```")]
    assert fences == ["```text", "```"] * (len(fences) // 2)
    assert not [line for line in text.splitlines() if line.startswith("# ")]
