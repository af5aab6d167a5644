"""What a file tree holds, as a dict: path -> Inode. "." is the root; hard links share an Inode.

of_directory() walks a mounted or unpacked tree, of_layers() applies tar files one upon the other,
as the OCI image-spec says. Both know every attribute; times are whole nanoseconds.
"""

import dataclasses
import decimal
import errno
import functools
import hashlib
import os
import posixpath
import stat
import tarfile

XATTR = "SCHILY.xattr."


@dataclasses.dataclass(eq=False)
class Inode:
    type: int
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int = 0
    rdev: tuple = (0, 0)
    target: str = ""
    content: str = ""
    xattrs: dict = dataclasses.field(default_factory=dict)
    nlink: int = 0  # of a directory: 2 and one a subdirectory
    runs: list = dataclasses.field(default_factory=list)  # (start, end) of a file's data: no hole


def of_directory(root):
    tree, inodes = {}, {}

    def add(path):
        at = posixpath.join(root, path)
        status = os.lstat(at)
        key = (status.st_dev, status.st_ino)
        if key not in inodes:
            inodes[key] = inode_of_file(at, status)
        tree[path] = inodes[key]
        if stat.S_ISDIR(status.st_mode):
            for name in os.listdir(at):
                add(posixpath.normpath(posixpath.join(path, name)))

    add(".")
    return tree


def inode_of_file(path, status):
    kind = stat.S_IFMT(status.st_mode)
    mode = stat.S_IMODE(status.st_mode)
    inode = Inode(kind, mode, status.st_uid, status.st_gid, status.st_mtime_ns)
    inode.xattrs = {
        os.fsencode(x): os.getxattr(path, x, follow_symlinks=False)
        for x in os.listxattr(path, follow_symlinks=False)
        if x != "security.selinux"  # the machine's own
    }
    inode.nlink = status.st_nlink
    if kind == stat.S_IFREG:
        inode.size = status.st_size
        with open(path, "rb") as file:
            inode.content = digest(file)
            inode.runs = runs_of_file(file.fileno(), inode.size)
    elif kind == stat.S_IFLNK:
        inode.size, inode.target = status.st_size, os.readlink(path)
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        inode.rdev = (os.major(status.st_rdev), os.minor(status.st_rdev))
    return inode


def runs_of_file(fd, size):
    runs, at = [], 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        runs.append((start, at))
    return runs


def runs_of_member(member):
    runs = []
    for start, length in [(0, member.size)] if member.sparse is None else member.sparse:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], start + length)
        elif length:
            runs.append((start, start + length))
    return runs


def digest(file):
    sha = hashlib.sha256()
    for chunk in iter(functools.partial(file.read, 1 << 20), b""):
        sha.update(chunk)
    return sha.hexdigest()


def of_layers(paths):
    tree = {}
    for path in paths:
        with tarfile.open(path, encoding="utf-8", errors="surrogateescape") as layer:
            members = [(posixpath.normpath(x.name.lstrip("/")), x) for x in layer]
            for name, _ in members:
                hide(tree, name)
            for name, member in members:
                if not posixpath.basename(name).startswith(".wh."):
                    put(tree, name, member, layer)
    count_links(tree)
    return tree


def below(tree, path):
    return [x for x in tree if x.startswith(path + "/") or path == "." != x]


def remove(tree, paths):
    for path in paths:
        tree.pop(path, None)


def hide(tree, name):
    """What a whiteout of that name takes away."""
    directory, base = posixpath.split(name)
    if base == ".wh..wh..opq":
        remove(tree, below(tree, directory))
    elif base.startswith(".wh.") and not base.startswith(".wh..wh."):
        hidden = posixpath.join(directory, base[len(".wh.") :])
        remove(tree, [hidden, *below(tree, hidden)])


def put(tree, name, member, layer):
    old = tree.get(name)
    stays = old and old.type == stat.S_IFDIR and member.isdir()
    if old and old.type == stat.S_IFDIR and not stays:
        remove(tree, below(tree, name))
    if member.islnk():
        tree[name] = tree[posixpath.normpath(member.linkname.lstrip("/"))]
    else:
        tree[name] = inode_of_member(member, layer)


TYPES = {
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}


def inode_of_member(member, layer):
    kind = TYPES[member.type]
    seconds = decimal.Decimal(member.pax_headers.get("mtime", member.mtime))
    mtime = int((seconds * 10**9).to_integral_value(decimal.ROUND_FLOOR))
    inode = Inode(kind, stat.S_IMODE(member.mode), member.uid, member.gid, mtime)
    inode.xattrs = {
        x[len(XATTR) :].encode("utf-8", "surrogateescape"): value.encode("utf-8", "surrogateescape")
        for x, value in member.pax_headers.items()
        if x.startswith(XATTR) and value  # pax: an empty value says that there is none
    }
    if kind == stat.S_IFREG:
        inode.size, inode.content = member.size, digest(layer.extractfile(member))
        inode.runs = runs_of_member(member)
    elif kind == stat.S_IFLNK:
        inode.size, inode.target = len(os.fsencode(member.linkname)), member.linkname
        inode.mode = 0o777
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        inode.rdev = (member.devmajor, member.devminor)
    return inode


def count_links(tree):
    for path, inode in tree.items():
        inode.nlink += 2 if inode.type == stat.S_IFDIR else 1
        parent = posixpath.dirname(path) or "."
        if inode.type == stat.S_IFDIR and path != "." and parent in tree:
            tree[parent].nlink += 1
