// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.h"

namespace writ::crypto {

namespace {

Error wrong_der(std::string_view what) { return invalid_argument("DER has " + std::string(what)); }

// Takes the length octets off `rest`.
Result<std::size_t> take_length(BytesView& rest)
{
    if (rest.empty())
        return wrong_der("no length");
    std::size_t const first = rest[0];
    rest = rest.subspan(1);
    if (first < 0x80)
        return first;
    auto const count = first & 0x7fU;
    if (count == 0 || count > 4 || count > rest.size())
        return wrong_der("a length of an unknown form");
    std::size_t length = 0;
    for (auto const byte : rest.first(count))
        length = length << 8U | byte;
    if (length < 0x80 || length >> (8 * (count - 1)) == 0)
        return wrong_der("a length longer than needed");
    rest = rest.subspan(count);
    return length;
}

} // namespace

Result<BytesView> DerReader::next(DerTag tag)
{
    if (rest_.empty() || rest_[0] != static_cast<std::uint8_t>(tag))
        return wrong_der("another element than expected");
    auto rest = rest_.subspan(1);
    auto const length = TRY(take_length(rest));
    if (length > rest.size())
        return wrong_der("an element longer than its bytes");
    rest_ = rest.subspan(length);
    return rest.first(length);
}

Result<BytesView> DerReader::next_unsigned()
{
    auto const contents = TRY(next(DerTag::integer));
    if (contents.empty() || (contents[0] & 0x80U) != 0)
        return wrong_der("a negative or empty integer");
    if (contents[0] != 0)
        return contents;
    if (contents.size() > 1 && (contents[1] & 0x80U) == 0)
        return wrong_der("an integer longer than needed");
    return contents.subspan(1);
}

Result<> DerReader::expect_end() const
{
    if (!rest_.empty())
        return wrong_der("more after its end");
    return {};
}

void append_element(Bytes& out, std::uint8_t tag, BytesView contents)
{
    out.push_back(tag);
    auto const size = contents.size();
    if (size >= 0x80) {
        unsigned count = 1;
        while (size >> (8 * count) != 0)
            ++count;
        out.push_back(static_cast<std::uint8_t>(0x80U | count));
        while (count-- > 1)
            out.push_back(static_cast<std::uint8_t>(size >> (8 * count)));
    }
    out.push_back(static_cast<std::uint8_t>(size));
    append_bytes(out, contents);
}

void append_unsigned(Bytes& out, BytesView big_endian)
{
    while (!big_endian.empty() && big_endian[0] == 0)
        big_endian = big_endian.subspan(1);
    Bytes contents;
    if (big_endian.empty() || (big_endian[0] & 0x80U) != 0)
        contents.push_back(0);
    append_bytes(contents, big_endian);
    append_element(out, DerTag::integer, contents);
}

} // namespace writ::crypto
