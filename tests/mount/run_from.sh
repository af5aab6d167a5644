#!/bin/bash
# Programs of an image run from rootfs/: under overlayfs, in podman, systemd-nspawn and bubblewrap. They
# see the image, what they write is theirs alone, and the mount stays as it was. (A service with
# RootDirectory=: systemd.sh.)
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"
source "$(dirname "$0")/boot.sh"
source "$(dirname "$0")/busybox_image.sh"
require podman crun bwrap systemd-nspawn

# What runs in each: it reads, writes over what it read, makes and removes files.
reads_and_writes='
set -e
busybox cat /etc/mark
busybox echo changed > /etc/mark
busybox mkdir /var/made
busybox rm -r /etc/removed
busybox cat /etc/mark
busybox ls -a /etc/removed 2> /dev/null || busybox ls -d /var/made'
run=(/bin/busybox sh -c "$reads_and_writes")
written=$'of the image\nchanged\n/var/made'

under_overlayfs() {
  local over=$work/over
  mkdir -p "$over"/{upper,work,root}
  mount -t overlay -o "lowerdir=${rootfs//:/\\:},upperdir=$over/upper,workdir=$over/work" overlay "$over/root"
  timeout 30 chroot "$over/root" "${run[@]}" || return
  umount "$over/root"
  rm -r "$over"
}

in_podman() {
  podman_ run --rm --cgroups=disabled --network=none --rootfs "$rootfs:O" "${run[@]}"
}

# Systemd 252 gives overlayfs the colon of the image's name as it is.
in_nspawn() {
  mkdir -p "$work/root"
  mount --bind "$rootfs" "$work/root"
  (
    echo "$BASHPID" > "$cgroup/cgroup.procs"
    cd /
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec timeout 60 systemd-nspawn -q --register=no --keep-unit \
      -D "$work/root" --volatile=overlay --console=pipe --resolv-conf=off --timezone=off \
      --link-journal=no --private-network "${run[@]}" < /dev/null
  ) || return
  umount "$work/root"
}

in_bubblewrap() {
  timeout 30 bwrap --unshare-all --ro-bind "$rootfs" / --proc /proc --dev /dev /bin/busybox sh -c '
    busybox cat /etc/mark
    busybox echo changed > /etc/mark || busybox cat /etc/mark'
}

expect_output() {  # expect_output EXPECTED VARIANT
  local found
  note "$compression: ${2//_/ }"
  found=$("$2" 2> "$work/stderr") || fail "${2//_/ }: $(cat "$work/stderr")"
  expect_eq "$1" "${found//$'\r'/}" "what the program said ${2//_/ }"
  expect_eq "$before" "$(state_of_mount)" "rootfs/ after a run ${2//_/ }"
}
state_of_mount() {
  (cd "$rootfs" && find . -printf '%p %y %i %m %s %n %T@\n' | sort && cat etc/mark etc/removed/link)
  store_state
}

make_busybox_image
enter_cgroup
start_mount
for compression in plain zstd; do
  copy_in "$work/$compression-oci.tar"
  rootfs=$mnt/images/docker.io/odd/run-$compression:1/rootfs
  before=$(state_of_mount)
  expect_output "$written" under_overlayfs
  expect_output "$written" in_podman
  expect_output "$written" in_nspawn
  expect_output $'of the image\nof the image' in_bubblewrap
done
stop_mount
