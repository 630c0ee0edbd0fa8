// SPDX-License-Identifier: Apache-2.0
//
// Receipts (C2SP tlog-proof): whoever was given a credential gets the proof that its issuance is on record, and nobody else's.
#include "authority/endpoints.h"

#include "authority/receipt.h"

#include <charconv>

namespace writ::authority {

namespace {

// LIMIT: how long a receipt waits for the witnesses; then it leads to the newest checkpoint, cosigned or not.
constexpr Duration final_wait_max = std::chrono::seconds(5);

using Proven = Result<audit::ProvenRecord>;

net::Task<Proven> prove(AuthorityState& state, std::uint64_t sequence)
{
    auto* const log = state.audit.get();
    co_return co_await net::await_callback<Proven>([log, sequence](net::Completion<Proven> done) { log->prove(sequence, std::move(done)); });
}

// SECURITY: a record tells what was proved of a process. To anybody but its own workload, or the agent that asked for it, it is not there.
bool may_have(Caller const& caller, audit::Record const& record)
{
    switch (caller.kind) {
    case Caller::Kind::administrator: return true;
    case Caller::Kind::agent: return record.caller == caller.id;
    case Caller::Kind::workload: return record.workload == caller.id;
    case Caller::Kind::anonymous: return false;
    }
    return false;
}

Reply show_receipt(Desk desk, Call call)
{
    auto& state = desk.state;
    auto const& text = call.captured.at("sequence");
    std::uint64_t sequence = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        co_return invalid_argument("a receipt is named by its record's sequence number");
    auto found = co_await prove(state, sequence);
    if (found.is_error() || !may_have(call.caller, found->stored.record))
        co_return found.is_error() && call.caller.kind == Caller::Kind::administrator ? found.error()
                                                                                       : not_found("no record " + text + " of yours");
    tlog::Receipt receipt { .record = to_bytes(found->stored.text), .index = sequence, .proof = found->proof, .note = found->checkpoint };
    auto const& witnessing = *state.witnessing;
    if (witnessing.quorum() != 0 && co_await witnessing.wait_final(sequence + 1, final_wait_max)) {
        auto const final_one = witnessing.final_checkpoint();
        auto proof = state.audit->log().inclusion_proof(sequence, final_one.size);
        receipt.proof = CO_TRY(proof);
        receipt.note = final_one.note;
    }
    auto response = text_response(tlog::to_text(receipt), "text/plain; charset=utf-8");
    response.headers.set("cache-control", "no-store");
    co_return response;
}

} // namespace

std::string receipt_path(std::uint64_t sequence) { return "/v1/receipts/" + std::to_string(sequence); }

void add_receipt_routes(Router& router, Desk desk) { add_route(router, desk, "GET", "/v1/receipts/{sequence}", Access::known, show_receipt); }

} // namespace writ::authority
