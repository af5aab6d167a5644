#!/usr/bin/env python3
"""Writes the test archives: archives.py odd|hostile DIRECTORY, archives.py image NAME MIB FILE

odd: archives that must be imported, DIRECTORY/<name>.tar.
hostile: archives that must be refused, DIRECTORY/<row>-<name>.tar, and DIRECTORY/expected.tsv
with a line for each: file, errno (or several, with |), extended regular expression that the
reason matches.
image: a Docker archive of that name, with a small layer that all of these share, and one of that
many MiB that is incompressible and its own.
The same bytes every time.
"""

import pathlib
import sys


def odd():
    """What makes each archive, by its name."""
    import odd_artifacts  # noqa: F401 registers its archives
    import odd_oci_archives  # noqa: F401
    from odd_archives import ARCHIVES

    return ARCHIVES


def hostile():
    """Errnos, reason and what makes each archive, by its name."""
    import hostile_layouts  # noqa: F401 registers its archives
    import hostile_tars  # noqa: F401
    from hostile_archives import ARCHIVES

    return ARCHIVES


def write_odd(directory):
    for name, build in odd().items():
        (directory / f"{name}.tar").write_bytes(build())


def write_hostile(directory):
    lines = []
    for name, (errno_names, reason, build) in hostile().items():
        (directory / f"{name}.tar").write_bytes(build())
        lines.append(f"{name}.tar\t{errno_names}\t{reason}\n")
    (directory / "expected.tsv").write_text("".join(lines))


def write_image(name, mib, path):
    import random

    import tarball
    from images import BASE, Docker

    data = random.Random(name).randbytes(mib << 20)
    image = Docker(name, layers=(BASE, tarball.file("data", data) + tarball.END))
    path.write_bytes(image.archive())


def main():
    if sys.argv[1] == "image":
        write_image(sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4]))
        return
    kind, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    {"odd": write_odd, "hostile": write_hostile}[kind](directory)


if __name__ == "__main__":
    main()
