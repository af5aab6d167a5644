#!/usr/bin/env python3
"""Writes small layers, the last of 3 MiB: many_layers.py COUNT DIRECTORY

Each has a file of its own and writes etc/top over.
"""

import pathlib
import random
import sys

import tarball

LARGE = 3 << 20


def main():
    count, directory = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    directory.mkdir()
    for n in range(count):
        data = random.Random(n).randbytes(LARGE if n == count - 1 else n * 29)
        entries = [tarball.file(f"layers/{n}", data), tarball.file("etc/top", b"%d\n" % n)]
        (directory / f"{n:03}.tar").write_bytes(b"".join(entries) + tarball.END)


if __name__ == "__main__":
    main()
