// SPDX-License-Identifier: Apache-2.0
#include "identity/workload.h"

#include <algorithm>

namespace writ::identity {

namespace {

// Replaces each `{name}` by what `lookup` gives for it; nullopt if it gives nothing or braces do not pair.
template <typename Lookup> std::optional<std::string> expand(std::string_view text, Lookup lookup)
{
    std::string expanded;
    while (!text.empty()) {
        auto const open = text.find_first_of("{}");
        expanded += text.substr(0, open);
        if (open == std::string_view::npos)
            break;
        auto const close = text.find('}', open);
        if (text[open] == '}' || close == std::string_view::npos)
            return std::nullopt;
        auto const value = lookup(text.substr(open + 1, close - open - 1));
        if (!value)
            return std::nullopt;
        expanded += *value;
        text.remove_prefix(close + 1);
    }
    return expanded;
}

bool fits_claim(std::vector<std::string> const& wanted, std::vector<std::string> const& found)
{
    return std::any_of(wanted.begin(), wanted.end(), [&found](auto const& pattern) {
        return std::any_of(found.begin(), found.end(), [&pattern](auto const& value) { return fits_pattern(pattern, value); });
    });
}

} // namespace

bool fits_pattern(std::string_view pattern, std::string_view text)
{
    std::size_t p = 0;
    std::size_t t = 0;
    auto star = std::string_view::npos; // of the last `*`, and where its run began: the only place worth going back to
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Result<> check_workload(Workload const& workload)
{
    auto const sample = expand(workload.id_template, [](std::string_view name) -> std::optional<std::string> {
        return name.find('.') != std::string_view::npos && is_path_segment(name) ? std::optional<std::string>("x") : std::nullopt;
    });
    if (!sample)
        return invalid_argument("`{` and `}` in an id enclose the name of a claim, such as `{unix.user}`");
    auto const id = TRY(SpiffeId::parse(*sample));
    if (id.path().empty())
        return invalid_argument("a workload's id has a path; the trust domain alone is the authority's");
    // SECURITY: below /writ/ are the product's own identities; a workload that had one could pose as an agent.
    if (id.path() == "/writ" || id.path().starts_with("/writ/"))
        return invalid_argument("ids below `/writ` are reserved for Writ's own parts");
    // The first segment and the trust domain are fixed: a claim cannot put a process outside of where its declaration stands.
    auto const head = workload.id_template.substr(0, workload.id_template.find('/', std::string_view("spiffe://").size()) + 1);
    if (head.find('{') != std::string::npos)
        return invalid_argument("the trust domain of an id is fixed");
    auto const first_segment = std::string_view(workload.id_template).substr(head.size());
    if (first_segment.substr(0, first_segment.find('/')).find('{') != std::string_view::npos)
        return invalid_argument("the first segment of an id's path is fixed");
    if (workload.svid_lifetime < svid_lifetime_min || workload.svid_lifetime > svid_lifetime_max)
        return invalid_argument("`svid_lifetime` is between `1m` and `24h`");
    if (workload.match.empty())
        return invalid_argument("`match` names at least one claim");
    return {};
}

std::optional<SpiffeId> match_workload(Workload const& workload, Claims const& claims)
{
    for (auto const& [name, wanted] : workload.match) {
        auto const* found = claims.find(name);
        if (found == nullptr || !fits_claim(wanted, *found))
            return std::nullopt;
    }
    auto const text = expand(workload.id_template, [&claims](std::string_view name) -> std::optional<std::string> {
        auto const* found = claims.find(name);
        if (found == nullptr || found->size() != 1 || !is_path_segment(found->front()))
            return std::nullopt;
        return found->front();
    });
    if (!text)
        return std::nullopt;
    auto id = SpiffeId::parse(*text);
    if (id.is_error())
        return std::nullopt;
    return std::move(id).value();
}

} // namespace writ::identity
