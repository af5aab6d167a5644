#!/usr/bin/env python3
"""Compares rootfs/ with what others make of the same image: every attribute of every entry.

compare_trees.py ROOTFS KNOWN --layers TAR… [--umoci DIRECTORY] [--docker EXPORT]

With the layers themselves there may be no difference. KNOWN lists the faults of the others, a line
each: who, regular expressions for what differs and for the path, and the reason, between tabs. What
differs is an attribute, "xattr NAME", "runs" (where there is data), "links" (the other names of the
inode), "seconds" (the time, by less than a second), or "missing" or "extra": they do not have the
entry, or only they have it.
Prints each other difference, and how many the known faults explain; fails when there is one.
"""

import argparse
import collections
import pathlib
import re
import stat
import sys

import trees

ATTRIBUTES = ("type", "mode", "uid", "gid", "size", "mtime", "rdev", "target", "content")
SECOND = 10**9


def names_of_inodes(tree):
    names = collections.defaultdict(list)
    for path in sorted(tree):
        names[id(tree[path])].append(path)
    return names


def flat(tree, on_disk=False):
    """path -> {attribute: value}; what is on_disk has the holes and directories' links of that."""
    names = names_of_inodes(tree)
    entries = {}
    for path, inode in tree.items():
        entry = {x: getattr(inode, x) for x in ATTRIBUTES}
        entry |= {"xattr " + x.decode(): value for x, value in inode.xattrs.items()}
        entry["links"] = names[id(inode)]
        if not on_disk or inode.type != stat.S_IFDIR:
            entry["nlink"] = inode.nlink
        if not on_disk:
            entry["runs"] = inode.runs
        entries[path] = entry
    return entries


def differences(ours, theirs):
    """(what, path, our value, their value) of each."""
    for path in sorted(ours.keys() | theirs.keys()):
        if path not in theirs or path not in ours:
            yield ("extra" if path in theirs else "missing"), path, "", ""
            continue
        mine, other = ours[path], theirs[path]
        for what in sorted(mine.keys() | other.keys()):
            if what in ("nlink", "runs") and what not in other:
                continue
            if mine.get(what) != other.get(what):
                seconds = what == "mtime" and mine[what] // SECOND == other[what] // SECOND
                yield ("seconds" if seconds else what), path, mine.get(what), other.get(what)


class KnownFaults:
    def __init__(self, file):
        lines = pathlib.Path(file).read_text().splitlines()
        self.faults = [x.split("\t") for x in lines if x and not x.startswith("#")]
        self.seen = collections.Counter()

    def explain(self, who, what, path):
        for fault_of, whats, paths, reason in self.faults:
            here = re.fullmatch(whats, what) and re.fullmatch(paths, path, re.DOTALL)
            if who == fault_of and here:
                self.seen[who, reason] += 1
                return True
        return False


def compare(who, ours, theirs, known):
    count = 0
    for what, path, mine, other in differences(ours, theirs):
        if not known.explain(who, what, path):
            count += 1
            print(f"{who}: {what} of {path!r}: rootfs/ has {mine!r:.200}, {who} {other!r:.200}")
    print(f"{who}: {len(theirs)} entries, {count} differences that are not known")
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rootfs")
    parser.add_argument("known")
    parser.add_argument("--layers", nargs="+")
    parser.add_argument("--umoci")
    parser.add_argument("--docker")
    arguments = parser.parse_args()

    known = KnownFaults(arguments.known)
    ours = flat(trees.of_directory(arguments.rootfs))
    count = compare("layers", ours, flat(trees.of_layers(arguments.layers)), known)
    if arguments.umoci:
        count += compare("umoci", ours, flat(trees.of_directory(arguments.umoci), on_disk=True), known)
    if arguments.docker:
        count += compare("docker", ours, flat(trees.of_layers([arguments.docker])), known)
    for (who, reason), times in sorted(known.seen.items()):
        print(f"{who}: {times} times: {reason}")
    sys.exit(count != 0)


if __name__ == "__main__":
    main()
