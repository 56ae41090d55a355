# Progress lines, package installation and builds, shared by ./run and ./test. The caller sets `root` and opens fd 3,
# on which progress is written, so that a command's own output stays clean.
# shellcheck shell=bash

steps=0
step=0
step_title=""
step_started=0
progress_is_live=no
[ -t 3 ] && progress_is_live=yes

# progress TEXT: what the current step is doing now; one line rewritten on a terminal, a line each elsewhere.
progress() {
    if [ "$progress_is_live" = yes ]; then
        printf '\r\033[K[%d/%d] %s … %s' "$step" "$steps" "$step_title" "$1" >&3
    else
        printf '[%d/%d] %s … %s\n' "$step" "$steps" "$step_title" "$1" >&3
    fi
}

# begin TITLE: starts the next step.
begin() {
    step=$((step + 1))
    step_title=$1
    step_started=$SECONDS
    [ "$progress_is_live" = yes ] && progress ""
    return 0
}

# finish TEXT: ends the current step, with its time when it took any.
finish() {
    local took=$((SECONDS - step_started))
    [ "$took" -gt 0 ] && set -- "$1, $took s"
    progress "$1"
    [ "$progress_is_live" = yes ] && printf '\n' >&3
    return 0
}

# give_up SENTENCE [LOG]: says what is wrong, with the end of the log, and ends the script.
give_up() {
    [ "$progress_is_live" = yes ] && printf '\n' >&3
    if [ -n "${2:-}" ] && [ -s "$2" ]; then
        printf '%s\n' "--- the last lines of $2" >&2
        tail -n 40 "$2" >&2
        printf '%s\n' "---" >&2
    fi
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# packages_of LIST...: the names in tools/packages/LIST.txt.
packages_of() {
    local list
    for list in "$@"; do
        sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$root/tools/packages/$list.txt"
    done
}

# missing_packages LIST...: those of the lists that are not installed, and that nothing installed provides: a Node.js from elsewhere
# brings npm, and would have to go if Debian's npm came.
missing_packages() {
    local wanted installed provided
    mapfile -t wanted < <(packages_of "$@")
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
        sed -n 's/^installed //p')
    provided=$(dpkg-query -W -f='${db:Status-Status} ${Provides}\n' 2>/dev/null |
        sed -n -e 's/ ([^)]*)//g' -e 's/, */\n/g' -e 's/^installed //p')
    printf '%s\n' "${wanted[@]}" | grep -vxF -e "${installed:-/}" -e "${provided:-/}"
}

# as_root COMMAND...: runs it as root, by sudo when this user is not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# watch_apt LOG: keeps apt's output in the log and shows which package it is at.
watch_apt() {
    local line
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$1"
        [ "$progress_is_live" = yes ] || continue
        case $line in
            Get:*) progress "fetching ${line#Get:}" ;;
            Unpacking* | "Setting up"*) progress "${line%% (*}" ;;
        esac
    done
}

# install_packages LIST...: installs what is missing; without anything missing apt is never called.
install_packages() {
    local missing log="$root/build/packages.log"
    begin "packages"
    command -v dpkg-query >/dev/null ||
        give_up "this is not a Debian system: Signalbox is built on Debian 12, with the packages named in tools/packages/."
    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" -eq 0 ]; then
        finish "all present"
        return
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        give_up "packages are missing and neither root nor sudo is at hand. As root, run: apt-get install ${missing[*]}"
    fi
    progress "installing ${#missing[@]}: ${missing[*]}"
    mkdir -p "$root/build" 2>/dev/null || may_write "$root" "The folder of Signalbox"
    : >"$log"
    if ! as_root apt-get -q -o DPkg::Lock::Timeout=120 -o APT::Update::Error-Mode=any update 2>&1 | watch_apt "$log"; then
        give_up "the package lists could not be fetched (no network, no right to become root, or no working mirror in /etc/apt). Still missing: ${missing[*]}" "$log"
    fi
    if ! as_root apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}" 2>&1 | watch_apt "$log"; then
        give_up "apt could not install ${missing[*]}. Signalbox is built on Debian 12." "$log"
    fi
    finish "installed ${#missing[@]}"
}

# watch_ninja LOG: keeps the compiler's output in the log and shows how far the build is.
watch_ninja() {
    local line shown=-1 quarter
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$1"
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] && $line != *"Re-checking globbed"* ]] || continue
        quarter=$((BASH_REMATCH[1] * 4 / BASH_REMATCH[2]))
        if [ "$progress_is_live" = yes ] || [ "$quarter" -gt "$shown" ]; then
            progress "${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
            shown=$quarter
        fi
    done
}

# What one clone has compiled serves the next one too: the cache sees paths below the clone as relative.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=true CCACHE_SLOPPINESS=pch_defines,time_macros

# may_write PATH WHAT: gives up when this user may not write there, and says whose it is and what helps.
may_write() {
    [ -w "$1" ] && return
    local owner user
    owner=$(stat -c %U "$1" 2>/dev/null || printf 'somebody else')
    user=$(id -un 2>/dev/null || id -u)
    give_up "$2 belongs to $owner and cannot be written by $user: $1. Run this as $owner, or hand it over: sudo chown -R $user $1"
}

# build_tree FOLDER "CMAKE OPTIONS" TARGET...: configures build/FOLDER if that is needed and builds the targets; no target means
# all. Returns ninja's status; the whole output is in build/FOLDER/build.log.
build_tree() {
    local tree="$root/build/$1" options=$2 log="$root/build/$1/build.log" home one status=0
    shift 2
    mkdir -p "$tree" 2>/dev/null || may_write "$root" "The folder of Signalbox"
    for one in "$root/build" "$tree" "$tree/.lock" "$log"; do
        [ ! -e "$one" ] || may_write "$one" "What was built here"
    done
    exec 8>"$tree/.lock"
    flock -n 8 || { progress "waiting for another build in $tree" && flock 8; }
    : >"$log"
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$tree/CMakeCache.txt" 2>/dev/null)
    # A tree that was moved, or whose options changed, is configured anew.
    if [ ! -f "$tree/build.ninja" ] || [ "$home" != "$root" ] || [ "$(cat "$tree/.options" 2>/dev/null)" != "$options" ]; then
        [ "$home" = "$root" ] || rm -rf "$tree/CMakeCache.txt" "$tree/CMakeFiles"
        progress "configuring"
        # shellcheck disable=SC2086 # the options are words
        if cmake -S "$root" -B "$tree" -G Ninja $options >>"$log" 2>&1; then
            printf '%s' "$options" >"$tree/.options"
        else
            rm -f "$tree/build.ninja"
            status=1
        fi
    fi
    if [ "$status" -eq 0 ]; then
        NINJA_STATUS='[%f/%t] ' ninja -C "$tree" -j "$(nproc)" "$@" 2>&1 8>&- | watch_ninja "$log"
        status=${PIPESTATUS[0]}
    fi
    exec 8>&-
    return "$status"
}
