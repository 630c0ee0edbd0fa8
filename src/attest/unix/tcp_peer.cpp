// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/tcp_peer.h"

#include "attest/unix/proc_files.h"
#include "attest/unix/sock_diag.h"
#include "base/durable_file.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::attest {

namespace {

// LIMIT: the table has 150 bytes for each socket of the machine.
constexpr std::size_t table_bytes_max = 64U << 20U;
constexpr std::size_t status_bytes_max = 1U << 20U;
// LIMIT: generations between a worker and its run's first process.
constexpr std::size_t ancestors_max = 64;
constexpr std::size_t recent_max = 32;
constexpr std::string_view loopback = "0100007F"; // as the kernel writes it on little-endian machines
constexpr std::string_view mapped_loopback = "0000000000000000FFFF00000100007F";
constexpr std::string_view established = "01";

std::string_view take_word(std::string_view& line)
{
    auto const begin = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(begin);
    auto const word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

template <typename T> bool parse_number(std::string_view text, T& number, int base = 10)
{
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool is_loopback_port(std::string_view address, std::uint16_t port)
{
    auto const colon = address.find(':');
    if (colon == std::string_view::npos)
        return false;
    auto const host = address.substr(0, colon);
    std::uint16_t number = 0;
    return (host == loopback || host == mapped_loopback) && parse_number(address.substr(colon + 1), number, 16) && number == port;
}

// SPEC: proc(5), /proc/net/tcp: sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode …
std::optional<SocketOwner> parse_line(std::string_view line, std::uint16_t client, std::uint16_t server)
{
    take_word(line);
    if (!is_loopback_port(take_word(line), client) || !is_loopback_port(take_word(line), server) || take_word(line) != established)
        return std::nullopt;
    for (int skipped = 0; skipped < 3; ++skipped)
        take_word(line);
    SocketOwner owner;
    auto const uid = take_word(line);
    take_word(line);
    if (!parse_number(uid, owner.uid) || !parse_number(take_word(line), owner.inode) || owner.inode == 0)
        return std::nullopt;
    return owner;
}

using Folder = std::unique_ptr<DIR, decltype([](DIR* folder) { ::closedir(folder); })>;

bool holds_socket(pid_t pid, std::string const& link)
{
    auto const path = "/proc/" + std::to_string(pid) + "/fd";
    Folder const folder(::opendir(path.c_str()));
    if (!folder)
        return false;
    std::string target(link.size() + 1, '\0');
    while (auto const* entry = ::readdir(folder.get())) {
        auto const size = ::readlinkat(::dirfd(folder.get()), entry->d_name, target.data(), target.size());
        if (size >= 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == link)
            return true;
    }
    return false;
}

bool is_of_user(pid_t pid, uid_t uid)
{
    struct stat status { };
    return ::stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0 && status.st_uid == uid;
}

std::optional<pid_t> find_holder(uid_t uid, std::string const& link)
{
    Folder const folder(::opendir("/proc"));
    if (!folder)
        return std::nullopt;
    while (auto const* entry = ::readdir(folder.get())) {
        pid_t pid = 0;
        if (parse_number(std::string_view(entry->d_name), pid) && is_of_user(pid, uid) && holds_socket(pid, link))
            return pid;
    }
    return std::nullopt;
}

} // namespace

std::optional<SocketOwner> find_in_tcp_table(std::string_view table, std::uint16_t client, std::uint16_t server)
{
    while (!table.empty()) {
        auto const line = table.substr(0, table.find('\n'));
        table.remove_prefix(std::min(table.size(), line.size() + 1));
        if (auto const owner = parse_line(line, client, server))
            return owner;
    }
    return std::nullopt;
}

Result<SocketOwner> socket_owner(std::uint16_t client, std::uint16_t server)
{
    if (auto owner = ask_sock_diag(client, server); owner.is_ok())
        return owner;
    // A kernel without diagnostics, or a sandbox that forbids to ask.
    for (auto const* file : { "/proc/net/tcp", "/proc/net/tcp6" }) {
        auto const table = read_file(file, table_bytes_max);
        if (table.is_error())
            continue; // a machine without IPv6 has no tcp6
        if (auto const owner = find_in_tcp_table(as_text(*table), client, server))
            return *owner;
    }
    return not_found("no socket of this machine is at the other end");
}

std::vector<pid_t> with_ancestors(pid_t pid)
{
    std::vector<pid_t> line;
    while (pid > 1 && line.size() < ancestors_max) {
        line.push_back(pid);
        auto const text = read_file("/proc/" + std::to_string(pid) + "/status", status_bytes_max);
        auto const status = text.is_ok() ? parse_proc_status(as_text(*text)) : Result<ProcStatus>(text.error());
        if (status.is_error())
            break;
        pid = status->parent;
    }
    return line;
}

bool SocketHolders::is_held_by(SocketOwner const& owner, pid_t pid)
{
    return is_of_user(pid, owner.uid) && holds_socket(pid, "socket:[" + std::to_string(owner.inode) + "]");
}

Result<std::vector<pid_t>> SocketHolders::holder_with_ancestors(SocketOwner const& owner)
{
    auto const link = "socket:[" + std::to_string(owner.inode) + "]";
    auto const known = std::find_if(recent_.begin(), recent_.end(), [&](pid_t pid) { return is_of_user(pid, owner.uid) && holds_socket(pid, link); });
    auto const holder = known != recent_.end() ? std::optional(*known) : find_holder(owner.uid, link);
    if (!holder)
        return not_found("no process that this agent may look at holds the socket");
    std::erase(recent_, *holder);
    recent_.insert(recent_.begin(), *holder);
    recent_.resize(std::min(recent_.size(), recent_max));
    return with_ancestors(*holder);
}

} // namespace writ::attest
