#!/bin/bash
# Whoever reads a whole blob gets its bytes, however many have it open, and also when it is removed
# meanwhile. Where libfuse and the kernel can do it, the kernel reads them by itself; elsewhere the
# same reads are answered by requests.
source "$(dirname "$0")/lib.sh"
require_root
require strace faketime unshare
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0  # leaks cannot be looked for under strace

# Whether the kernel is to read blobs by itself.
takes_files() {
  local config
  [[ $("$IMAGEFS" --version) == *passthrough* ]] || return
  printf '6.9\n%s\n' "$(uname -r)" | sort -CV || return
  config=$({ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2> /dev/null || true)
  [[ -z $config || $config == *CONFIG_FUSE_PASSTHROUGH=y* ]] || return
  # It takes none of who is root in a user namespace alone, and none of a stacked filesystem.
  grep -q 4294967295 /proc/self/uid_map && [[ $(stat -f -c %T "$work") != overlayfs ]]
}

# Runs a command, and counts in $preads how often the daemon has read the blob for it.
count_preads() {  # count_preads COMMAND...
  strace -f -qq -y -o "$work/trace" -e trace=pread64 -p "${daemons[${MNT:-$mnt}]}" 2> "$work/strace" &
  tracer=$!
  children+=("$tracer")
  wait_until 10 traces
  "$@"
  speed_up
  preads=$(grep -c "pread64(.*/$hex" "$work/trace" || true)
}
traces() {
  ! is_gone "$tracer" || skip "strace may not trace here: $(cat "$work/strace")"
  ! grep -L '^TracerPid:[[:space:]]*[1-9]' "/proc/${daemons[${MNT:-$mnt}]}"/task/*/status | grep -q .
}

same_bytes() {  # same_bytes FILE...: as the blob's, read in several ways
  local file
  for file; do
    cmp "$work/data" "$file" || fail "$file: cmp"
    cp "$file" "$work/copy"
    cmp "$work/data" "$work/copy" || fail "$file: cp"
    cmp <(dd if="$file" bs=1000 skip=1234 count=500 status=none) \
      <(dd if="$work/data" bs=1000 skip=1234 count=500 status=none) || fail "$file: in pieces"
    python3 - "$file" "$work/data" << 'PYTHON' || fail "$file: mapped"
import mmap, sys
maps = []
for path in sys.argv[1:]:
    with open(path, "rb") as opened:
        maps.append(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ))
assert maps[0][:] == maps[1][:]
PYTHON
  done
}

make_image odd/whole:1 4 "$work/whole.tar"
start_mount
copy_in "$work/whole.tar"
image=$mnt/images/docker.io/odd/whole:1
hex=$(basename "$(readlink "$image/layers/01")")
blob=$mnt/blobs/sha256/$hex
cp "$store/blobs/sha256/$hex" "$work/data"

note "a blob's bytes"
count_preads same_bytes "$blob" "$image/layers/01" "$image/$hex"
if takes_files; then
  note "were read by the kernel"
  expect_eq 0 "$preads" "reads by the daemon"
else
  note "were read by requests: $("$IMAGEFS" --version), Linux $(uname -r)"
  ((preads > 0)) || fail "nobody has read them"
fi

note "a part of it, in rootfs/, is read by requests"
count_preads cmp <(tar xOf "$work/data" data) "$image/rootfs/data"
((preads > 0)) || fail "nobody has read it"

note "many opens at one time, some past the caches and unaligned"
python3 - "$work/data" "$blob" "$image/$hex" << 'PYTHON' || fail "concurrent opens"
import concurrent.futures, os, random, sys
data = open(sys.argv[1], "rb").read()
paths = sys.argv[2:]

def read_all(fd):
    parts, at = [], 0
    while part := os.pread(fd, 300001, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)

def reader(seed):
    chance = random.Random(seed)
    held = []
    for _ in range(60):
        flags = chance.choice((os.O_RDONLY, os.O_RDONLY, os.O_RDONLY | os.O_DIRECT))
        held.append(os.open(chance.choice(paths), flags))
        assert read_all(chance.choice(held)) == data
        if len(held) > 3 or chance.random() < 0.3:
            os.close(held.pop(chance.randrange(len(held))))
        if chance.random() < 0.2:
            while held: os.close(held.pop())
    while held: os.close(held.pop())

for first in os.O_DIRECT, 0:  # decides for the other
    fds = [os.open(paths[0], flags) for flags in (first, first ^ os.O_DIRECT)]
    assert all(read_all(fd) == data for fd in fds)
    for fd in fds: os.close(fd)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(reader, range(8)))
PYTHON

note "who has it open reads on when it is removed, also when it comes again"
exec 7< "$blob" 8< "$image/$hex"
"$IMAGEFS" rm --store "$store" odd/whole:1 > /dev/null
collect_all
[[ ! -e $store/blobs/sha256/$hex ]] || fail "the blob was not removed"
wait_until 10 test ! -e "$blob"
cmp "$work/data" <(head -c 3000000 <&7; cat <&7) || fail "read on"
copy_in "$work/whole.tar"
same_bytes "$blob" "$image/$hex"
cmp "$work/data" - <&8 || fail "read on beside the new one"
exec 7<&- 8<&-
same_bytes "$blob" "$image/$hex"

note "overlayfs over rootfs/"
mkdir -p "$work/over"/{upper,work,root}
mount -t overlay -o "lowerdir=${image//:/\\:}/rootfs,upperdir=$work/over/upper,workdir=$work/over/work" \
  overlay "$work/over/root" || fail "mount -t overlay"
cmp <(tar xOf "$work/data" data) "$work/over/root/data" || fail "through overlayfs"
umount "$work/over/root"

note "a damaged one is not opened"
chmod u+w "$store/blobs/sha256/$hex"
truncate -s -512 "$store/blobs/sha256/$hex"
said=$(cat "$image/$hex" 2>&1 > /dev/null) && fail "it was opened"
[[ $said == *"Input/output error"* ]] || fail "cat said: $said"
stop_mount

note "a store on a stacked filesystem"
mkdir "$work"/{tmpfs,stacked}
mount -t tmpfs tmpfs "$work/tmpfs"
mkdir "$work/tmpfs"/{lower,upper,work}
mount -t overlay -o "lowerdir=$work/tmpfs/lower,upperdir=$work/tmpfs/upper,workdir=$work/tmpfs/work" \
  overlay "$work/stacked"
STORE=$work/stacked/store start_mount
copy_in "$work/whole.tar"
count_preads same_bytes "$blob" "$image/$hex"
((preads > 0)) || fail "nobody has read it"
stop_mount

note "root in a user namespace alone"
in_user_namespace() {
  "$IMAGEFS" mount -f --store "$store" "$mnt" 2>> "$daemon_log" &
  wait_until 30 is_mounted "$mnt"
  same_bytes "$blob" "$image/$hex"
  umount "$mnt"
  wait $!
}
store=$work/of-user
"$IMAGEFS" import --store "$store" "$work/whole.tar" > /dev/null
if unshare --user --map-root-user --mount true 2> /dev/null; then
  export -f in_user_namespace wait_until is_mounted same_bytes fail
  export IMAGEFS store mnt daemon_log blob image hex work
  unshare --user --map-root-user --mount timeout 60 "$BASH" -euc in_user_namespace || fail "in a user namespace"
else
  note "(there can be none here)"
fi
