"""Show the doctests of docstrings as code.

Markdown takes `>>>` for a quotation in a quotation in a quotation. This extension of Griffe, which
reads the source for the API pages, puts every doctest into a fence of its own. The source, and
what `help()` prints, stay as they are.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

# A prompt, then every line down to the next empty one: more prompts, and what they print.
DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent) *\S.*)*", re.MULTILINE)


class FenceDoctests(griffe.Extension):
    """Fences doctests in all docstrings."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of one object, if it has any."""
        if obj.docstring is not None:
            obj.docstring.value = DOCTEST.sub(_fence, obj.docstring.value)


def _fence(match: re.Match[str]) -> str:
    indent = match["indent"]
    return f"{indent}```pycon\n{match[0]}\n{indent}```"
