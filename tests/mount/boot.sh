# Boots this machine's own systemd: sourced after lib.sh.
#
#   prepare_root     an overlay of / at $root with none of the machine's own units; imagefs is installed in it
#   boot             starts pid 1 in it, a container; returns when the boot is done
#   inside COMMAND…  runs a command in the booted system
#
# What is written stays in memory and is gone with the test.
# shellcheck shell=bash

require_root
: "${work:?source lib.sh first}"
root=$work/boot/root
leader= nspawn= cgroup=

prepare_root() {
  require systemd-nspawn nsenter cmake
  [[ -e /dev/autofs ]] || skip "no /dev/autofs"
  mkdir "$work/boot"
  mount -t tmpfs tmpfs "$work/boot"
  mkdir "$work/boot/upper" "$work/boot/work" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$work/boot/upper,workdir=$work/boot/work" overlay "$root"
  rm -rf "$root"/etc/systemd/system "$root"/var/lib/imagefs "$root"/etc/imagefs
  mkdir -p "$root"/etc/systemd/system "$root"/etc/imagefs "$root"/srv "$root"/mnt
  : > "$root/etc/fstab"
  DESTDIR=$root cmake --install "$(dirname "$IMAGEFS")" --prefix /usr > /dev/null
}

# systemd-nspawn makes its control groups below its caller's: it gets a cgroup2 node of its own.
enter_cgroup() {
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  cgroup=$(mktemp -d /sys/fs/cgroup/imagefs-test.XXXXXX)
}

has_booted() {
  local state
  leader=$(pgrep -P "$nspawn" -o) || return 1
  state=$(inside systemctl is-system-running 2> /dev/null) || true
  [[ $state == running || $state == degraded ]]
}

boot() {
  enter_cgroup
  (
    echo "$BASHPID" > "$cgroup/cgroup.procs"
    cd /
    exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid systemd-nspawn -q --register=no --keep-unit \
      -D "$root" -M "${cgroup##*/}" --console=pipe --bind=/dev/fuse --bind=/dev/autofs \
      --capability=all --resolv-conf=off --timezone=off --link-journal=no --private-network \
      --boot systemd.unit=multi-user.target < /dev/null > "$work/console" 2>&1
  ) &
  nspawn=$!
  wait_until 120 has_booted
}

inside() {
  nsenter -t "$leader" -m -u -i -n -p env -i -C / PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@" \
    < /dev/null
}

# Pid 1's end ends all that it started; then the control groups can go.
test_cleanup() {
  [[ -z $leader ]] || kill -KILL "$leader" 2> /dev/null
  [[ -z $nspawn ]] || wait "$nspawn"
  [[ -z $cgroup ]] || timeout 10 bash -c 'until find "$1" -depth -type d -exec rmdir {} +; do sleep 0.1; done' \
    -- "$cgroup" 2> /dev/null
}
