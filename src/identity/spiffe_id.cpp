// SPDX-License-Identifier: Apache-2.0
#include "identity/spiffe_id.h"

namespace writ::identity {

namespace {

constexpr std::string_view scheme = "spiffe://";
constexpr std::string_view domain_characters = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
constexpr std::string_view segment_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

// An id is refused for what is in it; the offender is shown, cut, and only if it is printable.
std::string shown(std::string_view text)
{
    for (char const c : text) {
        if (c < 0x20 || c > 0x7e)
            return "it";
    }
    return "`" + std::string(text.substr(0, 100)) + "`";
}

Result<> check_path(std::string_view path)
{
    while (!path.empty()) {
        if (path.front() != '/')
            return invalid_argument("a SPIFFE ID's path begins with `/`");
        path.remove_prefix(1);
        auto const segment = path.substr(0, path.find('/'));
        if (!is_path_segment(segment))
            return invalid_argument("a SPIFFE ID's path has segments of letters, digits, `.`, `-` and `_`, none empty, `.` or `..`; "
                + shown(segment) + " is none");
        path.remove_prefix(segment.size());
    }
    return {};
}

} // namespace

Result<> check_trust_domain(std::string_view domain)
{
    if (domain.empty())
        return invalid_argument("the trust domain is missing");
    if (domain.size() > trust_domain_bytes_max)
        return invalid_argument("a trust domain has 255 bytes at most");
    if (domain.find_first_not_of(domain_characters) != std::string_view::npos)
        return invalid_argument("a trust domain has lower-case letters, digits, `.`, `-` and `_` only; " + shown(domain) + " has others");
    return {};
}

bool is_path_segment(std::string_view segment)
{
    return !segment.empty() && segment != "." && segment != ".." && segment.find_first_not_of(segment_characters) == std::string_view::npos;
}

Result<SpiffeId> SpiffeId::parse(std::string_view text)
{
    if (text.size() > spiffe_id_bytes_max)
        return invalid_argument("a SPIFFE ID has 2048 bytes at most");
    if (!text.starts_with(scheme))
        return invalid_argument("a SPIFFE ID begins with `spiffe://`");
    auto const rest = text.substr(scheme.size());
    auto const domain = rest.substr(0, rest.find('/'));
    TRY(check_trust_domain(domain));
    TRY(check_path(rest.substr(domain.size())));
    return SpiffeId(std::string(text));
}

Result<SpiffeId> SpiffeId::create(std::string_view trust_domain, std::string_view path)
{
    return parse(std::string(scheme).append(trust_domain).append(path));
}

std::string_view SpiffeId::trust_domain() const
{
    auto const rest = std::string_view(text_).substr(scheme.size());
    return rest.substr(0, rest.find('/'));
}

std::string_view SpiffeId::path() const { return std::string_view(text_).substr(scheme.size() + trust_domain().size()); }

} // namespace writ::identity
