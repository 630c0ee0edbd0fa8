// SPDX-License-Identifier: Apache-2.0
//
// evaluations [FOLDER [CONNECTIONS …]]: AuthZEN `evaluations` of a thousand questions each by a real `writ authority` over its administration socket, with durable
// records; once all are permitted, once a third is denied. Beside them the same questions one by one.
#include "harness/declarations.h"
#include "harness/load.h"

#include <cstdio>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr std::chrono::seconds duration { 4 };
constexpr std::size_t questions = 1000;

// Each so-manieth for a data set that nobody declared; 0: none.
std::string batch(std::size_t denied_each)
{
    auto body = asking();
    JsonArray items;
    for (std::size_t i = 0; i < questions; ++i) {
        bool const is_denied = denied_each > 0 && i % denied_each == 0;
        items.push_back(JsonObject { { "resource", is_denied ? JsonObject { { "type", "Dataset" }, { "id", "none/" + std::to_string(i) } } : dataset(i) } });
    }
    body.emplace("evaluations", std::move(items));
    return to_text(body);
}

void measure(DecidingAuthority& authority, std::size_t connections)
{
    auto& [installation, loop, server] = authority;
    auto const clients = connect_clients(net::UnixAddress { installation.admin_socket() }, connections);
    auto const one = to_text(evaluation(1));
    auto const many = batch(0), mixed = batch(3);
    auto singles = run_load(loop, server, connections, duration, [&](std::size_t at) { return post_once(clients[at].get(), "/access/v1/evaluation", one); });
    settle(loop, server);
    auto batches = run_load(loop, server, connections, duration, [&](std::size_t at) { return post_once(clients[at].get(), "/access/v1/evaluations", many); });
    auto const decisions = static_cast<double>(batches.operations) * questions;
    auto const indexing = settle(loop, server) * 1e6 / decisions;
    auto thirds = run_load(loop, server, connections, duration, [&](std::size_t at) { return post_once(clients[at].get(), "/access/v1/evaluations", mixed); });
    settle(loop, server);
    std::printf("\n%zu connections\n%s\n", connections, load_header);
    print("evaluation, durable record", singles);
    print("evaluations of 1,000, durable record", batches);
    print("the same, a third of them denied", thirds);
    std::printf("decisions a second: %.0f one by one, %.0f in batches; of one core of the server: %.0f, %.0f (of its event loop alone: %.0f)\n", singles.rate(),
        batches.rate() * questions, singles.per_cpu_second(), batches.per_cpu_second() * questions, questions * 1e6 / batches.loop_microseconds());
    std::printf("a third denied: %.0f a second, of one core of the server %.0f\n", thirds.rate() * questions, thirds.per_cpu_second() * questions);
    std::printf("CPU for the index of records, afterwards: %.2f us a decision\n", indexing);
}

} // namespace

int main(int count, char** arguments)
{
    DecidingAuthority authority(count > 1 ? Path(arguments[1]) : Path());
    auto const answer = ask(authority.loop, authority.installation.admin_socket(), "POST", "/access/v1/evaluations", parse_json_object(batch(0)).value());
    for (auto const& item : answer.at("evaluations").as_array())
        if (!item.at("decision").as_bool())
            give_up("each decision should be a permission: " + to_text(JsonValue(answer)));
    for (auto const connections : connection_counts(count, arguments))
        measure(authority, connections);
}
