# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The Debian 12 packages that building, running and testing Writ takes, and how the missing ones get installed. Sourced.

# What each is for: docs/decisions/0002-clang-16.md and 0005-asio-behind-one-stream.md; libfaketime sets the clock of a
# scenario's authority. libboost1.81-*: never without the number.
WRIT_PACKAGES=(
    clang-16 libclang-rt-16-dev lld-16 mold ninja-build cmake ccache pkg-config
    libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev libnghttp2-dev zlib1g-dev
    libprotobuf-dev protobuf-compiler libsqlite3-dev libpq-dev librdkafka-dev libyaml-cpp-dev libcli11-dev libfmt-dev
    libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
    postgresql-15 postgresql-client-15 python3 python3-venv xz-utils git ca-certificates
    strace # a scenario watches the order of system calls with it
    libfaketime # a scenario sets an authority's clock with it
)

# For scenario.rsyslog_export alone, which is skipped without them: a foreign receiver of exports. Debian would start the daemon at once, so they are unpacked only.
WRIT_SYSLOG_PACKAGES=(rsyslog rsyslog-openssl libestr0 libfastjson4)
# The same for scenario.ssh.
WRIT_SSH_PACKAGES=(openssh-server openssh-client)

# For `./check --ecosystem` alone: a real S3 store with a real STS, which unmodified clients are tried on (tests/ecosystem/ceph.py), and PyTorch for the
# processor, which PyPI has only with 3 GB for graphics cards (examples/digits-pytorch); a registry, and a client for it. Docker's own client and kubectl are tried where
# they are: Debian's come with a daemon, and are older than what they are asked for (client.authentication.k8s.io/v1).
# libfaketime moves the clock of clients that ask for new credentials only every few minutes. Containers are podman's, with runc, which takes control groups of either version.
WRIT_ECOSYSTEM_PACKAGES=(ceph-mon ceph-osd radosgw ceph-common python3-torch docker-registry skopeo podman runc faketime)

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing_packages() {
    local package
    for package in "${WRIT_PACKAGES[@]}"; do
        is_installed "$package" || echo "$package"
    done
}

# Debian's default Boost (1.74) and the 1.81 that Writ is built with exclude each other as -dev packages; their libraries do not.
boost_in_the_way() {
    local package
    for package in libboost-dev libboost1.74-dev; do
        if is_installed "$package"; then echo "$package-"; fi
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This takes root's rights, and there is no sudo. As root, run: $*" >&2
        return 1
    fi
}

# Without this, installing the server creates a cluster and starts it on port 5432 as well; Writ only wants its programs.
keep_postgres_from_starting() {
    is_installed postgresql-15 || [ -e /etc/postgresql-common/createcluster.conf ] && return
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
}

# Installs what is missing; apt's output goes to file $1.
install_missing_packages() {
    local log=$1 missing in_the_way
    mapfile -t missing < <(missing_packages)
    if [ ${#missing[@]} = 0 ]; then
        echo "all ${#WRIT_PACKAGES[@]} packages are installed"
        return
    fi
    mapfile -t in_the_way < <(boost_in_the_way)
    echo "installing: ${missing[*]}"
    if [ ${#in_the_way[@]} != 0 ]; then
        echo "removing the headers of Boost 1.74 (and what needs them), which exclude those of 1.81: ${in_the_way[*]%-}"
    fi
    keep_postgres_from_starting
    local apt=(env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -y -o Dpkg::Use-Pty=0)
    if ! { as_root "${apt[@]}" update && as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" "${in_the_way[@]}"; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        echo "apt-get failed; all of its output is in $log. Writ is built on Debian 12 (bookworm)." >&2
        return 1
    fi
}
