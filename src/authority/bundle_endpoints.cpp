// SPDX-License-Identifier: Apache-2.0
//
// What an audit bundle is made of, byte for byte: a record with its proof, a version of the declarations, and the schema that
// its policies were held to.
#include "authority/endpoints.h"
#include "crypto/digest.h"

#include <charconv>

namespace writ::authority {

namespace {

Result<std::uint64_t> captured_number(Call const& call, std::string const& name)
{
    auto const& text = call.captured.at(name);
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return invalid_argument("`" + text + "` is no number");
    return number;
}

Reply show_proof(Desk desk, Call call)
{
    auto parsed = captured_number(call, "sequence");
    auto const sequence = CO_TRY(parsed);
    auto* const log = desk.state.audit.get();
    using Found = Result<audit::ProvenRecord>;
    auto found
        = co_await net::await_callback<Found>([log, sequence](net::Completion<Found> done) { log->prove(sequence, std::move(done)); });
    auto const proven = CO_TRY(found);
    JsonArray proof;
    for (auto const& hash : proven.proof)
        proof.emplace_back(to_base64(hash));
    co_return json_response(JsonObject { { "sequence", sequence }, { "text", proven.stored.text }, { "proof", std::move(proof) },
        { "checkpoint", proven.checkpoint } });
}

Reply show_version(Desk desk, Call call)
{
    auto parsed = captured_number(call, "version");
    auto found = desk.state.store.declarations->version(CO_TRY(parsed));
    auto const version = CO_TRY(found);
    co_return json_response(JsonObject { { "version", version.number }, { "text", version.text },
        { "sha256", to_hex(crypto::sha256(as_bytes(version.text))) } });
}

Reply show_schema(Desk desk, Call call)
{
    auto const& digest = call.captured.at("digest");
    auto found = desk.state.store.declarations->schema(digest);
    auto const text = CO_TRY(found);
    co_return json_response(JsonObject { { "text", text }, { "sha256", digest } });
}

} // namespace

void add_bundle_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/audit/proofs/{sequence}", Access::administrator, show_proof);
    add_route(router, desk, "GET", "/v1/declarations/versions/{version}", Access::administrator, show_version);
    add_route(router, desk, "GET", "/v1/declarations/schemas/{digest}", Access::administrator, show_schema);
}

} // namespace writ::authority
