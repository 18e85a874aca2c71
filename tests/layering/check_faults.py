"""docs/faults.md has a row for each fault that code, tests or documents cite by its number, and for no other.

Run by ctest with the source folder.
"""

import pathlib
import re
import sys

FOLDERS = ("common", "bundle-format", "exporter", "importer", "tests")
ENDINGS = {".hpp", ".cpp", ".py", ".md"}
CITED = re.compile(r"\bR(\d+)(?: ?(?:-|to) ?R(\d+))?\b")
ROW = re.compile(r"^\| R(\d+) \|", re.MULTILINE)


def numbers(text):
    """All that the text cites, those inside a range too."""
    for first, last in CITED.findall(text):
        yield from range(int(first), int(last or first) + 1)


def sources(root):
    yield from root.glob("*.md")
    for folder in FOLDERS:
        yield from (path for path in sorted((root / folder).rglob("*")) if path.suffix in ENDINGS and path.is_file())


def main():
    root = pathlib.Path(sys.argv[1])
    rows = [int(number) for number in ROW.findall((root / "docs/faults.md").read_text())]
    found = [f"docs/faults.md: R{number} stands there twice, or out of order"
             for before, number in zip(rows, rows[1:]) if number <= before]
    cited = set()
    for path in sources(root):
        named = set(numbers(path.read_text()))
        cited |= named
        found += [f"{path.relative_to(root)}: R{number} is not in docs/faults.md" for number in sorted(named - set(rows))]
    found += [f"docs/faults.md: nobody cites R{number}" for number in sorted(set(rows) - cited)]
    print("\n".join(found) or f"{len(rows)} faults have their row")
    return 1 if found or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
