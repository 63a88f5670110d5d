#!/usr/bin/env bash
# Builds every function and guest for Wasm and as a static native binary, copies the Wasm beside its manifest and
# records digests.json. With a folder as its argument it writes the Wasm files there instead and records nothing.
# Needs Debian's rustc, cargo, libstd-rust-dev-wasm32 and lld; native binaries go to target/.
# NEBULA_NATIVE=off builds the Wasm only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
functions=$PWD
destination=${1:-$functions}
source ./source-digest.sh

# What takes long says so, every two seconds.
tell() {
  while sleep 1.9; do echo "functions/build.sh: $1, $SECONDS s" >&2; done
}
telling=
trap '[[ -z $telling ]] || kill "$telling"' EXIT
say() {
  [[ -z $telling ]] || kill "$telling"
  tell "$1" &
  telling=$!
}

say 'the functions as Wasm'
# The Wasm must not depend on where this folder is, nor on settings of whoever builds it.
export RUSTC=/usr/bin/rustc
unset RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_TARGET_DIR RUSTC_WRAPPER
# Encoded, so that the path may hold spaces.
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$functions=/functions"
PATH=/usr/bin:$PATH /usr/bin/cargo build --quiet "${WASM_BUILD[@]}"

built=target/wasm32-wasi/release
for manifest in */nebula.json guests/*/nebula.json; do
  folder=${manifest%/nebula.json}
  name=${folder##*/}
  file=$built/$name.wasm
  [[ -f $folder/src/reactor.rs ]] && file=$built/${name//-/_}_reactor.wasm
  mkdir -p "$destination/$folder"
  install -m 644 "$file" "$destination/$folder/$name.wasm"
done

if [[ $destination == "$functions" ]]; then
  digests > digests.json
  if [[ ${NEBULA_NATIVE:-on} != off ]]; then
    host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
    export CARGO_ENCODED_RUSTFLAGS=$'-C\x1ftarget-feature=+crt-static'
    say 'the functions as native binaries'
    # Ten seconds a binary saved; the loops that count are in the function itself either way (README).
    export CARGO_PROFILE_RELEASE_LTO=off
    PATH=/usr/bin:$PATH /usr/bin/cargo build --quiet --locked --offline --release --bins --target "$host"
    # One path whatever the machine: the target's name differs, the place to look does not.
    ln -sfn "$host/release" target/native
  fi
fi
