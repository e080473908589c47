"""Asking a model: a LangChain chain over any OpenAI-compatible endpoint. Only here: langchain, openai.

Endpoints differ in what they take. A request starts in the strictest shape (a JSON schema) and steps down when the
endpoint refuses it (400, 404, 422): any JSON object, then plain text; the prompt asks for the JSON in every shape.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import httpx2
import openai
from langchain_core.messages import AIMessageChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.chat import ChatReply, ChatRequest
from core.errors import CaliError, ConfigError, PermanentError, RetryableError

LONGEST_WAIT: Final = 60.0
"""Seconds: a Retry-After beyond this is given up at once; someone is waiting for the answer."""

_PROMPT: Final = ChatPromptTemplate.from_messages([("system", "{system}"), ("human", "{user}")])
_SHAPES: Final = ("schema", "object", "text")
_REFUSED_SHAPE: Final = frozenset({400, 404, 415, 422, 501})


class OpenAICompatible:
    """A chat model behind an OpenAI-compatible endpoint (`core.ports.ChatModel`).

    `timeout` is in seconds and bounds one request as a whole; `retries` counts the tries after the first, with
    exponential back-off and jitter, or as long as Retry-After says. `sleep` waits between tries. Raises ConfigError for
    a base URL that is none.
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
        self._shape = 0  # the first of _SHAPES that the endpoint takes

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._model

    def reply(self, request: ChatRequest, on_text: Callable[[str], None] | None = None) -> ChatReply:
        """The model's reply; `on_text` is called with each piece as it arrives.

        Raises RetryableError (time-out, 429, 5xx, cut stream; after all tries), PermanentError (bad key).
        """
        retrying = Retrying(
            stop=stop_after_attempt(self._retries + 1),
            wait=_wait,
            retry=retry_if_exception_type(RetryableError) & retry_if_exception_type(_PassingError),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._reply_in_some_shape, request, on_text)

    def _reply_in_some_shape(self, request: ChatRequest, on_text: Callable[[str], None] | None) -> ChatReply:
        while True:
            try:
                return self._stream(request, on_text)
            except openai.APIStatusError as exc:
                if exc.status_code in _REFUSED_SHAPE and self._shape < len(_SHAPES) - 1:
                    self._shape += 1
                    continue
                raise translate(exc, self._where) from exc
            except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as exc:
                raise translate(exc, self._where) from exc

    def _stream(self, request: ChatRequest, on_text: Callable[[str], None] | None) -> ChatReply:
        with _bounded_client(self._timeout) as (client, expired):
            chat = ChatOpenAI(
                model=self._model,
                base_url=self._base_url,
                api_key=self._api_key,
                timeout=self._timeout,
                max_retries=0,
                stream_usage=True,
                temperature=0,
                max_completion_tokens=request.max_output_tokens,
                http_client=client,
            )
            chain = _PROMPT | chat.bind(**_response_format(_SHAPES[self._shape], request))
            whole: AIMessageChunk | None = None
            try:
                for chunk in chain.stream({"system": request.system, "user": request.user}):
                    assert isinstance(chunk, AIMessageChunk)
                    whole = chunk if whole is None else whole + chunk
                    if on_text is not None and isinstance(chunk.content, str) and chunk.content:
                        on_text(chunk.content)
                    if expired.is_set():
                        raise _PassingError(f"{self._where} took longer than {self._timeout:g} s")
            except (httpx2.HTTPError, httpx2.StreamError, openai.APIError, RuntimeError, OSError) as exc:
                if expired.is_set():
                    raise _PassingError(f"{self._where} took longer than {self._timeout:g} s") from exc
                raise
        return self._read(whole, request)

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
        return f"model {self._model} at {self._base_url or 'api.openai.com'}"

    def answers(self) -> str:
        """Asks the endpoint for its models: one line that says whether ours is among them.

        Raises RetryableError or PermanentError where it does not answer.
        """
        with _bounded_client(min(self._timeout, 10.0)) as (client, _):
            api = openai.OpenAI(
                base_url=self._base_url,
                api_key=self._api_key.get_secret_value(),
                max_retries=0,
                http_client=client,
                timeout=min(self._timeout, 10.0),
            )
            try:
                names = [model.id for model in api.models.list()]
            except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL) as exc:
                raise translate(exc, self._where) from exc
        return "answers" if self._model in names else f"answers, but lists {len(names)} models without this one"


class _PassingError(RetryableError):
    """A failure that another try may pass."""


@contextmanager
def _bounded_client(timeout: float) -> Iterator[tuple[httpx2.Client, threading.Event]]:
    # httpx bounds each read; a server that drips a byte now and then would still hold us for ever. Closing the client
    # at the deadline ends that.
    expired = threading.Event()
    client = httpx2.Client(timeout=timeout)

    def expire() -> None:
        expired.set()
        client.close()

    timer = threading.Timer(timeout, expire)
    timer.daemon = True
    timer.start()
    try:
        yield client, expired
    finally:
        timer.cancel()
        client.close()


def _response_format(shape: str, request: ChatRequest) -> Mapping[str, Any]:
    # In the extra body: given as an argument, the client library would parse the stream itself, and raise on a reply
    # that is cut or whose first delta has no role.
    if shape == "schema":
        schema = {"name": request.name, "schema": dict(request.schema), "strict": True}
        return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": schema}}}
    if shape == "object":
        return {"extra_body": {"response_format": {"type": "json_object"}}}
    return {}


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, RetryableError) and error.retry_after is not None:
        return error.retry_after
    return float(wait_random_exponential(multiplier=0.5, max=20)(state))


def translate(exc: Exception, where: str) -> CaliError:
    """The error of CALI that stands for one of the client library's. Retried are `_PassingError` ones only."""
    if isinstance(exc, openai.APIStatusError):
        detail = f"{where} answered {exc.status_code}: {_detail(exc)}"
        if exc.status_code in (408, 409, 429) or exc.status_code >= 500:
            wait = _retry_after(exc.response.headers)
            if wait is not None and wait > LONGEST_WAIT:
                return RetryableError(f"{detail}; it asks to wait {wait:g} s", wait)
            return _PassingError(detail, wait)
        hints = {401: "; check CALI_LLM_API_KEY", 403: "; check CALI_LLM_API_KEY", 404: "; check CALI_LLM_MODEL"}
        return PermanentError(detail + hints.get(exc.status_code, ""))
    if isinstance(exc, openai.APITimeoutError | httpx2.TimeoutException):
        return _PassingError(f"{where} did not answer in time")
    return _PassingError(f"{where} broke off: {exc.__cause__ or exc}")


def _detail(exc: openai.APIStatusError) -> str:
    body = exc.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or exc.message)[:300]


def _retry_after(headers: httpx2.Headers) -> float | None:
    try:
        return max(float(headers["retry-after"]), 0.0)
    except (KeyError, ValueError):
        return None
