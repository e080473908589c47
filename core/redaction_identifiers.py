"""Personal data that has a form: e-mail addresses, phone numbers, identity, card and account numbers, IP addresses.

Checksums decide where the form alone would take ordinary numbers of a log: Luhn (ISO/IEC 7812) for cards, mod 97-10
(ISO 7064) for IBAN, the weighted sum of the Korean resident registration number. All detectors run in linear time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Final

from core.redaction_patterns import Span

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_EMAIL: Final = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]++[@＠](?P<domain>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}"
    r"(?P<tld>[A-Za-z]{2,24}(?![\w-])|xn--[A-Za-z0-9-]{2,40}|[A-Za-z]{2,24}(?=[^\x00-\x7f])|[^\W\d_A-Za-z]{2,10}))"
)
_EMAIL_START: Final = re.compile(r"[.+%'-]*(?:[가-힣]+(?=[A-Za-z0-9]))?")
_UNITS: Final = "service slice socket timer mount automount scope target device swap"
_FILES: Final = "png jpg jpeg gif svg webp js css html log json xml yaml yml txt jar war class dll exe tmp conf lock gz"
_NOT_TLD: Final = frozenset(f"{_UNITS} {_FILES}".split())
"""Ends of file and unit names (`user@1000.service`, `icon@2x.png`), none of which is a top-level domain."""


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses (the common part of RFC 5321, and internationalised ones)."""
    if "@" not in text and "＠" not in text:
        return
    for match in _EMAIL.finditer(text):
        if match["tld"].lower() in _NOT_TLD:
            continue
        start = match.start()
        skipped = _EMAIL_START.match(text, start)
        if skipped and text[skipped.end()] not in "@＠":
            start = skipped.end()
        if text.startswith("git@", start) and text.startswith(":", match.end()):
            continue  # git@github.com:owner/name names a repository
        yield Span("EMAIL", start, match.end())


_DASH: Final = "[ .\\-\u00a0\u2010\u2011\u2013]"
_CARD: Final = re.compile(
    rf"(?<![\dA-Za-z_])(?<!\d[.])(?<!_-)(?=("
    rf"\d{{4}}{_DASH}\d{{4}}{_DASH}\d{{4}}{_DASH}\d{{1,7}}(?!\d)|3[47]\d{{2}}{_DASH}\d{{6}}{_DASH}\d{{5}}(?!\d)"
    rf"|3\d{{3}}{_DASH}\d{{6}}{_DASH}\d{{4}}(?!\d)|\d{{13,19}}(?![\dA-Za-z_]|[.]\d)))"
)
_ISSUER: Final = re.compile(
    r"4\d{12}(?:\d{3})?$|5[1-5]\d{14}$|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$|3[47]\d{13}$"
    r"|3(?:0[0-5]|[689]\d)\d{11}$|6(?:011|5\d\d|4[4-9]\d)\d{12}$|35(?:2[89]|[3-8]\d)\d{12}$|62\d{14,17}$|9\d{15}$"
)
"""Prefixes and lengths: Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Korean domestic cards."""


def cards(text: str) -> Iterator[Span]:
    """Payment card numbers: an issuer's prefix and length, and Luhn's checksum."""
    for match in _CARD.finditer(text):
        digits = _digits(match.group(1))
        if _ISSUER.match(digits) and _luhn(digits) and len(set(digits)) > 1:
            yield Span("CARD", match.start(1), match.end(1))


def _luhn(digits: str) -> bool:
    from stdnum import luhn

    return bool(luhn.is_valid(digits))


_RRN: Final = re.compile(
    "(?<![\\dA-Za-z_])(?<!\\d[.\\-])(?P<birth>\\d{6})(?P<dash>[ \\-\u2010\u2011\u2013]?)(?P<rest>\\d{7})"
    "(?![\\dA-Za-z_]|[.\\-]\\d)"
)
_CENTURY: Final = {
    "9": 1800,
    "0": 1800,
    "1": 1900,
    "2": 1900,
    "5": 1900,
    "6": 1900,
    "3": 2000,
    "4": 2000,
    "7": 2000,
    "8": 2000,
}
_RRN_LABEL: Final = re.compile(r"(?:주민|외국인)\s?등록\s?번호|주민번호|\brrn\b|resident", re.IGNORECASE)


def resident_registration_numbers(text: str) -> Iterator[Span]:
    """Korean resident (and foreigner) registration numbers, `YYMMDD-SBBBBBC` or without the dash.

    The date must exist and the checksum fit. Numbers issued since October 2020 have no checksum: with a dash, those of
    people born since then are taken without it, and so is any number that a label announces.
    """
    for match in _RRN.finditer(text):
        born = _birth(match["birth"], match["rest"][0])
        if born is None:
            continue
        checked = _rrn_checksum(match["birth"] + match["rest"])
        dashed = match["dash"] not in ("", " ")
        if not dashed and match["birth"][0] == "1" and match["rest"][0] not in "34":
            checked = False  # milliseconds since 1970 look like this
        labelled = _RRN_LABEL.search(text, max(0, match.start() - 40), match.start()) is not None
        if checked or labelled or (dashed and born >= date(2020, 10, 5)):
            yield Span("RRN", match.start(), match.end())


def _birth(digits: str, sex: str) -> date | None:
    try:
        return date(_CENTURY[sex] + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None


def _rrn_checksum(digits: str) -> bool:
    total = sum(
        int(digit) * weight for digit, weight in zip(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True)
    )
    check = int(digits[12])
    korean = (11 - total % 11) % 10 == check
    foreign = digits[6] in "5678" and (13 - total % 11) % 10 == check
    return korean or foreign


_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}))")
_IBAN_LENGTHS: Final[dict[int, str]] = {
    15: "NO", 16: "BE", 18: "DK FO FI GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM TL SO", 24: "AD CZ ES MD PK RO SA SE SK TN VG DZ",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL SV NI",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
"""Length of an IBAN -> countries (ISO 13616 registry)."""
_IBAN_LENGTH: Final = {country: length for length, names in _IBAN_LENGTHS.items() for country in names.split()}


def ibans(text: str) -> Iterator[Span]:
    """International bank account numbers: the country's length and the checksum, in groups or not, in any case."""
    end = 0
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTH.get(match.group(1)[:2].upper())
        if length is None or match.start() < end:
            continue
        taken = 0
        for index, char in enumerate(match.group(1)):
            taken += char.isalnum()
            if taken == length:
                end = match.start() + index + 1
                followed = text[end : end + 1].isalnum() and text[end : end + 1].isascii()
                if not followed and _mod_97_10(match.group(1)[: index + 1]):
                    yield Span("IBAN", match.start(), end)
                break


def _mod_97_10(number: str) -> bool:
    from stdnum.iso7064 import mod_97_10

    compact = re.sub(r"[^A-Za-z0-9]", "", number).upper()
    return bool(mod_97_10.is_valid(compact[4:] + compact[:4]))


_GAP: Final = "[ .()\\-\u2010\u2011\u2013]"
_AFTER: Final = r"(?!\w|[.:-]\d)"
_REST: Final = rf"{_GAP}{{0,3}}\d(?:{_GAP}{{0,2}}\d){{5,13}}{_AFTER}"
_INTERNATIONAL: Final = re.compile(
    rf"(?<![\w.+/])(?<!\d:)(?=(00[1-9]\d{{0,2}}(?=[ -]){_REST}))|(?<![\w.+/])(?=(\+[1-9]\d{{0,2}}{_REST}))"
)
_NATIONAL: Final = re.compile(
    rf"(?<![\w.+/-])(?<!\d:)(?=(\(?0\d{{1,2}}(?:\) ?|(?P<a>[ .-]))\d{{3,4}}(?(a)(?P=a)|[ .-])\d{{4}}{_AFTER}"
    rf"|82(?P<d>[ .-])1\d(?P=d)\d{{3,4}}(?P=d)\d{{4}}{_AFTER}"
    rf"|(?:1[ .-])?\(?[2-9]\d\d(?:\) ?|(?P<b>[ .-]))\d{{3}}(?(b)(?P=b)|[ .-])\d{{4}}{_AFTER}))"
)
"""The shapes of Korea and Japan (`010-1234-5678`, `(02) 123-4567`) and of North America (`(202) 555-0143`)."""
_BY_RULES: Final = re.compile(
    rf"(?<![\w.+/-])(?<!\d:)(?=(01[016789]\d{{7,8}}{_AFTER}|0\d{{3,4}}[ -]\d{{6,7}}{_AFTER}"
    rf"|0\d{{1,4}}(?P<c>[ .-])\d{{2,4}}(?:(?P=c)\d{{2,4}}){{1,3}}{_AFTER}))"
)
_LABELLED: Final = re.compile(
    r"(?:phone|telefon|mobile|msisdn|fax|(?<![a-z])(?:tel|handy)|휴대폰|휴대전화|전화|연락처)"
    r"(?:[ _-]?(?:number|no|num)|\s?번호)?"
    r"[\"'\]]{0,2}[ \t]{0,3}[:=][ \t]{0,3}[\"'\[]{0,2}(\+?[(\d](?:[ .()\-/]{0,2}\d){6,16})(?!\w)",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(
    r"(?<![a-z])(?:phone|telephone|telefon|tel|mobile|fax|handy|휴대폰|전화|연락처)[.:]?[ \t]{1,3}"
    r"(\d{2,5}[ .()\-/]{1,2}\d(?:[ .()\-/]{0,2}\d){3,11})(?![\w:]|[.-]\d)",
    re.IGNORECASE,
)
"""`Tel. 030 12345678`: a number in at least two groups after such a word."""
_REGIONS: Final = ("KR", "US", "GB", "DE", "FR", "JP")


def phone_numbers(text: str) -> Iterator[Span]:
    """Phone numbers: international ones, the national forms of Korea and North America, and whatever is labelled so.

    Length (and, for national forms that other numbers share, the numbering plan) is judged by `phonenumbers`.
    """
    for pattern, accept in ((_INTERNATIONAL, _possible), (_NATIONAL, _possible), (_BY_RULES, _valid)):
        for match in pattern.finditer(text):
            group = next(index for index, found in enumerate(match.groups(), start=1) if found)
            if accept(match[group]):
                yield Span("PHONE", match.start(group), match.end(group))
    for pattern in (_LABELLED, _CALLED):
        for match in pattern.finditer(text):
            yield Span("PHONE", match.start(1), match.end(1))


def _possible(number: str) -> bool:
    import phonenumbers

    return any(phonenumbers.is_possible_number(parsed) for parsed in _parsed(number))


def _valid(number: str) -> bool:
    import phonenumbers

    return any(phonenumbers.is_valid_number(parsed) for parsed in _parsed(number))


def _parsed(number: str) -> Iterator[PhoneNumber]:
    import phonenumbers

    international = number if number.startswith("+") else f"+{number[2:]}" if number.startswith("00") else None
    for region in (None,) if international else _REGIONS:
        try:
            yield phonenumbers.parse(international or number, region)
        except phonenumbers.NumberParseException:
            continue


_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IPV6: Final = re.compile(
    r"(?<![\w:.])[0-9A-Fa-f:]{3,39}+(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3}|(?<=:\d)(?:\.\d{1,3}){3})?(?![\w:])"
)


def ip_addresses(text: str) -> Iterator[Span]:
    """IPv4 and IPv6 addresses."""
    for match in _IPV4.finditer(text):
        if _is_address(match.group(), ipaddress.IPv4Address):
            yield Span("IP", match.start(), match.end())
    for match in _IPV6.finditer(text):
        if match.group().count(":") >= 2 and _is_address(match.group(), ipaddress.IPv6Address):
            yield Span("IP", match.start(), match.end())


def _is_address(text: str, kind: Callable[[str], object]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
