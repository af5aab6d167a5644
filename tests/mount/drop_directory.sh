#!/bin/bash
# drop=DIR: what lies in a directory of the host is imported at the start, what lands later when it is
# closed or renamed there; what was imported once is not read again.
source "$(dirname "$0")/lib.sh"

for i in 1 2 3 4 5; do make_image "odd/drop:$i" 1 "$work/drop$i.tar"; done
drop=$work/drop
mkdir "$drop"
cp "$work/drop1.tar" "$drop/first.tar"
has() { [[ -e $mnt/images/odd/drop:$1/manifest.json ]]; }

start_mount -o "drop=$drop"
note "what lay there"
wait_until 30 has 1

note "what is copied there, when it is closed"
exec 7> "$drop/second.tar"
head -c 600000 "$work/drop2.tar" >&7
sleep 0.5
! has 2 || fail "an image of half an archive"
tail -c +600001 "$work/drop2.tar" >&7
exec 7>&-
wait_until 30 has 2

note "what is renamed there"
cp "$work/drop3.tar" "$work/elsewhere.tar"
mv "$work/elsewhere.tar" "$drop/third.tar"
wait_until 30 has 3
[[ -e $drop/third.tar ]] || fail "the archive in the drop directory is gone"

note "what is no image does no harm"
echo "no image" > "$drop/no-image.txt"
cp "$work/drop4.tar" "$drop/fourth.tar"
wait_until 30 has 4
fsck_store

note "what was imported once is not imported again by the next mount"
stop_mount
"$IMAGEFS" rm --store "$store" odd/drop:1 > /dev/null
cp "$work/drop5.tar" "$drop/zz-last.tar"
start_mount -o "drop=$drop"
wait_until 30 has 5
! has 1 || fail "an archive that had not changed was imported again"
cp "$work/drop1.tar" "$drop/first.tar"
wait_until 30 has 1
stop_mount
