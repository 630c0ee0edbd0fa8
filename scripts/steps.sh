# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# How ./quickstart and ./check talk: numbered steps, each explained in a line and timed; commands shown as a person would type them. Sourced.

if [ -t 1 ]; then
    bold=$'\e[1m' faint=$'\e[2m' good=$'\e[32m' bad=$'\e[31m' plain=$'\e[0m'
else
    bold='' faint='' good='' bad='' plain=''
fi

step_number=0
step_total=${step_total:-0}
step_started=0
steps_began=$EPOCHREALTIME

# seconds_since TIME: 1.4
seconds_since() { awk -v now="$EPOCHREALTIME" -v then="$1" 'BEGIN { printf "%.1f", now - then }'; }

# step TITLE EXPLANATION
step() {
    step_number=$((step_number + 1))
    step_started=$EPOCHREALTIME
    printf '\n%s[%d/%d] %s%s\n' "$bold" "$step_number" "$step_total" "$1" "$plain"
    [ $# -lt 2 ] || printf '      %s%s%s\n' "$faint" "$2" "$plain"
}

step_done() { printf '      %s%s s%s\n' "$faint" "$(seconds_since "$step_started")" "$plain"; }

note() { printf '      %s\n' "$1"; }

# explain WHAT: a line of its own within a step.
explain() { printf '\n      %s%s%s\n' "$faint" "$1" "$plain"; }

indented() { sed -u 's/^/      /'; }

fail() {
    printf '\n%sFailed: %s%s\n' "$bad" "$1" "$plain" >&2
    exit 1
}

# show TEXT COMMAND...: prints `$ TEXT`, runs COMMAND with its output indented, passes its exit code.
show() {
    local text=$1
    shift
    printf '      %s$ %s%s\n' "$bold" "$text" "$plain"
    "$@" 2>&1 | indented
    return "${PIPESTATUS[0]}"
}

# build PRESET LOG TARGET...: configures and builds, a line of progress every tenth; the compiler's words only if it fails.
build() {
    local preset=$1 log=$2
    shift 2
    if ! cmake --preset "$preset" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "configuring failed; all of its output is in $log"
    fi
    NINJA_STATUS='@%f/%t ' ninja -C "build/$preset" "$@" 2>&1 | tee -a "$log" | build_progress
    if [ "${PIPESTATUS[0]}" != 0 ]; then
        grep -E -A8 'error:|FAILED' "$log" | head -n 40 >&2
        fail "the build failed; all of its output is in $log"
    fi
}

# Turns ninja's lines `@3/120 …` into a line every tenth of the way, or one moving line on a terminal.
build_progress() {
    awk -v terminal="$([ -t 1 ] && echo 1 || echo 0)" '
        match($0, /^@[0-9]+\/[0-9]+ /) {
            split(substr($1, 2), part, "/")
            tenth = int(10 * part[1] / part[2])
            if (terminal) { printf "\r      %d of %d ", part[1], part[2]; fflush(); moving = 1 }
            else if (tenth > last) { printf "      %d of %d\n", part[1], part[2]; fflush(); last = tenth }
        }
        END { if (moving) printf "\n" }'
}
