"""The disks that a power failure may leave: every cut of a history, with less than all of it.

What is certain after fsync(2) or fdatasync(2) of a file is its data and its mode; a change of a
directory is certain only after fsync(2) of a directory, or syncfs(2). What is not certain:

- metadata, in_order: a filesystem has one journal, as ext4 and xfs do. A prefix of the changes of
  directories and modes is there, at least up to the last directory that was synced.
- metadata, unordered: POSIX promises no more. Each directory is synced for itself, and of the other
  changes any may be there or not; only those of one name keep their order. A rename between two
  directories may show both names.
- data: a file that was not synced has lost all that was written since, or has zeros there, or only
  the first half, or has all.
"""

import dataclasses
import hashlib
import random

from disk_history import Acknowledged, Entries, Mode, Sync, Truncate, Write

WHOLE, LOST, ZEROS, HALF = "whole", "lost", "zeros", "half"
RANDOM_SUBSETS = 6


@dataclasses.dataclass
class State:
    """One disk: path -> (mode, bytes or None for a directory)."""

    files: dict
    acknowledged: int
    story: str  # how it came about

    def fingerprint(self):
        digest = hashlib.sha256()
        for path, (mode, data) in sorted(self.files.items()):
            digest.update(f"{path}\0{mode}\0{-1 if data is None else len(data)}\0".encode())
            digest.update(hashlib.sha256(data or b"").digest())
        return digest.digest()

    def write_to(self, directory):
        for path, (mode, data) in sorted(self.files.items()):
            target = directory / path.lstrip("/") if path else directory
            if data is None:
                target.mkdir(exist_ok=True)
            else:
                target.write_bytes(data)
            target.chmod(mode)


@dataclasses.dataclass(eq=False)
class Metadata:
    at: int  # place in the history
    change: object  # Entries or Mode


def names_of(change):
    return {(directory, name) for directory, name, _ in change.changes}


def separated(change):
    """A rename between two directories as a change of each."""
    directories = {directory for directory, _, _ in change.changes}
    return [
        Entries([c for c in change.changes if c[0] is directory]) for directory in directories
    ]


class Cut:
    """The power fails after items[:end]."""

    def __init__(self, history, end, in_order):
        self.history = history
        self.items = history.items[:end]
        self.end = end
        self.in_order = in_order
        self.acknowledged = sum(isinstance(i, Acknowledged) for i in self.items)
        self.synced = {}  # node -> the items before this one are durable
        self.journal = 0  # all metadata before this one is durable
        for item in self.items:
            if isinstance(item, Sync):
                self.add_sync(item)
        self.certain, self.pending = [], []
        self.writes = {}  # node -> [(at, item)]
        for at, item in enumerate(self.items):
            if isinstance(item, (Write, Truncate)):
                self.writes.setdefault(item.node, []).append((at, item))
            elif isinstance(item, (Entries, Mode)):
                self.add_metadata(at, item)
        self.unsynced = [n for n, w in self.writes.items() if w[-1][0] >= self.synced_up_to(n)]
        self.contents = {}

    def add_sync(self, sync):
        if sync.node is None or sync.node.is_directory:
            self.journal = max(self.journal, sync.covers)
        self.synced[sync.node] = max(self.synced.get(sync.node, 0), sync.covers)

    def synced_up_to(self, node):
        return max(self.synced.get(node, 0), self.synced.get(None, 0))

    def add_metadata(self, at, item):
        if isinstance(item, Mode):
            durable = at < self.synced_up_to(item.node) or (self.in_order and at < self.journal)
            (self.certain if durable else self.pending).append(Metadata(at, item))
        elif self.in_order:
            (self.certain if at < self.journal else self.pending).append(Metadata(at, item))
        else:
            for part in separated(item):
                durable = at < self.synced_up_to(part.changes[0][0])
                (self.certain if durable else self.pending).append(Metadata(at, part))

    def choices(self):
        """Lists of the pending metadata that is there."""
        if self.in_order:
            return [self.pending[:count] for count in range(len(self.pending) + 1)]
        choices = [[], self.pending]
        for one in self.pending:
            choices.append(self.closed([one]))
            choices.append(self.without(one))
        chance = random.Random(self.end)
        for _ in range(RANDOM_SUBSETS if len(self.pending) > 2 else 0):
            choices.append(self.closed([m for m in self.pending if chance.random() < 0.5]))
        return choices

    def needs(self, later, earlier):
        if later.at <= earlier.at or isinstance(later.change, Mode):
            return False
        return isinstance(earlier.change, Entries) and bool(
            names_of(later.change) & names_of(earlier.change)
        )

    def without(self, one):
        gone = [one]
        for metadata in self.pending:
            if any(self.needs(metadata, earlier) for earlier in gone):
                gone.append(metadata)
        return [m for m in self.pending if m not in gone]

    def closed(self, wanted):
        result = []
        for metadata in reversed(self.pending):
            if metadata in wanted or any(self.needs(m, metadata) for m in result):
                result.append(metadata)
        return result[::-1]

    def fates(self):
        """What became of the data that was not synced: (description, node -> fate)."""
        yield WHOLE, {}
        for fate in (LOST, ZEROS, HALF) if self.unsynced else ():
            yield f"unsynced data {fate}", dict.fromkeys(self.unsynced, fate)
            for node in self.unsynced if self.in_order and len(self.unsynced) > 1 else ():
                yield f"{self.history.paths.get(node, '?')} {fate}", {node: fate}

    def content(self, node, fate):
        if (node, fate) not in self.contents:
            self.contents[node, fate] = self.make_content(node, fate)
        return self.contents[node, fate]

    def make_content(self, node, fate):
        durable = self.synced_up_to(node)
        data = bytearray(node.data)
        writes = self.writes.get(node, [])
        pending = [item for at, item in writes if at >= durable and isinstance(item, Write)]
        kept = sum(len(item.data) for item in pending) // 2
        for at, item in writes:
            if at >= durable and fate == LOST:
                continue
            if isinstance(item, Truncate):
                data = data[: item.size].ljust(item.size, b"\0")
                continue
            written = item.data
            if at >= durable and fate == ZEROS:
                written = bytes(len(written))
            elif at >= durable and fate == HALF:
                written = written[:kept]
                kept -= len(written)
            end = item.offset + len(written)
            if written:
                data = data.ljust(end, b"\0")
                data[item.offset : end] = written
        return bytes(data)

    def states(self):
        for chosen in self.choices():
            entries, modes = self.apply(self.certain + chosen)
            for fate, fates in self.fates():
                files = {}
                self.collect(self.history.start, "", entries, modes, fates, files)
                story = f"cut {self.end}, {len(chosen)} of {len(self.pending)} changes, {fate}"
                yield State(files, self.acknowledged, story)

    def apply(self, chosen):
        """(directory -> its entries, node -> its mode) of those that changed."""
        entries, modes = {}, {}
        for metadata in sorted(chosen, key=lambda metadata: metadata.at):
            change = metadata.change
            if isinstance(change, Mode):
                modes[change.node] = change.mode
                continue
            for directory, name, node in change.changes:
                names = entries.setdefault(directory, dict(directory.entries))
                names.pop(name, None)
                if node is not None:
                    names[name] = node
        return entries, modes

    def collect(self, node, path, entries, modes, fates, files):
        mode = modes.get(node, node.mode)
        if not node.is_directory:
            files[path] = (mode, self.content(node, fates.get(node, WHOLE)))
            return
        files[path] = (mode, None)
        for name, child in entries.get(node, node.entries).items():
            self.collect(child, f"{path}/{name}", entries, modes, fates, files)


def last_state(history):
    """What is there when nothing was lost."""
    cut = Cut(history, len(history.items), in_order=True)
    return [state for state in cut.states() if state.story.endswith(WHOLE)][-1]


def states(history, in_order):
    """All states of all cuts; many are the same."""
    for end in range(len(history.items) + 1):
        yield from Cut(history, end, in_order).states()
