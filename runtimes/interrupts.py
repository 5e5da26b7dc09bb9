"""Ctrl-C and its kin end a run as a cancelled task, so that whatever is open is closed."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def cancelled_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM cancel the task that is inside. The worker of the stage dies, its work folder stays."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if sys.platform == "win32":
        for number in signals:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
        yield
        return
    try:
        for number in signals:
            loop.add_signal_handler(number, task.cancel)
    except (RuntimeError, ValueError):  # not the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
