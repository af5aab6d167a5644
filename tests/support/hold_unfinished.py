#!/usr/bin/env python3
"""Copies into ingest/ whose names go before their end: hold_unfinished.py INGEST ARCHIVE OTHER

A line for each broken rule; then "held", and it holds the descriptors until it is killed.
"""

import os
import signal
import sys
import threading
import time

from ingest_calls import error_of, expect, write_all

ingest, archive, other = sys.argv[1], *(open(name, "rb").read() for name in sys.argv[2:])
half = len(archive) // 2
PATIENCE = 60


def path(name):
    return os.path.join(ingest, name)


def close_a_copy(fd):
    os.close(os.dup(fd))


def half_of(name):
    fd = os.open(path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    write_all(fd, archive[:half])
    return fd


def expect_cancelled(fd, what, truncate="ESTALE"):
    """Nothing can be written to it any more, and nothing new begun."""
    expect(truncate, os.ftruncate, fd, 0, what=f"{what}: starting over")
    end = time.monotonic() + PATIENCE
    while error_of(os.write, fd, b"x") != "ECANCELED":
        if time.monotonic() > end:
            return print(f"{what}: writing on is not ECANCELED")
        time.sleep(0.01)
    expect("ECANCELED", os.fsync, fd, what=f"{what}: fsync")
    expect("ECANCELED", close_a_copy, fd, what=f"{what}: close")


def removed():
    fd = half_of("removed.tar")
    os.unlink(path("removed.tar"))
    expect_cancelled(fd, "removed")


def removed_before_a_byte():
    fd = os.open(path("empty.tar"), os.O_WRONLY | os.O_CREAT, 0o644)
    os.unlink(path("empty.tar"))
    expect_cancelled(fd, "removed before a byte", truncate="0")  # it is empty


def renamed_over():
    fd = half_of("over.tar")
    expect("ENODATA", close_a_copy, fd, what="closing a half")
    with open(path(".over.tar.x"), "wb") as good:
        good.write(other)
    os.rename(path(".over.tar.x"), path("over.tar"))
    expect_cancelled(fd, "renamed over")


def opened_while_removed(rounds=100):
    """The descriptors stay open, whichever of the two was first."""

    def remove():
        error_of(os.unlink, path("raced.tar"))

    for _ in range(rounds):
        first = os.open(path("raced.tar"), os.O_WRONLY | os.O_CREAT, 0o644)
        close_a_copy(first)
        os.close(first)
        remover = threading.Thread(target=remove)
        remover.start()
        try:
            fd = os.open(path("raced.tar"), os.O_WRONLY)
            error_of(os.write, fd, archive[:1000])
        except OSError:
            pass
        remover.join()
        remove()


for scenario in (removed, removed_before_a_byte, renamed_over, opened_while_removed):
    scenario()
print("held", flush=True)
signal.pause()
