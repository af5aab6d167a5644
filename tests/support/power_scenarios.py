"""What imagefs does to its store when the power fails: traces of it."""

import contextlib
import dataclasses
import itertools
import os
import random
import signal
import subprocess
import sys
import tarfile
import time

import crash_states
import disk_history
import disk_replay
import fsck_store
import tarball
from images import BASE, Docker, blob_name

LIMIT = 60  # seconds for one command
LATER = ["faketime", "-f", "+3h"]  # so that a collection takes what nothing refers to
STRACE = ["strace", "-f", "-qq", "-ttt", "-y", "-xx", "-s", "16777216"]
TRACE = ["-e", f"trace={disk_replay.TRACED}"]

# Another tool's way to write a blob: <its content> <its place>.
WRITE_BLOB = """
import os, sys
target = os.open(sys.argv[2] + ".new", os.O_CREAT | os.O_WRONLY, 0o444)
os.write(target, open(sys.argv[1], "rb").read())
os.rename(sys.argv[2] + ".new", sys.argv[2])
"""


class Failed(Exception):
    """A command did not come to a good end."""


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode != 0:
        raise Failed(f"{command}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def wait_until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.02)


@contextlib.contextmanager
def mounted(imagefs, store, at, tracer=()):
    """The store mounted at a directory, which is made."""
    at.mkdir()
    command = [*tracer, imagefs, "mount", "-f", "--store", store, at]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: os.path.ismount(at) or process.poll() is not None)
            if process.poll() is not None:
                raise Failed("imagefs mount has ended")
            yield
        finally:
            if process.poll() is None:
                end_daemon(process.pid, is_traced=bool(tracer))
    at.rmdir()


def end_daemon(pid, is_traced):
    if is_traced:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            pid = int(children.read())
    os.kill(pid, signal.SIGTERM)


def make_image(work, name, *seeds):
    """A Docker archive: a layer that all share, and one for each seed."""
    layers = [tarball.file("data", random.Random(s).randbytes(20_000)) for s in seeds]
    path = work / f"{'-'.join(seeds)}.tar"
    image = Docker(name, layers=(BASE, *(layer + tarball.END for layer in layers)))
    path.write_bytes(image.archive())
    return path


@dataclasses.dataclass
class Scenario:
    name: str
    history: disk_history.History
    images: list  # what fsck_store says of them: before, and after each step
    garbage: bool = False  # blobs may stay until a collection
    judged_from: int = 0  # only what is there after so many steps is looked at


class Recorder:
    """Runs imagefs on the store <disk>/store, which may be absent."""

    def __init__(self, imagefs, work, disk):
        self.imagefs = imagefs
        self.work = work
        self.disk = disk
        self.store = disk / "store"
        self.numbers = itertools.count()

    def begin(self, name, **properties):
        return Scenario(name, disk_history.History(self.disk), [self.images()], **properties)

    def images(self):
        if not (self.store / "index.json").exists():
            return ()
        return tuple(fsck_store.Check(self.store).images())

    def new_log(self):
        return self.work / f"{self.disk.name}-{next(self.numbers)}.trace"

    def command(self, name, *arguments):
        return [self.imagefs, name, "--store", self.store, *arguments]

    def step(self, scenario, *arguments, prefix=()):
        log = self.new_log()
        run([*prefix, *STRACE, *TRACE, "-o", log, *self.command(*arguments)])
        disk_replay.add_trace(scenario.history, log)
        scenario.images.append(self.images())
        self.compare(scenario)

    def compare(self, scenario):
        """The history has to end with what is really there."""
        now = disk_history.History(self.disk)
        modelled = crash_states.last_state(scenario.history)
        if modelled.files != crash_states.last_state(now).files:
            raise Failed(f"{scenario.name}: the trace does not tell what is on the disk")

    def commands(self, name, *steps, **properties):
        scenario = self.begin(name, **properties)
        for step in steps:
            self.step(scenario, *step)
        return scenario

    def collection(self, name, removed):
        scenario = self.begin(name, garbage=True)
        self.step(scenario, "rm", removed)
        self.step(scenario, "gc", "--older-than", "0s", prefix=LATER)
        return scenario

    def repeated(self, name, *arguments):
        """An import that is killed as soon as its index.json stands, and done again at once."""
        moment = ["faketime", "-f", "2026-01-01 00:00:00"]
        for number in range(1, 20):
            scenario = self.begin(name)
            if self.kill_at_sync(scenario, number, [*moment, *STRACE], arguments):
                self.step(scenario, "import", *arguments, prefix=moment)
                return scenario
            run(self.command("gc"))
        raise Failed(f"{name}: it was never killed between index.json and its sync")

    def kill_at_sync(self, scenario, number, strace, arguments):
        """Whether index.json was just renamed then."""
        log = self.new_log()
        inject = ["-e", f"inject=fsync:signal=KILL:when={number}"]
        command = [*strace, *TRACE, *inject, "-o", log, *self.command("import", *arguments)]
        subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
        disk_replay.add_trace(scenario.history, log, acknowledgements=0)
        last = scenario.history.items[-1]
        is_renamed = isinstance(last, disk_history.Entries) and len(last.changes) == 2
        return is_renamed and self.images() != scenario.images[0]

    def beside_another_tool(self, name, archive):
        """An import of what another tool has written to the store just now, and not synced."""
        scenario = self.begin(name, garbage=True)
        with tarfile.open(archive) as members:
            data = [members.extractfile(m).read() for m in members if m.name != "manifest.json"]
        for index, blob in enumerate(data):
            source, log = self.work / f"blob-{index}", self.new_log()
            source.write_bytes(blob)
            command = [sys.executable, "-c", WRITE_BLOB, source, self.store / blob_name(blob)]
            run([*STRACE, *TRACE, "-o", log, *command])
            disk_replay.add_trace(scenario.history, log)
            scenario.images.append(self.images())
        self.step(scenario, "import", archive)
        scenario.judged_from = scenario.history.steps
        return scenario

    def mount(self, name, *steps):
        """Each step gets the directory ingest/, and ends with one flush or rename there."""
        scenario, log, at = self.begin(name), self.new_log(), self.work / "mnt"
        tracer = [*STRACE, *TRACE, "-o", log]
        with mounted(self.imagefs, self.store, at, tracer):
            for step in steps:
                step(at / "ingest")
                scenario.images.append(self.images())
        disk_replay.add_trace(scenario.history, log, acknowledgements=len(steps))
        self.compare(scenario)
        return scenario
