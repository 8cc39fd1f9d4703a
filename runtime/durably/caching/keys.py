"""Cache keys: which calls may have each other's results.

Two calls share a result only if the function and the arguments are the same by content.

**The function**: its module and name (for a script, its file as well), its code, the defaults of
its parameters, the variables that it captures, the object that a method is bound to or that is
called, the arguments of a ``partial``; and the constants and functions of its own module that it
names. Editing any of these makes a new key; moving the function within its file does not. A
variable that the function assigns itself (``nonlocal``, ``global``) is not part of it.
Mutable content counts as it is at the time of the call; but what the function changes itself while
it runs (a list that it logs to, its client's statistics) counts as it was before the first change
in this process. Not covered: objects in global variables,
a class's other methods, code of other modules; give such results a ``ttl``, or clear the cache.

**The arguments**: by content and exact type, so ``1``, ``1.0``, ``True`` and ``"1"`` differ, and
``(1, 2)`` and ``[1, 2]`` do. The order of keyword arguments, dict entries and set members does
not matter (that of an ``OrderedDict`` does). numpy arrays count by dtype, shape and elements. Other
objects are compared by what ``copy`` would copy; a class can leave out what does not change
results (a client, a lock, a log) with ``__getstate__``, or ``copyreg.pickle`` can say it for
a class that is not yours. Classes count by name, so they must be at the top of a module.

What has no such content (locks, sockets, open files, generators) is refused, never guessed at.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import EncodeError
from ..types import CachePolicy
from .cache import FullKey, Namespace
from .canonical_bytes import Tokens, Untold
from .own_changes import Changes, changes_of

_ROOT = "durably"
_SIZE = 16
_MOST_CHANGES = 64
"""How many objects are looked for that one call changed."""


def cache_key(
    function: Callable[..., Any],
    policy: CachePolicy,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> FullKey:
    """Return the full key of a call under a policy; see the module's text for the rules.

    Args:
        function: What would be called.
        policy: Its ``key_func`` is given the call's arguments, and its answer stands for them.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Raises:
        EncodeError: The function or an argument has no content that could be compared.
        TypeError: ``key_func`` returned neither ``str`` nor ``bytes``.

    Example:
        >>> cache_key(fetch, CachePolicy(ttl=60), ["https://example.org"])
        (('durably', 'news:fetch', '1b6f…'), '83c2…')
    """
    namespace = cache_namespace(function)
    made = (policy.key_func or default_cache_key)(*args, **(kwargs or {}))
    if not isinstance(made, str | bytes):
        raise TypeError(
            f"the key_func of {namespace[1]!r} returned a {type(made).__qualname__}; a cache key "
            "is a str or bytes"
        )
    return namespace, _digest(Tokens().of(made))


def cache_namespace(function: Callable[..., Any]) -> Namespace:
    """Return the namespace of a function's results; see the module's text for the rules.

    Functions, coroutine functions, methods, partials and callable objects have one. It covers the
    function as it is now, so ``cache.clear([cache_namespace(f)])`` forgets the results of this
    version of ``f``.

    Raises:
        EncodeError: It captures, or is bound to, something that has no content to compare.

    Example:
        >>> cache_namespace(fetch)
        ('durably', 'news:fetch', '1b6f0c7a94e2d35871c0be46fa02d913')
    """
    plain = _innermost(function)
    module, name = _module(plain), _name(plain)
    return (_ROOT, f"{module}:{name}", _digest(_parts(function, changes_of(plain))[0]))


@contextmanager
def own_changes_noted(function: Callable[..., Any]) -> Generator[None]:
    """Notice what *function*, which runs inside the block, changes of what it captures.

    Raises:
        EncodeError: See :func:`cache_namespace`.
    """
    changes = changes_of(_innermost(function))
    _, before = _parts(function, changes)
    try:
        yield
    finally:
        for _ in range(_MOST_CHANGES):
            try:
                _, after = _parts(function, changes)
            except EncodeError:
                break  # it holds something now that cannot be compared: the next call says so
            if not changes.note(before, after):
                break


def _parts(function: Callable[..., Any], changes: Changes) -> tuple[bytes, Tokens]:
    """Return what a function consists of, and the tokens of its parts."""
    plain = _innermost(function)
    module = _module(plain)
    tokens = Tokens(module, changes)
    try:
        parts = [tokens.of(function), tokens.of(_script(module))]
        if not isinstance(plain, types.FunctionType | types.BuiltinFunctionType | type):
            parts.append(tokens.of(type(plain).__call__))
    except (Untold, RecursionError) as error:
        raise EncodeError(
            f"{module}:{_name(plain)} cannot be cached: {_why(error)}. Pass what it needs as "
            "arguments and make the key of those that matter (CachePolicy(key_func=…)), keep it "
            "in a global variable, or leave it out of its object's __getstate__."
        ) from error
    return b"".join(parts), tokens


def _module(plain: Any) -> str:
    return str(getattr(plain, "__module__", None) or type(plain).__module__)


def _name(plain: Any) -> str:
    return str(getattr(plain, "__qualname__", None) or type(plain).__qualname__)


def default_cache_key(*args: Any, **kwargs: Any) -> str | bytes:
    """Return a key that stands for the arguments; see the module's text for the rules.

    Raises:
        EncodeError: An argument has no content that could be compared; says which.

    Example:
        >>> default_cache_key({"a": 1, "b": 2}) == default_cache_key({"b": 2, "a": 1})
        True
        >>> default_cache_key(1) == default_cache_key(True)
        False
    """
    tokens = Tokens()
    parts = [tokens.of(len(args))]
    parts += (_argument(tokens, str(index), value) for index, value in enumerate(args))
    for name in sorted(kwargs):
        parts += (tokens.of(name), _argument(tokens, repr(name), kwargs[name]))
    return hashlib.blake2b(b"".join(parts), digest_size=_SIZE).digest()


def _argument(tokens: Tokens, name: str, value: Any) -> bytes:
    try:
        return tokens.of(value)
    except (Untold, RecursionError) as error:
        raise EncodeError(
            f"argument {name} (a {type(value).__qualname__}) cannot be part of a cache key: "
            f"{_why(error)}. Make the key of the arguments that matter: CachePolicy(key_func=…)."
        ) from error


def _why(error: Exception) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)


def _innermost(function: Any) -> Any:
    """Return the function that partials and bound methods call."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        else:
            return function


def _script(module: str) -> str | None:
    """Return the file behind ``__main__``, a name that every script has."""
    file = getattr(sys.modules.get(module), "__file__", None) if module == "__main__" else None
    return str(Path(file).absolute()) if isinstance(file, str) else None


def _digest(token: bytes) -> str:
    return hashlib.blake2b(token, digest_size=_SIZE).hexdigest()
