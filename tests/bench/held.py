"""Large values that stages hand over: made outside of any project, so that they are no part of a stage's code."""

from __future__ import annotations

from typing import Any

HELD: dict[str, Any] = {}
