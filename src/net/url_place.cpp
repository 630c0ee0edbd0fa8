// SPDX-License-Identifier: Apache-2.0
#include "net/url_place.h"

#include <algorithm>

namespace writ::net {

namespace {

// LIMIT: of a URL that somebody wrote, or a client goes to.
constexpr std::size_t url_bytes_max = 2048;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_plain(char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f' && std::string_view("?#%\\").find(c) == std::string_view::npos; }

bool has_plain_segments(std::string_view path)
{
    while (!path.empty()) {
        path.remove_prefix(1);
        auto const segment = path.substr(0, path.find('/'));
        if (segment.empty() || segment == "." || segment == "..")
            return false;
        path.remove_prefix(segment.size());
    }
    return true;
}

} // namespace

Result<SecretOrigin> parse_secret_origin(std::string_view text)
{
    constexpr std::string_view plain = "http://";
    if (!text.starts_with(plain))
        return SecretOrigin { TRY(parse_https_origin(text)), true };
    auto const parsed = parse_address(text.substr(plain.size()));
    auto const* tcp = parsed.is_ok() ? std::get_if<TcpAddress>(&*parsed) : nullptr;
    // SECURITY: what goes there is a secret; in the clear it crosses no network.
    if (tcp == nullptr || (!tcp->host.starts_with("127.") && tcp->host != "::1") || to_socket_address(*parsed).is_error())
        return invalid_argument("`" + std::string(text) + "` is neither `https://…` nor `http://` with a loopback address and port");
    return SecretOrigin { *tcp, false };
}

Result<UrlPlace> parse_url_place(std::string_view url)
{
    if (url.size() > url_bytes_max)
        return invalid_argument("a URL has at most " + std::to_string(url_bytes_max) + " bytes");
    auto const scheme = url.find("://");
    auto const slash = scheme == std::string_view::npos ? url.size() : std::min(url.find('/', scheme + 3), url.size());
    std::string origin(url.substr(0, slash));
    std::transform(origin.begin(), origin.end(), origin.begin(), lower);
    auto path = url.substr(slash);
    if (path.ends_with('/'))
        path.remove_suffix(1);
    if (!std::all_of(path.begin(), path.end(), is_plain) || !has_plain_segments(path))
        return invalid_argument("`" + std::string(url) + "` has a query, a fragment, escapes, or segments that are empty or dots");
    return UrlPlace { TRY(parse_secret_origin(origin)), std::string(path) };
}

std::string to_string(UrlPlace const& place)
{
    auto origin = to_string(Address(place.origin.address));
    constexpr std::string_view usual = ":443"; // as clients write it
    if (place.origin.is_tls && place.origin.address.port == 443)
        origin.resize(origin.size() - usual.size());
    return (place.origin.is_tls ? "https://" : "http://") + origin + place.path;
}

bool covers(UrlPlace const& place, UrlPlace const& url)
{
    if (place.origin != url.origin || !url.path.starts_with(place.path))
        return false;
    return url.path.size() == place.path.size() || url.path[place.path.size()] == '/';
}

} // namespace writ::net
