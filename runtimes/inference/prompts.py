"""Prompts from rows, and the answer that follows a prompt: the one place that says how the two join.

A prompt is the task's template rendered with the row's input. The answer stands after it with one space between, unless the
prompt itself ends in white space: byte-level tokenizers keep a word's leading space inside the word, so prompt and answer can be
tokenized apart and give the same ids as the whole text.
"""

from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from distillc.plugins.api.artifacts import Task
from distillc.spec.errors import StageFailed


@lru_cache(maxsize=64)
def _template(text: str) -> Template:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(text)


def render(task: Task, text: str) -> str:
    """The prompt for one input. Raises StageFailed for a template that asks for something the task does not have."""
    try:
        return _template(task.prompt).render({task.input: text})
    except TemplateError as error:
        raise StageFailed(
            f"the prompt template does not render: {error}", where="task.prompt", help=f"the template may use {{{{ {task.input} }}}} only"
        ) from error


def continuation(prompt: str, answer: str) -> str:
    """The answer as it stands after the prompt, end token not included."""
    answer = answer.strip()
    return answer if prompt[-1:].isspace() or not prompt else " " + answer
