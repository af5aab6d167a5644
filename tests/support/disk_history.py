"""What was done to a disk: the changes of its files and directories, in order."""

import copy
import dataclasses
import pathlib
import stat


@dataclasses.dataclass(eq=False)
class Node:
    """A file or directory as it was made, or as it was when the trace began."""

    is_directory: bool
    mode: int
    entries: dict = dataclasses.field(default_factory=dict)
    data: bytes = b""


@dataclasses.dataclass
class Entries:
    """Changes to directories that happen together: (directory, name, node or None)."""

    changes: list


@dataclasses.dataclass
class Mode:
    node: Node
    mode: int


@dataclasses.dataclass
class Write:
    node: Node
    offset: int
    data: bytes


@dataclasses.dataclass
class Truncate:
    node: Node
    size: int


@dataclasses.dataclass
class Sync:
    """node: None for all. It makes durable what stands before `covers` in the history."""

    node: Node | None
    covers: int
    call: str


@dataclasses.dataclass
class Acknowledged:
    """From here on the user knows that one step more has succeeded."""



def snapshot(path):
    mode = path.stat().st_mode
    node = Node(stat.S_ISDIR(mode), stat.S_IMODE(mode))
    if node.is_directory:
        node.entries = {entry.name: snapshot(entry) for entry in path.iterdir()}
    else:
        node.data = path.read_bytes()
    return node


class History:
    """Of a disk that is the directory `root`, from now on."""

    def __init__(self, root):
        self.path = str(root)
        self.start = snapshot(pathlib.Path(root))  # never changed
        self.live = {}  # directory -> its entries as the running system sees them
        self.items = []
        self.steps = 0  # that were acknowledged
        self.paths = {}  # node -> one path that it had, for messages
        self.remember(self.start, "")

    def remember(self, node, path):
        self.paths[node] = path
        for name, entry in node.entries.items():
            self.remember(entry, f"{path}/{name}")

    def entries(self, directory):
        return self.live.setdefault(directory, dict(directory.entries))

    def find(self, path):
        """The node of a path; None outside of the disk or when there is none."""
        if path != self.path and not path.startswith(self.path + "/"):
            return None
        node = self.start
        for name in path[len(self.path) :].strip("/").split("/"):
            if name not in ("", "."):
                node = self.entries(node).get(name) if node and node.is_directory else None
        return node

    def add(self, item):
        self.items.append(item)
        if isinstance(item, Entries):
            for directory, name, node in item.changes:
                if node is None:
                    self.entries(directory).pop(name)
                else:
                    self.entries(directory)[name] = node
                    self.paths[node] = f"{self.paths[directory]}/{name}"

    def acknowledge(self):
        self.steps += 1
        self.add(Acknowledged())

    def with_items(self, items):
        """The same disk, to which something else was done."""
        other = copy.copy(self)
        other.items = items
        return other
