"""llama.cpp talks to a callback of the whole process: here it goes into a short memory instead of onto the terminal.

An error message then quotes what the library said last.
"""

import ctypes
from collections import deque
from typing import Any

import llama_cpp

LINES: deque[str] = deque(maxlen=2000)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _keep(level: int, text: bytes, data: Any) -> None:
    LINES.append(text.decode("utf-8", "replace"))


def listen() -> deque[str]:
    """From now on llama.cpp prints nothing; what it says is appended to the returned lines, which start empty."""
    llama_cpp.llama_log_set(_keep, ctypes.c_void_p(0))
    LINES.clear()
    return LINES


def last_words() -> str:
    """The last complaint, for an error message."""
    said = [line.strip() for line in LINES if "error" in line or "fail" in line]
    return said[-1] if said else "".join(LINES)[-200:].strip()
