#!/usr/bin/env bash
# All at once, for IMAGEFS_STRESS_SECONDS (10): imports, refusals, removals, collections,
# verifications, reads, listings and a second mount, while the daemon is killed again and again.
# Nothing hangs, what cp promised is kept, and the store stays whole.
source "$(dirname "$0")/lib.sh"
require faketime
((EUID == 0)) || skip "needs root"

deadline=$((SECONDS + ${IMAGEFS_STRESS_SECONDS:-10}))
ulimit -c 0

# Runs a command whose success depends on whether the daemon lives; that it ends does not.
ends() {
  local status=0
  timeout 60 "$@" > "${output:-/dev/null}" 2>&1 || status=$?
  ((status != 124)) || fail "hangs: $*"
  return "$status"
}
must() {
  local output=$work/output.$BASHPID status=0
  ends "$@" || status=$?
  ((status == 0)) || fail "exit status $status: $*: $(head -c 8192 "$output")"
}
count() { echo >> "$work/$1.count"; }

import_kept() {
  local i=$((RANDOM % 4))
  ends cp "$work/kept-$i.tar" "$mnt/ingest/kept-$i-$RANDOM.tar" || return 0
  echo "docker.io/odd/kept:$i" >> "$work/promised"
  count imported
}
import_moving() {
  local i=$((RANDOM % 4))
  ends cp "$work/moving-$i.tar" "$mnt/moving-$RANDOM.tar" && count imported || true
}
import_without_mount() { must "$IMAGEFS" import --store "$store" "$work/moving-$((RANDOM % 4)).tar"; }
be_refused() {
  head -c $((RANDOM * 32)) "$work/kept-0.tar" > "$work/cut.tar"
  ! ends cp "$work/cut.tar" "$mnt/ingest/cut-$RANDOM.tar" || fail "a cut archive was accepted"
  ends rm -f "$mnt"/ingest/*.error || true
  count refused
}
remove() { ends "$IMAGEFS" rm --store "$store" "odd/moving:$((RANDOM % 4))" && count removed || true; }
collect() { collect_all && count collected; }
verify() { must "$IMAGEFS" verify --store "$store" && count verified; }
read_all() {
  local i=$((RANDOM % 4))
  ends cat "$mnt/images/odd/kept:$i/image.tar" && count read || true
  ends cmp "$mnt/images/odd/kept:$i/rootfs/data" "$work/data-$i" || [[ $? != 1 ]] || fail "kept:$i reads wrong"
}
list_all() { ends ls -lR "$mnt/images" "$mnt/ingest" && count listed || true; }
mount_twice() {
  must "$IMAGEFS" mount --store "$store" "$work/second"
  ends ls -R "$work/second/images" || true  # an image may be removed meanwhile
  must fusermount3 -u "$work/second"
  count mounted
}

again() {
  set +e
  while ((SECONDS < deadline)) && [[ ! -e $work/failed ]]; do "$@"; done
}

for i in 0 1 2 3; do
  make_image "odd/kept:$i" 2 "$work/kept-$i.tar"
  make_image "odd/moving:$i" 1 "$work/moving-$i.tar"
  python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(sys.argv[1]).randbytes(2 << 20))' "odd/kept:$i" > "$work/data-$i"
done
mkdir "$work/second"
start_mount

workers=()
for work_of in import_kept import_kept import_moving import_without_mount be_refused remove collect \
  verify read_all list_all mount_twice; do
  again "$work_of" &
  workers+=($!)
done
children+=("${workers[@]}")
while ((SECONDS < deadline)) && [[ ! -e $work/failed ]]; do
  sleep $((1 + RANDOM % 4))
  kill_daemon
  count killed
  start_mount
done
for pid in "${workers[@]}"; do wait "$pid" || fail "a worker failed"; done
stop_mount

fsck_store --unreferenced > /dev/null
collect_all
images=$(fsck_store)
for name in $(sort -u "$work/promised"); do
  [[ $images == *" $name"* ]] || fail "cp promised $name, and it is not there"
done
for file in "$work"/*.count; do
  file=${file##*/}
  note "${file%.count}: $(wc -l < "$work/$file")"
done
