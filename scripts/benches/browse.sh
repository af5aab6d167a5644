# find, stat of everything, ls -lR and cat over a rootfs/ of 50,000 small files in five layers:
# after a fresh mount with cold caches, and a second time. Sourced by scripts/bench.

files=50000

mount_native() { root=$work/tree; }
mount_squashfuse_ll() {
  serve squashfuse_ll -f "$work/tree.squashfs" "$mnt"
  root=$mnt
}
mount_imagefs() {
  serve "$imagefs" mount -f --store "$work/store" -o "${1:-rw}" "$mnt"
  root=$mnt/images/docker.io/library/bench:latest/rootfs
}
mount_imagefs_ro() { mount_imagefs ro; }

# With cat_all, what is done to a directory.
find_all() { find "$1" >/dev/null; }
stat_all() { find "$1" -printf '%s %m %U %T@\n' >/dev/null; }
list_all() { ls -lR "$1" >/dev/null; }

run_pair() {  # run_pair WORKLOAD SYSTEM: the first time and the second
  drop_caches
  "mount_$2"
  times[$2:first]+=" $(seconds "$1" "$root")"
  times[$2:second]+=" $(seconds "$1" "$root")"
  unmount
}

browse() {  # browse WORKLOAD SYSTEM...
  local workload=$1 system run time
  shift
  times=()
  for ((run = 0; run < runs; ++run)); do
    for system; do run_pair "$workload" "$system"; done
  done
  printf '\n%s, %d files, %d runs\n%-16s %9s %9s %9s %9s\n' "$workload" "$files" "$runs" \
    '' 'first s' 'x native' 'second s' 'x native'
  for system; do
    printf '%-16s' "$system"
    for time in first second; do
      printf ' %9s %9s' "$(median "${times[$system:$time]}")" \
        "$(ratio "$(median "${times[$system:$time]}")" "$(median "${times[native:$time]}")")"
    done
    echo
  done
}

scripts/benches/make-archive docker-files "$files" "$work/files.tar"
"$imagefs" import --store "$work/store" "$work/files.tar" >/dev/null
mkdir "$work/layers" "$work/tree"
tar -C "$work/layers" -xf "$work/files.tar"
for layer in "$work"/layers/*.tar; do tar -C "$work/tree" -xf "$layer"; done
rm -r "$work/layers" "$work/files.tar"

systems=(native imagefs imagefs_ro)
if installed squashfuse_ll && installed mksquashfs; then
  mksquashfs "$work/tree" "$work/tree.squashfs" -comp zstd -quiet -no-progress >/dev/null
  systems+=(squashfuse_ll)
fi
for workload in find_all stat_all list_all cat_all; do browse "$workload" "${systems[@]}"; done
