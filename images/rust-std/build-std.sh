#!/bin/sh
# Compile Rust's standard library where this runs, a suite's root with rustc, cargo and their source: build-std.sh TRIPLE
# It goes into /compile/std, as it lies in Rust's own folder: lib/rustlib/TRIPLE/lib.
set -eu
triple=$1
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=315532800 HOME=/compile CARGO_HOME=/compile/cargo CARGO_TARGET_DIR=/compile/target

library=$(rustc --print sysroot)/lib/rustlib/src/rust/library
mkdir -p /compile/cargo /compile/empty/src "/compile/std/lib/rustlib/$triple/lib"
cat >/compile/cargo/config.toml <<END
[source.crates-io]
replace-with = "suite"
[source.suite]
directory = "$library/vendor"
END
cd /compile/empty
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >Cargo.toml
: >src/lib.rs
# Bitcode is what link-time optimisation of the crates that use it reads. -Zbuild-std is for nightly compilers alone.
RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes cargo build --quiet --jobs "$JOBS" --offline --release --target "$triple" \
    -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test
cd "/compile/target/$triple/release/deps"
rm -f libempty-*
cp -- *.rlib "/compile/std/lib/rustlib/$triple/lib"
