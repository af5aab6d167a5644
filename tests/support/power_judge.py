"""Says whether a disk is one that a power failure may leave of a store."""

import contextlib
import dataclasses
import itertools
import shutil

import crash_states
import fsck_store
from power_scenarios import LATER, Failed, run

BATCH = 16  # disks that are judged before one looks whether one was bad
INDEXES = "/store/cache/index/"


class Judge:
    """Says what is wrong with a disk that a power failure left."""

    def __init__(self, imagefs, work):
        self.imagefs = imagefs
        self.work = work
        self.numbers = itertools.count()

    def complaint(self, scenario, state, allowed):
        disk = self.work / f"judged-{next(self.numbers)}"
        try:
            state.write_to(disk)
            self.check(scenario, disk / "store", allowed)
            return None
        except (Failed, OSError, ValueError, KeyError) as error:
            return f"{scenario.name}: {state.story}: {error}"
        finally:
            shutil.rmtree(disk)

    def check(self, scenario, store, allowed):
        self.fsck(store, allowed, unreferenced=True)
        if not (store / "oci-layout").exists():
            self.make_layout(store)
        run([self.imagefs, "gc", "--store", store])
        run([self.imagefs, "verify", "--store", store])
        self.fsck(store, allowed, unreferenced=scenario.garbage, settled=True)
        if scenario.garbage or any(left_in_cache(store)):
            run([*LATER, self.imagefs, "gc", "--store", store])
            self.fsck(store, allowed, unreferenced=False, settled=True)
        for path in left_in_cache(store):
            raise Failed(f"{path} is left")

    def make_layout(self, store):
        """As the next import does, whatever comes of it; a gc makes none."""
        with contextlib.suppress(Failed):
            run([self.imagefs, "import", "--store", store, "/dev/null"])

    def fsck(self, store, allowed, unreferenced, settled=False):
        check = fsck_store.Check(store)
        images = ()
        if (store / "index.json").exists():  # else no import has been there yet
            images = tuple(check.images())
        if (store / "blobs/sha256").exists():
            blobs = check.blobs()
            if not unreferenced and blobs != check.referenced:
                check.complain("there are blobs that nothing refers to")
        if settled:
            check.top()
        if images not in allowed:
            check.complain(f"the images are {images}")
        if check.wrong:
            raise Failed("; ".join(check.wrong))


def left_in_cache(store):
    """Files that belong to no blob."""
    for path in (store / "cache").glob("*/*"):
        if not (store / "blobs/sha256" / path.name).exists():
            yield path


def without_indexes(state):
    """Layer indexes are rebuilt when they are damaged: what is in them tells no two disks apart."""
    files = {
        path: (mode, b"" if path.startswith(INDEXES) else data)
        for path, (mode, data) in state.files.items()
    }
    return dataclasses.replace(state, files=files).fingerprint()


def distinct_states(scenario, in_order):
    """How many there are, and of each but once: (scenario, state, the images it may show)."""
    found = {}
    count = 0
    for state in crash_states.states(scenario.history, in_order):
        if state.acknowledged < scenario.judged_from:
            continue
        count += 1
        allowed = set(scenario.images[state.acknowledged : state.acknowledged + 2])
        key = without_indexes(state)
        if key in found:
            allowed &= found[key][2]
        found[key] = (scenario, state, allowed)
    return count, list(found.values())


def violations(judge, pool, states):
    """The complaints of the first batch that has any."""
    for at in range(0, len(states), BATCH):
        found = [c for c in pool.map(lambda s: judge.complaint(*s), states[at : at + BATCH]) if c]
        if found:
            return found
    return []
