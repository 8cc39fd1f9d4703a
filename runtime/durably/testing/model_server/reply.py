"""What a scripted model answers: text, tool calls, an error, a broken connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, cast

_KEYS = frozenset({"text", "tools", "error", "finish", "usage", "delay", "cut_after"})
_UNTOLD: dict[str, Any] = {"message": "a scripted error"}


@dataclass(frozen=True)
class ToolCall:
    """One tool call in a reply.

    Attributes:
        name: The tool's name.
        arguments: The arguments as JSON text; text that is not JSON is sent as it is.
    """

    name: str
    arguments: str

    @classmethod
    def of(cls, name: str, arguments: Mapping[str, Any] | str) -> Self:
        """Make a call from arguments as a mapping, or as the exact text to send."""
        text = arguments if isinstance(arguments, str) else json.dumps(dict(arguments))
        return cls(name, text)


@dataclass(frozen=True)
class Failure:
    """An HTTP error in place of an answer.

    Attributes:
        status: The HTTP status, 400 to 599.
        message: The message in the error's body.
        retry_after: Seconds, sent as the ``Retry-After`` header; none is sent if ``None``.
        retryable: ``False`` asks OpenAI's clients not to repeat the request
            (``x-should-retry: false``).
    """

    status: int
    message: str
    retry_after: float | None = None
    retryable: bool = True

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ValueError(f"an error's status is 400 to 599, not {self.status}")


@dataclass(frozen=True)
class Reply:
    """The answer to one request.

    Make one with `text`, `tool`, `tools`, `error` or `drop`; refine it with `delayed`, `cut`,
    `finished` and `using`, each of which returns a changed copy.

    Attributes:
        content: The message's text; ``None`` if there is none.
        calls: The tool calls, in order.
        failure: An HTTP error to send instead.
        finish: The finish reason; ``None``: ``tool_calls`` if there are calls, else ``stop``.
        usage: Prompt and completion tokens; ``None``: one for each four characters.
        delay: Seconds to wait before answering.
        cut_after: Close the connection after so many stream events (0: before anything is sent;
            for an answer that is not streamed, more than 0 means in the middle of the body).

    Example:
        >>> Reply.tool("search", {"query": "tea"}).delayed(0.5).calls[0].arguments
        '{"query": "tea"}'
    """

    content: str | None = None
    calls: tuple[ToolCall, ...] = ()
    failure: Failure | None = None
    finish: str | None = None
    usage: tuple[int, int] | None = None
    delay: float = 0.0
    cut_after: int | None = None

    def __post_init__(self) -> None:
        if self.delay < 0:
            raise ValueError(f"a delay is 0 seconds or more, not {self.delay}")
        if self.cut_after is not None and self.cut_after < 0:
            raise ValueError(f"cut_after is 0 events or more, not {self.cut_after}")

    @classmethod
    def text(cls, content: str) -> Self:
        """Answer with text."""
        return cls(content=content)

    @classmethod
    def tool(cls, name: str, arguments: Mapping[str, Any] | str = "{}") -> Self:
        """Call one tool."""
        return cls(calls=(ToolCall.of(name, arguments),))

    @classmethod
    def tools(cls, *calls: tuple[str, Mapping[str, Any] | str], content: str | None = None) -> Self:
        """Call several tools in parallel, optionally with text before them.

        Example:
            >>> reply = Reply.tools(("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"}))
            >>> [call.name for call in reply.calls]
            ['weather', 'weather']
        """
        return cls(content=content, calls=tuple(ToolCall.of(*call) for call in calls))

    @classmethod
    def error(
        cls, status: int, message: str = "a scripted error", *, retry_after: float | None = None
    ) -> Self:
        """Answer with an HTTP error.

        Args:
            status: 400 to 599.
            message: What the error's body says.
            retry_after: Seconds for the ``Retry-After`` header.

        Raises:
            ValueError: The status is no error.
        """
        return cls(failure=Failure(status, message, retry_after))

    @classmethod
    def drop(cls) -> Self:
        """Close the connection without an answer."""
        return cls(cut_after=0)

    def delayed(self, seconds: float) -> Self:
        """Wait before answering; closing the server ends the wait."""
        return replace(self, delay=seconds)

    def cut(self, *, after: int) -> Self:
        """Close the connection in the middle, after that many stream events."""
        return replace(self, cut_after=after)

    def finished(self, reason: str) -> Self:
        """Give another finish reason, such as ``length`` or ``content_filter``."""
        return replace(self, finish=reason)

    def using(self, *, prompt: int, completion: int) -> Self:
        """Give other token counts."""
        return replace(self, usage=(prompt, completion))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, which `from_json` reads back to an equal reply."""
        failure = self.failure
        parts: dict[str, Any] = {
            "text": self.content,
            "tools": [vars(call).copy() for call in self.calls] or None,
            "error": vars(failure).copy() if failure else None,
            "finish": self.finish,
            "usage": list(self.usage) if self.usage else None,
            "delay": self.delay or None,
            "cut_after": self.cut_after,
        }
        return {name: part for name, part in parts.items() if part is not None}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the JSON form; a bare string is a reply with that text.

        Example:
            >>> Reply.from_json({"tools": [{"name": "search", "arguments": {"query": "tea"}}]})
            ... # doctest: +ELLIPSIS
            Reply(content=None, calls=(ToolCall(name='search', arguments='{"query": "tea"}'),)...

        Raises:
            ValueError: It is neither a string nor an object with the known keys.
        """
        if isinstance(value, str):
            return cls.text(value)
        parts = checked_object(value, "a reply", _KEYS)
        calls = cast("list[dict[str, Any]]", parts.get("tools") or [])
        failure = cast("dict[str, Any] | None", parts.get("error"))
        usage = parts.get("usage")
        try:
            return cls(
                content=parts.get("text"),
                calls=tuple(
                    ToolCall.of(call["name"], call.get("arguments", "{}")) for call in calls
                ),
                failure=Failure(**{**_UNTOLD, **failure}) if failure else None,
                finish=parts.get("finish"),
                usage=(int(usage[0]), int(usage[1])) if usage else None,
                delay=float(parts.get("delay", 0.0)),
                cut_after=parts.get("cut_after"),
            )
        except (TypeError, KeyError, IndexError, AttributeError) as error:
            raise ValueError(f"this is not a reply: {value!r} ({error})") from error


def checked_object(value: object, what: str, known: frozenset[str]) -> dict[str, Any]:
    """Return a JSON object after a check of its keys, so that a misspelt one is not ignored.

    Raises:
        ValueError: It is no object, or has other keys than the known ones.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{what} in a script is an object, not {value!r}")  # noqa: TRY004
    parts = cast("dict[str, Any]", value)
    if unknown := parts.keys() - known:
        raise ValueError(
            f"{what} in a script has no {', '.join(sorted(unknown))}; known: {sorted(known)}"
        )
    return parts
