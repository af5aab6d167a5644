#!/bin/bash
# Every hostile archive is refused with its class of errno and a reason, and nothing changes.
source "$(dirname "$0")/lib.sh"

archives hostile
make_image odd/there:1 1 "$work/there.tar"
start_mount -o ratio_after=64M
copy_in "$work/there.tar"
before=$(store_state)

wrong=0
slowest=0
while IFS=$'\t' read -r file errnos reason; do
  start=${EPOCHREALTIME/./}
  (copy_refused "$work/hostile/$file" "$errnos" "$reason") || wrong=$((wrong + 1))
  took="$(((${EPOCHREALTIME/./} - start) / 1000)) ms, $file"
  ((${took%% *} <= ${slowest%% *})) || slowest=$took
  now=$(store_state)
  if [[ $now != "$before" ]]; then
    echo "$file has changed the store"
    wrong=$((wrong + 1))
    before=$now
  fi
done < "$work/hostile/expected.tsv"
((wrong == 0)) || fail "$wrong of $(wc -l < "$work/hostile/expected.tsv") archives"
fsck_store
cmp "$store/index.json" "$mnt/index.json"

note "the reasons for files that are no images differ"
reasons=$(cat "$mnt"/ingest/37-no-image-*.error)
expect_eq "$(sort <<< "$reasons")" "$(sort -u <<< "$reasons")" "the reasons"

note "an empty file is not judged"
touch "$mnt/ingest/empty.tar"
: > "$mnt/ingest/empty-too.tar"
[[ ! -e $mnt/ingest/empty.tar.error && ! -e $mnt/ingest/empty-too.tar.error ]] || fail "an empty file has an .error"

peak=$(awk '/^VmHWM/ {print $2}' "/proc/${daemons[$mnt]}/status")
note "$(wc -l < "$work/hostile/expected.tsv") archives: $peak KiB at most; the slowest: $slowest"
grep -q __sanitizer "$IMAGEFS" || ((peak < 256 * 1024)) || fail "the daemon needed $peak KiB"

note "a good archive of that name clears the .error"
mapfile -t first < <(cut -f 1 "$work/hostile/expected.tsv")
copy_in "$work/there.tar" "${first[0]}"
[[ ! -e $mnt/ingest/${first[0]}.error ]] || fail "${first[0]}.error is still there"
stop_mount
