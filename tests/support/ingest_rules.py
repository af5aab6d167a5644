#!/usr/bin/env python3
"""Calls on a file in ingest/: ingest_rules.py INGEST IMAGES ARCHIVE

Each line of output is a broken rule.
"""

import mmap
import os
import sys

from ingest_calls import error_of, expect, write_all

ingest, images, archive = sys.argv[1:]
data = open(archive, "rb").read()
half = len(data) // 2


def path(name):
    return os.path.join(ingest, name)


def create(name, flags=os.O_WRONLY):
    return os.open(path(name), flags | os.O_CREAT | os.O_TRUNC, 0o644)


fd = create("read-back.tar", os.O_RDWR)
write_all(fd, data[:half])
expect("EPERM", os.pread, fd, 10, 0, what="reading back")
# Python closes a duplicate of fd before it looks at errno.
expect("ENODEV|ENODATA", mmap.mmap, fd, 4096, what="a shared mapping")
expect("EINVAL", os.pwrite, fd, b"again", 10, what="writing again what has been read")
expect("ENODATA|EINVAL", os.close, fd, what="closing after that")

fd = create("over.tar")
write_all(fd, data[:half])
os.ftruncate(fd, 0)
os.lseek(fd, 0, os.SEEK_SET)
write_all(fd, data)
os.ftruncate(fd, len(data))
expect("0", os.close, fd, what="closing after it started over")
expect("0", os.stat, os.path.join(images, "odd/rules:1/manifest.json"), what="the image")

for what, call in {
    "stat": lambda p: os.stat(p),
    "chmod": lambda p: os.chmod(p, 0o600),
    "utimens": lambda p: os.utime(p, (1, 1)),
}.items():
    expect("0", call, path("over.tar"), what=f"{what} after the end")
if "over.tar" in os.listdir(ingest):
    print("an archive that was imported is still listed")
fd = os.open(path("over.tar"), os.O_RDONLY)
expect("EPERM", os.read, fd, 10, what="reading an archive that was imported")
os.close(fd)

fd = create("cancelled.tar")
write_all(fd, data[:half])
os.unlink(path("cancelled.tar"))
said = {error_of(write_all, fd, data[half:]), error_of(os.close, fd)} - {"0"}
if not said:
    print("writing on and closing after unlink: no error")
expect("ENOENT", os.stat, path("cancelled.tar"), what="a file that was removed")

expect("EROFS|EXDEV|EPERM", os.rename, path("over.tar"), os.path.join(images, "x"), what="out")
expect("EPERM|EROFS|ENOSYS|EOPNOTSUPP|EACCES", os.mkdir, path("directory"), what="mkdir")
