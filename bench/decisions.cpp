// SPDX-License-Identifier: Apache-2.0
//
// decisions [FOLDER [CONNECTIONS …]]: AuthZEN evaluations by a real `writ authority` over its administration socket, each with a durable record, at 1, 16
// and 64 connections. Beside them what it stands on, measured in turns: a request that decides nothing over the same socket, and
// fdatasync of the same bytes on the same disk.
#include "harness/declarations.h"
#include "harness/load.h"

#include <cstdio>
#include <fcntl.h>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr std::chrono::seconds duration { 4 };
constexpr std::size_t record_bytes = 500; // what such a decision takes in the log

// Appends `records` at once and waits for the disk, one after another.
double synced_records_per_second(Path const& folder, std::size_t records, Sample& microseconds)
{
    UniqueFd const file(::open((folder / "bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    Bytes const bytes(records * record_bytes, 'x');
    auto const begin = now();
    std::size_t written = 0;
    while (now() - begin < duration) {
        auto const start = now();
        if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fdatasync(file.get()) != 0)
            give_up("the disk refuses");
        microseconds.add(seconds(now() - start) * 1e6);
        written += records;
    }
    return static_cast<double>(written) / seconds(now() - begin);
}

void measure(DecidingAuthority& authority, std::size_t connections)
{
    auto& [installation, loop, server] = authority;
    auto const clients = connect_clients(net::UnixAddress { installation.admin_socket() }, connections);
    std::size_t number = 0;
    auto nothing = run_load(loop, server, connections, duration, [&](std::size_t at) { return get_once(clients[at].get(), "/healthz"); });
    auto decisions
        = run_load(loop, server, connections, duration, [&](std::size_t at) { return post_once(clients[at].get(), "/access/v1/evaluation", to_text(evaluation(number++))); });
    auto const indexing = settle(loop, server) * 1e6 / static_cast<double>(decisions.operations);
    Sample sync;
    auto const synced = synced_records_per_second(installation.folder(), connections, sync);
    std::printf("\n%zu connections\n%s\n", connections, load_header);
    print("GET /healthz, no decision", nothing);
    print("evaluation, durable record", decisions);
    std::printf("%-36s %11.0f %8.0f %8.0f\n", "bare fdatasync, as many records", synced, sync.percentile(0.5), sync.percentile(0.99));
    std::printf("CPU of a decision: %.2f of the bare request's; rate: %.2f of bare syncs; p50 %.2f, p99 %.2f of a bare sync\n",
        decisions.cpu_microseconds() / nothing.cpu_microseconds(), decisions.rate() / synced, decisions.microseconds.percentile(0.5) / sync.percentile(0.5),
        decisions.microseconds.percentile(0.99) / sync.percentile(0.99));
    std::printf("CPU for the index of records, afterwards: %.1f us a record\n", indexing);
}

} // namespace

int main(int count, char** arguments)
{
    DecidingAuthority authority(count > 1 ? Path(arguments[1]) : Path());
    auto const decided = ask(authority.loop, authority.installation.admin_socket(), "POST", "/access/v1/evaluation", evaluation(1));
    if (!decided.at("decision").as_bool())
        give_up("the decision should be a permission: " + to_text(JsonValue(decided)));
    for (auto const connections : connection_counts(count, arguments))
        measure(authority, connections);
}
