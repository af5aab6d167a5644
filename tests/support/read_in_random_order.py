#!/usr/bin/env python3
"""Copies a file by reading pieces of odd sizes in random order: read_in_random_order.py FROM TO SEED"""

import os
import random
import sys


def pieces(size, choice):
    at = 0
    while at < size:
        length = min(choice.choice((1, 511, 4096, 10007, 65536, 300001)), size - at)
        yield at, length
        at += length


def main():
    choice = random.Random(int(sys.argv[3]))
    source = os.open(sys.argv[1], os.O_RDONLY)
    target = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    order = list(pieces(os.fstat(source).st_size, choice))
    choice.shuffle(order)
    for at, length in order:
        data = os.pread(source, length, at)
        if len(data) != length:
            sys.exit(f"{len(data)} of {length} bytes at {at}")
        os.pwrite(target, data, at)


if __name__ == "__main__":
    main()
