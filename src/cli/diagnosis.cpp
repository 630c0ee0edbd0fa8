// SPDX-License-Identifier: Apache-2.0
#include "cli/diagnosis.h"

#include "base/utf8.h"

#include <algorithm>

namespace writ::cli {

namespace {

// The one that is in use, or else the family's first. Null: none yet; its clients keep what they have.
Channel const* channel_in(std::string_view family, Variables const& variables)
{
    Channel const* first = nullptr;
    for (auto const& channel : channels()) {
        if (channel.family != family)
            continue;
        if (variables.contains(std::string(channel.variable)))
            return &channel;
        first = first == nullptr ? &channel : first;
    }
    return first;
}

// A place's kind (`git`), a provider's type, or a variable that any provider of tokens may set.
bool is_declared(std::string_view family, std::set<std::string> const& declared)
{
    return std::any_of(channels().begin(), channels().end(), [&](Channel const& channel) {
        auto const mark = channel.provider.find('`');
        bool const is_place = mark != std::string_view::npos;
        auto const kind = is_place ? channel.provider.substr(mark + 1, channel.provider.size() - mark - 2) : channel.provider;
        return channel.family == family && ((kind != "oidc_token" && declared.contains(std::string(kind))) || declared.contains(std::string(channel.variable)));
    });
}

bool is_in_run(Variables const& variables) { return variables.contains("WRIT_RUN"); }

std::string list_of(std::vector<std::string> const& names)
{
    std::string text;
    for (auto const& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string name_of(StaticCredential const& secret) { return secret.name + (secret.key.empty() ? "" : ": " + secret.key); }

// In a run that has its own, most of what lies in files has lost already. Variables were set after it started.
std::vector<StaticCredential> shadowing(std::string const& family, std::vector<StaticCredential> const& secrets, Channel const* served, Variables const& variables)
{
    std::vector<StaticCredential> found;
    for (auto const& secret : secrets) {
        bool const is_set_before = secret.is_file || !secret.key.empty();
        bool const wins = served == nullptr || (is_set_before ? standing(secret, variables) == Standing::wins : secret.name != served->variable);
        if (secret.family == family && wins)
            found.push_back(secret);
    }
    return found;
}

void say_of_no_channel(Diagnosed& diagnosed)
{
    diagnosed.state = "none";
    diagnosed.channel = "none: it uses what it finds itself";
    if (!diagnosed.shadowed_by.empty())
        diagnosed.mend = "a long-lived secret is in its sight: " + list_of(diagnosed.shadowed_by);
}

void say_of_run(Diagnosed& diagnosed, Channel const& channel, Reachable const& reachable)
{
    auto const endpoint = reachable.endpoints.find(std::string(channel.family));
    auto const problem = endpoint == reachable.endpoints.end() ? std::string() : endpoint->second;
    if (!diagnosed.shadowed_by.empty()) {
        diagnosed.state = "shadowed";
        diagnosed.mend = "unset or move away " + list_of(diagnosed.shadowed_by) + ", which the run could not put out of force";
    } else if (!problem.empty()) {
        diagnosed.state = "unreachable";
        diagnosed.mend = problem;
    } else {
        diagnosed.state = "in use";
    }
}

void say_of_later_run(Diagnosed& diagnosed, Channel const& channel, bool in_run, Reachable const& reachable, bool some_always_win)
{
    auto const declare = "declare a CredentialProvider of type " + std::string(channel.provider) + " and a use of it by the workload";
    if (!diagnosed.shadowed_by.empty()) {
        diagnosed.state = "shadowed";
        diagnosed.mend = "unset or move away " + list_of(diagnosed.shadowed_by);
        if (in_run)
            diagnosed.mend += "; or " + declare;
        else
            diagnosed.mend += some_always_win ? "; `writ run` cannot put all of it out of force" : "; `writ run` puts it out of force where the run has its own";
    } else if (in_run) {
        diagnosed.state = "none";
        diagnosed.mend = "this run has nothing there: " + declare;
    } else if (!reachable.agent) {
        diagnosed.state = "unreachable";
        diagnosed.mend = reachable.agent_error;
    } else if (reachable.declared && !is_declared(channel.family, *reachable.declared)) {
        diagnosed.state = "none";
        diagnosed.mend = "no run would be given any: " + declare;
    } else {
        diagnosed.state = "by writ run";
    }
}

} // namespace

std::vector<Diagnosed> diagnose(std::vector<FoundClient> const& clients, std::vector<StaticCredential> const& secrets, Variables const& variables, Reachable const& reachable)
{
    std::vector<Diagnosed> all;
    for (auto const& client : clients) {
        auto const* channel = channel_in(client.family, variables);
        bool const is_served = channel != nullptr && is_in_run(variables) && variables.contains(std::string(channel->variable));
        auto const shadows = shadowing(client.family, secrets, is_served ? channel : nullptr, variables);
        Diagnosed diagnosed { client, std::string(channel == nullptr ? "" : channel->text), "", {}, "" };
        std::transform(shadows.begin(), shadows.end(), std::back_inserter(diagnosed.shadowed_by), name_of);
        if (channel == nullptr)
            say_of_no_channel(diagnosed);
        else if (is_served)
            say_of_run(diagnosed, *channel, reachable);
        else
            say_of_later_run(diagnosed, *channel, is_in_run(variables), reachable, std::any_of(shadows.begin(), shadows.end(), [](auto const& one) { return one.always_wins; }));
        all.push_back(std::move(diagnosed));
    }
    return all;
}

JsonObject to_json(Diagnosed const& diagnosed)
{
    JsonArray shadowed_by;
    for (auto const& name : diagnosed.shadowed_by)
        shadowed_by.emplace_back(repaired_utf8(name));
    return { { "client", diagnosed.client.name }, { "version", repaired_utf8(diagnosed.client.version) }, { "family", diagnosed.client.family }, { "where", repaired_utf8(diagnosed.client.where.string()) },
        { "channel", diagnosed.channel }, { "state", diagnosed.state }, { "shadowed_by", std::move(shadowed_by) }, { "mend", repaired_utf8(diagnosed.mend) } };
}

} // namespace writ::cli
