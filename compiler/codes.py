"""The codes that the compiler can report beside those of the language: the second half of each hundred, written in `spec/codes.py`."""

from distillc.spec.codes import COMPILER_CODES as CODES

__all__ = ["CODES"]
