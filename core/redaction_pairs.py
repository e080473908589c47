"""Secrets that the words before them give away: `password=...`, JSON and YAML pairs, headers, URLs, command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.redaction_patterns import Span

_STEM: Final = re.compile(
    r"pass(?:word|wd|phrase|code)?|pwd|pswd|secret|token|credential|cred|api|access|private|account|sign(?:ing|ature)"
    r"|encrypt(?:ion)?|master|subscription|licen[cs]e|auth|ssh|client|storage|shared|service|csrf|xsrf|sessid|jsessionid"
    r"|session[_-]?(?:key|secret|cookie)|\bsig\b|otp|cvv|cvc|\bpin\b|\bssn\b|\bpsk\b|cookie|비밀\s?번호|비번|암호"
    r"|kennwort|contraseña|\bsenha\b|mot[ _]de[ _]passe|пароль|密[码碼]|パスワード",
)
"""Where a key may begin; searched in lower-case text, then `_KEY` decides."""

_KEY: Final = re.compile(
    r"(?P<key>"
    r"(?:pass(?:wor[dt]|wd|[ _-]?phrase|code)|pwd|pswd|secret|token|credentials?|비밀\s?번호|비번|암호"
    r"|kennwort|contraseña|senha|mot[ _]de[ _]passe|пароль|密[码碼]|パスワード)"
    r"(?:[_ -]?(?:access[_ -]?key|key(?:[_-]base)?|value|text|string|plain|new|old|confirm(?:ation)?|\d{1,2}))?"
    r"|(?P<weak>pass|creds?|otp|cvv|cvc|pin|psk|ssn|sig|signature)(?:[_-]?(?:code|value|\d{1,2}))?"
    r"|(?:api|access|private|account|signing|encrypt(?:ion)?|master|subscription|licen[cs]e|auth|ssh|client|storage|service)"
    r"[_. -]?(?:access[_. -]?)?key(?:[_ -]?id)?|shared[_. -]?access[_. -]?(?:key|signature)"
    r"|(?P<header>authorization)|(?P<cookie>(?:set-)?cookie)"
    r"|auth[_-]?(?:token|code|key|secret|header|data)|access[_-]?code|(?:csrf|xsrf)[_-]?(?:token)?|jsessionid|(?:php)?sessid"
    r"|session[_-]?(?:key|secret|cookie)"
    r")(?P<separator>"
    r"(?:['\"`\]]{0,2}|['\"`]?\)| for [\w.@'\"-]{1,60})[ \t]{0,8}(?:=>|:=|->|={1,2}|:(?!:))[ \t]{0,8}"
    r"|['\"]{0,2},?\s{0,40}['\"]{0,2}value['\"]{0,2}[ \t]{0,2}[:=][ \t]{0,4}"
    r"|(?P<tuple>['\"], {0,2}(?=b?['\"]))"
    r"|[^<>\"'=:\s]{0,20}(?P<xml>(?: [^<>]{0,200})?>\s{0,20})"
    r"|(?: for [\w.@'\"-]{1,60}(?= (?:is|was|set|changed|reset) ))?[ ]"
    r"(?P<prose>(?:(?:(?:(?:is|was)[ ])?(?:set|changed|reset)[ ]to|is|was)[ ]:?[ ]{0,2})?))"
)
_VALUE: Final = re.compile(
    r"(?:[^\s\"'`<>,;&)\]}\\]|\\(?![\"'nrt])|<(?:\*|[A-Z][A-Z0-9_]{0,40})>|<(?![/A-Z!])|>(?![\s\"'`<,;&)\]}]|$)"
    r"|[,;&](?![\s\"'`]|$|[\w.%-]{1,60}+\s?[=:])|[)\]}](?![\s\"'`,;)\]}]|$))+"
)
_MASK_ONLY: Final = re.compile(
    r"(?:<[A-Z*][A-Z0-9_]{0,40}>|[*•.x#?-]{1,200}|\[[A-Za-z_ -]{1,30}\]|%[sdvr]|\$?\{[^{}]{0,80}\}*|\$\w{1,80}\$?)"
)
_SCHEME: Final = re.compile(
    r"(?:bearer|basic|token|digest|negotiate|apikey|api-key|hmac|oauth|key|aws4-hmac-sha256)\s{1,4}", re.I
)

_NOTHING: Final = frozenset(
    ["null", "none", "nil", "true", "false", "undefined", "yes", "no", "n/a", "na", "redacted", "hidden", "masked"]
)
_SENTENCE: Final = """
a an and are as at be by can cannot could did do does error expected expiration expired expires expiry failed
failure for format found from has have if in incorrect invalid is it last length line limit malformed mismatch
missing must not of ok on only or please provided rejected required revoked size string than that the there this to
too type unable unauthorized unexpected unknown unset unsupported use valid value verification was were will with
wrong you your authentication identifier request accepted changed updated created deleted empty
"""
_PROSE: Final = frozenset(_SENTENCE.split())
"""Words that follow `token:` in a sentence, and are no token."""

_ASSIGNED: Final = re.compile(r"=")
_FILE: Final = re.compile(r"(?:[A-Za-z]:)?[/\\~][\w./\\ -]*\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|txt|pub|env)$")


def pairs(text: str) -> Iterator[Span]:
    """Values of keys that name a secret, in `key=value`, JSON, YAML, maps, XML, headers, queries and prose."""
    lowered = _ascii_lower(text)
    end = 0
    for stem in _STEM.finditer(lowered):
        if stem.start() < end:
            continue
        match = _KEY.match(lowered, stem.start())
        if match is None or not _is_key(text, lowered, match):
            continue
        span = _value(text, match)
        if span is not None:
            end = span.end
            yield span


def _ascii_lower(text: str) -> str:
    """Lower case that keeps every offset (`str.lower` makes two characters of some)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)


def _is_key(text: str, lowered: str, match: re.Match[str]) -> bool:
    """Whether an ambiguous key stands as a word of its own, and one that a `>` follows in a tag."""
    start = match.start()
    if match["xml"] is not None:
        before = text[max(0, start - 40) : start]
        return re.search(r"<[\w:.-]*$", before) is not None
    if match["prose"] == "":  # `with password hunter2`, not `Secret db-creds created`
        return match["weak"] is None and re.match(r"pass|pwd|token|(?:api|access).?key|비", match["key"]) is not None
    if match["tuple"] is not None and not re.search(r"[(\[]\s?b?['\"][\w.-]*$", text[max(0, start - 40) : start]):
        return False  # a list of names
    if text.startswith("PASS:", start) and text[start - 1 : start] != "_":
        return False  # the result of a test
    if match["weak"] is None or start == 0 or not text[start - 1].isalpha():
        return True
    return text[start].isupper() and text[start - 1].islower()


def _value(text: str, match: re.Match[str]) -> Span | None:
    at = match.end()
    name = "COOKIE" if match["cookie"] else "TOKEN" if "token" in match["key"] or match["header"] else "PASSWORD"
    if name == "PASSWORD" and re.search(r"key|secret|cred|sig|otp|cvv|cvc|pin|ssn|csrf|xsrf|sess", match["key"]):
        name = "SECRET"
    if match["cookie"]:
        return _to_line_end(text, at, name)
    if match["xml"] is not None:
        close = _ELEMENT.match(text, at)
        return _span(name, text, at, close.end()) if close and not _nothing(close.group().strip()) else None
    at = _skip(text, at, "[(") if text[at : at + 1] in ("[", "(") else at
    quote = (
        text[at + 1] if text[at : at + 1] in ("b", "u") and text[at + 1 : at + 2] in ('"', "'") else text[at : at + 1]
    )
    if quote in ('"', "'", "`"):
        at = text.index(quote, at) + 1
        if text.startswith(quote, at) and text[at + 1 : at + 2] not in ("", *",;:}])> \t\n\r"):
            at += 1  # quotes doubled, as in CSV
        close = _QUOTED[quote].match(text, at)
        end = close.end() if close else at
        quoted = True
    else:
        quoted = False
        end = at
    scheme = _SCHEME.match(text, at)
    at = scheme.end() if scheme else at
    if not quoted:
        if scheme and scheme.group().strip().lower() in ("digest", "aws4-hmac-sha256", "hmac", "oauth"):
            parameters = _PARAMETERS.match(text, at)
            return _span(name, text, at, parameters.end()) if parameters else _to_line_end(text, at, name)
        unquoted = _VALUE.match(text, at)
        end = unquoted.end() if unquoted else at
    value = text[at:end]
    if not any(map(str.isalnum, value)) or _nothing(value) or (not quoted and not _plausible(value, match)):
        return None
    return _span(name, text, at, end)


_ELEMENT: Final = re.compile(r"(?:<!\[CDATA\[)?[^<]{1,16384}+(?=</)")
_PARAMETERS: Final = re.compile(
    r"(?:[\w-]{1,40}=(?:\"[^\"\n\r]{0,4096}+\"|[^\s,\"]{1,4096}+)(?:,[ \t]{0,4}|(?!\S))){1,40}"
)
"""`name="value", name=value`, as a scheme with parameters has them (RFC 9110, 11.4)."""
_LINE: Final = re.compile(r"[^\n\r\"'`]{1,16384}+")
_QUOTED: Final = {
    '"': re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*', re.DOTALL),
    "'": re.compile(r"[^'\\]*+(?:(?:\\.|''(?=[^\s,;:)}\]]))[^'\\]*+)*", re.DOTALL),
    "`": re.compile(r"[^`\\]*+(?:\\.[^`\\]*+)*", re.DOTALL),
}


def _skip(text: str, at: int, chars: str) -> int:
    while at < len(text) and text[at] in chars:
        at += 1
    return at


def _to_line_end(text: str, at: int, name: str) -> Span | None:
    match = _LINE.match(text, at + (text[at : at + 1] in ('"', "'")))
    return _span(name, text, match.start(), match.end()) if match and not _nothing(match.group().strip()) else None


def _span(name: str, text: str, start: int, end: int) -> Span | None:
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(name, start, end) if end > start else None


def _nothing(value: str) -> bool:
    """Whether a value holds no secret: masked already, a placeholder, or a word for nothing."""
    return _MASK_ONLY.fullmatch(value) is not None or value.lower() in _NOTHING


def _plausible(value: str, match: re.Match[str]) -> bool:
    """Whether an unquoted value can be a secret, not the next word of a sentence."""
    bare = value.rstrip(".,;:!?")
    separator = match["separator"]
    if match["prose"] is not None:
        if not match["prose"]:  # `with password hunter2`
            return len(bare) >= 6 and re.search(r"[A-Za-z]", bare) is not None and re.search(r"\d", bare) is not None
        return bool(re.search(r"[^A-Za-z.,'-]", bare)) and bare.lower() not in _PROSE
    if bare.lower() in _PROSE and _ASSIGNED.search(separator) is None:
        return False
    key = match["key"]
    if "->" in separator and (bare.isalpha() or "/" in bare or not re.match(r"passw|pwd", key)):
        return False  # `password -> accepted`, `app-credentials -> origin/app-credentials`
    if match["header"] is not None and len(bare) < 16 and bare.isalpha():
        return False  # `authorization: server message`
    if key == "pwd" and value[0] in "/~":
        return False  # the working directory, not a password
    if match["weak"] is not None:
        if key in ("pass", "pin", "sig") and re.fullmatch(r"\d{1,3}", bare):
            return False  # `pass: 12 fail: 3`
        if key.startswith("sig"):
            return len(bare) >= 16
    return not (key.endswith(("key", "id", "credentials", "token")) and _FILE.fullmatch(value))


_USER: Final = re.compile(r"[^\s/@:\"'<>?#]{0,256}+:")
_RUN: Final = re.compile(r"[^\s\"'`<>]++")
_LATER_HOST: Final = re.compile(r"@[\w.-]{1,253}+(?=:\d|[/?,]|$)")
_AUTHORITY: Final = re.compile(r"[^/?#]*+")


def url_passwords(text: str) -> Iterator[Span]:
    """The password of `scheme://user:password@host` (RFC 3986, 3.2.1), also where it holds `@`, `/`, `#` or `?`."""
    at = text.find("://")
    while at >= 0:
        start = at + 3
        user = _USER.match(text, start)
        run = _RUN.match(text, user.end()) if user else None
        if user and run:
            length = _password_length(run.group())
            if length and not _nothing(run.group()[:length]):
                yield Span("PASSWORD", user.end(), user.end() + length)
            start = user.end() + length if length else run.end()
        at = text.find("://", start)


def _password_length(run: str) -> int:
    """Length of the password at the start of what follows `scheme://user:`; 0 where there is none."""
    authority = _AUTHORITY.match(run)
    found = authority.group() if authority else ""
    if "@" in found:
        length = found.rindex("@")
        host = found[length + 1 :]
        later = [] if "." in host or ":" in host else list(_LATER_HOST.finditer(run, len(found)))
        return later[-1].start() if later else length
    if re.fullmatch(r"\d{1,5}", found):
        return 0  # a port
    return max(run.find("@"), 0)


_FLAG: Final = re.compile(
    r"(?<![\w-])(?:--?(?:[a-z0-9]{1,20}-){0,3}(?:storepass|keypass|password|passwd|pass|pwd|passphrase|secret|token|api-?key|access-?key|secret-?key)"
    r"|-Dpassword)[ \t]{1,4}(?P<quote>[\"']?)(?P<value>(?!-)[^\s\"']{1,1024}+)",
    re.IGNORECASE,
)
_CURL: Final = re.compile(
    r"(?<!\S)(?:-u|--user|--proxy-user)[ =\t]{0,4}[\"']?[^\s:\"']{1,128}+:(?P<value>[^\s\"']{1,1024}+)"
)
_SSHPASS: Final = re.compile(r"\bsshpass[ ]+-p[ ]{0,4}[\"']?(?P<value>[^\s\"']{1,256}+)")
_DSN: Final = re.compile(
    r"(?<![\w.:/@-])[\w.-]{1,64}+:(?P<value>[^\s:@/\"'`<>]{1,128}+)@"
    r"(?=(?:tcp|unix)\(|[\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}(?![\w@]|\.[\w-])|[\w-]{1,63}+:\d{2,5}/)"
)
_SQL: Final = re.compile(
    r"\bidentified[ ](?:with[ ]\w{1,40}[ ])?by[ ](?:password[ ])?(?P<quote>['\"])(?P<value>[^'\"]{1,1024}+)", re.I
)
_ORACLE: Final = re.compile(
    r"\b(?:oracle:(?:thin|oci8?):|(?:sqlplus|sqlldr|expdp|impdp|rman)[ ](?:-\S{1,20}[ ]){0,3})[\w.$#]{1,128}+/"
    r"(?P<value>[^\s@/\"']{1,256}+)@"
)
_TOOLS: Final = re.compile(
    r"\b(?:redis-cli\b[^\n|;]{0,200}?[ ]-a[ ]|ldap(?:search|modify|add|delete|passwd|whoami)\b[^\n|;]{0,300}?[ ]-w[ ]"
    r"|mosquitto_(?:pub|sub)\b[^\n|;]{0,200}?[ ]-P[ ]|docker login\b[^\n|;]{0,200}?[ ]-p[ ]"
    r"|net use\b[^\n|]{0,200}?/user:[^\s/]{1,100}[ ]"
    r"|(?:smbclient|rpcclient|winexe)\b[^\n|;]{0,200}?[ ]-U[ ]?[^\s%]{1,100}%)"
    r"[ ]{0,4}(?P<value>[^\s\"'/-][^\s\"']{0,255}+)"
)
_QUERY: Final = re.compile(r"[?&;](?:key|code|ticket|assertion|sid|auth)=(?P<value>[^&\s\"'<>#]{10,2048}+)")
_ONE_TIME: Final = re.compile(
    r"(?:\b(?:verification|one[- ]time|security|confirmation|log[- ]?in|2fa|mfa)[ _-]?(?:code|pass(?:code|word)?|pin)"
    r"|인증\s?(?:번호|코드))[ \t]{0,3}(?:is|was|[:=]|은|는)?[ \t]{0,3}(?P<value>\d{4,8})(?!\w|[.:-]\d)",
    re.IGNORECASE,
)
_MYSQL: Final = re.compile(r"\bmysql(?:dump|admin)?\b[^\n|;]{0,200}?[ ]-p(?P<value>[^\s\"']{1,256}+)")


def command_lines(text: str) -> Iterator[Span]:
    """Passwords given to programs: `--password x`, `curl -u user:x`, `mysql -px`, `user:x@tcp(db)/`, SQL."""
    for hints, pattern in (
        (("-",), _FLAG),
        (("curl", "wget", "http"), _CURL),
        (("mysql",), _MYSQL),
        (("sshpass",), _SSHPASS),
        (("@",), _DSN),
        (("oracle:", "sqlplus", "sqlldr", "expdp", "impdp", "rman"), _ORACLE),
        (("redis-cli", "ldap", "mosquitto_", "docker login", "net use", "smbclient", "rpcclient", "winexe"), _TOOLS),
    ):
        if any(hint in text for hint in hints):
            for match in pattern.finditer(text):
                if not _nothing(match["value"]) and match["value"].lower() not in _PROSE:
                    yield Span("PASSWORD", match.start("value"), match.end("value"))
    for match in _QUERY.finditer(text) if "=" in text else ():
        if _drawn(match["value"]):
            yield Span("TOKEN", match.start("value"), match.end("value"))
    for match in _ONE_TIME.finditer(text):
        yield Span("SECRET", match.start("value"), match.end("value"))
    for match in _SQL.finditer(text):
        yield Span("PASSWORD", match.start("value"), match.end("value"))


_INSERT: Final = re.compile(
    r"\binsert\s{1,8}into\s{1,8}[\w.\"`\[\]]{1,200}+\s{0,8}\((?P<columns>[^()]{1,4000}+)\)\s{0,8}values\s{0,8}\(",
    re.IGNORECASE,
)
_SECRET_COLUMN: Final = re.compile(
    r"passw|passphrase|pwd|secret|token|api_?key|private_?key|\bpin\b|\bssn\b", re.IGNORECASE
)
_SQL_VALUE: Final = re.compile(
    r"\s{0,8}(?:[NEeXx]?'(?P<text>[^']{0,4096}+(?:''[^']{0,4096}+){0,64})'|[^,()']{1,1000}+)\s{0,8}(?:,|(?=\)))"
)


def inserted(text: str) -> Iterator[Span]:
    """Values of an SQL `INSERT` whose column is named like a secret, in its first row."""
    for match in _INSERT.finditer(text) if "(" in text else ():
        at = match.end()
        for column in match["columns"].split(","):
            value = _SQL_VALUE.match(text, at)
            if value is None:
                break
            if value["text"] and _SECRET_COLUMN.search(column) and not _nothing(value["text"]):
                yield Span("PASSWORD", value.start("text"), value.end("text"))
            at = value.end()


def _drawn(value: str) -> bool:
    """Whether a value of a query has upper case, lower case and digits, as keys have and words have not."""
    return all(any(map(kind, value)) for kind in (str.isupper, str.islower, str.isdigit))
