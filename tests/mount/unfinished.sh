#!/bin/bash
# Copies that do not come to their end: the name goes while the file is open, the writer is killed, or
# stopped. Nothing of them stays, others go on, and the end of the daemon does not wait for them.
source "$(dirname "$0")/lib.sh"

make_image odd/unfinished:1 4 "$work/unfinished.tar"
make_image odd/other:1 1 "$work/other.tar"
present() { [[ -e $mnt/images/odd/$1:1/manifest.json ]]; }

note "names that go while a writer holds the file open"
start_mount
python3 "$support/hold_unfinished.py" "$mnt/ingest" "$work/unfinished.tar" "$work/other.tar" > "$work/said" &
children+=($!)
holder=$!
wait_until 120 grep -qsx held "$work/said"
expect_eq held "$(cat "$work/said")" "broken rules"
present other || fail "the archive that took a name is not there"
! present unfinished || fail "an archive whose name is gone was imported"
expect_eq "" "$(ls -A "$mnt/ingest")" "what is listed"
grep -q '"importing": *\[\]' "$mnt/.imagefs/status.json" || fail "status.json says that something arrives"
start=$SECONDS
stop_mount
note "the daemon ended in $((SECONDS - start)) s while the files were open"
kill -KILL "$holder"
fsck_store --unreferenced > /dev/null

note "a writer that is killed"
start_mount
before=$(store_state)
bash -c 'head -c 2000000 "$1" > "$2.half"; exec 3> "$3"; cat "$2.half" >&3; exec sleep 600' - \
  "$work/unfinished.tar" "$work/part" "$mnt/ingest/killed.tar" & writer=$!
children+=("$writer")
size_of() { stat -c %s "$mnt/ingest/$1" 2> /dev/null || echo 0; }
has_half() { (($(size_of "$1") == 2000000)); }
wait_until 60 has_half killed.tar
kill -KILL "$writer"
wait_until 60 test -s "$mnt/ingest/killed.tar.error"
expect_eq "$before" "$(store_state)" "the store"

note "a writer whose terminal goes"
python3 - "$work/part.half" "$mnt/ingest/hung-up.tar" << 'PYTHON' & terminal=$!
import os, pty, sys, time
writer, terminal = pty.fork()
if writer == 0:
    os.execlp("sh", "sh", "-c", 'exec cat "$1" - > "$2"', "-", *sys.argv[1:])
half = os.path.getsize(sys.argv[1])
while not os.path.exists(sys.argv[2]) or os.path.getsize(sys.argv[2]) < half:
    time.sleep(0.05)
os.close(terminal)
_, status = os.waitpid(writer, 0)
sys.exit(0 if os.WIFSIGNALED(status) else 1)
PYTHON
children+=("$terminal")
wait "$terminal" || fail "the writer lives without its terminal"
wait_until 60 test -s "$mnt/ingest/hung-up.tar.error"
expect_eq "$before" "$(store_state)" "the store"

note "a writer that is stopped: others go on, and so does it"
mkfifo "$work/fifo"
cat "$work/fifo" > "$mnt/ingest/stopped.tar" & writer=$!
children+=("$writer")
exec 8> "$work/fifo"
head -c 2000000 "$work/unfinished.tar" >&8
wait_until 60 has_half stopped.tar
kill -STOP "$writer"
copy_in "$work/other.tar"
copy_in "$work/other.tar" killed.tar
timeout 20 ls -l "$mnt/ingest" > /dev/null || fail "ls"
"$IMAGEFS" rm --store "$store" odd/other:1 > /dev/null
collect_all
kill -CONT "$writer"
tail -c +2000001 "$work/unfinished.tar" >&8
exec 8>&-
wait "$writer" || fail "the writer failed after it went on"
present unfinished || fail "its image is not there"

note "SIGTERM while a writer is stopped"
sleep 600 > "$mnt/ingest/again.tar" & writer=$!
children+=("$writer")
wait_until 60 test -e "$mnt/ingest/again.tar"
kill -STOP "$writer"
stop_mount
fsck_store --unreferenced > /dev/null
