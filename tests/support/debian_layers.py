#!/usr/bin/env python3
"""Writes the layers of a Debian image that has what real images have: debian_layers.py DIRECTORY

DIRECTORY/0.tar is this machine's own files of Debian's essential packages, 1.tar adds entries of
every kind, 2.tar and 3.tar remove, replace and add again. GNU tar writes them, from directories
that are made below DIRECTORY. Needs root.
"""

import os
import pathlib
import stat
import struct
import subprocess
import sys
import tarfile

MORE_THAN_ESSENTIAL = ["iputils-ping", "mount", "passwd", "tzdata"]
BUSY = ("/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp")
CAPABILITY_2 = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
CAPABILITY_3 = struct.pack("<6I", 0x03000001, 1 << 10, 1 << 10, 0, 0, 100000)


def tar(directory, to, *arguments):
    command = ["tar", "--create", "--format=posix", "--sparse", "--sort=name", "--numeric-owner"]
    command += ["--xattrs-include=user.*", "--xattrs-include=security.capability"]
    subprocess.run([*command, f"--file={to}", f"--directory={directory}", *arguments], check=True)


def may_change(path):
    """Other filesystems, and what everybody writes to."""
    return os.path.ismount(path) or path.startswith(BUSY)


def files_of_packages():
    """With directories; below the paths that symlinks like /bin lead to."""
    query = ["dpkg-query", "--show", "--showformat=${Essential} ${Package}\n"]
    installed = [line.split() for line in subprocess.check_output(query, text=True).splitlines()]
    wanted = [x[-1] for x in installed if x[0] == "yes" or x[-1] in MORE_THAN_ESSENTIAL]
    listed = subprocess.check_output(["dpkg", "--listfiles", *wanted], text=True).splitlines()
    places = [os.path.split(x) for x in listed if x.startswith("/") and os.path.lexists(x)]
    paths = {os.path.join(os.path.realpath(parent), name) for parent, name in places}
    return sorted(x for x in paths if not may_change(x))


def write_debian(to):
    names = to.with_suffix(".names")
    names.write_text("".join("." + path + "\n" for path in files_of_packages()))
    tar("/", to, "--no-recursion", f"--files-from={names}")


class Stage:
    """A directory that becomes a layer. Times are set at the end, so that they stay."""

    def __init__(self, root):
        self.root = root
        self.times = {}
        root.mkdir()

    def path(self, name):
        name = name.encode() if isinstance(name, str) else name
        path = os.path.join(os.fsencode(self.root), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def finish(self, path, mode=None, owner=None, xattrs={}, mtime=None):
        if owner:
            os.chown(path, *owner, follow_symlinks=False)
        if mode is not None:
            os.chmod(path, mode)
        for name, value in xattrs.items():
            os.setxattr(path, name, value)
        if mtime is not None:
            self.times[path] = mtime

    def file(self, name, data=b"", **attributes):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data)
        self.finish(path, **attributes)

    def sparse(self, name, size, *pieces):
        with open(self.path(name), "wb") as file:
            file.truncate(size)
            for offset, data in pieces:
                file.seek(offset)
                file.write(data)

    def directory(self, name, **attributes):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        self.finish(path, **attributes)

    def symlink(self, name, target, **attributes):
        path = self.path(name)
        os.symlink(target, path)
        self.finish(path, **attributes)

    def node(self, name, kind, device=(0, 0), **attributes):
        path = self.path(name)
        os.mknod(path, kind | 0o600, os.makedev(*device))
        self.finish(path, **attributes)

    def link(self, name, target):
        os.link(self.path(target), self.path(name), follow_symlinks=False)

    def write(self, to):
        for path, mtime in self.times.items():
            os.utime(path, ns=(mtime, mtime), follow_symlinks=False)
        tar(self.root, to, ".")


SECOND = 10**9


def add_links(stage):
    stage.file("odd/links/one", b"of three\n", mode=0o640, owner=(1, 2))
    stage.link("srv/elsewhere/deep/two", "odd/links/one")
    stage.link("three", "odd/links/one")
    stage.file("odd/links/tool", b"#!\n", mode=0o4755, xattrs={"user.of": b"both names"})
    stage.link("usr/local/bin/tool", "odd/links/tool")
    stage.symlink("odd/links/symlink", "one")
    stage.link("srv/symlink", "odd/links/symlink")
    stage.node("odd/links/fifo", stat.S_IFIFO)
    stage.link("srv/fifo", "odd/links/fifo")
    stage.node("odd/links/null", stat.S_IFCHR, (1, 3))
    stage.link("srv/null", "odd/links/null")


def add_modes_and_owners(stage):
    for mode in (0o0, 0o111, 0o644, 0o777, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777):
        stage.file(f"odd/modes/{mode:04o}", b"x", mode=mode)
        stage.directory(f"odd/modes/{mode:04o}.d", mode=mode)
    for owner in (65534, 65536, 1000000, 2**31, 2**32 - 2):
        stage.file(f"odd/owners/{owner}", b"x", owner=(owner, owner - 1), mode=0o4755)
        stage.directory(f"odd/owners/{owner}.d", owner=(owner, 0), mode=0o2770)
        stage.symlink(f"odd/owners/{owner}.link", str(owner), owner=(0, owner))


def add_xattrs(stage):
    capability = {"security.capability": CAPABILITY_2}
    stage.file("odd/xattrs/capability", b"x", mode=0o755, xattrs=capability)
    stage.file("odd/xattrs/of-a-namespace", b"x", xattrs={"security.capability": CAPABILITY_3})
    both = capability | {"user.both": b"yes"}
    stage.file("odd/xattrs/owned-setuid", b"x", owner=(1000, 1000), mode=0o4755, xattrs=both)
    values = {"all-bytes": bytes(range(256)), "lines": b"a=b\nc\n", "\u00e4": b"\xff"}
    stage.file("odd/xattrs/bytes", b"x", xattrs={"user." + x: y for x, y in values.items()})
    stage.file("odd/xattrs/empty", b"x", xattrs={"user.empty": b""})
    stage.file("odd/xattrs/many", b"x", xattrs={f"user.{n}": b"%d" % n for n in range(60)})
    stage.directory("odd/xattrs/directory", xattrs={"user.directory": b"yes"})


def add_names(stage):
    unicode = ["\u00e9", "e\u0301", "\u65e5\u672c\u8a9e", "\U0001f980"]
    special = ["new\nline", "back\\slash", " space ", "*?[x]", "a:b", "-rf", "tab\t", "..x"]
    for name in unicode + special:
        stage.file(f"odd/names/{name}", name.encode())
    for name in (b"\xff\xfe", b"latin-\xe9", b"\xff" * 200):
        stage.file(b"odd/names/" + name, name)
    stage.file("odd/names/" + "n" * 255, b"of 255 bytes")
    stage.file("odd/names/" + "\u00e9" * 127, b"of 254 bytes")
    stage.directory("odd/names/" + "d" * 255)
    deep = "odd/deep/" + "/".join(f"{n:02}-" + "d" * 150 for n in range(20))
    stage.file(deep + "/file", b"deep")
    stage.link("odd/deep/link", deep + "/file")
    stage.symlink("odd/names/to-a-long-target", "t/" * 1500)


def add_times(stage):
    times = {
        "epoch": 0,
        "before": -1_500_000_001,
        "moon": -14_182_940 * SECOND + 1,
        "nanoseconds": 1_234_567_890_123_456_789,
        "almost": 1_600_000_000_999_999_999,
        "2038": 2**31 * SECOND + 7,
        "2200": 7_258_118_400 * SECOND + 500,
        "2300": 10_413_792_000 * SECOND,
    }
    for name, mtime in times.items():
        stage.file(f"odd/times/{name}", b"x", mtime=mtime)
        stage.symlink(f"odd/times/{name}.link", name, mtime=mtime)
        stage.node(f"odd/times/{name}.fifo", stat.S_IFIFO, mtime=mtime)
        stage.directory(f"odd/times/{name}.d/below", mtime=mtime)
        stage.directory(f"odd/times/{name}.d", mtime=mtime)


def add_contents(stage):
    mib = 1 << 20
    for size in (0, 1, 511, 512, 513, 4096, mib + 1):
        stage.file(f"odd/sizes/{size}", bytes(n % 251 for n in range(size)))
    stage.sparse("odd/sparse/only-a-hole", 8 * mib)
    stage.sparse("odd/sparse/hole-first", 2 * mib, (2 * mib - 3, b"end"))
    stage.sparse("odd/sparse/hole-last", 2 * mib + 5, (0, b"begin"))
    stage.sparse("odd/sparse/many-holes", 4 * mib, *((n << 16, b"piece") for n in range(0, 64, 3)))


def add_devices(stage):
    stage.node("odd/devices/zero", stat.S_IFCHR, (1, 5), mode=0o666, owner=(0, 6))
    stage.node("odd/devices/loop", stat.S_IFBLK, (7, 1), mode=0o660)
    stage.node("odd/devices/large", stat.S_IFBLK, (2047, 700000), mode=0o640)
    stage.symlink("odd/symlink/absolute", "/etc/passwd")
    stage.symlink("odd/symlink/upwards", "../../../../../etc/passwd")
    stage.symlink("odd/symlink/itself", "itself")


def add_what_changes(stage):
    for name in ("of-lower", "again", "opaque", "to-file", "to-symlink"):
        stage.file(f"odd/change/{name}/directory/file", name.encode())
        stage.file(f"odd/change/{name}/.hidden", name.encode())
    stage.file("odd/change/to-directory", b"file")
    stage.symlink("odd/change/symlink-to-directory", "again")
    stage.file("odd/change/to-device", b"file", xattrs={"user.old": b"yes"})
    xattrs = {"user.old": b"yes"}
    stage.directory("odd/change/keeps", mode=0o750, owner=(5, 6), xattrs=xattrs)
    stage.file("odd/change/keeps/below", b"kept")


def write_odd(root, to):
    stage = Stage(root)
    add_links(stage)
    add_modes_and_owners(stage)
    add_xattrs(stage)
    add_names(stage)
    add_times(stage)
    add_contents(stage)
    add_devices(stage)
    add_what_changes(stage)
    stage.write(to)


def add_links_to_lower_layers(layer):
    targets = {"lower-link": "odd/change/of-lower/directory/file", "version": "etc/debian_version"}
    with tarfile.open(layer, "a", format=tarfile.PAX_FORMAT) as file:
        for name, target in targets.items():
            link = tarfile.TarInfo("./odd/change/" + name)
            link.type, link.linkname = tarfile.LNKTYPE, target
            file.addfile(link)


def write_changes(root, to):
    stage = Stage(root)
    stage.file("etc/.wh.issue")
    stage.file("usr/share/.wh.locale")
    stage.file("srv/elsewhere/deep/.wh.two")
    stage.file("odd/links/.wh.tool")
    stage.file("odd/change/.wh.again")
    stage.file("odd/change/.wh.never-there")
    stage.file("odd/change/opaque/.wh..wh..opq")
    stage.file("odd/change/opaque/new", b"new")
    stage.file("usr/share/zoneinfo/Asia/.wh..wh..opq")
    stage.file("usr/share/zoneinfo/Asia/Tokyo", b"alone", mode=0o600)
    stage.file("three", b"no longer a link\n")
    stage.file("odd/change/to-file", b"file")
    stage.symlink("odd/change/to-symlink", "of-lower")
    stage.file("odd/change/to-directory/file", b"below what was a file")
    stage.file("odd/change/symlink-to-directory/file", b"below what was a symlink")
    stage.node("odd/change/to-device", stat.S_IFCHR, (5, 1))
    xattrs = {"user.new": b"yes"}
    stage.directory("odd/change/keeps", mode=0o1711, owner=(7, 8), xattrs=xattrs)
    stage.write(to)
    add_links_to_lower_layers(to)


def write_again(root, to):
    stage = Stage(root)
    stage.file("etc/issue", b"another\n", mode=0o600)
    stage.file("odd/change/again/new", b"again")
    stage.file("odd/change/opaque/.wh.new")
    stage.file("odd/change/opaque/directory/again", b"again")
    stage.file("odd/change/.wh.to-file")
    stage.file("odd/change/to-symlink", b"file", xattrs={"security.capability": CAPABILITY_2})
    stage.file("odd/change/of-lower/.wh..hidden")
    stage.directory("odd/change/of-lower/directory", mode=0o500)
    stage.write(to)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    write_debian(directory / "0.tar")
    write_odd(directory / "1", directory / "1.tar")
    write_changes(directory / "2", directory / "2.tar")
    write_again(directory / "3", directory / "3.tar")


if __name__ == "__main__":
    main()
