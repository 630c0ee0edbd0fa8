// SPDX-License-Identifier: Apache-2.0
//
// What a draft would have decided, and the least that a workload needs: src/replay over the authority's own log.
#include "audit/answers.h"
#include "authority/declared.h"
#include "authority/endpoints.h"
#include "base/json_members.h"
#include "replay/answers.h"

namespace writ::authority {

namespace {

struct DraftQuestion {
    std::vector<Document> documents;
    bool prune = false;
    replay::Selection selection;
    std::size_t changes_max = replay::groups_max;
};

Result<std::optional<Timestamp>> parse_since(std::string_view text, Timestamp now)
{
    if (text.empty())
        return std::optional<Timestamp>();
    return std::optional(TRY(audit::parse_moment(text, now).in("`since`")));
}

Result<DraftQuestion> parse_draft_question(JsonObject const& body, Timestamp now)
{
    DraftQuestion question;
    question.documents = TRY(documents_of(body));
    question.prune = TRY(flag_member(body, "prune"));
    question.selection = { .since = TRY(parse_since(TRY(text_member_or(body, "since", "")), now)), .workload = TRY(text_member_or(body, "workload", "")) };
    if (body.contains("limit")) {
        auto const limit = TRY(integer_member(body, "limit"));
        if (limit < 0)
            return invalid_argument("`limit` is not negative");
        question.changes_max = std::min(replay::groups_max, static_cast<std::size_t>(limit));
    }
    return question;
}

Result<net::Response> replay_draft(Snapshot const& snapshot, DraftQuestion const& question, replay::EntrySource const& log)
{
    std::vector<Problem> problems;
    auto const draft = declared_with(to_text(snapshot.documents), question.documents, question.prune, problems);
    if (!draft)
        return refuse_documents(problems);
    cedar::Engine const engine(draft->policies, *draft->entities);
    return json_response(replay::to_json(TRY(replay::replay(log, engine, question.selection)), question.changes_max));
}

Result<net::Response> suggest_for(Snapshot const& snapshot, replay::Selection const& selection, replay::EntrySource const& log)
{
    auto const today = TRY(declared_of(snapshot.version, to_text(snapshot.documents)));
    return json_response(replay::to_json(TRY(replay::suggest(log, today, selection))));
}

Reply replay_policies(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "documents", "prune", "since", "workload", "limit" });
    auto parsed = parse_draft_question(CO_TRY(body), desk.state.clock.now());
    auto question = CO_TRY(parsed);
    auto const snapshot = desk.state.snapshot;
    co_return co_await desk.state.replays->ask(
        [snapshot, question](replay::EntrySource const& log) { return replay_draft(*snapshot, question, log); }, call.request.has_left);
}

Reply suggest_policies(Desk desk, Call call)
{
    auto parsed = parse_since(query_text(call, "since"), desk.state.clock.now());
    replay::Selection const selection { .since = CO_TRY(parsed), .workload = query_text(call, "workload") };
    if (selection.workload.empty())
        co_return invalid_argument("`workload` is missing");
    auto const snapshot = desk.state.snapshot;
    co_return co_await desk.state.replays->ask(
        [snapshot, selection](replay::EntrySource const& log) { return suggest_for(*snapshot, selection, log); }, call.request.has_left);
}

} // namespace

void add_replay_routes(Router& router, Desk desk)
{
    add_route(router, desk, "POST", "/v1/policy/replay", Access::administrator, replay_policies);
    add_route(router, desk, "GET", "/v1/policy/suggest", Access::administrator, suggest_policies);
}

} // namespace writ::authority
