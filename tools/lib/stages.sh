# The stages of `./test --all`. Each counts what passed and what failed and never stops the others; one that cannot run fails.
# shellcheck shell=bash

seeds=${SIGNALBOX_SEEDS:-1-1000}
fuzz_seconds=${SIGNALBOX_FUZZ_SECONDS:-60}
passed_total=0
failed_total=0
stage_lines=()

# count PASSED FAILED: adds to the stage that runs.
count() {
    stage_passed=$((stage_passed + $1))
    stage_failed=$((stage_failed + $2))
}

# note SENTENCE: why something failed, in its own line.
note() {
    [ "$progress_is_live" = yes ] && printf '\n' >&3
    printf '    %s\n' "$1" >&3
}

# run_stage NAME: runs stage_NAME and keeps its time and its counts.
run_stage() {
    stage_passed=0
    stage_failed=0
    begin "$1"
    local started=$SECONDS
    "stage_$1"
    [ $((stage_passed + stage_failed)) -eq 0 ] && note "nothing ran" && stage_failed=1
    finish "$stage_passed passed, $stage_failed failed"
    stage_lines+=("$(printf '%-8s %6d passed %4d failed %5d s' "$1" "$stage_passed" "$stage_failed" $((SECONDS - started)))")
    passed_total=$((passed_total + stage_passed))
    failed_total=$((failed_total + stage_failed))
}

print_stages() {
    printf '\n'
    printf '%s\n' "${stage_lines[@]}"
    printf '\n%d passed, %d failed\n' "$passed_total" "$failed_total"
}

# build_or_fail FOLDER OPTIONS TARGET...: a failed build is one failure, told with the end of its log.
build_or_fail() {
    build_tree "$@" && return 0
    note "the build failed; the last lines of build/$1/build.log:"
    tail -n 30 "$root/build/$1/build.log" >&3
    count 0 1
    return 1
}

# run_ctest FOLDER CTEST ARGUMENTS...: counts by ctest's own summary and shows what failed.
run_ctest() {
    local folder=$1 log="$root/build/$1/ctest.log" failed total
    shift
    progress "ctest"
    "${wrapper[@]}" ctest --test-dir "$root/build/$folder" -j "$(nproc)" --output-on-failure --no-tests=error "$@" >"$log" 2>&1
    local status=$?
    if [[ $(grep -E '^[0-9]+% tests passed, [0-9]+ tests? failed out of [0-9]+' "$log" | tail -n 1) =~ ,\ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]; then
        failed=${BASH_REMATCH[1]}
        total=${BASH_REMATCH[2]}
        [ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1 && total=$((total + 1))
        count $((total - failed)) "$failed"
    else
        count 0 1
        status=1
    fi
    [ "$status" -eq 0 ] && return
    note "the last lines of $log:"
    tail -n 60 "$log" >&3
}

wrapper=(env)

stage_unit() {
    local results="$root/build/test/results.xml"
    build_or_fail test "-DCMAKE_BUILD_TYPE=Debug" || return
    rm -f "$results"
    run_ctest test --output-junit "$results"
    prove_conformance "$results"
}

# prove_conformance RESULTS: docs/conformance.md must say what the sources and the results of ctest say.
prove_conformance() {
    local log="$root/build/test/conformance.log"
    progress "conformance"
    if python3 "$root/tools/conformance.py" --check --results "$1" >"$log" 2>&1; then
        count 1 0
    else
        count 0 1
        note "docs/conformance.md does not hold; the last lines of $log:"
        tail -n 30 "$log" >&3
    fi
}

# The simulator prints the failing seed, the command that replays it, and the cells of the machines that it reached.
stage_sim() {
    local log="$root/build/test/sim.log"
    build_or_fail test "-DCMAKE_BUILD_TYPE=Debug" signalbox-sim || return
    progress "seeds $seeds"
    if "$root/build/test/signalbox-sim" --seeds "$seeds" >"$log" 2>&1; then
        count 1 0
    else
        count 0 1
        note "the last lines of $log:"
        tail -n 40 "$log" >&3
    fi
}

stage_asan() {
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
    build_or_fail asan "-DCMAKE_BUILD_TYPE=Debug -DSIGNALBOX_SANITIZE=address,undefined" &&
        run_ctest asan -LE repository
}

# Only what has threads. The sanitizer cannot place its shadow under a kernel that randomizes more than 28 bits.
stage_tsan() {
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
    build_or_fail tsan "-DCMAKE_BUILD_TYPE=Debug -DSIGNALBOX_SANITIZE=thread" test_node test_io test_store || return
    setarch -R true 2>/dev/null && wrapper=(setarch -R)
    run_ctest tsan -L '^(node|io|store)$'
    wrapper=(env)
}

# Every target for an equal share of the time, from its kept inputs; what it finds stays in build/fuzz/found/.
stage_fuzz() {
    local targets target name share corpus log
    build_or_fail fuzz "-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ -DSIGNALBOX_FUZZ=ON -DSIGNALBOX_TESTS=OFF" || return
    mapfile -t targets < <(find "$root/build/fuzz" -path '*/CMakeFiles' -prune -o -type f -executable -name 'fuzz_*' -print | sort)
    [ "${#targets[@]}" -gt 0 ] || return
    share=$((fuzz_seconds / ${#targets[@]}))
    [ "$share" -gt 0 ] || share=1
    mkdir -p "$root/build/fuzz/found"
    for target in "${targets[@]}"; do
        name=${target##*/}
        log="$root/build/fuzz/$name.log"
        progress "$name, $share s"
        corpus=("$root/build/fuzz/corpus/$name")
        mkdir -p "${corpus[0]}"
        for kept in "$root/fuzz/corpus/$name" "$root/fuzz/corpus/${name#fuzz_}"; do
            [ -d "$kept" ] && corpus+=("$kept")
        done
        if "$target" -max_total_time="$share" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$root/build/fuzz/found/$name-" \
            "${corpus[@]}" >"$log" 2>&1; then
            count 1 0
        else
            count 0 1
            note "$name failed; the last lines of $log:"
            tail -n 30 "$log" >&3
        fi
    done
}

# fetch_browser_packages: what the pages of the browser phones are made of, by npm into build/browser. Nothing is fetched again while
# its lock file stays as it is. Without them the proof that needs them fails by itself.
fetch_browser_packages() {
    local wanted="$root/e2e/browser" place="$root/build/browser"
    cmp -s "$wanted/package-lock.json" "$place/fetched.json" && return
    progress "npm"
    mkdir -p "$place"
    rm -f "$place/fetched.json"
    if cp "$wanted/package.json" "$wanted/package-lock.json" "$place" &&
        npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund --no-update-notifier \
            --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 >"$place/npm.log" 2>&1 </dev/null; then
        cp "$place/package-lock.json" "$place/fetched.json"
    else
        note "the browser phones' packages are not in build/browser, and npm could not fetch them (no network?); the last lines of build/browser/npm.log:"
        tail -n 10 "$place/npm.log" >&3
    fi
}

# Each executable file of e2e/ is one proof: its exit status says whether it holds. They run against the release binary.
stage_e2e() {
    local script name
    build_or_fail release "-DCMAKE_BUILD_TYPE=Release -DSIGNALBOX_TESTS=OFF" signalbox || return
    mkdir -p "$root/build/e2e"
    fetch_browser_packages
    for script in "$root"/e2e/*; do
        [ -f "$script" ] && [ -x "$script" ] || continue
        name=${script##*/}
        progress "$name"
        if SIGNALBOX="$root/build/release/signalbox" timeout --kill-after=10 600 "$script" >"$root/build/e2e/$name.log" 2>&1 </dev/null; then
            count 1 0
        else
            count 0 1
            note "$name failed; the last lines of build/e2e/$name.log:"
            tail -n 30 "$root/build/e2e/$name.log" >&3
        fi
    done
}

# The instructions of the core for one operation of each kind, held to bench/budget.json.
stage_budget() {
    local log="$root/build/budget.log"
    mkdir -p "$root/build"
    progress "counting instructions"
    local status=0
    python3 "$root/bench/budget" >"$log" 2>&1 || status=1
    count "$(grep -c '^ok ' "$log")" "$(grep -c '^FAILED ' "$log")"
    [ "$status" -eq 0 ] && return
    grep -q '^FAILED ' "$log" || count 0 1
    note "the last lines of $log:"
    tail -n 20 "$log" >&3
}

stage_mutants() {
    local log="$root/build/mutants.log" line
    mkdir -p "$root/build"
    progress "breaking one rule at a time"
    python3 "$root/tools/run_mutants.py" >"$log" 2>&1
    local status=$?
    line=$(tail -n 1 "$log")
    if [[ $line =~ ^([0-9]+)\ killed,\ ([0-9]+)\ survived$ ]]; then
        count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
        [ "$status" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ] && count 0 1
    else
        count 0 1
    fi
    [ "$status" -eq 0 ] && return
    note "the last lines of $log:"
    tail -n 40 "$log" >&3
}
