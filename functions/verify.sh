#!/usr/bin/env bash
# Fails when a committed Wasm file is not what its source makes. Run by CI; needs what build.sh needs.
# Three checks: each committed file has its recorded digest; each source has the digest recorded with it; and a build
# from source gives the same files, byte for byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./source-digest.sh

rebuilt=$(mktemp -d)
trap 'rm -rf "$rebuilt"' EXIT
failed=0

report() {
  echo "functions/$1: $2" >&2
  failed=1
}

recorded() {
  jq -r --arg folder "$1" --arg field "$2" '.[$folder][$field] // "missing"' digests.json
}

for folder in $(folders); do
  if [[ $(source_digest "$folder") != "$(recorded "$folder" sourceSha256)" ]]; then
    report "$folder" "the source changed, its digest did not: run functions/build.sh and commit what it writes"
  elif [[ ! -f $folder/${folder##*/}.wasm ]]; then
    report "$folder" "the committed Wasm is missing: run functions/build.sh"
  elif [[ $(wasm_digest "$folder") != "$(recorded "$folder" wasmSha256)" ]]; then
    report "$folder" "the committed Wasm is not the recorded one, and its source did not change"
  fi
done
for folder in $(jq -r 'keys[]' digests.json); do
  [[ -f $folder/nebula.json ]] || report "$folder" "recorded in digests.json, but there is no such function"
done

NEBULA_NATIVE=off ./build.sh "$rebuilt"
for folder in $(folders); do
  built=$(sha256sum "$rebuilt/$folder/${folder##*/}.wasm" | cut -d ' ' -f 1)
  if [[ $built != "$(recorded "$folder" wasmSha256)" ]]; then
    report "$folder" "a build from source gives another Wasm than the recorded one"
  fi
done

[[ $failed == 0 ]] && echo "All $(folders | wc -l) functions are what their sources make."
exit "$failed"
