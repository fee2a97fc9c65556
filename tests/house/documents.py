"""Reading README and CONTRIBUTING: their sections, tables, blocks and what stands in backticks."""

import re

from tests.support import ROOT

NAMES = ("README.md", "CONTRIBUTING.md")
README, CONTRIBUTING = ((ROOT / name).read_text(encoding="utf-8") for name in NAMES)
BOTH = f"{README}\n{CONTRIBUTING}"


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"no section {heading!r}"
    return found.group(1)


def sections(text: str) -> list[str]:
    """What stands under each heading."""
    return re.split(r"^## .*\n", text, flags=re.MULTILINE)[1:]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without the heads of tables."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {place - 1 for place, line in enumerate(lines) if set(line) <= set("|- :")}
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for place, row in enumerate(cells) if not {place, place - 1} & heads]


def spans(text: str) -> list[str]:
    """What stands in backticks, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def words(text: str) -> set[str]:
    """The names in what stands in backticks."""
    return {word for span in spans(text) for word in re.findall(r"[A-Za-z_]\w*", span)}


def block(text: str) -> list[str]:
    """The lines of the first indented block."""
    found = re.search(r"(?:^    .*\n)+", text, re.MULTILINE)
    assert found is not None, "no indented block"
    return [line[4:] for line in found.group(0).splitlines()]
