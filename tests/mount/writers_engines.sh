#!/bin/bash
# What container tools that save straight into the mount make of it: exit status, .error and store, for
# an image that is imported, again over the same name, and for one that the mount refuses.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"

build_image
start_dockerd
load_everywhere
start_mount
mkdir "$work/strict"
MNT=$work/strict start_mount -o max_layer=1M

# name%command with DST%exit status when refused (lost: some versions ignore an error of close)
writers=(
  "skopeo docker%skopeo_ copy -q oci:$layout:1 docker-archive:DST:$image%seen"
  "skopeo oci%skopeo_ copy -q oci:$layout:1 oci-archive:DST:$image%lost"
  "buildah%buildah_ push -q $image docker-archive:DST:$image%seen"
  "podman%podman_ save -q -o DST $image%lost"
  "podman oci%podman_ save -q --format oci-archive -o DST $image%lost"
  "podman >%podman_ save -q $image > DST%seen"
  "docker -o%docker_ save -o DST $image%lost"
  "docker >%docker_ save $image > DST%seen"
  "docker cat%docker_ save $image | cat > DST%seen"
)

forget() {
  "$IMAGEFS" rm --store "$store" "$image" > /dev/null 2>&1 || true
  wait_until 10 test ! -e "$mnt/images/$image"
}
has_error() { [[ -n $(find "$work/strict/ingest" -name '*.error') ]]; }
run() { (eval "${1//DST/$2}") > "$work/said" 2>&1; }

printf '%-15s %-6s %-6s %-8s %s\n' writer good again refused reason
for entry in "${writers[@]}"; do
  IFS=% read -r name command sees <<< "$entry"
  file=${name//[^a-z0-9]/-}.tar
  good=0 again=0 refused=0

  forget
  run "$command" "$mnt/ingest/$file" || good=$?
  expect_eq 0 "$good" "$name: exit status: $(cat "$work/said")"
  wait_until 10 test -e "$mnt/images/$image/manifest.json"
  [[ -z $(find "$mnt/ingest" -name '*.error') ]] || fail "$name: an .error: $(cat "$mnt"/ingest/*.error)"

  run "$command" "$mnt/ingest/$file" || again=$?
  expect_eq 0 "$again" "$name: exit status over an existing name: $(cat "$work/said")"

  state=$(store_state)
  run "$command" "$work/strict/ingest/$file" || refused=$?
  ((refused != 124)) || fail "$name hangs when it is refused"
  wait_until 20 has_error
  # docker save -o writes to a temporary name, with a dot.
  reason=$(find "$work/strict/ingest" -name '*.error' -exec cat {} +)
  grep -q max_layer <<< "$reason" || fail "$name: the reason does not name the limit: $reason"
  expect_eq "$state" "$(store_state)" "$name: the store after the refusal"
  ((refused != 0)) || [[ $sees != seen ]] || fail "$name: exit status 0 though it was refused"
  find "$work/strict/ingest" -name '*.error' -delete
  printf '%-15s %-6s %-6s %-8s %s\n' "$name" "$good" "$again" "$refused" "${reason##*: }"
done
fsck_store --unreferenced
MNT=$work/strict stop_mount
stop_mount
