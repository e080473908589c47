"""Secrets that their own shape gives away: keys and tokens of known services, JWTs, private keys, random strings.

Detectors yield spans and run in time linear in the length of the text: a pattern starts with a literal or behind a
look-behind that a run of characters passes once, and repetitions are bounded or possessive. The shapes are those that
the services document for their own secret scanning.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple


class Span(NamedTuple):
    """A part of a text to mask, and as what."""

    type: str
    start: int
    end: int


class _Token(NamedTuple):
    """A shape of token. A text that holds none of `hints` has none of it (looking for those is much faster)."""

    type: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _token(type_: str, hints: str, pattern: str) -> _Token:
    return _Token(type_, tuple(hints.split()), re.compile(pattern))


_L: Final = r"(?<![A-Za-z0-9])"  # for prefixes that ordinary words end with (`task-...`)
_R: Final = r"(?![A-Za-z0-9])"

_AWS_IDS: Final = "AKIA ASIA AROA AIDA AGPA AIPA ANPA ANVA ABIA ACCA"

_TOKENS: Final = (
    _token("AWS_KEY", _AWS_IDS, rf"(?:{_AWS_IDS.replace(' ', '|')})[A-Z2-7]{{16}}{_R}"),
    _token("AWS_KEY", "IQoJ FwoG FQoG", r"(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/_-]{60,4096}+={0,2}"),
    _token("AWS_KEY", "ABSK", r"ABSK[A-Za-z0-9+/]{80,400}+={0,2}"),
    _token("GCP_KEY", "AIza", r"AIza[0-9A-Za-z_-]{35}"),
    _token("GCP_KEY", "ya29.", r"ya29\.[0-9A-Za-z_-]{20,2048}+"),
    _token("GCP_KEY", "GOCSPX-", r"GOCSPX-[0-9A-Za-z_-]{20,40}+"),
    _token("GCP_KEY", "1//0", r"1//0[0-9A-Za-z_-]{30,200}+"),
    _token("AZURE_KEY", "==", r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="),
    _token("AZURE_KEY", "Q~", r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}+"),
    _token("GITHUB_TOKEN", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,255}+"),
    _token("GITHUB_TOKEN", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}+"),
    _token("GITLAB_TOKEN", "gl", r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|imt|agent|oas|feat)-[A-Za-z0-9_.-]{20,300}+"),
    _token("SLACK_TOKEN", "xox", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,250}+"),
    _token("SLACK_TOKEN", "xapp-", r"xapp-\d-[A-Za-z0-9-]{10,250}+"),
    _token("SLACK_TOKEN", "hooks.slack.com/", r"(?<=hooks\.slack\.com/)[a-z]{5,12}/[A-Za-z0-9/_+-]{20,200}+"),
    _token("STRIPE_KEY", "_live_ _test_", _L + r"(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{10,250}+"),
    _token("STRIPE_KEY", "whsec_", r"whsec_[A-Za-z0-9+/]{24,100}+={0,2}"),
    _token("OPENAI_KEY", "sk-", _L + r"sk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,250}+"),
    _token("API_KEY", "hf_", _L + r"hf_[A-Za-z0-9]{30,60}+"),
    _token("API_KEY", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _token("API_KEY", "pypi-", r"pypi-[A-Za-z0-9_-]{50,250}+"),
    _token("API_KEY", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,60}+"),
    _token("API_KEY", "SG.", _L + r"SG\.[A-Za-z0-9_-]{16,32}+\.[A-Za-z0-9_-]{16,64}+"),
    _token("API_KEY", "do", r"do[opr]_v1_[a-f0-9]{64}"),
    _token("API_KEY", "dapi", _L + r"dapi[a-f0-9]{32}"),
    _token("API_KEY", "shp", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _token("API_KEY", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _token("API_KEY", "hvs. hvb. hvr.", _L + r"hv[sbr]\.[A-Za-z0-9_-]{20,300}+"),
    _token("API_KEY", "glsa_ glc_", _L + r"gl(?:sa|c)_[A-Za-z0-9_=+/]{20,300}+"),
    _token("API_KEY", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{50,300}+"),
    _token("API_KEY", "lin_api_", r"lin_api_[A-Za-z0-9]{30,60}+"),
    _token("API_KEY", "secret_ ntn_", _L + r"(?:secret|ntn)_[A-Za-z0-9]{40,60}+"),
    _token("API_KEY", "xkeysib-", r"xkeysib-[a-f0-9]{64}[A-Za-z0-9-]{0,20}"),
    _token("API_KEY", "sq0", r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,50}+"),
    _token("API_KEY", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{30,70}+"),
    _token("API_KEY", "PMAK-", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _token("API_KEY", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    _token("API_KEY", "SK AC", _L + r"(?:SK|AC)[0-9a-f]{32}" + _R),
    _token("API_KEY", "key-", _L + r"key-[0-9a-f]{32}" + _R),
    _token("API_KEY", ":AA", _L + r"\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _token("API_KEY", "-us", _L + r"[0-9a-f]{32}-us\d{1,2}" + _R),
    _token("API_KEY", ".webhook.office.com/", r"(?<=\.webhook\.office\.com/)webhookb2/[\w@./-]{20,400}+"),
    _token(
        "PASSWORD",
        "$1$ $2a$ $2b$ $2y$ $5$ $6$ $y$ $apr1$ $argon2",
        r"\$(?:1|2[aby]|5|6|y|apr1|argon2(?:id|i|d))\$[A-Za-z0-9./$=,+-]{20,256}+",
    ),
    _token("API_KEY", "/api/webhooks/", r"(?<=/api/webhooks/)\d{10,25}/[A-Za-z0-9_-]{40,100}+"),
    _token(
        "JWT",
        "eyJ",
        r"eyJ[A-Za-z0-9_-]{8,16384}+(?:\.[A-Za-z0-9_-]{0,16384}+){1,4}|eyJ[A-Za-z0-9_-]{40,16384}+",
    ),
)


def tokens(text: str) -> Iterator[Span]:
    """Keys and tokens of known services, and JWTs (RFC 7519)."""
    for kind, hints, pattern in _TOKENS:
        for hint in hints:  # a plain loop: this runs for every text and nearly always finds nothing
            if hint in text:
                for match in pattern.finditer(text):
                    yield Span(kind, match.start(), match.end())
                break


_KEY_BEGIN: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----", re.IGNORECASE)
_KEY_END: Final = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----", re.IGNORECASE)
_KEY_BODY: Final = re.compile(
    r"(?:(?:(?:\s|\\[nrt])*(?:(?:Proc-Type|DEK-Info|Version|Comment): ?[^\n\\]{0,200}+|[A-Za-z0-9+/=]{16,}+))+"
    r"(?:(?:\s|\\[nrt])+[A-Za-z0-9+/=]{1,15}+)?)?"
)
_KEY_LINE: Final = re.compile(
    r"(?:^|(?<=[\s\"'|>]))(?:MII[A-Za-z0-9+/]{40,}+|[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70})={0,2}(?=$|[\s\"'\\])",
    re.MULTILINE,
)


def private_keys(text: str) -> Iterator[Span]:
    """PEM and PGP private keys (RFC 7468), whole, cut short, or single lines of their body.

    A single line is known by its width (64 or 70 characters) and by mixed letters and digits; so is a DER sequence in
    base64 (`MII...`).
    """
    at = 0
    has_end = True
    while begin := _KEY_BEGIN.search(text, at):
        following = _KEY_BEGIN.search(text, begin.end())
        limit = following.start() if following else len(text)
        end = _KEY_END.search(text, begin.end(), limit) if has_end else None
        if end is None:
            has_end = has_end and (following is None or _KEY_END.search(text, limit) is not None)
            body = _KEY_BODY.match(text, begin.end(), limit)
            at = body.end() if body else begin.end()
        else:
            at = end.end()
        yield Span("PRIVATE_KEY", begin.start(), at)
    for match in _KEY_LINE.finditer(text):
        if _mixed(match.group()):
            yield Span("PRIVATE_KEY", match.start(), match.end())


_SCHEME: Final = re.compile(r"(?<![A-Za-z])(bearer|basic)[ \t+]{1,4}", re.IGNORECASE)
_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9._~+/=-]{8,16384}+")


def bearer_and_basic(text: str) -> Iterator[Span]:
    """Credentials after `Bearer` (RFC 6750) and `Basic` (RFC 7617), without the header's name."""
    for scheme in _SCHEME.finditer(text):
        match = _CREDENTIAL.match(text, scheme.end())
        if match is None:
            continue
        value = match.group().rstrip(".")
        basic = scheme.group(1).lower() == "basic"
        if (basic and _is_basic(value)) or any(char.isdigit() for char in value) or _mixed_case(value):
            yield Span("TOKEN", match.start(), match.start() + len(value))


_AUTH: Final = re.compile(r"\b_?auth[\"']?\s?[:=]\s?[\"']?(?P<value>[A-Za-z0-9+/]{8,4096}+={0,2})")


def docker_logins(text: str) -> Iterator[Span]:
    """`"auth": "<base64 of user:password>"` of a registry's configuration, `_auth=` of npm's."""
    for match in _AUTH.finditer(text) if "auth" in text else ():
        if _is_basic(match["value"]):
            yield Span("TOKEN", match.start("value"), match.end("value"))


def _is_basic(value: str) -> bool:
    """Whether base64 decodes to `user:password`."""
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False


def _mixed_case(value: str) -> bool:
    """Upper case in the middle of lower case, as no word has it."""
    return re.search(r"[a-z][A-Z]", value) is not None


_RANDOM: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{32,4096}+={0,2}(?![A-Za-z0-9+/_-])")


def random_strings(text: str) -> Iterator[Span]:
    """Strings of 32 characters or more that look drawn at random from base64's alphabet.

    Hexadecimal digests, UUIDs, paths and camel-case names do not: the first have one case, the last few digits.
    """
    for match in _RANDOM.finditer(text):
        at = match.start()
        value = match.group()
        whole = not any(part.isalpha() and part.islower() for part in value.split("/") if len(part) > 2)
        for part in [value] if whole else value.split("/"):
            if len(part) >= 32 and _mixed(part) and _entropy(part) >= min(4.2, math.log2(len(part)) - 0.9):
                yield Span("SECRET", at, at + len(part))
            at += len(part) + 1


def _mixed(value: str) -> bool:
    """At least three of each: upper case, lower case, digits; and cases change often, unlike in a list of names."""
    upper = sum(map(str.isupper, value))
    lower = sum(map(str.islower, value))
    digits = sum(map(str.isdigit, value))
    turns = len(re.findall(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])", value))
    return min(upper, lower, digits) >= 3 and turns * 4 >= len(value)


def _entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    size = len(value)
    return -sum(number / size * math.log2(number / size) for number in Counter(value).values())
