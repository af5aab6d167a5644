"""Turns the system calls of a traced program into items of a disk's history.

A call that touches the disk and is not understood is an error; it is never left out.
"""

import dataclasses
import re

import strace_log
from disk_history import Entries, Mode, Node, Sync, Truncate, Write

# What changes a disk, or says which file a descriptor is; and how a FUSE daemon answers.
TRACED = (
    "openat,open,creat,close,dup,dup2,dup3,fcntl,lseek,read,write,pwrite64,writev,pwritev,pwritev2,"
    "copy_file_range,sendfile,splice,fallocate,ftruncate,truncate,link,linkat,rename,renameat,"
    "renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,mknod,mknodat,chmod,fchmod,"
    "fchmodat,fsync,fdatasync,sync,syncfs,mmap,msync,clone,clone3,fork,vfork,exit_group,"
    "io_uring_setup"
)
# FUSE requests whose answer tells a writer that an archive is in (linux/fuse.h).
RENAME, FLUSH, RENAME2 = 12, 25, 45
UMASK = 0o022  # of the traced programs
NOWHERE = strace_log.Argument("", [], "")  # for calls that take only a path


class Unmodelled(Exception):
    pass


def add_trace(history, log, acknowledgements=1):
    """Adds what the log says; so many times the program has to report success."""
    before = history.steps
    Replay(history, log).run()
    if history.steps - before != acknowledgements:
        raise Unmodelled(f"success was reported {history.steps - before} times")


@dataclasses.dataclass
class OpenFile:
    node: Node
    position: int = 0


class Replay:
    """Turns the calls of one traced program into items of a history."""

    def __init__(self, history, log):
        self.history = history
        self.calls = list(strace_log.read(log))
        self.parents = self.find_parents()
        self.tables = {}  # process -> descriptor -> OpenFile
        self.begun_syncs = {}  # id of a Call -> what it covers
        self.requests = {}  # unique -> opcode, of a FUSE daemon
        self.is_daemon = False
        self.acknowledged = False

    def find_parents(self):
        parents = {}
        for returned, call in self.calls:
            if returned and call.name in ("clone", "clone3", "fork", "vfork") and call.result > 0:
                shared = any("CLONE_THREAD" in a.text for a in call.arguments)
                parents[call.result] = (call.thread, shared)
        return parents

    def table(self, thread):
        parent, shared = self.parents.get(thread, (None, False))
        if shared:
            return self.table(parent)
        if thread not in self.tables:
            self.tables[thread] = dict(self.table(parent)) if parent else {}
        return self.tables[thread]

    def run(self):
        for returned, call in self.calls:
            if not returned:
                self.begin(call)
            elif call.result >= 0:
                handler = getattr(self, "on_" + call.name, self.on_other)
                handler(call, *call.arguments)

    def begin(self, call):
        if call.name == "close":  # another thread may get its number before it has returned
            self.table(call.thread).pop(call.arguments[0].number, None)
        elif call.name in ("fsync", "fdatasync", "syncfs", "sync"):
            self.begun_syncs[id(call)] = len(self.history.items)
        elif call.name == "writev" and call.arguments[0].path == "/dev/fuse":
            self.answer(call.arguments[1].strings)
        elif self.is_daemon or self.acknowledged:
            return
        elif call.name == "exit_group" and call.arguments[0].text == "0":
            if call.thread not in self.parents:  # those that a program runs report nothing
                self.acknowledge()
        elif call.name == "write" and call.arguments[0].text == "1":
            self.acknowledge()

    def acknowledge(self):
        self.acknowledged = True
        self.history.acknowledge()

    def answer(self, strings):
        self.is_daemon = True
        header = b"".join(strings)[:16]
        error = int.from_bytes(header[4:8], "little", signed=True)
        opcode = self.requests.pop(header[8:16], None)
        if error == 0 and opcode in (RENAME, FLUSH, RENAME2):
            self.acknowledge()

    def file(self, call, argument):
        """What a descriptor is; None outside of the disk."""
        known = self.table(call.thread).get(int(argument.text))
        if known:
            return known
        node = self.history.find(argument.path) if argument.path else None
        if node is None and self.is_below(argument.path):
            raise Unmodelled(f"{call.name} of {argument.path}")
        return OpenFile(node) if node else None

    def is_below(self, path):
        root = self.history.path
        return path is not None and (path == root or path.startswith(root + "/"))

    def place(self, call, directory, name):
        """(directory, name) on the disk that a path means, or None."""
        text = name.string.decode()
        if not text.startswith("/"):
            text = f"{directory.path}/{text}"
        parent, _, last = text.rstrip("/").rpartition("/")
        node = self.history.find(parent)
        if node is None or not node.is_directory:
            if self.is_below(parent):
                raise Unmodelled(f"{call.name} in {parent}")
            return None
        return node, last

    def opened(self, call, node):
        self.table(call.thread)[call.result] = OpenFile(node)

    def on_other(self, call, *arguments):
        """Every call that is traced and has no handler must not touch the disk."""
        texts = [s.decode(errors="replace") for a in arguments for s in a.strings]
        if any(self.is_below(p) for p in [*texts, *(a.path for a in arguments)]):
            raise Unmodelled(f"{call.name} of the disk")
        if call.name == "io_uring_setup":
            raise Unmodelled(call.name)

    def on_openat(self, call, directory, name, flags, mode=None):
        wanted = flags.text.split("|")
        permissions = int(mode.text, 8) & ~UMASK if mode else 0
        self.table(call.thread).pop(call.result, None)
        if not self.is_below(call.result_path):
            return
        if "O_TMPFILE" in wanted:
            self.opened(call, Node(False, permissions))
            return
        node = self.history.find(call.result_path)
        if node is None and "O_CREAT" not in wanted:
            raise Unmodelled(f"openat of {call.result_path}")
        if node is None:
            node = Node(False, permissions)
            self.history.add(Entries([(*self.place(call, directory, name), node)]))
        elif "O_TRUNC" in wanted:
            self.history.add(Truncate(node, 0))
        self.opened(call, node)

    def on_open(self, call, name, flags, mode=None):
        self.on_openat(call, NOWHERE, name, flags, mode)

    def on_close(self, *_):
        """It was closed when the call began."""

    def on_dup(self, call, fd, *_):
        table = self.table(call.thread)
        table.pop(call.result, None)
        if fd.number in table:
            table[call.result] = table[fd.number]

    on_dup2 = on_dup3 = on_dup

    def on_fcntl(self, call, fd, command, *_):
        if command.text.startswith("F_DUPFD"):
            self.on_dup(call, fd)

    def on_lseek(self, call, fd, *_):
        if file := self.table(call.thread).get(fd.number):
            file.position = call.result

    def on_read(self, call, fd, data, _):
        if fd.path == "/dev/fuse" and data.strings:
            header = data.string[:16]
            self.requests[header[8:16]] = int.from_bytes(header[4:8], "little")
        elif file := self.table(call.thread).get(fd.number):
            file.position += call.result

    def written(self, file, offset, data):
        self.history.add(Write(file.node, offset, data))

    def on_pwrite64(self, call, fd, data, _, offset):
        if file := self.file(call, fd):
            self.written(file, offset.number, data.string[: call.result])

    def on_write(self, call, fd, data, _):
        if file := self.file(call, fd):
            self.written(file, file.position, data.string[: call.result])
            file.position += call.result

    def on_ftruncate(self, call, fd, size):
        if file := self.file(call, fd):
            self.history.add(Truncate(file.node, size.number))

    def on_mmap(self, call, _, __, protection, flags, fd, *___):
        shared = "MAP_SHARED" in flags.text and "PROT_WRITE" in protection.text
        if shared and self.is_below(fd.path):
            raise Unmodelled(f"a writable mapping of {fd.path}")

    def change(self, *changes):
        self.history.add(Entries(list(changes)))

    def on_linkat(self, call, directory, name, to_directory, to_name, _):
        to = self.place(call, to_directory, to_name)
        if to is None:
            return
        by_descriptor = re.fullmatch(rb"/proc/self/fd/(\d+)", name.string)
        if by_descriptor:
            node = self.table(call.thread)[int(by_descriptor[1])].node
        else:
            parent, last = self.place(call, directory, name)
            node = self.history.entries(parent)[last]
        self.change((*to, node))

    def on_renameat(self, call, directory, name, to_directory, to_name, *flags):
        source = self.place(call, directory, name)
        target = self.place(call, to_directory, to_name)
        if (source is None) != (target is None) or any("EXCHANGE" in f.text for f in flags):
            raise Unmodelled("such a rename")
        if source is None:
            return
        entries = self.history.entries
        node = entries(source[0])[source[1]]
        if entries(target[0]).get(target[1]) is not node:  # else rename(2) does nothing
            self.change((*source, None), (*target, node))

    on_renameat2 = on_renameat

    def on_rename(self, call, name, to_name):
        self.on_renameat(call, NOWHERE, name, NOWHERE, to_name)

    def on_unlinkat(self, call, directory, name, _):
        if place := self.place(call, directory, name):
            self.change((*place, None))

    def on_mkdirat(self, call, directory, name, mode):
        if place := self.place(call, directory, name):
            self.change((*place, Node(True, int(mode.text, 8) & ~UMASK)))

    def on_mkdir(self, call, name, mode):
        self.on_mkdirat(call, NOWHERE, name, mode)

    def on_fchmod(self, call, fd, mode):
        if file := self.file(call, fd):
                self.history.add(Mode(file.node, int(mode.text, 8)))

    def on_fsync(self, call, fd):
        if file := self.file(call, fd):
                self.history.add(Sync(file.node, self.begun_syncs[id(call)], call.name))

    on_fdatasync = on_fsync

    def on_syncfs(self, call, fd):
        if self.file(call, fd):
            self.on_sync(call)

    def on_sync(self, call):
        self.history.add(Sync(None, self.begun_syncs[id(call)], call.name))
