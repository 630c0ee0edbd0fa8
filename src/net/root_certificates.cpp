// SPDX-License-Identifier: Apache-2.0
#include "net/root_certificates.h"

namespace writ::net {

namespace {

constexpr std::string_view begin_mark = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view end_mark = "-----END CERTIFICATE-----";
// LIMIT: a file of roots.
constexpr std::size_t file_bytes_max = 8U << 20U;

std::string without_line_ends(std::string_view text)
{
    std::string joined;
    joined.reserve(text.size());
    for (char const c : text) {
        if (c != '\n' && c != '\r')
            joined += c;
    }
    return joined;
}

} // namespace

Result<std::vector<Bytes>> parse_pem_certificates(std::string_view text)
{
    std::vector<Bytes> certificates;
    for (auto begin = text.find(begin_mark); begin != std::string_view::npos; begin = text.find(begin_mark)) {
        text.remove_prefix(begin + begin_mark.size());
        auto const end = text.find(end_mark);
        auto const place = "certificate " + std::to_string(certificates.size() + 1);
        if (end == std::string_view::npos)
            return invalid_argument(place + " has no end");
        if (certificates.size() == root_certificates_max)
            return invalid_argument("more than " + std::to_string(root_certificates_max) + " certificates");
        certificates.push_back(TRY(parse_base64(without_line_ends(text.substr(0, end))).in(place)));
        text.remove_prefix(end + end_mark.size());
    }
    if (certificates.empty())
        return invalid_argument("no certificate in PEM");
    return certificates;
}

Result<std::vector<Bytes>> load_root_certificates(Path const& file)
{
    auto const path = file.empty() ? Path(system_roots_file) : file;
    auto const bytes = TRY(read_file(path, file_bytes_max).in("root certificates"));
    return parse_pem_certificates(as_text(bytes)).in("`" + path.string() + "`");
}

} // namespace writ::net
