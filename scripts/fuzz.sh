#!/usr/bin/env bash
# Runs the fuzz targets, one after the other, on the stable toolchain.
#
# usage: scripts/fuzz.sh [--build] [TARGET…]       (all targets of fuzz/fuzz_targets where none is named)
#
# FUZZ_SECONDS   how long each runs; 60
# FUZZ_JOBS      processes for each, which share what they find; 1
#
# Inputs that reach new code are kept in fuzz/corpus/TARGET. An input that breaks a promise is written to
# fuzz/artifacts/TARGET, and the target's binary, given that file, does it again. `--build` only builds.
#
# The layout is that of cargo-fuzz, so `cargo +nightly fuzz run TARGET` works too and adds the address sanitizer. It is
# not needed here: the coverage that libFuzzer steers by is there in the stable compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

coverage() {
	printf '%s ' --cfg fuzzing -Cpasses=sancov-module -Cdebug-assertions=yes -Coverflow-checks=yes \
		-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
		-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
}

# The samples are whole captures, and their octets are as good a beginning for what is inside them.
seed() {
	case $1 in
	capture | page) cp -n samples/*.pcap samples/formats/* "fuzz/corpus/$1" ;;
	*) [ ! -d "fuzz/seeds/$1" ] || cp -n "fuzz/seeds/$1"/* "fuzz/corpus/$1" ;;
	esac
}

main() {
	local build_only='' target targets triple failed=0
	[ "${1:-}" != --build ] || { build_only=yes && shift; }
	targets=("$@")
	[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename -s .rs -a fuzz/fuzz_targets/*.rs)
	triple=$(rustc -vV | sed -n 's/^host: //p')
	# With --target, build scripts and macros are compiled without these flags.
	RUSTFLAGS="$(coverage)" cargo build --quiet --release --manifest-path fuzz/Cargo.toml --target "$triple"
	[ -z "$build_only" ] || return 0
	for target in "${targets[@]}"; do
		mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
		seed "$target"
		echo "--- fuzz: $target, ${FUZZ_SECONDS:-60} s"
		"fuzz/target/$triple/release/$target" "fuzz/corpus/$target" -artifact_prefix="fuzz/artifacts/$target/" \
			-max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -fork="${FUZZ_JOBS:-1}" \
			-print_final_stats=1 2>&1 | tail -n "${FUZZ_LINES:-4}" || failed=1
	done
	return $failed
}

main "$@"
