"""Stack traces -> frames, exceptions and their chain.

Understood: Python (chained too), Java, Kotlin and Scala (`Caused by`, `Suppressed`, `... n more`), Go panics, Node and
TypeScript, .NET (inner exceptions), Rust panics, Ruby, PHP. A trace may be cut at either end, may repeat a log header
on each line, and may be written on one line with escaped line ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.stackframes import (
    Frame,
    Language,
    dotnet_frame,
    go_frame,
    java_frame,
    node_frame,
    php_frame,
    python_frame,
    repository_path,
    ruby_frame,
    rust_frame,
)

__all__ = ["Frame", "StackTrace", "deepest_own_frame", "parse", "root_frame"]

MAX_LINES: Final = 2_000
MAX_WIDTH: Final = 1_000
MAX_TEXT: Final = 1_000_000
"""Lines of a text, characters of a line, characters of a text that are looked at: one body costs a bounded time."""
MAX_MESSAGE: Final = 1_000
"""Characters from which the message of a Python exception is not carried on by the lines below it."""


@dataclass(frozen=True, slots=True)
class StackTrace:
    """One exception with its frames, outermost call first, deepest last. Names are None where the text is cut."""

    language: Language
    frames: tuple[Frame, ...]
    exception: str | None = None
    message: str | None = None
    suppressed: bool = False


@dataclass(slots=True)
class _Draft:
    language: Language
    frames: list[Frame]
    exception: str | None = None
    message: str | None = None
    suppressed: bool = False
    base: int | None = None  # indent of the line that opened it (Python)
    header: int = 0  # whitespace-separated words of log header on its lines
    link: bool = False  # belongs to the chain of the trace before it, as its cause
    wraps: bool = False  # belongs to the chain of the trace before it, as its wrapper (.NET)
    closed: bool = False
    outer: list[tuple[str, str | None]] = field(default_factory=list)  # wrappers still to come, innermost last (.NET)


_TYPE: Final = (
    r"(?P<type>(?:[A-Za-z_$][\w$]*[.\\:]{1,2})*[A-Z_a-z$][\w$]*?"
    r"(?:Exception|Error|Throwable|Failure|Fault|Timeout|Panic|Interrupt|Exit|Rejection|Warning)[\w$]*)"
)
_HEADLINE: Final = re.compile(_TYPE + r"(?: \[\w+\])?(?::\s*(?P<message>.*)|\s*$)")
_CAUSED: Final = re.compile(r"\b(?P<how>Caused by|Suppressed|\[cause\]|Wrapped by|Cause): (?P<rest>.*)")
_TRACEBACK: Final = re.compile(
    r"Traceback \(most recent call last\)|Stack \(most recent call last\)|Traceback \(innermost last\)"
)
_EXCEPTION_LINE: Final = re.compile(r"^(?P<type>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)(?::\s?(?P<message>.*))?$")
_TEMPLATE: Final = re.compile(r"\.(?:html?|xml|txt|md|ya?ml|j2|jinja2?|tmpl|tpl|mako|sql|conf)$", re.IGNORECASE)
_GO_PANIC: Final = re.compile(r"\b(?P<type>panic|fatal error): (?P<message>.*)")
_GOROUTINE: Final = re.compile(r"\bgoroutine (?P<id>\d+) \[(?P<state>[^\]]+)\]:")
_RUST_OLD: Final = re.compile(r"thread '[^']*' panicked at '(?P<message>.*)', (?P<file>\S+?\.rs):(?P<line>\d+)")
_RUST_NEW: Final = re.compile(r"thread '[^']*'(?: \(\d+\))? panicked at (?P<file>[^\s:]+\.rs):(?P<line>\d+):\d+:?\s*$")
_RUBY_HEAD: Final = re.compile(r":in [`'][^'`]+':\s*(?P<message>.*?)\s*\((?P<type>[A-Z][\w:]*)\)\s*$")
_PHP_HEAD: Final = re.compile(
    r"(?:Uncaught|exception) '?(?P<type>[A-Z][\w\\]*)'?:? (?:with message '|)(?P<message>.*?)'?"
    r" in (?P<file>\S+\.php)(?::| on line )(?P<line>\d+)"
)
_DOTNET_INNER: Final = re.compile(
    r"--->\s*(?:\(Inner Exception #\d+\)\s*)?" + _TYPE + r"(?: \([^)]*\))?(?::\s*(?P<message>.*?))?(?=\s*--->|\s*$)"
)
_LIST_ITEM: Final = re.compile(r"""\\n['"], u?['"]""")
"""Between two lines of a trace that was written as a list (`[u'Traceback ...:\\n', u'  File ...\\n']`)."""
_CHAINED: Final = ("During handling of the above", "The above exception was")
_DOTNET_INNER_END: Final = "--- End of inner exception stack trace ---"


def parse(text: str) -> tuple[StackTrace, ...]:
    """The stack traces in a text: inside a chain the root cause comes first, chains in the order they are written.

    A text without a frame has no trace.
    """
    text = text[:MAX_TEXT]
    relayed: frozenset[int] = frozenset()
    if "\\n" in text and text.count("\n") < text.count("\\n"):  # a trace inside a JSON or repr string
        lines = _unescaped(text).split("\n")
    elif "\\n" in text:
        lines, relayed = _expanded(text.split("\n"))
    else:
        lines = text.split("\n")
    return _causal(_drafts([line.rstrip("\r")[:MAX_WIDTH] for line in lines[:MAX_LINES]], relayed))


def _unescaped(text: str) -> str:
    text = _LIST_ITEM.sub("\\n", text)
    return text.replace("\\r", "").replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')


def _expanded(lines: Sequence[str]) -> tuple[list[str], frozenset[int]]:
    """Lines, those that hold a whole trace with escaped line ends as many; and the first line of each such trace.

    A remote error is told so: the local trace, then the other program's as the message of its exception.
    """
    found: list[str] = []
    relayed: set[int] = set()
    for line in lines:
        if "\\n" in line and _TRACEBACK.search(line) is not None:
            relayed.add(len(found))
            found.extend(each for each in _unescaped(line).split("\n") if each.strip("'\"[](){}.,; "))
            found.append("")
        else:
            found.append(line)
    return found, frozenset(relayed)


def deepest_own_frame(trace: StackTrace, packages: Sequence[str] = ()) -> Frame | None:
    """The innermost frame that is the program's own code; None where all are library code.

    A frame of a text template, which has no function, counts where no code of the program's own rendered it.
    `packages` are top-level names known to be own although they are installed like libraries (the service, the root of
    its loggers).
    """
    wanted = {name.replace("-", "_").lower() for name in packages if name}
    template: Frame | None = None
    for frame in reversed(trace.frames):
        top = re.split(r"[/.:]", frame.file or frame.module or "", maxsplit=1)[0]
        if not (frame.own or top.replace("-", "_").lower() in wanted):
            continue
        if not _is_template(frame):
            return frame
        template = template or frame
    return template


def _is_template(frame: Frame) -> bool:
    """Whether a frame lies in a file that Python code renders (Jinja, Mako), not in code."""
    return frame.language == "python" and _TEMPLATE.search(frame.file or "") is not None


def root_frame(traces: Sequence[StackTrace], packages: Sequence[str] = ()) -> tuple[StackTrace, Frame] | None:
    """The deepest own frame nearest to the root cause, with its trace: the first trace of a chain that has one."""
    for trace in traces:
        frame = deepest_own_frame(trace, packages)
        if frame is not None and not trace.suppressed:
            return trace, frame
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _words_before(line: str, offset: int) -> int:
    return len(line[:offset].split())


def _without_header(line: str, words: int) -> str:
    if words == 0:
        return line
    match = re.match(rf"\s*(?:\S+\s+){{{words - 1}}}\S+\s?", line)
    return line[match.end() :] if match else line


def _drafts(lines: list[str], relayed: frozenset[int] = frozenset()) -> list[_Draft]:
    drafts: list[_Draft] = []
    for index, line in enumerate(lines):
        current = drafts[-1] if drafts and not drafts[-1].closed else None
        if not line.strip():
            if current is not None and current.language == "python" and current.exception is not None:
                current.closed = True  # its message ends here
            continue
        if _opening(lines, index, drafts, current):
            # What the message of an exception relays is its cause.
            drafts[-1].link = drafts[-1].link or (index in relayed and current is not None and bool(current.exception))
            continue
        previous = lines[index - 1] if index else ""
        frame = _frame_of(line, previous, current)
        if frame is not None:
            _add_frame(lines, index, frame, drafts, current)
        elif current is not None and current.language == "python" and current.frames:
            _python_exception(line, current)
    return [draft for draft in drafts if draft.frames]


def _frame_of(line: str, previous: str, current: _Draft | None) -> Frame | None:
    frame = python_frame(line)
    if frame is not None:
        return frame
    if "at " in line and re.search(r"(?:^|\s)at ", line):
        frame = rust_frame(line, previous) or java_frame(line) or node_frame(line)
        if frame is None:
            frame = dotnet_frame(line)  # without a file it could be prose: only inside a trace or at a line's start
            if frame is not None and frame.file is None and current is None and not line.lstrip().startswith("at "):
                return None
        return frame
    return php_frame(line) or ruby_frame(line) or go_frame(line, previous)


def _opening(lines: list[str], index: int, drafts: list[_Draft], current: _Draft | None) -> bool:
    """Handles a line that begins or links traces; says whether it did."""
    line = lines[index]
    if (match := _TRACEBACK.search(line)) is not None:
        words = _words_before(line, match.start())
        following = lines[index + 1] if index + 1 < len(lines) else ""
        headed = 0 if following.lstrip().startswith('File "') else words
        indent = match.start() if not words else _indent(_without_header(line, words))
        drafts.append(_Draft("python", [], base=indent if headed == words else 0, header=headed))
        return True
    if (match := _CAUSED.search(line)) is not None and current is not None:
        draft = _Draft(current.language, [], suppressed=match["how"] == "Suppressed", link=True)
        _headline(match["rest"], draft)
        drafts.append(draft)
        return True
    if (match := _GO_PANIC.search(line)) is not None:
        draft = _Draft("go", [], match["type"], match["message"].strip())
        drafts.append(draft)
        return False
    if (match := _GOROUTINE.search(line)) is not None:
        if current is None or current.language != "go" or current.frames:
            drafts.append(_Draft("go", []))
        return True
    if (match := _RUST_OLD.search(line) or _RUST_NEW.search(line)) is not None:
        groups = match.groupdict()
        message = groups.get("message") or (lines[index + 1].strip() if index + 1 < len(lines) else None)
        own = Frame(repository_path(match["file"]), int(match["line"]), None, None, "rust", own=True)
        drafts.append(_Draft("rust", [own], "panic", message))
        return True
    if (match := _PHP_HEAD.search(line)) is not None:
        place = Frame(
            repository_path(match["file"]), int(match["line"]), None, None, "php", own="/vendor/" not in match["file"]
        )
        drafts.append(_Draft("php", [place], match["type"], match["message"]))
        return True
    if _DOTNET_INNER_END in line and current is not None:
        current.closed = True
        return True
    return False


def _add_frame(lines: list[str], index: int, frame: Frame, drafts: list[_Draft], current: _Draft | None) -> None:
    if current is None or not _continues(current, frame):
        outer = drafts[-1] if drafts and drafts[-1].closed and frame.language == "dotnet" else None
        current = _Draft(frame.language, [])
        if outer is not None:
            current.wraps = True
            if outer.outer:
                current.outer = outer.outer[:-1]
                current.exception, current.message = outer.outer[-1]
        elif frame.language in ("java", "node", "dotnet"):
            _look_back(lines, index, current)
        elif frame.language == "ruby" and (match := _RUBY_HEAD.search(lines[index])) is not None:
            current.exception, current.message = match["type"], match["message"]
        elif frame.language == "python":
            current.header = _words_before(lines[index], lines[index].find('File "'))
        drafts.append(current)
    current.language = frame.language
    current.frames.append(frame)


def _continues(draft: _Draft, frame: Frame) -> bool:
    """Whether a frame belongs to the trace that is being read."""
    if draft.frames:
        # Python writes the exception last: frames after it are another trace, whose head is cut.
        return draft.language == frame.language and not (frame.language == "python" and draft.exception)
    managed = ("java", "node", "dotnet")
    return draft.language == frame.language or (draft.language in managed and frame.language in managed)


def _look_back(lines: list[str], index: int, draft: _Draft) -> None:
    """Finds the exception that heads the frames starting at `index`, a few lines above."""
    for above in range(index - 1, max(index - 6, -1), -1):
        line = lines[above].strip()
        inner = list(_DOTNET_INNER.finditer(line))
        if inner:
            draft.exception, draft.message = inner[-1]["type"], inner[-1]["message"]
            outer = _Draft("dotnet", [])
            if _headline(line.split("--->", 1)[0], outer) and outer.exception:
                draft.outer.append((outer.exception, outer.message))
            draft.outer.extend((match["type"], match["message"]) for match in inner[:-1])
            return
        if line and _headline(line, draft):
            return


def _headline(text: str, draft: _Draft) -> bool:
    """Reads `Type: message`. The type that begins earliest wins: a message may name another exception."""
    match = _HEADLINE.search(text)
    if match is None:
        return False
    draft.exception = match["type"]
    draft.message = (match["message"] or "").strip() or None
    return True


def _python_exception(line: str, draft: _Draft) -> None:
    text = _without_header(line, draft.header)
    if draft.exception is not None:
        _carry_on(text, draft)
        return
    floor = draft.base if draft.base is not None else 0
    if _indent(text) > floor or set(text.strip()) <= set("~^ "):
        return
    match = _EXCEPTION_LINE.match(text.strip())
    if match is not None:
        draft.exception = match["type"]
        draft.message = (match["message"] or "").strip() or None


def _carry_on(text: str, draft: _Draft) -> None:
    """Adds a line below the exception to its message: a command's output, a server's detail, a hint."""
    if not text.strip() or text.startswith(_CHAINED):
        draft.closed = True
    elif len(draft.message or "") < MAX_MESSAGE:
        draft.message = f"{draft.message or ''}\n{text.strip()}".lstrip()


def _causal(drafts: list[_Draft]) -> tuple[StackTrace, ...]:
    traces: list[StackTrace] = []
    chain: list[StackTrace] = []  # root cause first
    for draft in drafts:
        frames = _settled(draft)
        trace = StackTrace(draft.language, frames, draft.exception, draft.message, draft.suppressed)
        if draft.suppressed:
            chain.append(trace)
        elif draft.link:
            chain.insert(0, trace)
        elif draft.wraps:
            chain.append(trace)
        else:
            traces.extend(chain)
            chain = [trace]
    return (*traces, *chain)


def _settled(draft: _Draft) -> tuple[Frame, ...]:
    """The frames of a draft, outermost first, where the language's own way of writing them is undone."""
    frames = draft.frames if draft.language == "python" else draft.frames[::-1]
    if draft.language == "php":
        # `#0 file(line): callee` places a call: the function around that line is the callee of the entry below it.
        calls = [frame for frame in draft.frames if frame.function]
        below = [*(frame.function for frame in calls[1:]), None]
        placed = [replace(frame, function=name) for frame, name in zip(calls, below, strict=False)]
        head = draft.frames[0]
        if not head.function and not (calls and (head.file, head.line) == (calls[0].file, calls[0].line)):
            placed.insert(0, replace(head, function=calls[0].function if calls else None))
        frames = placed[::-1]
    if draft.language == "rust" and len(frames) > 1 and frames[-1].function is None:
        place = frames[-1]
        if any((frame.file, frame.line) == (place.file, place.line) for frame in frames[:-1]):
            frames = frames[:-1]
    return tuple(frames)
