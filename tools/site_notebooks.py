"""Notebooks as pages of the documentation site: words, code, and what the cells have shown."""

import base64
import json
import re
from pathlib import Path
from typing import Any

# Kinds of pictures in a notebook to suffixes, the better one first.
_PICTURES = {"image/png": ".png", "image/jpeg": ".jpg"}


def notebook_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """Returns a notebook as Markdown, and its pictures by their file names."""
    pictures: dict[str, bytes] = {}
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = _joined(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        parts += [_shown(output, path.stem, pictures) for output in cell["outputs"]]
    first, rest = parts[0].split("\n", 1)
    note = f"*This page is the notebook `notebooks/{path.name}` with what it shows when it is run.*"
    return "\n\n".join([first, note, rest.strip(), *parts[1:]]) + "\n", pictures


def _shown(output: dict[str, Any], name: str, pictures: dict[str, bytes]) -> str:
    """Returns what a cell has shown as Markdown; adds its picture, if it is one."""
    data = output.get("data", {})
    if "text/html" in data:
        # A blank line would end the block of HTML.
        inside = re.sub(r"\n\s*", "\n", _joined(data["text/html"]).strip())
        return f'<div class="shown">{inside}</div>' if inside else ""
    for kind, suffix in _PICTURES.items():
        if kind in data:
            file = f"{name}-{len(pictures)}{suffix}"
            pictures[file] = base64.b64decode(_joined(data[kind]))
            return f"![What the cell shows]({file})"
    text = output.get("text") or data.get("text/plain", "")
    return f"```text\n{_joined(text).rstrip()}\n```"


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
