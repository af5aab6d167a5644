#!/usr/bin/env python3
"""What a power failure leaves of a store: power_loss.py IMAGEFS DIRECTORY

Traces what imagefs does to the disk in some scenarios, makes every disk that a power failure at any
moment may leave (crash_states.py), and lets imagefs open each. It has to show the images before or
after the step under way, and those after it once success was reported; be whole; and have nothing
left over. Then the same without the syncs of one kind, which has to be noticed.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import shutil
import sys

import crash_states
import disk_replay
from disk_history import Entries, Mode, Sync, Truncate, Write
from power_judge import Judge, distinct_states, violations
from power_scenarios import Failed, Recorder, make_image, mounted, run

WORKERS = os.cpu_count()


def check_all(judge, pool, scenarios, in_order):
    built, states = 0, []
    for scenario in scenarios:
        count, some = distinct_states(scenario, in_order)
        built += count
        states += some
    found = violations(judge, pool, states)
    order = "in a journal's order" if in_order else "in any order"
    print(f"-- {order}: {built} disks, {len(states)} distinct, {len(found)} violations", flush=True)
    return found


def is_data_of(suffix):
    return lambda path, sync: path.endswith(suffix) and not sync.node.is_directory


# The syncs that may not be left out: name -> (which, whether a journal's order makes up for it).
NEEDED = {
    "a blob's data": (lambda path, sync: sync.call == "fdatasync", False),
    "index.json's data": (is_data_of("/index.json"), False),
    "the intent's data": (is_data_of("/intent"), False),
    "the store's directory": (lambda path, sync: path == "/store", False),
    "the blobs' directory": (lambda path, sync: path == "/store/blobs/sha256", True),
}


def without_syncs(scenario, which):
    history = scenario.history

    def is_dropped(item):
        return isinstance(item, Sync) and which(history.paths.get(item.node, ""), item)

    if not any(map(is_dropped, history.items)):
        raise Failed("there is no such sync")
    items = [
        dataclasses.replace(item, covers=0) if is_dropped(item) else item for item in history.items
    ]
    return dataclasses.replace(scenario, history=history.with_items(items))


def check_mutilated(judge, pool, scenario):
    """Each kind of sync is needed: or this test could not see that it is missing."""
    unnoticed = []
    for name, (which, ordered) in NEEDED.items():
        _, states = distinct_states(without_syncs(scenario, which), in_order=not ordered)
        found = violations(judge, pool, states)
        print(f"-- without the syncs of {name}: {found[0] if found else 'nothing':.150}", flush=True)
        if not found:
            unnoticed.append(f"nothing is wrong without the syncs of {name}")
    return unnoticed


def shown(imagefs, store, at):
    """path -> content of what a mount shows of the image's files."""
    with mounted(imagefs, store, at):
        rootfs = at / "images/docker.io/odd/power:1/rootfs"
        return {path: path.read_bytes() for path in sorted(rootfs.rglob("*")) if path.is_file()}


def check_indexes(imagefs, work, imports):
    """A mount shows the same files when the layers' indexes, which nobody syncs, were damaged."""
    wrong, expected, mounts = [], None, 0
    last = crash_states.Cut(imports.history, len(imports.history.items), in_order=True)
    for state in last.states():
        if not state.files.keys() >= crash_states.last_state(imports.history).files.keys():
            continue
        disk = work / "shown"
        state.write_to(disk)
        files = shown(imagefs, disk / "store", work / "mnt")
        shutil.rmtree(disk)
        expected = expected or files  # the first has lost nothing
        mounts += 1
        if not files or files != expected:
            wrong.append(f"{state.story}: a mount shows {list(files)}")
    print(f"-- {mounts} mounts with {len(expected)} files, {len(wrong)} of them wrong")
    return wrong


def record(imagefs, work):
    disk = work / "disk"
    disk.mkdir()
    one = make_image(work, "odd/power:1", "a")
    other = make_image(work, "odd/power:1", "a", "b")
    recorder = Recorder(imagefs, work, disk)
    scenarios = [recorder.commands("imports", ["import", one], ["import", other])]
    scenarios.append(recorder.collection("rm and gc", "odd/power:1"))
    killed, foreign = make_image(work, "odd/killed:1", "c"), make_image(work, "odd/foreign:1", "d")
    scenarios.append(recorder.repeated("a killed import", killed))
    scenarios.append(recorder.repeated("a killed new name", "--name", "odd/new:1", killed))
    scenarios.append(recorder.beside_another_tool("another tool's blobs", foreign))
    if os.geteuid() == 0:  # fusermount3 has no privileges while it is traced
        scenarios.append(
            recorder.mount(
                "a mount",
                lambda ingest: run(["cp", one, ingest / "one.tar"]),
                lambda ingest: run(["cp", other, ingest / ".two.tar"]),
                lambda ingest: run(["mv", ingest / ".two.tar", ingest / "two.tar"]),
            )
        )
    scenarios.append(after_failure(imagefs, work, scenarios[0], other))
    return scenarios


def after_failure(imagefs, work, imports, archive):
    """The power fails again while what the first time left is cleaned up."""
    cut_short = [
        state
        for state in crash_states.states(imports.history, in_order=True)
        if state.acknowledged == 1 and "/store/intent" in state.files
    ]
    disk = work / "cut-short"
    max(cut_short, key=lambda state: len(state.files)).write_to(disk)
    recorder = Recorder(imagefs, work, disk)
    return recorder.commands("after a failure", ["gc"], ["import", archive])


def main():
    imagefs, work = sys.argv[1], pathlib.Path(sys.argv[2])
    os.umask(disk_replay.UMASK)
    scenarios = record(imagefs, work)
    for scenario in scenarios:
        items = scenario.history.items
        calls = sum(isinstance(i, (Entries, Mode, Sync, Truncate, Write)) for i in items)
        syncs = sum(isinstance(i, Sync) for i in items)
        print(f"-- {scenario.name}: {calls} calls, {syncs} of them syncs")
    judge = Judge(imagefs, work)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        wrong = check_all(judge, pool, scenarios, in_order=True)
        wrong += check_all(judge, pool, scenarios, in_order=False)
        wrong += check_mutilated(judge, pool, scenarios[0])
    wrong += check_indexes(imagefs, work, scenarios[0])
    for text in wrong:
        print(f"FAIL: {text}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
