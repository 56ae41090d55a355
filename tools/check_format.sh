#!/usr/bin/env bash
# Fails when clang-format would change a C++ file; the argument names the clang-format to use.
set -uo pipefail
cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." || exit 1
formatter=${1:-clang-format}
folders=()
for folder in src tests fuzz bench; do
    [ -d "$folder" ] && folders+=("$folder")
done
find "${folders[@]}" -type f \( -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 -r -n 16 -P "$(nproc)" "$formatter" --dry-run -Werror || {
    printf '%s\n' "Format the files named above: clang-format -i FILE" >&2
    exit 1
}
