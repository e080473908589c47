"""Redaction: no planted secret survives, whatever its frame and its escapes."""

from __future__ import annotations

import base64
import json
import random
import string
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from stdnum import luhn

from core.redaction import Redactor
from core.redaction_views import views

ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
BASE64URL = ALNUM + "-_"
NAMES = ["mina", "jiho.park", "o.neill", "anna-lena", "ji_woo", "x", "first.last+tag", "KIM", "user99"]
HOSTS = ["example.com", "mail.example.co.kr", "corp.internal.io", "EXAMPLE.ORG", "xn--9n2bp8q.kr", "a-b.travel"]


def pick(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(size))


def email(rng: random.Random) -> str:
    return f"{rng.choice(NAMES)}{rng.randrange(1000)}@{rng.choice(HOSTS)}"


def phone(rng: random.Random) -> str:
    a, b, c = rng.randrange(1000, 10000), rng.randrange(1000, 10000), rng.randrange(200, 1000)
    return rng.choice(
        [
            f"010-{a}-{b}",
            f"+82 10-{a}-{b}",
            f"+8210{a}{b}",
            f"010{a}{b}",
            f"02-{c}-{a}",
            f"(031) {c}-{a}",
            f"({c}) {c}-{a}",
            f"{c}-{c}-{a}",
            f"+1 ({c}) {c}-{a}",
            f"+1-{c}-{c}-{a}",
            f"+44 20 7946 {a}",
            f"+49 30 {a}{b}",
            f"0082 10-{a}-{b}",
            f"010.{a}.{b}",
            f"+81 90-{a}-{b}",
        ]
    )


def rrn(rng: random.Random) -> str:
    year, sex = rng.choice([(rng.randrange(40, 100), rng.choice("1256")), (rng.randrange(0, 20), rng.choice("3478"))])
    head = f"{year:02d}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{sex}{rng.randrange(10**5):05d}"
    total = sum(int(d) * w for d, w in zip(head, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True))
    check = (13 if sex in "5678" else 11) - total % 11
    return f"{head[:6]}-{head[6:]}{check % 10}"


def card(rng: random.Random) -> str:
    prefix, size = rng.choice(
        [
            ("4", 16),
            ("51", 16),
            ("2221", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("3528", 16),
            ("62", 16),
            ("9410", 16),
            ("36", 14),
        ]
    )
    body = prefix + pick(rng, string.digits, size - len(prefix) - 1)
    number = body + luhn.calc_check_digit(body)
    if size == 16 and rng.random() < 0.6:
        return rng.choice(" -").join(number[at : at + 4] for at in range(0, 16, 4))
    if size == 15 and rng.random() < 0.6:
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return number


def iban(rng: random.Random) -> str:
    country, body = rng.choice(
        [
            ("GB", "WEST" + pick(rng, string.digits, 14)),
            ("DE", pick(rng, string.digits, 18)),
            ("FR", pick(rng, string.digits, 23)),
            ("NL", "ABNA" + pick(rng, string.digits, 10)),
            ("NO", pick(rng, string.digits, 11)),
        ]
    )
    digits = "".join(str(int(char, 36)) for char in f"{body}{country}00")
    number = f"{country}{98 - int(digits) % 97:02d}{body}"
    form = rng.randrange(3)
    if form == 0:
        return number
    return number.lower() if form == 1 else " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def jwt(rng: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    head = part({"alg": rng.choice(["HS256", "RS256", "none"]), "typ": "JWT"})
    return f"{head}.{part({'sub': rng.randrange(10**9), 'name': pick(rng, ALNUM, 8)})}.{pick(rng, BASE64URL, 43)}"


CLOUD: dict[str, Callable[[random.Random], str]] = {
    "aws_id": lambda r: r.choice(["AKIA", "ASIA"]) + pick(r, string.ascii_uppercase + "234567", 16),
    "aws_secret": lambda r: mixed(r, BASE64, 40),
    "gcp_api": lambda r: "AIza" + pick(r, BASE64URL, 35),
    "gcp_oauth": lambda r: "ya29." + pick(r, BASE64URL, 60),
    "azure_storage": lambda r: pick(r, BASE64, 86) + "==",
    "azure_client": lambda r: pick(r, ALNUM, 3) + "8Q~" + pick(r, ALNUM, 34),
    "github": lambda r: f"gh{r.choice('pousr')}_{pick(r, ALNUM, 36)}",
    "github_fine": lambda r: f"github_pat_{pick(r, ALNUM, 22)}_{pick(r, ALNUM, 59)}",
    "gitlab": lambda r: "glpat-" + pick(r, ALNUM, 20),
    "slack": lambda r: (
        f"xox{r.choice('bpa')}-{pick(r, string.digits, 12)}-{pick(r, string.digits, 12)}-{pick(r, ALNUM, 24)}"
    ),
    "slack_hook": lambda r: (
        f"T{pick(r, string.ascii_uppercase, 8)}/B{pick(r, string.ascii_uppercase, 8)}/{pick(r, ALNUM, 24)}"
    ),
    "stripe": lambda r: f"{r.choice(['sk', 'rk'])}_{r.choice(['live', 'test'])}_{pick(r, ALNUM, 24)}",
    "openai": lambda r: "sk-" + r.choice(["", "proj-"]) + mixed(r, ALNUM, 48),
    "anthropic": lambda r: "sk-ant-api03-" + mixed(r, BASE64URL, 60),
    "huggingface": lambda r: "hf_" + pick(r, ALNUM, 34),
    "npm": lambda r: "npm_" + pick(r, ALNUM, 36),
    "sendgrid": lambda r: f"SG.{pick(r, BASE64URL, 22)}.{pick(r, BASE64URL, 43)}",
    "mailchimp": lambda r: f"{pick(r, '0123456789abcdef', 32)}-us{r.randrange(1, 30)}",
    "password_hash": lambda r: f"${r.choice(['apr1', '1', '6'])}${pick(r, ALNUM, 8)}${pick(r, ALNUM + './', 43)}",
}


def mixed(rng: random.Random, alphabet: str, size: int) -> str:
    """A random string that, as nearly all do, holds some of each kind."""
    while True:
        value = pick(rng, alphabet, size)
        kinds = (str.isupper, str.islower, str.isdigit)
        if min(sum(map(kind, value)) for kind in kinds) >= 4 and value[0].isalnum() and value[-1].isalnum():
            return value


def password(rng: random.Random) -> str:
    return rng.choice(
        [
            pick(rng, ALNUM, rng.randrange(6, 16)),
            pick(rng, string.ascii_lowercase, 9) + "7",
            f"P@ss-{pick(rng, ALNUM, 6)}!",
            f"{pick(rng, ALNUM, 4)}${pick(rng, ALNUM, 4)}#",
            f"k#{pick(rng, ALNUM, 5)}*^{pick(rng, ALNUM, 3)}",
            "hunter" + pick(rng, string.digits, 3),
        ]
    )


def pem(rng: random.Random) -> str:
    kind = rng.choice(
        ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
    )
    body = "\n".join([*(mixed(rng, BASE64, 64) for _ in range(rng.randrange(2, 6))), mixed(rng, BASE64, 30) + "=="])
    return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


SELF_EVIDENT: dict[str, Callable[[random.Random], str]] = {
    "email": email,
    "phone": phone,
    "rrn": rrn,
    "card": card,
    "iban": iban,
    "jwt": jwt,
    **CLOUD,
}

FRAMES = [
    "2026-11-21T03:12:04Z ERROR payments user {} failed to pay",
    "Nov 21 03:12:04 web-1 app[1234]: contact={} order=991",
    '{{"ts":"2026-11-21T03:12:04Z","level":"error","msg":"call for {} failed","code":500}}',
    'level=warn msg="lookup" who={} took=12ms',
    "[03:12:04] WARN  c.e.Mailer - retry ({}) in 5 s",
    '10.0.0.1 - - [21/Nov/2026:03:12:04 +0000] "GET /find?q={} HTTP/1.1" 404 12',
    "Caused by: java.lang.IllegalStateException: duplicate <{}>",
    "'{}' is not allowed; skipped",
    "값 {} 을(를) 찾을 수 없습니다",
]
CODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda line: line,
    "json": lambda line: json.dumps({"log": line}),
    "json in json": lambda line: json.dumps({"log": json.dumps({"message": line})}),
    "json, ascii only": lambda line: json.dumps(line, ensure_ascii=True),
    "url": lambda line: "GET /collect?line=" + urllib.parse.quote(line, safe="") + " 200",
    "html": lambda line: line.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("@", "&#64;"),
    "stack trace": lambda line: (
        f'Traceback (most recent call last):\n  File "a.py", line 3, in f\nValueError: {line}\n'
    ),
}


def planted(kind: str, number: int) -> Iterator[tuple[str, str]]:
    """(line, secret): `number` secrets of a kind, each in some frame and coding."""
    rng = random.Random(f"planted {kind}")
    codings = list(CODINGS.items())
    for at in range(number):
        secret = SELF_EVIDENT[kind](rng)
        if kind == "slack_hook":
            line = f"POST https://hooks.slack.com/services/{secret} failed"
        else:
            frame = FRAMES[at % len(FRAMES)]
            line = frame.format(urllib.parse.quote(secret, safe="")) if "?q=" in frame else frame.format(secret)
        yield codings[at // len(FRAMES) % len(codings)][1](line), secret


def survives(secret: str, masked: str) -> bool:
    """Whether the secret can still be read, escaped or not, or half of it."""
    readings = [view.text for view in views(masked)]
    half = secret[len(secret) // 4 : -(len(secret) // 4) or None] if len(secret) >= 12 else secret
    return any(secret in reading or half in reading for reading in readings)


@pytest.mark.parametrize("kind", SELF_EVIDENT)
def test_no_planted_secret_survives(kind: str) -> None:
    redactor = Redactor()
    leaks = []
    for line, secret in planted(kind, 252):
        masked = redactor.mask(line)
        if survives(secret, masked):
            leaks.append((secret, line, masked))
        assert redactor.restore(masked) == line
    assert not leaks, f"{len(leaks)} of 252, such as {leaks[:3]}"


PAIRS = [
    "password={}",
    "PASSWORD={}",
    "db.password = {}",
    "DB_PASSWORD: {}",
    "spring.datasource.password={} user=app",
    'passwd="{}"',
    "pwd='{}';uid=1",
    '{{"user":"bob","password":"{}","n":1}}',
    '{{"Password": "{}"}}',
    "{{password={}, user=bob}}",
    "User(name=bob, password={})",
    "client_secret={}&grant=x",
    "GET /login?user=bob&password={}&next=/ HTTP/1.1",
    "api_key={}",
    "X-Api-Key: {}",
    "apiKey: {},",
    '"accessToken" : "{}"',
    "access_token={}&x=1",
    "refresh_token='{}'",
    "secret: {}",
    "--password {} --verbose",
    "--token={}",
    "-Ddb.password={} -jar",
    "postgres://app:{}@db.internal:5432/shop",
    "redis://:{}@cache:6379/0",
    "amqp://guest:{}@mq/vhost",
    "Server=db;User Id=sa;Password={};Encrypt=true",
    "Authorization: Bearer {}",
    "authorization=Bearer {}",
    "Proxy-Authorization: Basic {}",
    "curl -u admin:{} https://x",
    "<password>{}</password>",
    '<add key="x" password="{}"/>',
    '{{"name":"DB_PASSWORD","value":"{}"}}',
    "- name: DB_PASSWORD\n  value: {}",
    "('password', '{}')",
    "IDENTIFIED BY '{}'",
    "비밀번호: {}",
    "password => {}",
    "params[password]={}",
    "secretAccessKey={}",
    "export TOKEN={}",
    "dbPassword={}",
    "DB_PASS={}",
    "pass: {}",
    "otp={}",
    "headers={{Authorization=[Bearer {}]}}",
    "Cookie: SESSION={}; theme=dark",
    "Set-Cookie: sid={}; HttpOnly",
    "password is {}",
    "Enter password for bob: {}",
    "sig={}0123456789abcdef",
    "AccountKey={};Suffix=x",
    "passphrase={}",
    "signing-key={}",
    "with password {} given",
    "mysql -uroot -p{} shop",
    "sshpass -p {} ssh web-1",
    "dsn=app:{}@tcp(10.0.0.5:3306)/shop",
    "connecting app:{}@db.internal:5432",
    'row: "{{""password"":""{}"",""n"":1}}"',
    "password -> {}",
    "The password for admin was reset to {}",
    "Passwort: {}",
    "contraseña={}",
    "mot de passe: {}",
    "psk={}",
    "SECRET_KEY_BASE={}",
    "<password><![CDATA[{}]]></password>",
    "redis-cli -h cache -a {} ping",
    "ldapsearch -D cn=admin -w {} -b dc=x",
    "mosquitto_pub -u app -P {} -t orders",
    "keytool -list -storepass {}",
    "docker login -u app -p {} registry",
    "pass\u200bword={}",
    "ｐａｓｓｗｏｒｄ＝{}",
    "password=<*>{}",
    "password=<EMAIL_9>{}",
]


@pytest.mark.parametrize("pattern", PAIRS)
@pytest.mark.parametrize("coding", ["plain", "json", "json in json", "url"])
def test_no_value_of_a_secret_key_survives(pattern: str, coding: str) -> None:
    rng = random.Random(f"pair {pattern}")
    redactor = Redactor()
    for _ in range(6):
        secret = password(rng)
        if "://" in pattern or "curl" in pattern:
            secret = secret.replace("#", "x").replace("$", "y")
        if "app:{}@" in pattern:
            secret = secret.replace("@", "x")
        if "?user" in pattern:
            secret = urllib.parse.quote(secret, safe="")
        if any(words in pattern for words in ("password is", "with password", "reset to", "->")):
            secret += "a1"
        line = CODINGS[coding]("INFO app " + pattern.format(secret) + " done")
        masked = redactor.mask(line)
        assert not survives(secret, masked), (secret, line, masked)
        assert redactor.restore(masked) == line


@pytest.mark.parametrize("coding", ["plain", "json", "json in json", "url"])
def test_no_private_key_survives(coding: str) -> None:
    rng = random.Random("keys")
    redactor = Redactor()
    for number in range(60):
        key = pem(rng)
        line = CODINGS[coding](f"loading key {number}:\n{key}\nloaded")
        masked = redactor.mask(line)
        for part in key.splitlines():
            assert not survives(part, masked), (part, masked)
        assert "loaded" in masked
        assert redactor.restore(masked) == line
        for part in key.splitlines()[1:-2]:  # each line as a record of its own
            assert part not in redactor.mask(part)
            assert part not in redactor.mask(f"Nov 21 03:12:04 web-1 app[1]: {part}")
        cut = CODINGS[coding](f"loading key:\n{key[: len(key) // 2]}")  # a truncated record
        for part in key[: len(key) // 2].splitlines()[1:]:
            assert not survives(part, redactor.mask(cut))


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('Authorization: Digest username="bob", nonce="dcd98b71", response="6629fae49393a0539"', "6629fae49393a0539"),
        ('{"auths":{"registry:5000":{"auth":"Ym9iOmh1bnRlcjIy"}}}', "Ym9iOmh1bnRlcjIy"),
        ("GET /maps?q=1&key=AbCdEf123456 HTTP/1.1", "AbCdEf123456"),
        ("GET /callback?code=4/0AX4XfWh_abcd&state=1", "4/0AX4XfWh_abcd"),
        ("POST https://acme.webhook.office.com/webhookb2/1c77@2d/IncomingWebhook/804d1e06/01d1 400", "804d1e06"),
        ("jdbc:oracle:thin:scott/t1gerPw9@db:1521:orcl", "t1gerPw9"),
        ("smbclient //srv/share -U bob%Winter2024!", "Winter2024!"),
        ("net use Z: \\\\srv\\share /user:bob Summer2024!", "Summer2024!"),
        ("your verification code is 482913", "482913"),
        ("인증번호는 482913 입니다", "482913"),
        ("INSERT INTO users (id, name, password) VALUES (7, 'O''Neill', 'insPw79') RETURNING id", "insPw79"),
        ("insert into \"app\".\"users\"(api_token,name) values ('tok-9','bob')", "tok-9"),
        ("tel 1588-1234", "1588-1234"),
        ("Tel. 030 12345678", "12345678"),
        ("Telefon: 089-123456-0", "123456"),
        ("call 1-800-555-0199", "555-0199"),
    ],
)
def test_no_secret_of_a_form_of_its_own_survives(line: str, secret: str) -> None:
    redactor = Redactor()
    masked = redactor.mask(line)
    assert not survives(secret, masked), masked
    assert redactor.restore(masked) == line
