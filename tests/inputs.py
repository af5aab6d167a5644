#!/usr/bin/env python3
"""inputs.md has a row for each archive that must be refused, and names only tests that exist."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "support"))

import archives  # noqa: E402


def rows():
    """The number of each row and the tests that its last column names."""
    for line in (HERE / "inputs.md").read_text().splitlines():
        if cells := re.fullmatch(r"\| (\d+) \|.*\|(.*)\|", line):
            yield int(cells[1]), re.findall(r"`([^`]+)`", cells[2])


def tests():
    """Archives that must be kept, scripts, Boost tests."""
    yield from archives.odd()
    yield from (script.stem for script in HERE.glob("mount/*.sh"))
    for source in HERE.glob("*/*.cc"):
        yield from re.findall(r"^BOOST_\w*TEST_CASE\((\w+)", source.read_text(), re.MULTILINE)


def main():
    table = dict(rows())
    known = set(tests())
    refused = {int(name.split("-")[0]) for name in archives.hostile()}
    faults = [f"row {row}: there is no test {n}" for row in table for n in table[row] if n not in known]
    faults += [f"row {row}: no test" for row in table if not table[row] and row not in refused]
    faults += [f"row {row} of the refused archives is not there" for row in refused - set(table)]
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
