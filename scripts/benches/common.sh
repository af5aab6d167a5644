# What the benchmarks share: a work directory, a mounted store, timing, tables. Sourced by
# scripts/bench.
#
# A contender is a function; what it needs done before the clock starts is NAME_prepare, and
# afterwards NAME_tidy. `compare LABEL CONTENDER...` runs them by turns, so that a busy machine is
# busy for all of them, and prints their medians.

imagefs=$PWD/build/release/imagefs
[[ -x $imagefs ]] || { echo "scripts/bench: $imagefs is not built" >&2; exit 1; }
mkdir -p "${BENCH_DIR:=$PWD/build/bench}"
work=$(mktemp -d "$BENCH_DIR/run.XXXXXX")
mnt=$work/mnt
daemon=
sampler=
declare -A times peaks

clean_up() {
  unmount
  ! declare -F stop_containerd >/dev/null || stop_containerd
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

installed() { command -v "$1" >/dev/null; }

serve() {  # serve COMMAND...: mounts $mnt, and stays in the foreground
  mkdir -p "$mnt"
  "$@" 2>"$work/mount.log" &
  daemon=$!
  local tries=0
  until mountpoint -q "$mnt"; do
    if ! kill -0 "$daemon" 2>/dev/null || ((++tries > 200)); then
      cat "$work/mount.log" >&2
      exit 1
    fi
    sleep 0.05
  done
}

mount_store() {  # mount_store OPTIONS: a new, empty store
  rm -rf --one-file-system "$work/store"
  serve "$imagefs" mount -f --store "$work/store" -o "$1" "$mnt"
  echo 0 >"$work/peak"
  sample_memory &
  sampler=$!
}

# The largest RssAnon of the daemon, in KiB, until it ends.
sample_memory() {
  local peak=0 now
  while now=$(awk '/^RssAnon:/ { print $2 }' "/proc/$daemon/status" 2>/dev/null) && [[ $now ]]; do
    if ((now > peak)); then
      peak=$now
      echo "$peak" >"$work/peak"
    fi
    sleep 0.02
  done
}

unmount() {
  [[ $daemon ]] || return 0
  if [[ $sampler ]]; then
    kill "$sampler" 2>/dev/null || true
    wait "$sampler" 2>/dev/null || true
  fi
  kill -TERM "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
  daemon= sampler=
}

drop_caches() { sync && echo 3 >/proc/sys/vm/drop_caches; }

seconds() {  # seconds COMMAND...: how long it takes
  local start=$EPOCHREALTIME
  if ! "$@" >"$work/output" 2>&1; then
    echo "scripts/bench: $* failed:" >&2
    cat "$work/output" >&2
    return 1
  fi
  awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", end - start }'
}

if_there() { ! declare -F "$1" >/dev/null || "$1"; }

run_once() {  # run_once CONTENDER
  if_there "$1_prepare"
  cat "$archive" >/dev/null
  sync -f "$work"
  times[$1]+=" $(seconds "$1")"
  [[ -z $daemon ]] || peaks[$1]+=" $(cat "$work/peak")"
  if_there "$1_tidy"
}

sorted() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -n; }
median() { sorted "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
largest() { sorted "$1" | tail -n 1; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# The first contender and the second are the bounds: writing the bytes, and computing over them.
compare() {  # compare LABEL CONTENDER...
  local label=$1 contender run seconds bound
  shift
  times=() peaks=()
  for ((run = 0; run < runs; ++run)); do
    for contender; do run_once "$contender"; done
  done
  bound=$(largest "$(median "${times[$1]}") $(median "${times[$2]}")")
  printf '\n%s, %d runs\n%-24s %9s %12s %12s %14s\n' \
    "$label" "$runs" '' 'median s' "x $1" 'x bound' 'RssAnon MiB'
  for contender; do
    seconds=$(median "${times[$contender]}")
    printf '%-24s %9s %12s %12s %14s\n' "$contender" "$seconds" \
      "$(ratio "$seconds" "$(median "${times[$1]}")")" "$(ratio "$seconds" "$bound")" \
      "${peaks[$contender]:+$(ratio "$(largest "${peaks[$contender]}")" 1024)}"
  done
}

cat_all() { find "$1" -type f -print0 | xargs -0 cat >/dev/null; }  # cat_all DIRECTORY

# Contenders that every benchmark has; $archive is what they read.
cp_sync_prepare() { rm -f "$work/copy"; }
cp_sync() { cp "$archive" "$work/copy" && sync -f "$work/copy"; }
cp_sync_tidy() { rm -f "$work/copy"; }

imagefs_cp_prepare() { mount_store rw; }
imagefs_cp() { cp "$archive" "$mnt/ingest/"; }
imagefs_cp_tidy() { unmount; }
