// SPDX-License-Identifier: Apache-2.0
#include "crypto/pem.h"

namespace writ::crypto {

namespace {

std::string without_line_ends(std::string_view text)
{
    std::string kept;
    kept.reserve(text.size());
    for (auto const character : text)
        if (character != '\n' && character != '\r' && character != ' ' && character != '\t')
            kept += character;
    return kept;
}

} // namespace

Result<std::vector<Bytes>> parse_pem(std::string_view text, std::string_view label)
{
    auto const begin = "-----BEGIN " + std::string(label) + "-----", end = "-----END " + std::string(label) + "-----";
    std::vector<Bytes> blocks;
    for (;;) {
        auto const from = text.find(begin);
        if (from == std::string_view::npos)
            return blocks;
        text.remove_prefix(from + begin.size());
        auto const to = text.find(end);
        if (to == std::string_view::npos)
            return invalid_argument("a PEM block has no end");
        auto block = parse_base64(without_line_ends(text.substr(0, to)));
        if (block.is_error() || block->empty())
            return invalid_argument("a PEM block is not base64");
        blocks.push_back(std::move(*block));
        text.remove_prefix(to + end.size());
    }
}

} // namespace writ::crypto
