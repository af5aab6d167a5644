#!/bin/bash
# What programs that write files make of an import: exit status, .error and store, for a good
# archive, again over the name just used, and for one that is cut, corrupt, or none.
source "$(dirname "$0")/lib.sh"
require rsync curl sftp perl
sftp_server=/usr/lib/openssh/sftp-server
[[ -x $sftp_server ]] || skip "no sftp-server"

make_image odd/written:1 3 "$work/good.tar"
head -c 2000000 "$work/good.tar" > "$work/cut.tar"
printf '%1000000s' "no image" > "$work/junk.tar"
python3 - "$work/good.tar" "$work/corrupt.tar" << 'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1  # in a layer
open(sys.argv[2], "wb").write(data)
PYTHON
start_mount

python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$work" > "$work/http" 2> /dev/null &
children+=($!)
wait_until 20 grep -qs ' port ' "$work/http"
port=$(grep -o 'port [0-9]*' "$work/http")
http=http://127.0.0.1:${port#port }

# Commands of more than a line; the rest of the table says what they are.
# shellcheck disable=SC2317
{
  copy_by() { python3 "$support/copy_by.py" "$@"; }
  put() { sftp -q -D "$sftp_server" -b - <<< "put $*" > /dev/null; }
  fetch() { curl -sSf "${@:1:$#-2}" -o "${@: -1}" "$http/${*: -2:1}"; }
  # As docker save -o does, and what else looks at a file before it renames it.
  by_rename() {  # by_rename SRC DST
    local temporary=${2%/*}/.tmp-${2##*/}4711
    cp "$1" "$temporary" && touch "$temporary" && touch -r "$1" "$temporary" && chmod 600 "$temporary" &&
      cat /dev/null >> "$temporary" && mv "$temporary" "$2"
  }
}
export support sftp_server http
export -f copy_by put fetch by_rename

# name|command with SRC and DST|exit status for a bad archive (lost: 0 when it is cut, as nobody who knows
# that it ends there looks; any: 0 too, the program looks at no error of close)
writers=(
  'cp|cp SRC DST|seen'
  'cp -p|cp -p SRC DST|seen'
  'cp --sparse|cp --sparse=always SRC DST|seen'
  'cp --reflink|cp --reflink=auto SRC DST|seen'
  'mv|cp SRC SRC.moved && mv SRC.moved DST|seen'
  'install|install SRC DST|seen'
  'dd 64k|dd if=SRC of=DST bs=64k status=none|seen'
  'sendfile|copy_by sendfile SRC DST|seen'
  'splice|copy_by splice SRC DST|seen'
  'io_uring|copy_by io_uring SRC DST|seen'
  'dd 512|dd if=SRC of=DST bs=512 status=none|seen'
  'dd 1M fsync|dd if=SRC of=DST bs=1M conv=fsync status=none|seen'
  'dd direct|dd if=SRC of=DST bs=1M oflag=direct status=none|seen'
  'dd sparse|dd if=SRC of=DST bs=64k conv=sparse status=none|seen'
  'cat >|cat SRC > DST|seen'
  'group >|(head -c 1500000 SRC; tail -c +1500001 SRC) > DST|lost'
  'two cats >|(cat SRC.1; cat SRC.2) > DST|lost'
  'append >>|cat SRC >> DST|seen'
  'pipe to dd|cat SRC | dd of=DST bs=64k iflag=fullblock status=none|seen'
  'tee|tee DST < SRC > /dev/null|seen'
  'rsync|rsync SRC DST|seen'
  'rsync --inplace|rsync --inplace SRC DST|seen'
  'rsync --append|rsync --append SRC DST|seen'
  'rsync -a|rsync -a SRC DST|seen'
  'rsync -P|rsync -qP SRC DST|seen'
  'curl|curl -sSf -o DST file://SRC|seen'
  'curl -R|curl -sSfR -o DST file://SRC|seen'
  'curl http|fetch BASE DST|seen'
  'curl -R http|fetch -R BASE DST|seen'
  'sftp put|put SRC DST|seen'
  'sftp put -p|put -p SRC DST|seen'
  'temporary name|by_rename SRC DST|seen'
  'python copy2|python3 -c "import shutil; shutil.copy2(\"SRC\", \"DST\")"|seen'
  'python write|python3 -c "open(\"DST\", \"wb\").write(open(\"SRC\", \"rb\").read())"|any'
  'perl|perl -MFile::Copy -e "copy(\"SRC\", \"DST\") or die"|seen'
)

write_with() {  # write_with COMMAND SRC DST
  local command=${1//SRC/$2}
  command=${command//BASE/${2##*/}}
  timeout 120 bash -c "${command//DST/$3}" 2> "$work/said"
}

forget() {
  "$IMAGEFS" rm --store "$store" odd/written:1 > /dev/null 2>&1 || true
  wait_until 10 test ! -e "$mnt/images/odd/written:1"
}
has_error() { [[ -n $(find "$mnt/ingest" -name "*$1*.error") ]]; }
present() { [[ -e $mnt/images/odd/written:1/manifest.json ]]; }

bad_ones=(cut corrupt junk)
for bad in good "${bad_ones[@]}"; do
  head -c 900000 "$work/$bad.tar" > "$work/$bad.tar.1"
  tail -c +900001 "$work/$bad.tar" > "$work/$bad.tar.2"
done
note "exit status; each bad one has left its .error and the store as it was"
printf '%-16s %5s %6s %5s %8s %5s\n' writer good again "${bad_ones[@]}"
for entry in "${writers[@]}"; do
  name=${entry%%|*} sees=${entry##*|} command=${entry#*|}
  command=${command%|*}
  [[ $name != io_uring ]] || copy_by io_uring /dev/null "$work/probe" 2> /dev/null || continue
  file=${name//[^a-z0-9]/-}.tar

  forget
  good=0 again=0 cut=0 corrupt=0 junk=0
  write_with "$command" "$work/good.tar" "$mnt/ingest/$file" || good=$?
  expect_eq 0 "$good" "$name: exit status for a good archive: $(cat "$work/said")"
  present || fail "$name: succeeded and the image is not there"
  [[ ! -e $mnt/ingest/$file.error ]] || fail "$name: an .error for a good archive: $(cat "$mnt/ingest/$file.error")"
  ! [[ $(ls -A "$mnt/ingest") == *"$file"* ]] || fail "$name: still listed in ingest/: $(ls -A "$mnt/ingest")"

  write_with "$command" "$work/good.tar" "$mnt/ingest/$file" || again=$?
  expect_eq 0 "$again" "$name: exit status over an existing name: $(cat "$work/said")"
  present || fail "$name: the image went at the second copy"

  state=$(store_state)
  for bad in "${bad_ones[@]}"; do
    status=0
    write_with "$command" "$work/$bad.tar" "$mnt/ingest/$bad-$file" || status=$?
    ((status != 124)) || fail "$name hangs with the archive $bad.tar"
    printf -v "$bad" %s "$status"
    wait_until 20 has_error "$bad-$file"
    expect_eq "$state" "$(store_state)" "$name: the store after $bad.tar"
    find "$mnt/ingest" -name '*.error' -delete
  done
  ((junk != 0 && corrupt != 0)) || [[ $sees == any ]] || fail "$name: exit status 0 for what is no good archive"
  ((cut != 0)) || [[ $sees != seen ]] || fail "$name: exit status 0 for a cut archive"
  printf '%-16s %5s %6s %5s %8s %5s\n' "$name" "$good" "$again" "$cut" "$corrupt" "$junk"
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
