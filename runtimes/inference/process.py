"""How a process uses a machine's cores and memory. Imported before torch, whose OpenMP reads its settings once, when it is loaded."""

import ctypes
import os
import sys

# Waiting threads sleep and do not spin. On a core that something else wants too, a spinning thread keeps the one it waits for from
# running: on two shared cores a training step took 19 s, and 3 s with this; beside light work ten steps took 23 and 75 s, and 16 and 13 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # malloc.h


def cores() -> int:
    """How many cores this process may use. Only Linux says which; elsewhere it is all that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_memory() -> None:
    """Lets glibc keep what was freed. Tensors of many megabytes come and go each step; by default each is mapped and zeroed anew:
    150,000 page faults and a tenth of the time of a step."""
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another libc
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_TOP_PAD, 256 << 20)
