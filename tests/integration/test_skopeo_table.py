"""tests/SKOPEO-SYNC.md names tests that exist, and every scenario of skopeo's suite."""

import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = (HERE.parent / "SKOPEO-SYNC.md").read_text()


def test_every_test_that_the_table_names_exists() -> None:
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", TABLE)
    assert len(named) > 100
    for file, function in named:
        assert (HERE / file).is_file(), file
        assert not function or f"def {function}(" in (HERE / file).read_text(), f"{file}::{function}"
    for file in re.findall(r"`(tests/unit/[\w/.-]+)`", TABLE):
        assert (HERE.parent.parent / file).is_file(), file


def test_every_scenario_has_a_row_with_a_test_or_a_reason() -> None:
    rows = dict(re.findall(r"^\| (\d+) \|.*\| (.+) \|$", TABLE, re.MULTILINE))
    missing = {str(number) for number in range(1, 38)} - rows.keys()
    assert missing == set()
    for number, proof in rows.items():
        assert "test" in proof or "left out" in proof, number
