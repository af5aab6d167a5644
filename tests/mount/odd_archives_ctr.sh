#!/bin/bash
# What odd_archives.tsv says of each archive, containerd says too, but for those listed here: ctr images
# import of the same file into an empty namespace gives the same names and digests.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"

declare -A differences=(
  [common-directory]='ctr knows no archive below one directory'
  [dangling-symlink-that-nobody-refers-to]='ctr refuses a link that nothing needs'
  [docker-25-0-0]='ctr takes the manifest without layers that Docker 25.0.0 wrote'
  [layer-is-a-hard-link]='ctr knows no hard links'
  [no-platform]='ctr imports for a platform, and this image names none'
  [oci-bare-tag]='ctr takes the bare tag for the name'
  [oci-common-directory]='ctr knows no archive below one directory'
  [untidy-names-in-the-manifest]='ctr looks for ./d//layer.tar as it is written'
)
# The same at one time, an error at another.
declare -A undecided=(
  [eight-symlinks-in-a-row]='ctr resolves links in a random order, before their targets too'
)

archives odd
start_containerd

# A line for each digest, and for each name with its digest.
of_the_table() {
  awk -F '\t' -v archive="$1" '$1 == archive {print $3; if ($2 != "-") print $3, $2}' "$here/odd_archives.tsv" | sort -u
}
of_ctr() {
  local namespace=odd-$1
  ctr_ -n "$namespace" images import --no-unpack --digests "$work/odd/$1.tar" > "$work/said" 2>&1 || return 0
  ctr_ -n "$namespace" images ls | awk 'NR > 1 {print $3; if ($1 !~ /^import-/) print $3, $1}' | sort -u
}

same=0
for file in "$work"/odd/*.tar; do
  archive=$(basename "$file" .tar)
  if [[ ${undecided[$archive]:-} ]]; then
    note "$archive is not compared: ${undecided[$archive]}"
    continue
  fi
  reason=${differences[$archive]:-}
  ours=$(of_the_table "$archive")
  theirs=$(of_ctr "$archive")
  if [[ -z $reason ]]; then
    expect_eq "$ours" "$theirs" "$archive: $(cat "$work/said")"
    same=$((same + 1))
  else
    [[ $ours != "$theirs" ]] || fail "$archive: the same as ctr, and should differ: $reason"
    note "$archive differs: $reason"
  fi
done
note "$same archives have the names and digests that ctr gives them"
