// SPDX-License-Identifier: Apache-2.0
#include "replay/suggestion.h"

#include "cedar/evaluator.h"
#include "cedar/printer.h"
#include "cedar/text.h"
#include "replay/narrowing.h"
#include "replay/replay.h"
#include "vocabulary/facts.h"
#include "vocabulary/schema.h"

#include <algorithm>

namespace writ::replay {

namespace {

using cedar::Policy;
using cedar::ScopeConstraint;

bool matches(Policy const& policy, cedar::Entity const& principal, Declared const& declared)
{
    cedar::EntityStore entities(declared.entities.get());
    entities.add(principal);
    cedar::Request const request { principal.uid, {}, {}, {} };
    return cedar::Evaluator(request, entities).matches(policy.principal, principal.uid);
}

bool can_be_about(Policy const& policy, Subject const& subject, Declared const& declared)
{
    if (policy.effect != cedar::Effect::permit || is_closed_to(policy, subject) || names_subject(policy, subject) == false)
        return false;
    return std::ranges::any_of(subject.principals, [&](auto const& principal) { return matches(policy, principal, declared); });
}

// Careful: conditions beside the name are not looked at.
bool can_be_about_others(Policy const& policy, Subject const& subject, Declared const& declared)
{
    if (policy.principal.kind == ScopeConstraint::Kind::equal)
        return false; // it is the subject that can_be_about() found there
    if (subject.is_id)
        return true;
    if (names_subject(policy, subject) == true)
        return false;
    return std::ranges::any_of(declared.workloads, [&](DeclaredWorkload const& workload) {
        return workload.name != subject.name
            && matches(policy,
                vocabulary::workload_entity(
                    { .id = workload.name, .name = workload.name, .pipeline = workload.pipeline, .team = workload.team }, {}),
                declared);
    });
}

std::string without_annotations(std::string const& text)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto const set = cedar::PolicySet::parse_numbered({ { "suggestion", text } }, problems);
    ASSERT(set.size() == 1); // INVARIANT: it is made of a policy that was parsed
    auto policy = *set.policies().front();
    policy.annotations.clear();
    return to_string(policy);
}

class Suggester {
public:
    Suggester(Declared const& today, Usage const& usage)
        : today_(today)
        , usage_(usage)
    {
        for (auto const& policy : today.policies.policies())
            ids_.insert(policy->id);
    }

    // The file's changes; what is proposed for its permits is added to `advice`.
    std::vector<TextEdit> edits_of(cedar::PolicySource const& source, std::vector<PermitAdvice>& advice)
    {
        std::vector<TextEdit> edits;
        auto const& policies = today_.policies.policies();
        for (std::uint32_t i = 0; i < policies.size(); ++i) {
            auto const& policy = *policies[i];
            if (policy.path != source.path || !can_be_about(policy, usage_.subject, today_))
                continue;
            auto const used = usage_.by_permit.find(i);
            advice.push_back({ PermitAdvice::Kind::kept, policy.id, policy.path, policy.span.line, {} });
            if (used != usage_.by_permit.end())
                advice.back().uses = used->second;
            if (auto edit = edit_of(policy, source.text, advice.back()))
                edits.push_back(std::move(*edit));
        }
        return edits;
    }

private:
    std::optional<TextEdit> edit_of(Policy const& policy, std::string_view text, PermitAdvice& advice)
    {
        bool const has_others = can_be_about_others(policy, usage_.subject, today_);
        std::string replacement = has_others ? closed_to(policy, text, usage_.subject) : "";
        if (advice.uses.empty()) {
            advice.kind = has_others ? PermitAdvice::Kind::closed : PermitAdvice::Kind::removed;
            return TextEdit { policy.span.begin, has_others ? policy.span.end : end_of_removed(policy, text), replacement };
        }
        auto const narrowings = narrowings_of(advice.uses);
        if (!has_others && narrowings.size() == 1 && is_as_narrow(policy, text, narrowings.front()))
            return std::nullopt;
        advice.kind = PermitAdvice::Kind::narrowed;
        for (auto const& narrowing : narrowings) {
            replacement += replacement.empty() ? "" : "\n\n";
            replacement += "@id(" + cedar::quoted(new_id(policy.id)) + ")\n" + narrowed(policy, text, usage_.subject, narrowing);
        }
        return TextEdit { policy.span.begin, policy.span.end, std::move(replacement) };
    }

    [[nodiscard]] bool is_as_narrow(Policy const& policy, std::string_view text, Narrowing const& narrowing) const
    {
        auto const own = std::string(text.substr(policy.span.begin, policy.span.end - policy.span.begin));
        return without_annotations(own) == without_annotations(narrowed(policy, text, usage_.subject, narrowing));
    }

    // With the line's end, if nothing else stands there.
    static std::size_t end_of_removed(Policy const& policy, std::string_view text)
    {
        auto const end = text.find_first_not_of(" \t\r", policy.span.end);
        bool const begins_line = policy.span.begin == 0 || text[policy.span.begin - 1] == '\n';
        return begins_line && end != std::string_view::npos && text[end] == '\n' ? end + 1 : policy.span.end;
    }

    std::string new_id(std::string const& id)
    {
        for (std::size_t number = 1;; ++number) {
            auto candidate = id + "/" + usage_.subject.name + "/" + std::to_string(number);
            if (ids_.insert(candidate).second)
                return candidate;
        }
    }

    Declared const& today_;
    Usage const& usage_;
    std::set<std::string> ids_;
};

Result<cedar::PolicySet> validated(std::vector<SuggestedFile> const& files)
{
    std::vector<cedar::PolicySource> sources;
    for (auto const& file : files)
        sources.push_back({ file.path, file.text });
    std::vector<cedar::SyntaxProblem> problems;
    auto policies = vocabulary::parse_policies(sources, problems);
    if (!problems.empty())
        return conflict("the narrowed policies do not pass validation: " + problems.front().path + ":"
            + std::to_string(problems.front().span.line) + ": " + problems.front().message);
    return policies;
}

// SECURITY: no suggestion is shown that the log does not bear out.
Result<> hold_against_log(EntrySource const& source, Declared const& today, cedar::PolicySet suggested, Selection const& selection)
{
    cedar::Engine const before(today.policies, *today.entities), after(std::move(suggested), *today.entities);
    auto const old_report = TRY(replay(source, before, selection));
    auto const new_report = TRY(replay(source, after, selection));
    for (auto const kind : { ChangeKind::denied, ChangeKind::allowed })
        if (old_report.count(kind) != new_report.count(kind) || old_report.beyond_groups + new_report.beyond_groups > 0)
            return conflict("the narrowed policies would decide recorded requests otherwise than today's");
    return {};
}

} // namespace

std::string_view to_string(PermitAdvice::Kind kind)
{
    switch (kind) {
    case PermitAdvice::Kind::kept: return "as narrow as its use";
    case PermitAdvice::Kind::narrowed: return "wider than used";
    case PermitAdvice::Kind::closed: return "never used, but may be for others";
    case PermitAdvice::Kind::removed: return "never used";
    }
    return "";
}

bool Suggestion::changes_anything() const
{
    return std::ranges::any_of(files, [](auto const& file) { return !file.difference.empty(); });
}

Result<Suggestion> suggest(EntrySource const& source, Declared const& today, Selection const& selection)
{
    cedar::Engine const engine(today.policies, *today.entities);
    Suggestion suggestion;
    suggestion.usage = TRY(usage_of(source, engine, today, selection));
    Suggester suggester(today, suggestion.usage);
    for (auto const& file : today.sources) {
        auto const edits = suggester.edits_of(file, suggestion.permits);
        suggestion.files.push_back({ file.path, edited(file.text, edits), unified_difference(file.path, file.text, edits) });
    }
    std::size_t permits = 0;
    for (auto const& [policy, uses] : suggestion.usage.by_permit)
        permits += uses.size();
    if (permits > suggested_permits_max)
        return resource_exhausted("more than " + std::to_string(suggested_permits_max) + " different uses; --since takes fewer");
    TRY(hold_against_log(source, today, TRY(validated(suggestion.files)), selection));
    return suggestion;
}

} // namespace writ::replay
