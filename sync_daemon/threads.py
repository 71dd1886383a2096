"""Where requests wait for their answers side by side: in threads, or one after another in the caller's own."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OneByOne(Executor):
    """Does what it is given at once: what happens first is then the same every time."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn`; the future has its result, or the error it raised, already."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed to the one who asks for the result, as threads do
            future.set_exception(error)
        return future


class Threads(ThreadPoolExecutor):
    """Threads in which the caller's context holds: what is logged there names the same run."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` in a thread."""
        return super().submit(copy_context().run, partial(fn, *args, **kwargs))


def pool(at_once: int, name: str, *, systems: int = 1) -> Executor:
    """Threads for `at_once` requests to each of some systems; none where one request at a time may wait."""
    if at_once == 1:
        return OneByOne()
    return Threads(max_workers=at_once * systems, thread_name_prefix=name)
