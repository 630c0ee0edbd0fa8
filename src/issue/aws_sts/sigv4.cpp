// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/sigv4.h"

#include "base/bytes.h"
#include "crypto/digest.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace writ::issue {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

using Parameter = std::pair<std::string, std::string>; // encoded

std::string hex_digest(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

// 20150830T123600Z
std::string basic_time(Timestamp time)
{
    auto text = to_rfc3339(time).substr(0, 19);
    std::erase_if(text, [](char letter) { return letter == '-' || letter == ':'; });
    return text + "Z";
}

std::string lower(std::string_view text)
{
    std::string lowered(text);
    std::ranges::transform(lowered, lowered.begin(), [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return lowered;
}

// White space at the ends goes, and what stands within becomes one space.
std::string trimmed(std::string_view value)
{
    std::string text;
    bool space = false;
    for (auto const letter : value) {
        if (std::isspace(static_cast<unsigned char>(letter)) != 0) {
            space = !text.empty();
            continue;
        }
        if (space)
            text += ' ';
        space = false;
        text += letter;
    }
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        auto const end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::string canonical_path(std::string_view path, bool normalize)
{
    auto const segments = split(path, '/');
    std::vector<std::string_view> kept;
    for (auto const segment : segments) {
        if (normalize && (segment.empty() || segment == "."))
            continue;
        if (normalize && segment == "..") {
            if (!kept.empty())
                kept.pop_back();
            continue;
        }
        kept.push_back(segment);
    }
    if (!normalize) {
        std::string text;
        for (std::size_t i = 0; i < kept.size(); ++i)
            text += (i == 0 ? "" : "/") + net::percent_encode(kept[i]);
        return text.empty() ? "/" : text;
    }
    std::string text;
    for (auto const segment : kept)
        text += "/" + net::percent_encode(segment);
    if (text.empty() || segments.back().empty() || segments.back() == "." || segments.back() == "..")
        text += "/";
    return text;
}

std::vector<Parameter> parameters_of(std::string_view query)
{
    // As it will be read: decoded where it is encoded. What is no encoding stands for itself.
    auto const encoded = [](std::string_view text) {
        auto decoded = net::percent_decode(text);
        return net::percent_encode(decoded.is_ok() ? std::string_view(*decoded) : text);
    };
    std::vector<Parameter> parameters;
    for (auto const part : split(query, '&')) {
        if (part.empty())
            continue;
        auto const equals = std::min(part.find('='), part.size());
        parameters.emplace_back(encoded(part.substr(0, equals)), encoded(part.substr(std::min(equals + 1, part.size()))));
    }
    return parameters;
}

std::string joined(std::vector<Parameter> const& parameters)
{
    std::string text;
    for (auto const& [name, value] : parameters)
        text += (text.empty() ? "" : "&") + name + "=" + value;
    return text;
}

// By lower-case name; fields of one name are one, in their order.
std::map<std::string, std::string> canonical_headers(net::Headers const& headers)
{
    std::map<std::string, std::string> canonical;
    for (auto const& [name, value] : headers) {
        auto const [place, is_new] = canonical.emplace(lower(name), trimmed(value));
        if (!is_new)
            place->second += "," + trimmed(value);
    }
    return canonical;
}

std::string signed_names(std::map<std::string, std::string> const& headers)
{
    std::string names;
    for (auto const& [name, value] : headers)
        names += (names.empty() ? "" : ";") + name;
    return names;
}

std::string scope_of(Sigv4Options const& options)
{
    return basic_time(options.time).substr(0, 8) + "/" + options.region + "/" + options.service + "/aws4_request";
}

SecretBytes signing_key(SecretText const& secret, Sigv4Options const& options)
{
    SecretText const first("AWS4" + std::string(secret.reveal()));
    SecretBytes key(to_bytes(first.reveal()));
    auto const date = basic_time(options.time).substr(0, 8);
    for (std::string_view const part : { std::string_view(date), std::string_view(options.region), std::string_view(options.service), std::string_view("aws4_request") }) {
        auto const next = crypto::hmac_sha256(key.reveal(), as_bytes(part));
        key = SecretBytes(Bytes(next.begin(), next.end()));
    }
    return key;
}

struct Canonical {
    std::string path;
    std::vector<Parameter> query;
    std::map<std::string, std::string> headers;
    std::string body_digest;
};

Sigv4Signature signature_of(std::string const& method, Canonical canonical, Sigv4Credentials const& credentials, Sigv4Options const& options)
{
    Sigv4Signature made;
    std::ranges::sort(canonical.query);
    made.canonical_request = method + "\n" + canonical.path + "\n" + joined(canonical.query) + "\n";
    for (auto const& [name, value] : canonical.headers)
        made.canonical_request += name + ":" + value + "\n";
    made.canonical_request += "\n" + signed_names(canonical.headers) + "\n" + canonical.body_digest;
    made.string_to_sign = std::string(algorithm) + "\n" + basic_time(options.time) + "\n" + scope_of(options) + "\n" + hex_digest(made.canonical_request);
    auto const key = signing_key(credentials.secret_access_key, options);
    made.signature = to_hex(crypto::hmac_sha256(key.reveal(), as_bytes(made.string_to_sign)));
    return made;
}

Canonical canonical_of(Sigv4Message const& message, Sigv4Options const& options)
{
    auto const question = std::min(message.target.find('?'), message.target.size());
    std::string_view const target = message.target;
    Canonical canonical;
    canonical.path = canonical_path(target.substr(0, question), options.normalize_path);
    canonical.query = parameters_of(target.substr(std::min(question + 1, target.size())));
    canonical.body_digest = hex_digest(message.body);
    return canonical;
}

} // namespace

Sigv4Signed sign_in_headers(Sigv4Message const& message, Sigv4Credentials const& credentials, Sigv4Options const& options)
{
    auto canonical = canonical_of(message, options);
    Sigv4Signed made;
    made.headers.add("X-Amz-Date", basic_time(options.time));
    if (options.sign_body)
        made.headers.add("x-amz-content-sha256", canonical.body_digest);
    auto const has_token = !credentials.session_token.reveal().empty();
    auto const token = std::string(credentials.session_token.reveal());
    if (has_token && options.sign_session_token)
        made.headers.add("X-Amz-Security-Token", token);
    auto covered = message.headers;
    for (auto const& [name, value] : made.headers)
        covered.add(name, value);
    canonical.headers = canonical_headers(covered);
    auto const names = signed_names(canonical.headers);
    made.signature = signature_of(message.method, std::move(canonical), credentials, options);
    if (has_token && !options.sign_session_token)
        made.headers.add("X-Amz-Security-Token", token);
    made.headers.add("Authorization", std::string(algorithm) + " Credential=" + credentials.access_key_id + "/" + scope_of(options) + ", SignedHeaders=" + names
            + ", Signature=" + made.signature.signature);
    return made;
}

Sigv4Signed sign_in_query(Sigv4Message const& message, Sigv4Credentials const& credentials, Sigv4Options const& options)
{
    auto canonical = canonical_of(message, options);
    canonical.headers = canonical_headers(message.headers);
    std::vector<Parameter> added { { "X-Amz-Algorithm", std::string(algorithm) },
        { "X-Amz-Credential", net::percent_encode(credentials.access_key_id + "/" + scope_of(options)) }, { "X-Amz-Date", basic_time(options.time) },
        { "X-Amz-SignedHeaders", net::percent_encode(signed_names(canonical.headers)) }, { "X-Amz-Expires", std::to_string(options.expires.count()) } };
    auto const token = Parameter("X-Amz-Security-Token", net::percent_encode(credentials.session_token.reveal()));
    auto const has_token = !token.second.empty();
    if (has_token && options.sign_session_token)
        added.push_back(token);
    canonical.query.insert(canonical.query.end(), added.begin(), added.end());
    Sigv4Signed made;
    made.signature = signature_of(message.method, std::move(canonical), credentials, options);
    if (has_token && !options.sign_session_token)
        added.push_back(token);
    added.emplace_back("X-Amz-Signature", made.signature.signature);
    made.query = joined(added);
    return made;
}

} // namespace writ::issue
