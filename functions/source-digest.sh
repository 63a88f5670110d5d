# Sourced by build.sh and verify.sh: the flags of a Wasm build and the digests of what it is made from and what it made.

WASM_BUILD=(--release --locked --offline --target wasm32-wasi)
export LC_ALL=C

# The functions and guests, as folders: whatever has a manifest.
folders() {
  local manifest
  for manifest in */nebula.json guests/*/nebula.json; do
    echo "${manifest%/nebula.json}"
  done
}

# The crate for calls of bindings, of a function that uses it.
host_sources() {
  if grep -q '^host = ' "$1/Cargo.toml"; then
    echo host/src host/Cargo.toml
  fi
}

# SHA-256 over the names and contents of all that a function's Wasm is made from, and the flags.
source_digest() {
  {
    echo "${WASM_BUILD[*]}"
    find "$1/src" "$1/Cargo.toml" guest/src guest/Cargo.toml $(host_sources "$1") -type f | sort | xargs sha256sum
    # Cargo.toml's list of members concerns no function; its profile concerns all.
    sed -n '/^\[profile/,$p' Cargo.toml
  } | sha256sum | cut -d ' ' -f 1
}

wasm_digest() {
  sha256sum "$1/${1##*/}.wasm" | cut -d ' ' -f 1
}

# digests.json as it should be for what is there now.
digests() {
  local folder separator='{'
  for folder in $(folders); do
    printf '%s\n  "%s": {\n    "wasmSha256": "%s",\n    "sourceSha256": "%s"\n  }' \
      "$separator" "$folder" "$(wasm_digest "$folder")" "$(source_digest "$folder")"
    separator=','
  done
  printf '\n}\n'
}
