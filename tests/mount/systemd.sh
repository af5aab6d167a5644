#!/usr/bin/env bash
# A booted systemd mounts from fstab, from units and by the service, and starts it again when it fails.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/boot.sh"
source "$(dirname "$0")/busybox_image.sh"

service=imagefs@mnt-service.service
unit() { cat > "$root/etc/systemd/system/$1"; }
main_pid() { inside systemctl show -P MainPID "$service"; }
is_active() { [[ $(inside systemctl is-active "$1") == active ]]; }
lists() { inside timeout 20 ls "$1/images/$2/manifest.json" > /dev/null 2>&1; }  # lists MOUNT IMAGE

write_units() {
  cat > "$root/etc/fstab" << 'FSTAB'
/srv/fstab  /mnt/fstab  fuse.imagefs  allow_other,_netdev,nofail  0 0
/srv/fstab  /mnt/auto   imagefs       ro,allow_other,_netdev,nofail,x-systemd.automount  0 0
FSTAB
  unit mnt-unit.mount << 'UNIT'
[Mount]
What=/srv/unit
Where=/mnt/unit
Type=fuse.imagefs
Options=allow_other
UNIT
  unit mnt-unit.automount << 'UNIT'
[Automount]
Where=/mnt/unit
TimeoutIdleSec=600
[Install]
WantedBy=multi-user.target
UNIT
  unit run-from.service << 'UNIT'
[Service]
Type=oneshot
RootDirectory=/mnt/fstab/images/docker.io/odd/run-plain:1/rootfs
MountAPIVFS=yes
ExecStart=/bin/busybox sh -c 'busybox cat /etc/mark; busybox rm /etc/mark || busybox cat /etc/mark'
UNIT
  mkdir -p "$root/etc/systemd/system/$service.d" "$root/srv/drop"
  unit "$service.d/watchdog.conf" << 'UNIT'
[Service]
WatchdogSec=3
RestartSec=1
UNIT
  echo 'IMAGEFS_OPTIONS=allow_other,drop=/srv/drop' > "$root/etc/imagefs/mnt-service.conf"
  systemctl --root="$root" enable -q remote-fs.target "$service" imagefs-gc.timer mnt-unit.automount
}

a_line_of_fstab_is_mounted_at_boot() {
  inside findmnt -n -o FSTYPE /mnt/fstab | grep -qx fuse.imagefs || fail "fstab's line is not mounted"
  inside cp /srv/image.tar /mnt/fstab/ingest/
  lists /mnt/fstab boot/image:1 || fail "the image is not there"
}

# By the full name: systemd 252 takes no symlink on the way to a RootDirectory=, on any filesystem.
read_its_image_twice() { (($(inside journalctl -u run-from.service -o cat | grep -cx 'of the image') == 2)); }
a_service_runs_from_an_image() {
  inside cp /srv/run.tar /mnt/fstab/ingest/
  inside timeout 60 systemctl start run-from.service ||
    fail "run-from.service: $(inside journalctl -u run-from.service -o cat)"
  wait_until 20 read_its_image_twice
  inside test -e /mnt/fstab/images/odd/run-plain:1/rootfs/etc/mark || fail "the service has changed the image"
}

an_automount_mounts_when_somebody_looks() {  # an_automount_mounts_when_somebody_looks NAME
  local before
  before=$(inside systemctl is-active "mnt-$1.mount") || true
  expect_eq inactive "$before" "mnt-$1.mount before anybody looked"
  inside timeout 60 ls "/mnt/$1/images" > /dev/null
  is_active "mnt-$1.mount" || fail "mnt-$1.mount is not there after a look"
}

journal_names() { [[ $(inside journalctl -u "$service" -o cat) == *"$1"* ]]; }
what_lay_in_the_drop_directory_at_boot_is_imported() {
  wait_until 60 lists /mnt/service boot/dropped:1
  wait_until 20 journal_names boot/dropped:1
}

the_machine_sees_the_services_mount() {
  [[ -e /proc/$leader/root/mnt/service/images ]] || fail "pid 1 does not see the mount"
  inside nsenter -t 1 -m ls /mnt/service/images > /dev/null
}

is_served_by_another() {
  local pid
  pid=$(main_pid)
  [[ $pid != 0 && $pid != "$1" ]] && is_active "$service" && lists /mnt/service boot/dropped:1
}

# comes_back HOW COMMAND…: after the command another daemon serves the mount.
comes_back() {
  local how=$1 pid
  shift
  pid=$(main_pid)
  inside "$@"
  wait_until 60 is_served_by_another "$pid"
  note "after $how another daemon serves the mount"
}

stopping_unmounts() {
  inside systemctl stop "$service" mnt-fstab.mount mnt-unit.mount
  local mounts
  mounts=$(inside findmnt -n -t fuse.imagefs -o TARGET) || true
  expect_eq /mnt/auto "${mounts//[[:space:]]/}" "mounts after stopping all but one"
  local result
  result=$(inside systemctl show -P Result "$service")
  expect_eq success "$result" "how the service ended"
}

the_service_is_hardened() {
  local figure
  figure=$(inside systemd-analyze security --no-pager "$service" | sed -n 's/.*Overall exposure.*: \([0-9.]*\) .*/\1/p')
  note "systemd-analyze security: $figure"
  awk -v f="$figure" 'BEGIN {exit !(f != "" && f < 5)}' || fail "exposure $figure, not below 5"
}

garbage_is_collected_by_the_timer() {
  is_active imagefs-gc.timer || fail "imagefs-gc.timer is not active"
  inside systemctl start imagefs-gc.service || fail "imagefs-gc.service failed"
  lists /mnt/service boot/dropped:1 || fail "a named image was removed"
}

prepare_root
write_units
make_image boot/image:1 1 "$root/srv/image.tar"
make_busybox_image
cp "$work/plain-oci.tar" "$root/srv/run.tar"
make_image boot/dropped:1 1 "$root/srv/drop/dropped.tar"
boot
a_line_of_fstab_is_mounted_at_boot
a_service_runs_from_an_image
an_automount_mounts_when_somebody_looks auto
an_automount_mounts_when_somebody_looks unit
what_lay_in_the_drop_directory_at_boot_is_imported
the_machine_sees_the_services_mount
comes_back 'a restart' systemctl restart "$service"
comes_back 'kill -9' kill -KILL "$(main_pid)"
comes_back 'a daemon that hangs' kill -STOP "$(main_pid)"
garbage_is_collected_by_the_timer
the_service_is_hardened
stopping_unmounts
