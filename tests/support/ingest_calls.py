"""Calls on the files of ingest/, and what comes of them."""

import errno
import os


def error_of(call, *arguments):
    """The errno's name; "0" when there is none."""
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "0"


def expect(expected, call, *arguments, what):
    """Prints a line unless the call ends as expected: with one of the errors of A|B|..."""
    actual = error_of(call, *arguments)
    if actual not in expected.split("|"):
        print(f"{what}: expected {expected}, found {actual}")


def write_all(fd, part):
    while part:
        part = part[os.write(fd, part) :]
