#!/bin/bash
# What programs that write files make of an import: exit status, .error and store, for a good
# archive, for one that is cut, and again over the name just used.
source "$(dirname "$0")/lib.sh"
require rsync curl

make_image odd/written:1 3 "$work/good.tar"
head -c 2000000 "$work/good.tar" > "$work/cut.tar"
printf '%1000000s' "no image" > "$work/junk.tar"
start_mount

# name|command with SRC and DST|exit status for a cut archive (lost: 0, the error of close is not seen)
writers=(
  'cp|cp SRC DST|seen'
  'cp -p|cp -p SRC DST|seen'
  'cp --sparse|cp --sparse=always SRC DST|seen'
  'cp --reflink|cp --reflink=auto SRC DST|seen'
  'mv|cp SRC SRC.moved && mv SRC.moved DST|seen'
  'install|install SRC DST|seen'
  'dd 64k|dd if=SRC of=DST bs=64k status=none|seen'
  'dd 512|dd if=SRC of=DST bs=512 status=none|seen'
  'dd 1M fsync|dd if=SRC of=DST bs=1M conv=fsync status=none|seen'
  'dd direct|dd if=SRC of=DST bs=1M oflag=direct status=none|seen'
  'dd sparse|dd if=SRC of=DST bs=64k conv=sparse status=none|seen'
  'cat >|cat SRC > DST|seen'
  'group >|(head -c 1500000 SRC; tail -c +1500001 SRC) > DST|lost'
  'append >>|head -c 1500000 SRC > /dev/null; cat SRC >> DST|seen'
  'tee|tee DST < SRC > /dev/null|seen'
  'rsync|rsync SRC DST|seen'
  'rsync --inplace|rsync --inplace SRC DST|seen'
  'rsync -a|rsync -a SRC DST|seen'
  'curl|curl -sSf -o DST file://SRC|seen'
  'curl -R|curl -sSfR -o DST file://SRC|seen'
  'python copy2|python3 -c "import shutil; shutil.copy2(\"SRC\", \"DST\")"|seen'
  'python write|python3 -c "open(\"DST\", \"wb\").write(open(\"SRC\", \"rb\").read())"|any'
  'perl|perl -MFile::Copy -e "copy(\"SRC\", \"DST\") or die"|seen'
)

write_with() {  # write_with COMMAND SRC DST
  local command=${1//SRC/$2}
  timeout 120 bash -c "${command//DST/$3}" 2> "$work/said"
}

forget() {
  "$IMAGEFS" rm --store "$store" odd/written:1 > /dev/null 2>&1 || true
  wait_until 10 test ! -e "$mnt/images/odd/written:1"
}
has_error() { [[ -n $(find "$mnt/ingest" -name "*$1*.error") ]]; }
present() { [[ -e $mnt/images/odd/written:1/manifest.json ]]; }

printf '%-18s %-9s %-12s %-12s %-9s\n' writer good cut junk again
for entry in "${writers[@]}"; do
  IFS='|' read -r name command sees <<< "$entry"
  [[ $name != perl ]] || command -v perl > /dev/null || continue
  file=${name//[^a-z0-9]/-}.tar

  forget
  good=0 cut=0 junk=0 again=0
  write_with "$command" "$work/good.tar" "$mnt/ingest/$file" || good=$?
  expect_eq 0 "$good" "$name: exit status for a good archive: $(cat "$work/said")"
  present || fail "$name: succeeded and the image is not there"
  [[ ! -e $mnt/ingest/$file.error ]] || fail "$name: an .error for a good archive: $(cat "$mnt/ingest/$file.error")"
  ! [[ $(ls -A "$mnt/ingest") == *"$file"* ]] || fail "$name: still listed in ingest/: $(ls -A "$mnt/ingest")"

  write_with "$command" "$work/good.tar" "$mnt/ingest/$file" || again=$?
  expect_eq 0 "$again" "$name: exit status over an existing name: $(cat "$work/said")"
  present || fail "$name: the image went at the second copy"

  state=$(store_state)
  for bad in cut junk; do
    status=0
    write_with "$command" "$work/$bad.tar" "$mnt/ingest/$bad-$file" || status=$?
    ((status != 124)) || fail "$name hangs with the archive $bad.tar"
    printf -v "$bad" %s "$status"
    wait_until 20 has_error "$bad-$file"
    expect_eq "$state" "$(store_state)" "$name: the store after $bad.tar"
    find "$mnt/ingest" -name '*.error' -delete
  done
  ((junk != 0)) || [[ $sees == any ]] || fail "$name: exit status 0 for what is no archive"
  ((cut != 0)) || [[ $sees != seen ]] || fail "$name: exit status 0 for a cut archive"
  printf '%-18s %-9s %-12s %-12s %-9s\n' "$name" "$good" "$cut" "$junk" "$again"
done

note "tar writes an archive of a layout by itself"
forget
mkdir "$work/unpacked"
tar xf "$work/good.tar" -C "$work/unpacked"
timeout 60 tar cf "$mnt/ingest/by-tar.tar" -C "$work/unpacked" . || fail "tar cf"
present || fail "tar cf succeeded and the image is not there"
forget
timeout 60 tar czf "$mnt/ingest/by-tar.tgz" -C "$work" unpacked || fail "tar czf"
present || fail "tar czf succeeded and the image is not there"

note "a copy into the root of the mount is one into ingest/"
forget
timeout 60 cp "$work/good.tar" "$mnt/" || fail "cp into the root"
present || fail "the image is not there"

note "what is no import is refused"
refused() { if timeout 20 "$@" 2> /dev/null; then fail "not refused: $*"; fi; }
refused touch "$mnt/images/x"
refused mkdir "$mnt/ingest/directory"
refused ln -s x "$mnt/ingest/link"
refused rm -f "$mnt/images/odd/written:1/manifest.json"
refused cp "$work/good.tar" "$mnt/blobs/sha256/"
fsck_store
stop_mount
