// SPDX-License-Identifier: Apache-2.0
#include "cedar/policy_set.h"

#include "cedar/parser.h"
#include "cedar/policy_set_state.h"

#include <unordered_set>

namespace writ::cedar {

namespace {

enum class Naming : std::uint8_t { annotated, numbered };

class SetParser {
public:
    SetParser(Naming naming, std::vector<SyntaxProblem>& problems)
        : naming_(naming)
        , problems_(problems)
    {
    }

    void read(PolicySource const& source)
    {
        if (source.text.size() > source_bytes_max) {
            problems_.push_back({ source.path, {}, "the text is longer than " + std::to_string(source_bytes_max) + " bytes" });
            return;
        }
        TokenStream tokens(source.text);
        PayloadPool payloads;
        while (!tokens.at_end()) {
            auto policy = std::make_shared<Policy>();
            if (auto const parsed = parse_policy(tokens, payloads, *policy); parsed.is_error()) {
                problems_.push_back({ source.path, tokens.problem_span(), parsed.error().message });
                tokens.recover();
            } else {
                add(std::move(policy), source.path);
            }
        }
    }

    std::vector<std::shared_ptr<Policy const>> take() { return std::move(policies_); }

private:
    void add(std::shared_ptr<Policy> policy, std::string const& path)
    {
        auto const* const given = naming_ == Naming::annotated ? policy->annotation("id") : nullptr;
        policy->id = given != nullptr ? *given : "policy" + std::to_string(count_);
        policy->path = path;
        ++count_;
        if (!ids_.insert(policy->id).second)
            problems_.push_back({ path, policy->span, "two policies are called `" + policy->id + "`" });
        policies_.push_back(std::move(policy));
    }

    Naming naming_;
    std::vector<SyntaxProblem>& problems_;
    std::vector<std::shared_ptr<Policy const>> policies_;
    std::unordered_set<std::string_view> ids_; // of policies_
    std::size_t count_ = 0;
};

} // namespace

PolicySet::PolicySet()
    : state_(std::make_shared<State const>())
{
}

static PolicySet parse_sources(std::vector<PolicySource> const& sources, Naming naming, std::vector<SyntaxProblem>& problems)
{
    auto const before = problems.size();
    SetParser parser(naming, problems);
    for (auto const& source : sources)
        parser.read(source);
    return problems.size() == before ? PolicySet::of(parser.take()) : PolicySet();
}

PolicySet PolicySet::parse(std::vector<PolicySource> const& sources, std::vector<SyntaxProblem>& problems)
{
    return parse_sources(sources, Naming::annotated, problems);
}

PolicySet PolicySet::parse_numbered(std::vector<PolicySource> const& sources, std::vector<SyntaxProblem>& problems)
{
    return parse_sources(sources, Naming::numbered, problems);
}

PolicySet PolicySet::of(std::vector<std::shared_ptr<Policy const>> policies)
{
    auto state = std::make_shared<State>();
    for (auto& policy : policies)
        (policy->is_template() ? state->templates : state->policies).push_back(std::move(policy));
    PolicySet set;
    set.state_ = std::move(state);
    return set;
}

std::size_t PolicySet::size() const { return state_->policies.size(); }
std::vector<std::shared_ptr<Policy const>> const& PolicySet::policies() const { return state_->policies; }
std::vector<std::shared_ptr<Policy const>> const& PolicySet::templates() const { return state_->templates; }

} // namespace writ::cedar
