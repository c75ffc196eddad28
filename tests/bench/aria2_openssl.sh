#!/usr/bin/env bash
# Downloads with aria2 and decrypts with openssl: URL OUT TMP. AES-128 with implicit IVs, or clear.
set -euo pipefail
url=$1 out=$2 tmp=$3 base=${1%/*}
curl() { command aria2c -q -d "$tmp" -o "$2" "$1"; }
curl "$url" list.m3u8
grep -v '^#' "$tmp/list.m3u8" | sed "s|^|$base/|" >"$tmp/urls"
aria2c -q -j 8 -d "$tmp" -i "$tmp/urls"
key=$(grep -o 'URI="[^"]*"' "$tmp/list.m3u8" | head -n 1 | cut -d '"' -f 2 || true)
if [[ -z $key ]]; then
    (cd "$tmp" && grep -v '^#' list.m3u8 | xargs cat) >"$out"
    exit
fi
curl "$base/$key" key.bin
hex=$(od -An -tx1 "$tmp/key.bin" | tr -d ' \n')
number=0
: >"$out"
while read -r name; do
    iv=$(printf '%032x' "$number")
    openssl enc -d -aes-128-cbc -K "$hex" -iv "$iv" -in "$tmp/$name" >>"$out"
    number=$((number + 1))
done < <(grep -v '^#' "$tmp/list.m3u8")
