"""Asking a model: a LangChain chain over any OpenAI-compatible endpoint. Only here: langchain, openai.

Endpoints differ in what they take. A request starts in the strictest shape (a JSON schema) and steps down when the
endpoint refuses it (400, 404, 422): a parameter that the refusal names is left out (newer models take no `temperature`,
older servers no `max_completion_tokens`), else any JSON object is asked for, then plain text; the prompt asks for the
JSON in every shape.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import httpx2
import openai
from langchain_core.messages import AIMessageChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from core.chat import ChatReply, ChatRequest
from core.errors import CaliError, ConfigError, PermanentError, RetryableError
from rag.bounded_http import ResponseTooLargeError, bounded_client, without_password

LONGEST_WAIT: Final = 60.0
"""Seconds: a Retry-After beyond this is given up at once; someone is waiting for the answer."""

REST: Final = 300.0
"""Seconds for which an endpoint that failed is not asked about further incidents."""

_PROMPT: Final = ChatPromptTemplate.from_messages([("system", "{system}"), ("human", "{user}")])
_SHAPES: Final = ("schema", "object", "text")
_REFUSED_SHAPE: Final = frozenset({400, 404, 415, 422, 501})
_OPTIONAL: Final = ("temperature", "max_completion_tokens", "stream_options")
"""Parameters that some endpoints refuse: by name, with 400 or 422."""
_HOPELESS: Final = frozenset({401, 403})
_MAX_CHARACTERS_PER_TOKEN: Final = 64
"""A reply longer than this is no reply of so many tokens: the endpoint ignores the limit."""


class OpenAICompatible:
    """A chat model behind an OpenAI-compatible endpoint (`core.ports.ChatModel`).

    `timeout` is in seconds and bounds one request as a whole; `retries` counts the tries after the first, with
    exponential back-off and jitter, or as long as Retry-After says; none begins later than twice the time-out after the
    first. An endpoint that failed all tries, or refused the key, is left alone for `REST`. `sleep` waits between tries,
    `clock` counts seconds. Raises ConfigError for a base URL that is none.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str | None,
        api_key: SecretStr | None,
        timeout: float,
        retries: int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise ConfigError("llm_base_url", base_url, "a URL such as http://localhost:11434/v1")
        self._model = model
        self._base_url = base_url
        # Local servers want no key, but the client library insists on one.
        self._api_key = api_key or SecretStr("none")
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._clock = clock
        self._shape = 0  # the first of _SHAPES that the endpoint takes
        self._left_out: set[str] = set()  # of _OPTIONAL, what it does not take
        self._given_up = ""
        self._rests_until = -math.inf

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._model

    def reply(
        self,
        request: ChatRequest,
        on_text: Callable[[str], None] | None = None,
        on_retry: Callable[[bool], None] | None = None,
    ) -> ChatReply:
        """The model's reply; `on_text` is called with each piece as it arrives, `on_retry` before each further try.

        Raises RetryableError (time-out, 429, 5xx, cut stream, nonsense; after all tries), PermanentError (bad key).
        """
        if self._clock() < self._rests_until:
            # Someone waits for the report: the next incident would wait as long for nothing.
            raise RetryableError(f"not asked again, because for an incident before {self._given_up}")
        retrying = Retrying(
            stop=stop_after_attempt(self._retries + 1) | stop_after_delay(2 * self._timeout),
            wait=_wait,
            retry=retry_if_exception_type(_PassingError),
            before_sleep=lambda state: on_retry(_may_have_cost(state)) if on_retry is not None else None,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._reply_in_some_shape, request, on_text)
        except RetryableError as exc:
            self._give_up(exc)
            raise

    def _reply_in_some_shape(self, request: ChatRequest, on_text: Callable[[str], None] | None) -> ChatReply:
        while True:
            try:
                return self._stream(request, on_text)
            except openai.APIStatusError as exc:
                if exc.status_code in _REFUSED_SHAPE and self._step_down(exc):
                    continue
                if exc.status_code in _HOPELESS:
                    self._give_up(self._translated(exc))
                raise self._translated(exc) from exc
            except CaliError:
                raise
            except Exception as exc:  # what an odd reply makes the client libraries raise has no common type
                raise self._translated(exc) from exc

    def _give_up(self, reason: CaliError) -> None:
        self._given_up, self._rests_until = str(reason), self._clock() + REST

    def _step_down(self, refusal: openai.APIStatusError) -> bool:
        """Leaves out what the endpoint does not take; False where nothing is left to leave out."""
        told = f"{refusal.param or ''} {_detail(refusal)}"
        named = next((name for name in _OPTIONAL if name in told and name not in self._left_out), None)
        if named is not None:
            self._left_out.add(named)
            return True
        if self._shape < len(_SHAPES) - 1:
            self._shape += 1
            return True
        return False

    def _translated(self, exc: Exception) -> CaliError:
        return translate(exc, self._where, self._api_key.get_secret_value())

    def _stream(self, request: ChatRequest, on_text: Callable[[str], None] | None) -> ChatReply:
        with bounded_client(self._timeout) as (client, expired):
            chat = ChatOpenAI(
                model=self._model,
                base_url=self._base_url,
                api_key=self._api_key,
                timeout=self._timeout,
                max_retries=0,
                stream_usage="stream_options" not in self._left_out,
                temperature=None if "temperature" in self._left_out else 0,
                http_client=client,
            )
            chain = _PROMPT | chat.bind(**self._extras(request))
            whole: AIMessageChunk | None = None
            size = 0
            try:
                for chunk in chain.stream({"system": request.system, "user": request.user}):
                    assert isinstance(chunk, AIMessageChunk)
                    whole = chunk if whole is None else whole + chunk
                    if on_text is not None and isinstance(chunk.content, str) and chunk.content:
                        on_text(chunk.content)
                    size += len(chunk.content) if isinstance(chunk.content, str) else 0
                    if size > _MAX_CHARACTERS_PER_TOKEN * request.max_output_tokens:
                        raise PermanentError(
                            f"{self._where} sent more than {size:,} characters, though {request.max_output_tokens:,} "
                            "tokens were asked for at most"
                        )
                    if expired.is_set():
                        raise _PassingError(f"{self._where} took longer than {self._timeout:g} s")
            except CaliError:
                raise
            except Exception as exc:
                if expired.is_set():
                    raise _PassingError(f"{self._where} took longer than {self._timeout:g} s") from exc
                raise
        return self._read(whole, request)

    def _extras(self, request: ChatRequest) -> Mapping[str, Any]:
        """The limit of the reply, and its shape. In the extra body: given as an argument, the client library would
        parse the stream itself, and raise on a reply that is cut or whose first delta has no role."""
        body: dict[str, Any] = {}
        name = "max_tokens" if "max_completion_tokens" in self._left_out else "max_completion_tokens"
        body[name] = request.max_output_tokens
        match _SHAPES[self._shape]:
            case "schema":
                schema = {"name": request.name, "schema": dict(request.schema), "strict": True}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            case "object":
                body["response_format"] = {"type": "json_object"}
        return {"extra_body": body}

    def _read(self, whole: AIMessageChunk | None, request: ChatRequest) -> ChatReply:
        if whole is None:
            raise _PassingError(f"{self._where} sent an empty stream")
        text = str(whole.text)
        reason = whole.response_metadata.get("finish_reason")
        finish: Literal["stop", "length", "refusal"]
        if reason is None:
            raise _PassingError(f"{self._where} ended its stream in the middle of the reply")
        if reason == "length":
            finish = "length"
        elif reason == "content_filter" or not text.strip():
            # langchain drops the text of a streamed refusal: an empty reply is what remains of it.
            finish = "refusal"
        else:
            finish = "stop"
        usage = whole.usage_metadata
        if usage is None:
            estimate = (len(request.system) + len(request.user)) // 3, len(text) // 3
            return ChatReply(text, finish, *estimate, model=self._model, estimated=True)
        return ChatReply(text, finish, usage["input_tokens"], usage["output_tokens"], model=self._model)

    @property
    def _where(self) -> str:
        return f"model {self._model} at {without_password(self._base_url or 'api.openai.com')}"

    def answers(self) -> str:
        """Asks the endpoint for its models: one line that says whether ours is among them.

        Raises RetryableError or PermanentError where it does not answer.
        """
        with bounded_client(min(self._timeout, 10.0)) as (client, _):
            api = openai.OpenAI(
                base_url=self._base_url,
                api_key=self._api_key.get_secret_value(),
                max_retries=0,
                http_client=client,
                timeout=min(self._timeout, 10.0),
            )
            try:
                names = [model.id for model in api.models.list()]
            except Exception as exc:  # as in a reply
                raise self._translated(exc) from exc
        return "answers" if self._model in names else f"answers, but lists {len(names)} models without this one"


class _PassingError(RetryableError):
    """A failure that another try may pass. `turned_away`: the endpoint did no work for it."""

    def __init__(self, message: str, retry_after: float | None = None, *, turned_away: bool = False) -> None:
        super().__init__(message, retry_after)
        self.turned_away = turned_away


def _may_have_cost(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome is not None else None
    return not (isinstance(error, _PassingError) and error.turned_away)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, RetryableError) and error.retry_after is not None:
        return error.retry_after
    return float(wait_random_exponential(multiplier=0.5, max=20)(state))


def translate(exc: Exception, where: str, secret: str = "") -> CaliError:
    """The error of CALI that stands for one of the client library's, without `secret`, which some endpoints repeat.
    Retried are `_PassingError` ones only."""
    if isinstance(exc, openai.APIStatusError):
        detail = f"{where} answered {exc.status_code}: {_told(_detail(exc), secret)}"
        if exc.status_code in (408, 409, 429) or exc.status_code >= 500:
            wait = _retry_after(exc.response.headers)
            if wait is not None and wait > LONGEST_WAIT:
                return RetryableError(f"{detail}; it asks to wait {wait:g} s", wait)
            return _PassingError(detail, wait, turned_away=True)
        hints = {401: "; check CALI_LLM_API_KEY", 403: "; check CALI_LLM_API_KEY", 404: "; check CALI_LLM_MODEL"}
        return PermanentError(detail + hints.get(exc.status_code, ""))
    if isinstance(exc, openai.APITimeoutError | httpx2.TimeoutException):
        return _PassingError(f"{where} did not answer in time")
    if isinstance(exc, ResponseTooLargeError):
        return PermanentError(f"{where} sent {exc}")
    if isinstance(exc, openai.OpenAIError | httpx2.HTTPError | httpx2.StreamError | httpx2.InvalidURL | OSError):
        first = _deepest(exc)
        return _PassingError(
            f"{where} broke off: {_told(str(first), secret)}", turned_away=isinstance(first, ConnectionRefusedError)
        )
    return _PassingError(f"{where} sent what is no streamed reply: {_told(str(exc), secret)}")


def _detail(exc: openai.APIStatusError) -> str:
    body = exc.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or exc.message)


def _deepest(exc: BaseException) -> BaseException:
    """What began it: "Connection refused" instead of "Connection error."."""
    while (cause := exc.__cause__ or exc.__context__) is not None and str(cause):
        exc = cause
    return exc


def _told(text: str, secret: str) -> str:
    """What an endpoint said, for people: one line, without the key and without control characters."""
    if len(secret) > len("none"):
        text = text.replace(secret, "***")
    return "".join(char if char.isprintable() else " " for char in " ".join(text.split()))[:300]


def _retry_after(headers: httpx2.Headers) -> float | None:
    try:
        wait = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return None if math.isnan(wait) else max(wait, 0.0)
